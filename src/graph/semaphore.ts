import { CoordinatorError } from '../errors.ts'

/** Lets so much work go on at the same time; so much more waits, first come, first served. */
export class Semaphore {
  readonly #maxWaiting: number
  #free: number
  /** In the order in which they came. */
  readonly #waiting = new Set<() => void>()

  constructor(count: number, maxWaiting: number) {
    this.#free = count
    this.#maxWaiting = maxWaiting
  }

  /**
   * @param signal gives the place up while the work waits for its turn, because nobody wants it any more
   * @throws COORD_GRAPH_BUSY where too much waits, the reason of `signal` once it is aborted; and what the work throws
   */
  async run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (this.#free === 0) await this.#turn(signal)
    else this.#free -= 1
    try {
      return await work()
    } finally {
      const [next] = this.#waiting
      if (next === undefined) this.#free += 1
      else next()
    }
  }

  #turn(signal: AbortSignal | undefined): Promise<void> {
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
        resolve()
      }
      if (signal?.aborted === true) leave()
      else if (this.#waiting.size >= this.#maxWaiting)
        reject(busy(`${this.#waiting.size} are waiting already.`))
      else {
        this.#waiting.add(enter)
        signal?.addEventListener('abort', leave)
      }
    })
  }
}

function busy(detail: string): CoordinatorError {
  return new CoordinatorError('COORD_GRAPH_BUSY', { detail, retryAfterSeconds: 2 })
}
