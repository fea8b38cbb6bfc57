import type { AccessState, AccessStore } from '../database/access-store.ts'
import { type CoordinatorError, toCoordinatorError } from '../errors.ts'
import type { Revision } from '../records/record.ts'
import { Backoff } from '../scheduling/backoff.ts'
import { denial } from './denial.ts'
import type { TokenInfo } from './known-token.ts'
import type { Principal } from './principal.ts'
import { TokenBook } from './token-book.ts'
import { createTokenText, type TokenParts } from './token-format.ts'
import { TokenLoader, unavailable } from './token-loader.ts'
import { checkTokenWish, type TokenWish } from './token-wish.ts'

/** How long a change is tried again while the store does not answer, in milliseconds. */
const changeMaxMs = 10_000

export interface StoredTokensOptions {
  readonly store: AccessStore
  readonly notBefore?: number | undefined
  /** Whether credentials are demanded, which the store then records. */
  readonly require: boolean
  readonly onFault?: ((error: CoordinatorError) => void) | undefined
  /** The clock, in epoch milliseconds. */
  readonly now: () => number
}

/** The tokens of a store: who has one, and how they are created and revoked. */
export class StoredTokens {
  readonly #store: AccessStore
  readonly #now: () => number
  readonly #book: TokenBook
  readonly #loader: TokenLoader
  readonly #stop = new AbortController()

  constructor({ store, notBefore, require, onFault, now }: StoredTokensOptions) {
    this.#store = store
    this.#now = now
    this.#book = new TokenBook({ notBefore, now })
    this.#loader = new TokenLoader({ store, book: this.#book, require, onFault, now })
  }

  /** Resolves after the first load, or at `stop`. @throws COORD_CONFIG_INVALID if demanding credentials would protect nothing */
  start(): Promise<void> {
    return this.#loader.start()
  }

  stop(): void {
    this.#stop.abort()
    this.#loader.stop()
    this.#book.stop()
  }

  versionSeen(version: string): void {
    this.#loader.versionSeen(version)
  }

  /** See `TokenLoader.borrow`. */
  borrow(state: Omit<AccessState, 'version'>, until: number): void {
    this.#loader.borrow(state, until)
  }

  /** See `TokenBook.identify`. */
  identify(parts: TokenParts): Principal | undefined {
    this.#loader.expireBorrowed()
    return this.#book.identify(parts)
  }

  /**
   * Looks into the store for a token that is not known here.
   *
   * @throws COORD_CREDENTIAL_INVALID, -EXPIRED or -REVOKED; COORD_AUTH_UNAVAILABLE if the store cannot tell
   */
  async lookFor(parts: TokenParts, maxCallers?: number): Promise<Principal> {
    await this.#loader.look(parts.id, maxCallers)
    const found = this.#book.identify(parts)
    if (found === undefined) throw unknownToken()
    return found
  }

  /** Whether the store was read at least once. */
  get loaded(): boolean {
    return this.#loader.loaded
  }

  /** See `TokenLoader.firstLoad`. */
  get firstLoad(): Promise<void> {
    return this.#loader.firstLoad
  }

  /** Whether there is a stored administrator. */
  get hasAdministrator(): boolean {
    return this.#book.someMay('admin')
  }

  /** `AccessState.requiredSince`; `null` before the first load. */
  get requiredSince(): Revision | null {
    return this.#loader.requiredSince
  }

  /** @throws COORD_AUTH_UNAVAILABLE before the first load */
  list(): TokenInfo[] {
    if (!this.#loader.loaded) throw unavailable()
    return this.#book.list()
  }

  /** Those that are accepted now. @throws COORD_AUTH_UNAVAILABLE before the first load */
  listAccepted(): TokenInfo[] {
    if (!this.#loader.loaded) throw unavailable()
    return this.#book.listAccepted()
  }

  /** @throws COORD_FIELD_INVALID, and what `AccessStore.put` throws */
  async create(wish: TokenWish, by: string): Promise<{ token: string; info: TokenInfo }> {
    checkTokenWish(wish, this.#now())
    const { name, scopes, expiresAt } = wish
    const { token, id, secretHash } = createTokenText()
    const wanted = { id, name, scopes: [...scopes], secretHash, createdBy: by, expiresAt }
    const stored = await this.#insist(() => this.#store.put(wanted))
    const info = this.#book.put(stored)
    this.#loader.changed(stored)
    return { token, info }
  }

  /** @throws COORD_TOKEN_NOT_FOUND, and what `AccessStore.revoke` throws */
  async revoke(id: string, by: string): Promise<TokenInfo> {
    const stored = await this.#insist(() => this.#store.revoke(id, by))
    const info = this.#book.put(stored)
    this.#loader.changed(stored)
    return info
  }

  /** Repeats a change whose answer was lost. The store answers both calls alike. */
  async #insist<T>(change: () => Promise<T>): Promise<T> {
    const until = performance.now() + changeMaxMs
    const backoff = new Backoff()
    let maybeWritten = false
    for (;;) {
      try {
        return await change()
      } catch (thrown) {
        const error = toCoordinatorError(thrown)
        maybeWritten ||= error.outcome !== 'not_written'
        if (!error.retryable || this.#stop.signal.aborted || performance.now() >= until)
          throw maybeWritten ? error.withOutcome('unknown') : error
        await backoff.wait(this.#stop.signal)
      }
    }
  }
}

/** Nobody learns whether the id or the secret was wrong. */
export function unknownToken(): CoordinatorError {
  return denial('unknown', 'COORD_CREDENTIAL_INVALID', {
    detail: 'No token of this coordinator has this text.',
  })
}
