import { CoordinatorError } from '../../errors.ts'

/** How long a stream may wait for its turn, in milliseconds. Short streams end quickly, so many can follow each other. */
const WAIT_MS = 1_000

type Outcome = 'turn' | 'late' | 'gone'

/**
 * Limits how many streams of the whole state are open at the same time. Each keeps the records of its moment in memory, even after they
 * were replaced. A stream that waits for its turn keeps nothing yet.
 */
export class WholeStreams {
  readonly #max: number
  readonly #queue = new Set<(outcome: Outcome) => void>()
  #open = 0
  #refused = 0

  constructor(max: number) {
    this.#max = max
  }

  /** How many there are. */
  get open(): number {
    return this.#open
  }

  /** How many were refused. */
  get refused(): number {
    return this.#refused
  }

  /**
   * Runs one stream when it is its turn, unless its client is gone by then.
   *
   * @throws COORD_STREAMS_BUSY
   */
  async run(stream: () => Promise<void>, gone: AbortSignal): Promise<void> {
    if (this.#open < this.#max) this.#open += 1
    else if (!(await this.#turn(gone))) return
    try {
      await stream()
    } finally {
      const [next] = this.#queue
      if (next === undefined) this.#open -= 1
      else next('turn')
    }
  }

  /** @returns `false` if nobody wants the stream any more */
  async #turn(gone: AbortSignal): Promise<boolean> {
    if (gone.aborted) return false
    const { promise, resolve } = Promise.withResolvers<Outcome>()
    const timer = setTimeout(() => settle('late'), WAIT_MS)
    const settle = (outcome: Outcome) => {
      clearTimeout(timer)
      gone.removeEventListener('abort', leave)
      this.#queue.delete(settle)
      resolve(outcome)
    }
    const leave = () => settle('gone')
    gone.addEventListener('abort', leave, { once: true })
    this.#queue.add(settle)
    const outcome = await promise
    if (outcome !== 'late') return outcome === 'turn'
    this.#refused += 1
    throw new CoordinatorError('COORD_STREAMS_BUSY', {
      detail: `${this.#max} streams of the whole state are open, which is the limit.`,
      retryAfterSeconds: 5,
    })
  }
}
