const EMPTY = 0
const FIRST_CAPACITY = 1_024
/** So many slots with one number are found; more of them would make every search for it long. */
const SAME_MAX = 1_000

/**
 * Finds the services of one name at one endpoint, by a number that is made of both: an open hash table of slots with linear
 * probing, at most half full. Different places may share a number, so the caller looks at what is found.
 */
export class PlaceIndex {
  readonly #numberOf: (slot: number) => number
  /** Slot plus one. */
  #table = new Int32Array(FIRST_CAPACITY)
  #size = 0

  /** @param numberOf the number of a slot that is in the index */
  constructor(numberOf: (slot: number) => number) {
    this.#numberOf = numberOf
  }

  /** Adds a slot that is not in the index, unless many with its number are there. */
  add(slot: number): void {
    if ((this.#size + 1) * 2 > this.#table.length) this.#grow()
    const mask = this.#table.length - 1
    const number = this.#numberOf(slot)
    let same = 0
    let at = homeOf(number) & mask
    for (let entry = this.#table[at] as number; entry !== EMPTY; entry = this.#table[at] as number) {
      if (this.#numberOf(entry - 1) === number) same += 1
      at = (at + 1) & mask
    }
    if (same >= SAME_MAX) return
    this.#table[at] = slot + 1
    this.#size += 1
  }

  /** Removes a slot, where it is in the index. */
  delete(slot: number): void {
    const mask = this.#table.length - 1
    for (let at = homeOf(this.#numberOf(slot)) & mask; this.#table[at] !== EMPTY; at = (at + 1) & mask)
      if (this.#table[at] === slot + 1) {
        this.#size -= 1
        return this.#closeGap(at)
      }
  }

  /** The slots with a number. Nothing may be added or deleted meanwhile. */
  *find(number: number): Generator<number> {
    const mask = this.#table.length - 1
    for (let at = homeOf(number) & mask; this.#table[at] !== EMPTY; at = (at + 1) & mask) {
      const slot = (this.#table[at] as number) - 1
      if (this.#numberOf(slot) === number) yield slot
    }
  }

  /** Moves later entries up, so that a search never stops at a gap before the entry it looks for. */
  #closeGap(gap: number): void {
    const mask = this.#table.length - 1
    let empty = gap
    for (let at = (gap + 1) & mask; this.#table[at] !== EMPTY; at = (at + 1) & mask) {
      const entry = this.#table[at] as number
      const home = homeOf(this.#numberOf(entry - 1)) & mask
      // An entry may move up only to places that its search passes.
      if (((at - home) & mask) < ((at - empty) & mask)) continue
      this.#table[empty] = entry
      empty = at
    }
    this.#table[empty] = EMPTY
  }

  #grow(): void {
    const entries = this.#table
    this.#table = new Int32Array(entries.length * 2)
    this.#size = 0
    for (const entry of entries) if (entry !== EMPTY) this.add(entry - 1)
  }
}

/** Neighbouring numbers must not lie beside each other. */
function homeOf(number: number): number {
  const mixed = Math.imul(number ^ (number >>> 16), 0x2c1b3c6d)
  return mixed ^ (mixed >>> 13)
}
