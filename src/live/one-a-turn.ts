/**
 * Does pieces of work in order, one in each turn of the event loop: several that come at once would keep everybody else waiting
 * for all of them.
 */
export class OneATurn {
  readonly #waiting: (() => void)[] = []
  #running = false

  /** @param work is done at once where nothing waits; must not throw */
  add(work: () => void): void {
    this.#waiting.push(work)
    if (this.#running) return
    this.#running = true
    this.#next()
  }

  #next(): void {
    const work = this.#waiting.shift()
    if (work === undefined) {
      this.#running = false
      return
    }
    setImmediate(() => this.#next())
    work()
  }
}
