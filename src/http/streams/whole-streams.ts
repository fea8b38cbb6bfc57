import { CoordinatorError } from '../../errors.ts'
import { Semaphore, type Wish } from '../../scheduling/semaphore.ts'

/** How long a stream may wait for its turn, in milliseconds. Short streams end quickly, so many can follow each other. */
const WAIT_MS = 1_000

/**
 * Limits how many streams of the whole state are open at the same time. Each keeps the records of its moment in memory, even after they
 * were replaced. A stream that waits for its turn keeps nothing yet.
 */
export class WholeStreams {
  readonly #max: number
  readonly #turns: Semaphore
  #refused = 0

  constructor(max: number) {
    this.#max = max
    this.#turns = new Semaphore({ max, timeoutMs: WAIT_MS })
  }

  get open(): number {
    return this.#turns.figures.inside
  }

  /** How many were refused. */
  get refused(): number {
    return this.#refused
  }

  /**
   * Runs one stream when it is its turn, unless its client is gone by then. One client may have half of the streams.
   *
   * @param wish the client, and whether it is gone
   * @throws COORD_STREAMS_BUSY, and what the stream throws
   */
  async run(stream: () => Promise<void>, wish: Required<Wish>): Promise<void> {
    try {
      await this.#turns.acquire(wish)
    } catch {
      if (wish.signal?.aborted === true) return
      this.#refused += 1
      const { inside } = this.#turns.figures
      throw new CoordinatorError('COORD_STREAMS_BUSY', {
        detail:
          inside < this.#max
            ? `Half of the ${this.#max} streams of the whole state are open for this client; the others are kept for other clients.`
            : `${this.#max} streams of the whole state are open, which is the limit.`,
        retryAfterSeconds: 5,
      })
    }
    try {
      await stream()
    } finally {
      this.#turns.release(wish.client)
    }
  }
}
