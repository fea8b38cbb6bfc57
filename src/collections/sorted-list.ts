/**
 * A chunk with this many items is split. It is small enough to shift at every insert, and large enough to keep the number of chunks low.
 */
const CHUNK_MAX = 1_024

/** Negative, zero or positive, as for `Array.sort`. */
export type Compare<T> = (left: T, right: T) => number

/**
 * A sorted set, kept as a list of short arrays. An insert or a removal shifts only one of them. For a million numbers it takes a tenth more
 * memory than one plain array. Adding items in order needs no search.
 */
export class SortedList<T> {
  readonly #compare: Compare<T>
  #chunks: T[][] = []
  #size = 0

  /** @param items the first items, already sorted; the list takes over the array */
  constructor(compare: Compare<T>, items: T[] = []) {
    this.#compare = compare
    if (items.length > 0) this.#chunks.push(items)
    this.#size = items.length
  }

  get size(): number {
    return this.#size
  }

  /** The sorted items, in arrays that must not be changed. */
  get chunks(): readonly (readonly T[])[] {
    return this.#chunks
  }

  has(item: T): boolean {
    const chunk = this.#chunks[this.#chunkFor(item)]
    return chunk !== undefined && this.#isAt(chunk, this.#indexIn(chunk, item), item)
  }

  /** @returns whether it was absent */
  add(item: T): boolean {
    const index = this.#chunkFor(item)
    const chunk = this.#chunks[index]
    if (chunk === undefined) this.#append(item)
    else {
      const at = this.#indexIn(chunk, item)
      if (this.#isAt(chunk, at, item)) return false
      chunk.splice(at, 0, item)
      if (chunk.length > CHUNK_MAX) this.#chunks.splice(index + 1, 0, chunk.splice(CHUNK_MAX / 2))
    }
    this.#size += 1
    return true
  }

  /** @returns whether it was there */
  delete(item: T): boolean {
    const index = this.#chunkFor(item)
    const chunk = this.#chunks[index]
    if (chunk === undefined) return false
    const at = this.#indexIn(chunk, item)
    if (!this.#isAt(chunk, at, item)) return false
    chunk.splice(at, 1)
    this.#size -= 1
    if (chunk.length === 0) this.#chunks.splice(index, 1)
    return true
  }

  /** The items from `first` on, including `first` if it exists. The list must not change in the meantime. */
  *from(first: T): Generator<T> {
    const start = this.#chunkFor(first)
    for (let index = start; index < this.#chunks.length; index += 1) {
      const chunk = this.#chunks[index] as T[]
      for (let at = index === start ? this.#indexIn(chunk, first) : 0; at < chunk.length; at += 1)
        yield chunk[at] as T
    }
  }

  /** Adds an item after all others. A full chunk is not split, so lists that only grow waste no memory. */
  #append(item: T): void {
    const last = this.#chunks.at(-1)
    if (last === undefined || last.length >= CHUNK_MAX) this.#chunks.push([item])
    else last.push(item)
  }

  /** The index of the chunk where an item is or belongs; the number of chunks if the item is greater than all others. */
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

  /** The index of an item in a chunk, or of the first item after it. */
  #indexIn(chunk: readonly T[], item: T): number {
    let low = 0
    let high = chunk.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#compare(chunk[middle] as T, item) < 0) low = middle + 1
      else high = middle
    }
    return low
  }

  #isAt(chunk: readonly T[], at: number, item: T): boolean {
    return at < chunk.length && this.#compare(chunk[at] as T, item) === 0
  }
}

/** The order of UTF-16 code units, which is that of `<`. */
export function byCodeUnits(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0
}

export function byNumber(left: number, right: number): number {
  return left - right
}
