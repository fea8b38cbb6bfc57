import { CoordinatorError } from '../errors.ts'

/** Who wants work done, and until when. */
export interface Wish {
  /** Gives the place up while the work waits for its turn, because nobody wants it any more. */
  readonly signal?: AbortSignal | undefined
  /** Clients take turns, and one of them takes half of the places where work waits. @default one that has no such limit */
  readonly client?: string | undefined
}

/** Lets so much work go on at the same time; so much more waits, first come, first served among the clients that take turns. */
export class Semaphore {
  readonly #maxWaiting: number
  #free: number
  /** In the order in which they came, with the client of each. */
  readonly #waiting = new Map<() => void, string | undefined>()
  /** When each client had its last turn, counted in turns; for as long as anybody waits. */
  readonly #turns = new Map<string | undefined, number>()
  #turnCount = 0

  constructor(count: number, maxWaiting: number) {
    this.#free = count
    this.#maxWaiting = maxWaiting
  }

  /**
   * @throws COORD_GRAPH_BUSY where too much waits, or too much of one client, and the reason of `signal` once it is aborted; what the work throws
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
          reason instanceof CoordinatorError ? reason : busy('Whoever asked went away before the turn came.'),
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
        reject(busy(`${this.#waiting.size} are waiting already.`))
      else if (client !== undefined && this.#waitingOf(client) >= this.#maxWaiting / 2)
        reject(busy(`${this.#waitingOf(client)} of the same client are waiting already.`))
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
