import type { JwtPrincipal } from './jwt-principal.ts'

export interface RememberedTokensOptions {
  /** Epoch milliseconds. */
  readonly now: () => number
  /** The most tokens, and the most principals whose end is awaited. @default 10_000 */
  readonly max?: number
}

/** The longest wait until the clock is read again: somebody may have set it. */
const waitMaxMs = 60_000

/** The principals of tokens that were verified, by a hash of the token. The tokens themselves are kept nowhere. */
export class RememberedTokens {
  readonly #now: () => number
  readonly #max: number
  /** The least recently used one first. */
  readonly #principals = new Map<string, JwtPrincipal>()
  /** Principals with open streams, the oldest one first: forgetting a token must not make its streams endless. */
  readonly #watched = new Set<JwtPrincipal>()
  #timer: NodeJS.Timeout | undefined

  constructor({ now, max = 10_000 }: RememberedTokensOptions) {
    this.#now = now
    this.#max = max
  }

  get size(): number {
    return this.#principals.size
  }

  /** The principal of a token that has not expired. */
  get(hash: string): JwtPrincipal | undefined {
    const principal = this.#principals.get(hash)
    if (principal === undefined) return undefined
    this.#principals.delete(hash)
    if (principal.expiresAt <= this.#now()) {
      this.#end(principal)
      return undefined
    }
    this.#principals.set(hash, principal)
    return principal
  }

  add(hash: string, principal: JwtPrincipal): void {
    this.#principals.set(hash, principal)
    if (this.#principals.size > this.#max) this.#principals.delete(first(this.#principals.keys()))
  }

  /** Ends a principal when it expires or is dropped, even if its token is forgotten earlier. Beyond `max`, the oldest one ends. */
  watch(principal: JwtPrincipal): void {
    this.#watched.add(principal)
    if (this.#watched.size > this.#max) this.#end(first(this.#watched.values()))
    this.#arm()
  }

  /** Forgets and ends the principals for which `counts` is false. */
  keep(counts: (principal: JwtPrincipal) => boolean): void {
    for (const [hash, principal] of this.#principals) {
      if (counts(principal)) continue
      this.#principals.delete(hash)
      this.#end(principal)
    }
    for (const principal of this.#watched) if (!counts(principal)) this.#end(principal)
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#watched.clear()
    this.#principals.clear()
  }

  #end(principal: JwtPrincipal): void {
    this.#watched.delete(principal)
    principal.end()
  }

  #arm(): void {
    clearTimeout(this.#timer)
    if (this.#watched.size === 0) return
    let next = Number.POSITIVE_INFINITY
    for (const { expiresAt } of this.#watched) next = Math.min(next, expiresAt)
    const waitMs = Math.min(waitMaxMs, Math.max(1, next - this.#now()))
    this.#timer = setTimeout(() => this.#sweep(), waitMs).unref()
  }

  #sweep(): void {
    const now = this.#now()
    for (const principal of this.#watched) if (principal.expiresAt <= now) this.#end(principal)
    this.#arm()
  }
}

function first<T>(items: IterableIterator<T>): T {
  return items.next().value as T
}
