import { grown } from './int-lists.ts'

/** What the questions read of the edges: one column each, at the number of the edge. Free numbers have `refs` 0. */
export interface EdgeColumns {
  /** The node that needs the other. */
  readonly from: Int32Array
  /** The node that is needed. */
  readonly to: Int32Array
  /** Number of the type times 4, plus the number of the origin. */
  readonly kind: Int32Array
  /** The oldest among the present revisions of the records that contribute it. */
  readonly revision: Float64Array
  /** How many records contribute it. */
  readonly refs: Int32Array
  /** Edge numbers are below this. */
  readonly slots: number
  readonly count: number
}

const EMPTY = 0

/**
 * The edges of a graph in columns, with an open hash index over (from, to, kind). Objects and a Map cost about five times
 * as much memory, which decides whether a million services fit.
 */
export class EdgeTable implements EdgeColumns {
  from = new Int32Array(64)
  to = new Int32Array(64)
  kind = new Int32Array(64)
  revision = new Float64Array(64)
  refs = new Int32Array(64)
  /** Where the edge is in the lists of its two nodes. */
  outPosition = new Int32Array(64)
  inPosition = new Int32Array(64)
  slots = 0
  #index = new Int32Array(128)
  #free: number[] = []

  get count(): number {
    return this.slots - this.#free.length
  }

  /** The number of an edge; -1 where there is none. */
  find(from: number, to: number, kind: number): number {
    const mask = this.#index.length - 1
    for (let at = hash(from, to, kind) & mask; ; at = (at + 1) & mask) {
      const entry = this.#index[at] as number
      if (entry === EMPTY) return -1
      const edge = entry - 1
      if (this.from[edge] === from && this.to[edge] === to && this.kind[edge] === kind) return edge
    }
  }

  /** Adds an edge that is not there yet. */
  add(from: number, to: number, kind: number): number {
    const edge = this.#free.pop() ?? this.slots++
    if (edge >= this.from.length) this.#growColumns()
    this.from[edge] = from
    this.to[edge] = to
    this.kind[edge] = kind
    this.refs[edge] = 0
    if (this.count * 2 > this.#index.length) this.#rebuildIndex(this.#index.length * 2)
    else this.#insert(edge)
    return edge
  }

  remove(edge: number): void {
    this.#unindex(edge)
    this.refs[edge] = 0
    this.from[edge] = -1
    this.#free.push(edge)
  }

  /** A copy for reading. */
  copy(): EdgeColumns {
    const { slots, count } = this
    return {
      slots,
      count,
      from: this.from.slice(0, slots),
      to: this.to.slice(0, slots),
      kind: this.kind.slice(0, slots),
      revision: this.revision.slice(0, slots),
      refs: this.refs.slice(0, slots),
    }
  }

  #growColumns(): void {
    const length = Math.ceil(this.from.length * 1.5)
    this.from = grown(this.from, length)
    this.to = grown(this.to, length)
    this.kind = grown(this.kind, length)
    this.refs = grown(this.refs, length)
    this.outPosition = grown(this.outPosition, length)
    this.inPosition = grown(this.inPosition, length)
    this.revision = new Float64Array(this.revision.buffer.transfer(length * Float64Array.BYTES_PER_ELEMENT))
  }

  #insert(edge: number): void {
    const mask = this.#index.length - 1
    let at = this.#home(edge)
    while (this.#index[at] !== EMPTY) at = (at + 1) & mask
    this.#index[at] = edge + 1
  }

  #home(edge: number): number {
    return (
      hash(this.from[edge] as number, this.to[edge] as number, this.kind[edge] as number) &
      (this.#index.length - 1)
    )
  }

  #rebuildIndex(length: number): void {
    this.#index = new Int32Array(length)
    for (let edge = 0; edge < this.slots; edge += 1) if (this.from[edge] !== -1) this.#insert(edge)
  }

  /** Closes the gap by moving later entries of the same run forward, so that no tombstones gather. */
  #unindex(edge: number): void {
    const index = this.#index
    const mask = index.length - 1
    let gap = this.#home(edge)
    while (index[gap] !== edge + 1) gap = (gap + 1) & mask
    for (let at = (gap + 1) & mask; index[at] !== EMPTY; at = (at + 1) & mask) {
      const home = this.#home((index[at] as number) - 1)
      // An entry may move to the gap only if the gap is not before its home, around the ring.
      if (((at - home) & mask) < ((at - gap) & mask)) continue
      index[gap] = index[at] as number
      gap = at
    }
    index[gap] = EMPTY
  }
}

function hash(from: number, to: number, kind: number): number {
  let mixed = Math.imul(from, 0x9e3779b1) ^ Math.imul(to, 0x85ebca6b) ^ Math.imul(kind, 0xc2b2ae35)
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d)
  return (mixed ^ (mixed >>> 13)) >>> 0
}
