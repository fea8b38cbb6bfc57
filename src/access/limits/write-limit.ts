import { CoordinatorError } from '../../errors.ts'

export interface WriteLimitOptions {
  /** LIMIT_WRITES_PER_SECOND */
  readonly perSecond: number
  /** Called when writes are refused. */
  readonly onRefused?: () => void
  /** A clock in milliseconds that never goes back. @default performance.now */
  readonly now?: () => number
}

/** How many principals and clients are remembered. Beyond that, those that have not written for longest are forgotten. */
const rememberedMax = 10_000
const secondMs = 1_000
/** The sums of fractions of milliseconds are not exact. */
const toleranceMs = 0.01

/**
 * Limits how fast one principal may write. It may write as much as it may in a second at once. A batch may be larger than that: it is
 * admitted like a single write, and the next writes wait until it is paid for. Over time, nobody is therefore faster than the limit, and no
 * batch is impossible.
 */
export class WriteLimit {
  readonly #perSecond: number
  readonly #onRefused: () => void
  readonly #now: () => number
  /**
   * For each share, the time at which its writes so far are paid for. A share that is paid for is like one that never wrote. The one that
   * has not written for longest comes first.
   */
  readonly #paidAt = new Map<string, number>()

  constructor({ perSecond, onRefused = () => undefined, now = () => performance.now() }: WriteLimitOptions) {
    this.#perSecond = perSecond
    this.#onRefused = onRefused
    this.#now = now
  }

  /** How many principals and clients are remembered. */
  get remembered(): number {
    return this.#paidAt.size
  }

  /**
   * Counts writes, if there is room for one more.
   *
   * @param share whose limit it is
   * @param count the items of a batch
   * @throws COORD_RATE_LIMITED with `not_written`; nothing is then counted
   */
  take(share: string, count = 1): void {
    const now = this.#now()
    const paidAt = Math.max(now, this.#paidAt.get(share) ?? 0)
    const oneMs = secondMs / this.#perSecond
    // What is not paid for yet, with one more write, may be what a second allows.
    const waitMs = paidAt + oneMs - now - secondMs
    if (waitMs > toleranceMs) throw this.#refuse(waitMs)
    this.#paidAt.delete(share)
    this.#paidAt.set(share, paidAt + count * oneMs)
    this.#forget(now)
  }

  /** Forgets more than one share for each new one as long as the oldest ones are paid for, so that the table shrinks again. */
  #forget(now: number): void {
    let forgotten = 0
    for (const [share, paidAt] of this.#paidAt) {
      if (this.#paidAt.size <= rememberedMax && (paidAt > now || forgotten === 2)) return
      this.#paidAt.delete(share)
      forgotten += 1
    }
  }

  #refuse(waitMs: number): CoordinatorError {
    this.#onRefused()
    return new CoordinatorError('COORD_RATE_LIMITED', {
      detail: `This principal or client may write ${this.#perSecond} times a second, and has written more; each item of a batch counts.`,
      outcome: 'not_written',
      retryAfterSeconds: Math.ceil(waitMs / secondMs),
    })
  }
}
