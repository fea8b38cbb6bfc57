import { timingSafeEqual } from 'node:crypto'
import type { AccessState, StoredToken } from '../database/access-store.ts'
import type { CoordinatorError } from '../errors.ts'
import { expired, HASH_OF_NOBODY, KnownToken, revoked, type TokenInfo } from './known-token.ts'
import type { Principal } from './principal.ts'
import { hashSecret, type TokenParts } from './token-format.ts'

/** How often expiry is looked at, in milliseconds. A timer cannot wait 25 days, and does not notice when the clock is set. */
const watchMaxMs = 60_000

export interface TokenBookOptions {
  /** Tokens that were created earlier do not count, in epoch milliseconds. @default all count */
  readonly notBefore?: number | undefined
  /** The clock, in epoch milliseconds. @default Date.now */
  readonly now?: () => number
}

/** The tokens that this process knows, and the principals of their callers. */
export class TokenBook {
  readonly #notBefore: number
  readonly #now: () => number
  readonly #tokens = new Map<string, KnownToken>()
  /** Every token that this process saw revoked. It stays revoked, even if the store returns to an older state. */
  readonly #revoked = new Map<string, StoredToken>()
  readonly #hash = Buffer.alloc(HASH_OF_NOBODY.length)
  #timer: NodeJS.Timeout | undefined
  #timerAt = Number.POSITIVE_INFINITY

  constructor({ notBefore = Number.NEGATIVE_INFINITY, now = Date.now }: TokenBookOptions = {}) {
    this.#notBefore = notBefore
    this.#now = now
  }

  /**
   * The caller who has this secret. It takes as long for an id that nobody has as for a wrong secret.
   *
   * @returns `undefined` if no token has this id and this secret
   * @throws COORD_CREDENTIAL_EXPIRED, COORD_CREDENTIAL_REVOKED: only to those who know the secret
   */
  identify({ id, secret }: TokenParts): Principal | undefined {
    const token = this.#tokens.get(id)
    // Hexadecimal digits are made and compared four times as fast as a new buffer for the hash.
    this.#hash.write(hashSecret(secret), 'latin1')
    if (!timingSafeEqual(this.#hash, token?.hash ?? HASH_OF_NOBODY) || token === undefined) return undefined
    const now = this.#now()
    const fault = token.faultAt(now, this.#notBefore)
    if (fault !== undefined) {
      token.end(fault)
      throw fault
    }
    token.lastUsedAt = now
    return token.principal ?? this.#welcome(token)
  }

  /**
   * Replaces what is known by what the store has.
   *
   * @param changedMeanwhile ids of tokens that this process changed while the state was read: the state may be older than the change
   * @returns the tokens that are revoked here, but not in the store
   */
  take({ tokens }: Pick<AccessState, 'tokens'>, changedMeanwhile: ReadonlySet<string>): StoredToken[] {
    const present = new Set(tokens.map(({ id }) => id))
    for (const [id, token] of this.#tokens)
      if (!present.has(id) && !changedMeanwhile.has(id)) {
        token.end(revoked())
        this.#tokens.delete(id)
      }
    for (const stored of tokens) this.put(stored)
    return tokens
      .filter(({ id, revokedAt }) => revokedAt === null && this.#revoked.has(id) && !changedMeanwhile.has(id))
      .map(({ id }) => this.#revoked.get(id) as StoredToken)
  }

  /** Forgets every token, and ends what callers have open. What was revoked stays revoked. */
  forget(why: CoordinatorError): void {
    for (const token of this.#tokens.values()) token.end(why)
    this.#tokens.clear()
  }

  /** Adds a token, or replaces the one with its id. */
  put(stored: StoredToken): TokenInfo {
    if (stored.revokedAt !== null && !this.#revoked.has(stored.id)) this.#revoked.set(stored.id, stored)
    const current = this.#revoked.get(stored.id) ?? stored
    const known = this.#tokens.get(stored.id)
    if (known?.equals(current)) return this.#infoOf(known)
    const token = new KnownToken(current)
    token.lastUsedAt = known?.lastUsedAt ?? null
    known?.end(revoked())
    this.#tokens.set(stored.id, token)
    return this.#infoOf(token)
  }

  /** Every token, in the order in which they were created. */
  list(): TokenInfo[] {
    const infos = Array.from(this.#tokens.values(), (token) => this.#infoOf(token))
    return infos.sort((a, b) => a.createdAt - b.createdAt || (a.name < b.name ? -1 : 1))
  }

  /** Those that count now, in the same order. */
  listAccepted(): TokenInfo[] {
    return this.list().filter(({ state }) => state === 'active')
  }

  /** Whether there is a token that permits this scope and counts. */
  someMay(scope: 'admin'): boolean {
    const now = this.#now()
    for (const token of this.#tokens.values())
      if (token.permits(scope) && token.faultAt(now, this.#notBefore) === undefined) return true
    return false
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timerAt = Number.NEGATIVE_INFINITY
  }

  #infoOf(token: KnownToken): TokenInfo {
    return token.infoAt(this.#now(), this.#notBefore)
  }

  #welcome(token: KnownToken): Principal {
    const principal = token.makePrincipal()
    if (token.expiresAt < this.#timerAt) this.#watch(token.expiresAt)
    return principal
  }

  /** Looks again when a token expires, or after a minute. */
  #watch(expiresAt: number): void {
    const now = this.#now()
    const waitMs = Math.max(0, Math.min(expiresAt - now, watchMaxMs))
    if (now + waitMs >= this.#timerAt) return
    clearTimeout(this.#timer)
    this.#timerAt = now + waitMs
    this.#timer = setTimeout(() => this.#endExpired(), waitMs)
    this.#timer.unref()
  }

  #endExpired(): void {
    this.#timerAt = Number.POSITIVE_INFINITY
    const now = this.#now()
    let next = Number.POSITIVE_INFINITY
    for (const token of this.#tokens.values()) {
      if (token.principal?.expiresAt === undefined || token.principal.ended?.aborted) continue
      if (token.expiresAt <= now) token.end(expired(token.expiresAt))
      else next = Math.min(next, token.expiresAt)
    }
    if (next !== Number.POSITIVE_INFINITY) this.#watch(next)
  }
}
