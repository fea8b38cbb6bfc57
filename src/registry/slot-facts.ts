/** Numbers for each slot: ttlSeconds, active or not, and two halves of the digest of its id and revision. */
const WIDTH = 4

export interface SlotFacts {
  /** 0 where the service promised no heartbeats. */
  readonly ttlSeconds: number
  readonly active: boolean
  readonly digestHigh: number
  readonly digestLow: number
}

/** A table of small facts about slots, in one typed array: a million services take 16 MB. */
export class SlotTable {
  #numbers = new Int32Array(1_024 * WIDTH)

  set(slot: number, { ttlSeconds, active, digestHigh, digestLow }: SlotFacts): void {
    const at = slot * WIDTH
    if (at >= this.#numbers.length) this.#grow()
    this.#numbers[at] = ttlSeconds
    this.#numbers[at + 1] = active ? 1 : 0
    this.#numbers[at + 2] = digestHigh
    this.#numbers[at + 3] = digestLow
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

  #grow(): void {
    const larger = new Int32Array(this.#numbers.length * 2)
    larger.set(this.#numbers)
    this.#numbers = larger
  }
}
