import type { Compare } from '../index/sorted-list.ts'

/** Keeps the smallest of many items, without ever sorting, or holding, much more than are wanted. */
export class Smallest<T> {
  readonly #count: number
  readonly #compare: Compare<T>
  #items: T[] = []
  #worst: T | undefined

  /** @param count how many are wanted, at least 1 */
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

  /** The smallest, in order. */
  sorted(): T[] {
    return this.#items.sort(this.#compare).slice(0, this.#count)
  }
}
