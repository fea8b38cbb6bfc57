import { vi } from 'vitest'

/** A clock that a test moves. While it is in use, `performance.now()` is ahead by as much as it was advanced. */
export class MovedClock implements Disposable {
  readonly #restore: () => void
  #aheadMs = 0

  /** @param still whether the clock moves only when it is advanced, however busy the machine is */
  constructor({ still = false } = {}) {
    const now = performance.now.bind(performance)
    const startedAt = now()
    const spy = vi.spyOn(performance, 'now')
    spy.mockImplementation(() => (still ? startedAt : now()) + this.#aheadMs)
    this.#restore = () => spy.mockRestore()
  }

  /** Lets so much time pass at once. */
  advance(ms: number): void {
    this.#aheadMs += ms
  }

  [Symbol.dispose](): void {
    this.#restore()
  }
}
