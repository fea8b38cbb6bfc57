import type { Compare } from '../index/sorted-list.ts'

/** Keeps the smallest of many items. It never sorts or holds much more than the wanted number. */
export class Smallest<T> {
  readonly #count: number
  readonly #compare: Compare<T>
  #items: T[] = []
  #worst: T | undefined

  /** @param count the wanted number of items, at least 1 */
  constructor(count: number, compare: Compare<T>) {
    this.#count = count
    this.#compare = compare
  }

  offer(item: T): void {
    if (this.#worst !== undefined && this.#compare(item, this.#worst) > 0) return
    this.#items.push(item)
    if (this.#items.length >= 2 * this.#count) {
      this.#items = this.sorted()
      this.#worst = this.#items.at(-1)
    }
  }

  /** The smallest items, sorted. */
  sorted(): T[] {
    return this.#items.sort(this.#compare).slice(0, this.#count)
  }
}
