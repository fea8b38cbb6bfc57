import { CoordinatorError } from '../errors.ts'

/** For whom work is done, and until when. */
export interface Wish {
  /** Aborted when nobody wants the work any more. Work that is still waiting then gives up its place. */
  readonly signal?: AbortSignal | undefined
  /** Clients take turns, and one client may use half of the places for waiting. @default a client without this limit */
  readonly client?: string | undefined
}

/** Limits how much work goes on at the same time, and how much more may wait. Clients take turns; the work of one client is done in order. */
export class Semaphore {
  readonly #maxWaiting: number
  #free: number
  /** The waiting work in the order of arrival, with its client. */
  readonly #waiting = new Map<() => void, string | undefined>()
  /** The number of the last turn of each client. Kept while any work waits. */
  readonly #turns = new Map<string | undefined, number>()
  #turnCount = 0

  constructor(count: number, maxWaiting: number) {
    this.#free = count
    this.#maxWaiting = maxWaiting
  }

  /**
   * @throws COORD_GRAPH_BUSY where too much work waits, in all or of one client; the reason of `signal` once it is aborted; what the
   * work throws
   */
  async run<T>(work: () => Promise<T>, wish: Wish = {}): Promise<T> {
    if (this.#free === 0) await this.#turn(wish)
    else this.#free -= 1
    try {
      return await work()
    } finally {
      const next = this.#next()
      if (next === undefined) this.#free += 1
      else next()
    }
  }

  #next(): (() => void) | undefined {
    let next: (() => void) | undefined
    let earliest = Number.POSITIVE_INFINITY
    for (const [enter, client] of this.#waiting) {
      const turn = this.#turns.get(client) ?? 0
      if (turn >= earliest) continue
      next = enter
      earliest = turn
    }
    return next
  }

  #turn({ signal, client }: Wish): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting.delete(enter)
        const { reason } = signal ?? {}
        reject(
          reason instanceof CoordinatorError
            ? reason
            : busy('The client was gone before the work could begin.'),
        )
      }
      const enter = () => {
        this.#waiting.delete(enter)
        signal?.removeEventListener('abort', leave)
        this.#turns.set(client, ++this.#turnCount)
        if (this.#waiting.size === 0) this.#turns.clear()
        resolve()
      }
      if (signal?.aborted === true) leave()
      else if (this.#waiting.size >= this.#maxWaiting)
        reject(busy(`${this.#waiting.size} questions are waiting already.`))
      else if (client !== undefined && this.#waitingOf(client) >= this.#maxWaiting / 2)
        reject(busy(`${this.#waitingOf(client)} questions of the same client are waiting already.`))
      else {
        this.#waiting.set(enter, client)
        signal?.addEventListener('abort', leave)
      }
    })
  }

  #waitingOf(client: string): number {
    return [...this.#waiting.values()].filter((other) => other === client).length
  }
}

function busy(detail: string): CoordinatorError {
  return new CoordinatorError('COORD_GRAPH_BUSY', { detail, retryAfterSeconds: 2 })
}
