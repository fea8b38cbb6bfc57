import { grown } from './int-lists.ts'

/** The edges as questions read them: one column for each property, indexed by the number of the edge. Free numbers have `refs` 0. */
export interface EdgeColumns {
  /** The node that needs the other. */
  readonly from: Int32Array
  /** The node that is needed. */
  readonly to: Int32Array
  /** The number of the type times 4, plus the number of the origin. */
  readonly kind: Int32Array
  /** Each record that contributes the edge has a current revision. This is the oldest of them. */
  readonly revision: Float64Array
  /** How many records contribute the edge. */
  readonly refs: Int32Array
  /** All edge numbers are smaller than this number. */
  readonly bound: number
  readonly count: number
}

/** Columns that grow. Objects would take about five times the memory, and a million services would not fit. */
export class EdgeTable implements EdgeColumns {
  from = new Int32Array(64)
  to = new Int32Array(64)
  kind = new Int32Array(64)
  revision = new Float64Array(64)
  refs = new Int32Array(64)
  /** The position of the edge in the lists of its two nodes. */
  outPosition = new Int32Array(64)
  inPosition = new Int32Array(64)
  bound = 0
  #free: number[] = []

  get count(): number {
    return this.bound - this.#free.length
  }

  add(from: number, to: number, kind: number): number {
    const edge = this.#free.pop() ?? this.bound++
    if (edge >= this.from.length) this.#growColumns()
    this.from[edge] = from
    this.to[edge] = to
    this.kind[edge] = kind
    this.refs[edge] = 0
    return edge
  }

  remove(edge: number): void {
    this.refs[edge] = 0
    this.from[edge] = -1
    this.#free.push(edge)
  }

  /** A copy for reading. */
  copy(): EdgeColumns {
    const { bound, count } = this
    return {
      bound,
      count,
      from: this.from.slice(0, bound),
      to: this.to.slice(0, bound),
      kind: this.kind.slice(0, bound),
      revision: this.revision.slice(0, bound),
      refs: this.refs.slice(0, bound),
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
}
