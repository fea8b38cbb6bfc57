/** Columns of the table. */
const WIDTH = 4
/** Bits of the second column. */
const ACTIVE = 1
const NAMESPACED = 2

export interface RecordFact {
  /** 0 if the service promised no heartbeats. */
  readonly ttlSeconds: number
  readonly active: boolean
  /** Whether the stored data contain a namespace. */
  readonly namespaced: boolean
  /** Two halves of the digest of id and revision. */
  readonly digestHigh: number
  readonly digestLow: number
}

/** Small facts about services by record number. They are in one typed array, where a million services take 16 MB. */
export class RecordFacts {
  #table = new Int32Array(1_024 * WIDTH)

  set(number: number, { ttlSeconds, active, namespaced, digestHigh, digestLow }: RecordFact): void {
    const at = number * WIDTH
    if (at >= this.#table.length) this.#grow(at + WIDTH)
    this.#table[at] = ttlSeconds
    this.#table[at + 1] = (active ? ACTIVE : 0) | (namespaced ? NAMESPACED : 0)
    this.#table[at + 2] = digestHigh
    this.#table[at + 3] = digestLow
  }

  ttlSeconds(number: number): number {
    return this.#table[number * WIDTH] as number
  }

  active(number: number): boolean {
    return ((this.#table[number * WIDTH + 1] as number) & ACTIVE) !== 0
  }

  namespaced(number: number): boolean {
    return ((this.#table[number * WIDTH + 1] as number) & NAMESPACED) !== 0
  }

  digestHigh(number: number): number {
    return this.#table[number * WIDTH + 2] as number
  }

  digestLow(number: number): number {
    return this.#table[number * WIDTH + 3] as number
  }

  /** Records of other kinds have numbers, too: the next number of a service may be far above the last. */
  #grow(atLeast: number): void {
    const larger = new Int32Array(Math.max(this.#table.length * 2, atLeast))
    larger.set(this.#table)
    this.#table = larger
  }
}
