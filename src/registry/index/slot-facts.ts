/** Numbers that are kept for each slot. */
const WIDTH = 4

export interface SlotFacts {
  /** 0 where the service promised no heartbeats. */
  readonly ttlSeconds: number
  readonly active: boolean
  /** Two halves of the digest of id and revision. */
  readonly digestHigh: number
  readonly digestLow: number
}

/** A table of small facts about slots, in one typed array: a million services take 16 MB. */
export class SlotTable {
  #numbers = new Int32Array(1_024 * WIDTH)

  set(slot: number, facts: SlotFacts): void {
    const at = slot * WIDTH
    if (at >= this.#numbers.length) this.#grow(at + WIDTH)
    this.#numbers[at] = facts.ttlSeconds
    this.#numbers[at + 1] = facts.active ? 1 : 0
    this.#numbers[at + 2] = facts.digestHigh
    this.#numbers[at + 3] = facts.digestLow
  }

  ttlSeconds(slot: number): number {
    return this.#numbers[slot * WIDTH] as number
  }

  active(slot: number): boolean {
    return this.#numbers[slot * WIDTH + 1] === 1
  }

  digestHigh(slot: number): number {
    return this.#numbers[slot * WIDTH + 2] as number
  }

  digestLow(slot: number): number {
    return this.#numbers[slot * WIDTH + 3] as number
  }

  /** Slots of other kinds lie in between: the next one of a service may be far above the last. */
  #grow(atLeast: number): void {
    const larger = new Int32Array(Math.max(this.#numbers.length * 2, atLeast))
    larger.set(this.#numbers)
    this.#numbers = larger
  }
}
