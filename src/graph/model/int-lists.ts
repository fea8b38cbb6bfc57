const FIRST_CAPACITY = 2

/**
 * Many growable lists of integers in one typed array. The adjacency of a graph with millions of edges costs a few bytes an edge, and
 * reading a list touches neighboring memory. A list has a block whose size is a power of two. When a list outgrows its block, another list
 * can use the block. Removing an item moves the last item to its position, so the order means nothing.
 */
export class IntLists {
  /** The start of each list in `items`. It is replaced when the lists grow: do not keep it across a change. */
  start = new Int32Array(16)
  /** How many items each list has. */
  length = new Int32Array(16)
  items = new Int32Array(64)
  /** A second column parallel to `items`; empty if it was not requested. */
  others = new Int32Array(0)
  /** Log2 of the size of the block, plus one; 0 for a list without a block. */
  #sizeClass = new Uint8Array(16)
  #used = 0
  #freeBlocks: number[][] = []

  constructor({ columns = 1 }: { readonly columns?: 1 | 2 } = {}) {
    if (columns === 2) this.others = new Int32Array(this.items.length)
  }

  /** Adds an item at the end of a list and returns its position. */
  push(list: number, value: number, other?: number): number {
    this.#makeRoomFor(list)
    const at = this.length[list] as number
    const sizeClass = this.#sizeClass[list] as number
    if (sizeClass === 0 || at === 1 << (sizeClass - 1)) this.#grow(list, sizeClass)
    const index = (this.start[list] as number) + at
    this.items[index] = value
    if (other !== undefined) this.others[index] = other
    this.length[list] = at + 1
    return at
  }

  /** Removes the item at a position. Returns the item that is at that position now, or -1 if it was the last. */
  removeAt(list: number, at: number): number {
    const last = (this.length[list] as number) - 1
    this.length[list] = last
    if (last === 0) this.#release(list)
    if (at === last) return -1
    const start = this.start[list] as number
    const moved = this.items[start + last] as number
    this.items[start + at] = moved
    if (this.others.length > 0) this.others[start + at] = this.others[start + last] as number
    return moved
  }

  clear(list: number): void {
    if (list >= this.length.length) return
    this.length[list] = 0
    this.#release(list)
  }

  size(list: number): number {
    return this.length[list] ?? 0
  }

  /** The items of a list, as a view that lives until the next change. */
  of(list: number): Int32Array {
    return this.#viewOf(this.items, list)
  }

  /** The second column of a list, as a view that lives until the next change. */
  othersOf(list: number): Int32Array {
    return this.#viewOf(this.others, list)
  }

  /** A copy for reading. Nothing changes it any more, and nobody may add to it. */
  copy(lists: number): IntLists {
    const copy = new IntLists()
    copy.start = this.start.slice(0, Math.max(lists, 1))
    copy.length = this.length.slice(0, Math.max(lists, 1))
    copy.items = this.items.slice(0, this.#used)
    copy.others = this.others.slice(0, this.#used)
    copy.#used = this.#used
    return copy
  }

  #viewOf(column: Int32Array, list: number): Int32Array {
    const start = this.start[list] ?? 0
    return column.subarray(start, start + (this.length[list] ?? 0))
  }

  #makeRoomFor(list: number): void {
    if (list < this.length.length) return
    const size = Math.max(list + 1, this.length.length * 2)
    this.start = grown(this.start, size)
    this.length = grown(this.length, size)
    this.#sizeClass = new Uint8Array(this.#sizeClass.buffer.transfer(size))
  }

  #grow(list: number, sizeClass: number): void {
    const nextClass = sizeClass === 0 ? Math.log2(FIRST_CAPACITY) + 1 : sizeClass + 1
    const block = this.#takeBlock(nextClass)
    const start = this.start[list] as number
    const end = start + (this.length[list] as number)
    this.items.copyWithin(block, start, end)
    if (this.others.length > 0) this.others.copyWithin(block, start, end)
    this.#release(list)
    this.start[list] = block
    this.#sizeClass[list] = nextClass
  }

  #takeBlock(sizeClass: number): number {
    const free = this.#freeBlocks[sizeClass]?.pop()
    if (free !== undefined) return free
    const block = this.#used
    this.#used += 1 << (sizeClass - 1)
    if (this.#used > this.items.length) {
      const length = Math.max(this.#used, Math.ceil(this.items.length * 1.5))
      this.items = grown(this.items, length)
      if (this.others.length > 0) this.others = grown(this.others, length)
    }
    return block
  }

  #release(list: number): void {
    const sizeClass = this.#sizeClass[list] as number
    if (sizeClass === 0) return
    this.#freeBlocks[sizeClass] ??= []
    this.#freeBlocks[sizeClass].push(this.start[list] as number)
    this.#sizeClass[list] = 0
  }
}

/**
 * A longer array with the same content, filled with zeros. The old array is empty afterwards, so its memory is free at once. Otherwise, the
 * size of a copy would cause a garbage collection.
 */
export function grown(array: Int32Array<ArrayBuffer>, length: number): Int32Array<ArrayBuffer> {
  return new Int32Array(array.buffer.transfer(length * Int32Array.BYTES_PER_ELEMENT))
}
