const HOUR_MS = 3_600_000
/** After a failure, and where retention overtakes the archiver again and again. */
const PAUSE_MS = 300_000

/** Decides when the next base is due. Several coordinators archive one lineage, so each asks at another time. */
export class BaseSchedule {
  readonly #everyMs: number
  readonly #clock: () => number
  #dueAt = 0
  #notBefore = 0
  #lookedAt = 0

  constructor({ baseHours, clock }: { readonly baseHours: number; readonly clock: () => number }) {
    this.#everyMs = baseHours * HOUR_MS
    this.#clock = clock
  }

  get isDue(): boolean {
    const now = this.#clock()
    // The clock was ahead, and went back. The next base must not wait until that time comes again.
    if (now < this.#lookedAt) {
      this.#dueAt = Math.min(this.#dueAt, now + this.#everyMs)
      this.#notBefore = Math.min(this.#notBefore, now + PAUSE_MS)
    }
    this.#lookedAt = now
    return now >= this.#dueAt && now >= this.#notBefore
  }

  /** There is no base, or the newest one does not lead to the present. It is due as soon as the pause after the last one allows. */
  needed(): void {
    this.#dueAt = 0
  }

  /** A base was begun. The next one waits, whatever becomes of it. */
  begun(): void {
    this.#notBefore = this.#clock() + PAUSE_MS
  }

  /** @param writtenAt the time of the newest base, by the clock of the destination */
  done(writtenAt: number): void {
    const later = this.#everyMs * (1 + Math.random() / 20)
    // A clock that was ahead when the base was written must not put off the next one for ever.
    this.#dueAt = Math.min(writtenAt, this.#clock()) + later
  }
}
