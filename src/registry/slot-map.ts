import { randomInt } from 'node:crypto'

const EMPTY = -1
const FIRST_CAPACITY = 1_024

/**
 * Finds the slot of an id. The ids themselves stay where they are, in the records: a million of them take 12 MB here, and
 * 40 MB in a `Map`. An open hash table with linear probing, at most half full.
 */
export class SlotMap {
  readonly #idOf: (slot: number) => string
  /** Nobody can choose ids that meet in one place of the table without knowing this. */
  readonly #seed = randomInt(2 ** 32)
  #table = new Int32Array(FIRST_CAPACITY).fill(EMPTY)
  /** The hash of each slot's id. */
  #hashes = new Int32Array(FIRST_CAPACITY)
  #size = 0

  /** @param idOf the id of a slot that is in the map */
  constructor(idOf: (slot: number) => string) {
    this.#idOf = idOf
  }

  get size(): number {
    return this.#size
  }

  get(id: string): number | undefined {
    const at = this.#find(id, this.#hash(id))
    return at === EMPTY ? undefined : this.#table[at]
  }

  /** Adds an id that is not in the map. */
  add(id: string, slot: number): void {
    if ((this.#size + 1) * 2 > this.#table.length) this.#growTable()
    if (slot >= this.#hashes.length) this.#hashes = enlarged(this.#hashes)
    const hash = this.#hash(id)
    this.#hashes[slot] = hash
    this.#place(slot, hash)
    this.#size += 1
  }

  delete(id: string): void {
    const at = this.#find(id, this.#hash(id))
    if (at === EMPTY) return
    this.#size -= 1
    this.#closeGap(at)
  }

  /** Index in the table; `EMPTY` where the id is not in the map. */
  #find(id: string, hash: number): number {
    const mask = this.#table.length - 1
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const slot = this.#table[at] as number
      if (slot === EMPTY) return EMPTY
      if (this.#hashes[slot] === hash && this.#idOf(slot) === id) return at
    }
  }

  #place(slot: number, hash: number): void {
    const mask = this.#table.length - 1
    let at = hash & mask
    while (this.#table[at] !== EMPTY) at = (at + 1) & mask
    this.#table[at] = slot
  }

  /** Moves later entries up, so that a search never stops at a gap before the entry it looks for. */
  #closeGap(gap: number): void {
    const mask = this.#table.length - 1
    let empty = gap
    for (let at = (gap + 1) & mask; ; at = (at + 1) & mask) {
      const slot = this.#table[at] as number
      if (slot === EMPTY) break
      const wanted = (this.#hashes[slot] as number) & mask
      // An entry may move up only to places that its search passes.
      if (((at - wanted) & mask) < ((at - empty) & mask)) continue
      this.#table[empty] = slot
      empty = at
    }
    this.#table[empty] = EMPTY
  }

  #growTable(): void {
    const slots = this.#table.filter((slot) => slot !== EMPTY)
    this.#table = new Int32Array(this.#table.length * 2).fill(EMPTY)
    for (const slot of slots) this.#place(slot, this.#hashes[slot] as number)
  }

  #hash(id: string): number {
    let hash = this.#seed | 0
    for (let at = 0; at < id.length; at += 1) hash = Math.imul(hash ^ id.charCodeAt(at), 0x01000193)
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
    return hash ^ (hash >>> 13)
  }
}

function enlarged(numbers: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(numbers.length * 2)
  larger.set(numbers)
  return larger
}
