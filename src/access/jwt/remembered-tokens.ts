import type { JwtPrincipal } from './jwt-principal.ts'

export interface RememberedTokensOptions {
  /** Epoch milliseconds. */
  readonly now: () => number
  /**
   * How many tokens are remembered, in two generations: no fewer than this number, and no more than twice as many. The end of twice as
   * many principals is watched. @default 10_000
   */
  readonly max?: number
}

/** The longest wait until the clock is read again: somebody may have set it. */
const waitMaxMs = 60_000

/** The principals of tokens that were verified, by a hash of the token. The tokens themselves are kept nowhere. */
export class RememberedTokens {
  readonly #now: () => number
  readonly #max: number
  /**
   * The tokens that were used most recently. When there are `max` of them, they become the older ones, and what was older is forgotten. A
   * map that keeps its entries in the order of their use, by deletion and insertion, is 40 times slower for a token that comes all the
   * time: each deletion makes the way to it longer (V8, measured with 10,000 entries).
   */
  #recent = new Map<string, JwtPrincipal>()
  #older = new Map<string, JwtPrincipal>()
  /** Principals with open streams, the oldest one first: forgetting a token must not make its streams endless. */
  readonly #watched = new Set<JwtPrincipal>()
  #timer: NodeJS.Timeout | undefined
  /** When the timer fires, in epoch milliseconds. */
  #nextWake = Number.POSITIVE_INFINITY

  constructor({ now, max = 10_000 }: RememberedTokensOptions) {
    this.#now = now
    this.#max = max
  }

  get size(): number {
    return this.#recent.size + this.#older.size
  }

  /** The principal of a token that has not ended. */
  get(hash: string): JwtPrincipal | undefined {
    const principal = this.#recent.get(hash) ?? this.#renew(hash)
    if (principal === undefined || (!principal.isOver && principal.expiresAt > this.#now())) return principal
    this.#recent.delete(hash)
    this.#end(principal)
    return undefined
  }

  add(hash: string, principal: JwtPrincipal): void {
    this.#recent.set(hash, principal)
    if (this.#recent.size < this.#max) return
    this.#older = this.#recent
    this.#recent = new Map()
  }

  /** Ends a principal when it expires or is dropped, even if its token is forgotten earlier. If there are too many, the oldest one ends. */
  watch(principal: JwtPrincipal): void {
    this.#watched.add(principal)
    const [oldest] = this.#watched
    if (this.#watched.size > this.#max * 2 && oldest !== undefined) this.#end(oldest)
    this.#wakeAt(principal.expiresAt)
  }

  /** Forgets and ends the principals for which `counts` is false. */
  keep(counts: (principal: JwtPrincipal) => boolean): void {
    for (const tokens of [this.#recent, this.#older]) {
      for (const [hash, principal] of tokens) {
        if (counts(principal)) continue
        tokens.delete(hash)
        this.#end(principal)
      }
    }
    for (const principal of this.#watched) if (!counts(principal)) this.#end(principal)
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#nextWake = Number.POSITIVE_INFINITY
    this.#watched.clear()
    this.#recent.clear()
    this.#older.clear()
  }

  #renew(hash: string): JwtPrincipal | undefined {
    const principal = this.#older.get(hash)
    if (principal === undefined) return undefined
    this.#older.delete(hash)
    this.add(hash, principal)
    return principal
  }

  #end(principal: JwtPrincipal): void {
    this.#watched.delete(principal)
    principal.end()
  }

  /** Sets the timer, unless it is set for an earlier time. */
  #wakeAt(time: number): void {
    const now = this.#now()
    const wake = Math.min(time, now + waitMaxMs)
    if (wake >= this.#nextWake) return
    this.#nextWake = wake
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#sweep(), Math.max(1, wake - now)).unref()
  }

  #sweep(): void {
    this.#nextWake = Number.POSITIVE_INFINITY
    const now = this.#now()
    let next = Number.POSITIVE_INFINITY
    for (const principal of this.#watched) {
      if (principal.expiresAt <= now) this.#end(principal)
      else next = Math.min(next, principal.expiresAt)
    }
    if (this.#watched.size > 0) this.#wakeAt(next)
  }
}
