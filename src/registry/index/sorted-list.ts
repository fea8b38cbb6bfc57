/** Items in a chunk when it is split. Small enough to shift at every insert, large enough that chunks stay few. */
const CHUNK_MAX = 1_024

/** Negative, zero or positive, as for `Array.sort`. */
export type Compare<T> = (left: T, right: T) => number

/**
 * A set in order, kept as a list of short arrays: an insert or a removal shifts one of them. For a million numbers it
 * takes a tenth more memory than one plain array, and adding in order costs no search.
 */
export class SortedList<T> {
  readonly #compare: Compare<T>
  #chunks: T[][] = []
  #size = 0

  /** @param items the first ones, already in order; the list takes the array over */
  constructor(compare: Compare<T>, items: T[] = []) {
    this.#compare = compare
    if (items.length > 0) this.#chunks.push(items)
    this.#size = items.length
  }

  get size(): number {
    return this.#size
  }

  /** The items in order, in arrays that must not be changed. */
  get chunks(): readonly (readonly T[])[] {
    return this.#chunks
  }

  has(item: T): boolean {
    const chunk = this.#chunks[this.#chunkFor(item)]
    return chunk !== undefined && hasSorted(chunk, item, this.#compare)
  }

  /** @returns whether it was absent */
  add(item: T): boolean {
    const index = this.#chunkFor(item)
    const chunk = this.#chunks[index]
    if (chunk === undefined) {
      this.#append(item)
      return true
    }
    if (!insertSorted(chunk, item, this.#compare)) return false
    this.#size += 1
    if (chunk.length > CHUNK_MAX) this.#chunks.splice(index + 1, 0, chunk.splice(CHUNK_MAX / 2))
    return true
  }

  /** @returns whether it was there */
  delete(item: T): boolean {
    const index = this.#chunkFor(item)
    const chunk = this.#chunks[index]
    if (chunk === undefined) return false
    if (!deleteSorted(chunk, item, this.#compare)) return false
    this.#size -= 1
    if (chunk.length === 0) this.#chunks.splice(index, 1)
    return true
  }

  /** The items from `first` on, `first` included where it is there. The list must not change meanwhile. */
  *from(first: T): Generator<T> {
    const start = this.#chunkFor(first)
    for (let index = start; index < this.#chunks.length; index += 1) {
      const chunk = this.#chunks[index] as T[]
      for (let at = index === start ? lowerBound(chunk, first, this.#compare) : 0; at < chunk.length; at += 1)
        yield chunk[at] as T
    }
  }

  /** Puts an item behind all others. A full chunk is left full: lists that only grow waste nothing. */
  #append(item: T): void {
    const last = this.#chunks.at(-1)
    if (last === undefined || last.length >= CHUNK_MAX) this.#chunks.push([item])
    else last.push(item)
    this.#size += 1
  }

  /** Index of the chunk where an item is or belongs; behind the last one if it is greater than everything. */
  #chunkFor(item: T): number {
    let low = 0
    let high = this.#chunks.length
    const last = this.#chunks[high - 1]
    if (last !== undefined && this.#compare(item, last[last.length - 1] as T) > 0) return high
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#compare(this.#chunks[middle]?.at(-1) as T, item) < 0) low = middle + 1
      else high = middle
    }
    return low
  }
}

/**
 * Adds an item to an array that is in order.
 *
 * @returns whether it was absent
 */
export function insertSorted<T>(items: T[], item: T, compare: Compare<T>): boolean {
  const last = items.length - 1
  if (last < 0 || compare(items[last] as T, item) < 0) {
    items.push(item)
    return true
  }
  const at = lowerBound(items, item, compare)
  if (hasAt(items, at, item, compare)) return false
  items.splice(at, 0, item)
  return true
}

/**
 * Removes an item from an array that is in order.
 *
 * @returns whether it was there
 */
export function deleteSorted<T>(items: T[], item: T, compare: Compare<T>): boolean {
  const at = lowerBound(items, item, compare)
  if (!hasAt(items, at, item, compare)) return false
  items.splice(at, 1)
  return true
}

/** Whether an array that is in order has an item. */
export function hasSorted<T>(items: readonly T[], item: T, compare: Compare<T>): boolean {
  return hasAt(items, lowerBound(items, item, compare), item, compare)
}

function lowerBound<T>(items: readonly T[], item: T, compare: Compare<T>): number {
  let low = 0
  let high = items.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compare(items[middle] as T, item) < 0) low = middle + 1
    else high = middle
  }
  return low
}

function hasAt<T>(items: readonly T[], at: number, item: T, compare: Compare<T>): boolean {
  return at < items.length && compare(items[at] as T, item) === 0
}

/** The order of UTF-16 code units, which is that of `<`. */
export function byCodeUnits(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0
}

export function byNumber(left: number, right: number): number {
  return left - right
}
