export type Compare<T> = (left: T, right: T) => number

/** Keeps the smallest of many items, without ever sorting, or holding, many more than are wanted. */
export class Smallest<T> {
  readonly #count: number
  readonly #compare: Compare<T>
  #items: T[] = []
  #worst: T | undefined

  /** @param compare tells any two items apart */
  constructor(count: number, compare: Compare<T>) {
    this.#count = count
    this.#compare = compare
  }

  offer(item: T): void {
    if (this.#worst !== undefined && this.#compare(item, this.#worst) > 0) return
    this.#items.push(item)
    if (this.#items.length < 2 * this.#count + 16) return
    this.#items = this.sorted()
    this.#worst = this.#items.at(-1)
  }

  /** The smallest, in order. */
  sorted(): T[] {
    return this.#items.sort(this.#compare).slice(0, this.#count)
  }
}

/** The first `count` of the items in order. @param compare tells any two items apart */
export function smallest<T>(items: Iterable<T>, count: number, compare: Compare<T>): T[] {
  const kept = new Smallest(count, compare)
  for (const item of items) kept.offer(item)
  return kept.sorted()
}
