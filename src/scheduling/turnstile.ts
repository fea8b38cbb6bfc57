import { CoordinatorError } from '../errors.ts'

export interface TurnstileOptions {
  readonly max: number
  /** How long a call may wait to be let through, in milliseconds. */
  readonly timeoutMs: number
  /** A call has waited too long. @default nothing */
  readonly onTimeout?: () => void
}

/** How a call came through. */
export interface Passage {
  /** Whether it had to wait for another to leave. */
  readonly waited: boolean
  readonly waitMs: number
}

interface Waiter {
  readonly enter: () => void
  readonly fail: (error: CoordinatorError) => void
}

/** Lets only so many calls through at once; the others wait in the order in which they came. */
export class Turnstile {
  readonly #max: number
  readonly #timeoutMs: number
  readonly #onTimeout: () => void
  readonly #waiting: Waiter[] = []
  #inside = 0
  #closed = false

  constructor({ max, timeoutMs, onTimeout = () => undefined }: TurnstileOptions) {
    this.#max = max
    this.#timeoutMs = timeoutMs
    this.#onTimeout = onTimeout
  }

  get figures(): { readonly inside: number; readonly waiting: number; readonly max: number } {
    return { inside: this.#inside, waiting: this.#waiting.length, max: this.#max }
  }

  /**
   * Does some work as soon as there is room for it.
   *
   * @throws COORD_STORE_TIMEOUT where there is none in time, COORD_STORE_UNAVAILABLE once it is closed; what the work throws
   */
  async pass<T>(work: (passage: Passage) => Promise<T>): Promise<T> {
    const started = performance.now()
    const waited = this.#inside >= this.#max
    await this.#enter()
    try {
      return await work({ waited, waitMs: waited ? performance.now() - started : 0 })
    } finally {
      this.#leave()
    }
  }

  /** Lets nobody in any more, and sends away who waits. */
  close(): void {
    this.#closed = true
    for (const { fail } of this.#waiting.splice(0)) fail(closedStore())
  }

  #enter(): Promise<void> {
    if (this.#closed) return Promise.reject(closedStore())
    if (this.#inside < this.#max) {
      this.#inside += 1
      return Promise.resolve()
    }
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1)
        this.#onTimeout()
        reject(
          new CoordinatorError('COORD_STORE_TIMEOUT', {
            detail: `None of ${this.#max} connections became free within ${this.#timeoutMs} ms.`,
            outcome: 'not_written',
          }),
        )
      }, this.#timeoutMs)
      const waiter: Waiter = {
        enter: () => {
          clearTimeout(timer)
          resolve()
        },
        fail: (error) => {
          clearTimeout(timer)
          reject(error)
        },
      }
      this.#waiting.push(waiter)
    })
  }

  #leave(): void {
    const next = this.#waiting.shift()
    // The place is handed over: it is never free in between.
    if (next === undefined) this.#inside -= 1
    else next.enter()
  }
}

export function closedStore(): CoordinatorError {
  return new CoordinatorError('COORD_STORE_UNAVAILABLE', {
    detail: 'The store is closed.',
    outcome: 'not_written',
  })
}
