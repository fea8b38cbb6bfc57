import { randomInt } from 'node:crypto'

/** Time in which several actors may register the same id without a warning. */
const WITHIN_MS = 60_000
/** How many ids are remembered. Another one replaces the one that had its place, so that a warning may be missed. */
const SLOTS = 16_384
const NEVER = Number.NEGATIVE_INFINITY
/** Without knowing this number, nobody can choose ids that share a place. */
const seed = randomInt(2 ** 32)

/**
 * Notices ids that several actors register in turn: each of them overwrites what the others have registered. It remembers the last
 * registrations of this process, in a table of fixed size.
 */
export class ContestedIds {
  readonly #ids = new Int32Array(SLOTS)
  readonly #actors = new Int32Array(SLOTS)
  readonly #registeredAt = new Float64Array(SLOTS).fill(NEVER)
  /** When another actor took the id over. */
  readonly #takenAt = new Float64Array(SLOTS).fill(NEVER)
  readonly #now: () => number

  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** Whether a registration by this actor would be the second time within a minute that another actor registers the id. */
  isContested(id: string, actor: string): boolean {
    return this.#look(id, actor).isContested
  }

  /** Notes a registration. @returns what `isContested` would have returned before */
  note(id: string, actor: string): boolean {
    const { slot, hash, by, now, takesOver, isContested } = this.#look(id, actor)
    if (takesOver) this.#takenAt[slot] = now
    else if (this.#ids[slot] !== hash) this.#takenAt[slot] = NEVER
    this.#ids[slot] = hash
    this.#actors[slot] = by
    this.#registeredAt[slot] = now
    return isContested
  }

  #look(id: string, actor: string) {
    const [hash, by, now] = [hashOf(id), hashOf(actor), this.#now()]
    const slot = hash & (SLOTS - 1)
    const isRecent = (time: number | undefined) => now - (time as number) <= WITHIN_MS
    const takesOver =
      this.#ids[slot] === hash && this.#actors[slot] !== by && isRecent(this.#registeredAt[slot])
    return { slot, hash, by, now, takesOver, isContested: takesOver && isRecent(this.#takenAt[slot]) }
  }
}

function hashOf(text: string): number {
  let hash = seed | 0
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  // The low bits choose the place.
  return hash ^ (hash >>> 15)
}
