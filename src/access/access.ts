import type { AccessState, AccessStore } from '../database/access-store.ts'
import { type CoordinatorError, toCoordinatorError } from '../errors.ts'
import { MAX_REVISION, type Revision } from '../records/record.ts'
import { Semaphore } from '../scheduling/semaphore.ts'
import { clientOf } from '../text/client-of.ts'
import { denial, denialReasonOf } from './denial.ts'
import { EnvironmentTokens } from './environment-tokens.ts'
import type { InTurn } from './jwt/jwt-verifier.ts'
import type { TokenInfo } from './known-token.ts'
import { EVERYBODY, type Principal } from './principal.ts'
import { RateByAddress } from './rate-by-address.ts'
import { Grants } from './scopes/grants.ts'
import { StoredTokens, unknownToken } from './stored-tokens.ts'
import { isCreatable, looksLikeToken, parseToken, type TokenParts } from './token-format.ts'
import { unavailable } from './token-loader.ts'
import type { TokenWish } from './token-wish.ts'

export type { TokenInfo } from './known-token.ts'
export type { TokenWish } from './token-wish.ts'

/** `open`: the setting AUTH is absent, on a loopback address. `off`: AUTH=off. */
export type AccessMode = 'open' | 'required' | 'off'

/** Verifies JWTs. */
export interface JwtChecker {
  /**
   * @param inTurn for tokens of suspects: signatures, which are expensive, are verified in it. Everything cheaper is judged before
   * @returns a promise only for a token that is not remembered
   * @throws COORD_CREDENTIAL_INVALID, COORD_CREDENTIAL_EXPIRED, COORD_AUTH_UNAVAILABLE, and what `inTurn` throws
   */
  verify(token: string, inTurn?: InTurn): Principal | Promise<Principal>
  start(): void
  stop(): void
}

export interface AccessOptions {
  readonly mode: AccessMode
  /** What a request without a credential may do where credentials are demanded. @default 'none' */
  readonly anonymous?: 'none' | 'read' | undefined
  /** A secret of its own that is an administrator. Only its hash is kept. @default none */
  readonly adminToken?: string | undefined
  /** A secret of its own with the scope `metrics`. Only its hash is kept. @default none */
  readonly metricsToken?: string | undefined
  /** Tokens of the store that were created earlier are refused, in epoch milliseconds. @default none is */
  readonly notBefore?: number | undefined
  /** @default JWTs are refused */
  readonly jwt?: JwtChecker | undefined
  /** Where tokens are kept. @default there are none */
  readonly store?: AccessStore | undefined
  /** Called when the tokens cannot be read from the store; again only after they could be read in between. @default no call */
  readonly onFault?: ((error: CoordinatorError) => void) | undefined
  /**
   * Bad credentials that an address may send: so many at once, and so many each second. The others are answered with 429.
   *
   * @default 20 at once, 1 each second
   */
  readonly badCredentials?: { readonly burst: number; readonly perSecond: number } | undefined
  /** The clock, in epoch milliseconds. @default Date.now */
  readonly now?: () => number
}

/** Whoever sends no credential where the setting AUTH_ANONYMOUS is `read`. */
const ANONYMOUS: Principal = { kind: 'anonymous', id: '', actor: undefined, grants: Grants.READ }

/**
 * How many callers of an address that sends bad credentials may wait: until the store was asked for their token, or until a signature
 * can be verified.
 */
const suspectsMax = 100
/** How many signatures are verified at the same time for such an address. */
const suspectSignatures = 2

/**
 * Says who sends a request.
 *
 * Where nobody has to prove anything (modes `open` and `off`), a credential is not even looked at: every request is `EVERYBODY`, so that
 * clients with a token, whatever it is, work before and after credentials are demanded. Where they are demanded, a bad credential is
 * never anonymous.
 */
export class Access {
  readonly mode: AccessMode
  readonly #anonymous: Principal | undefined
  readonly #environment: EnvironmentTokens
  readonly #hasAdminToken: boolean
  readonly #stored: StoredTokens | undefined
  readonly #jwt: JwtChecker | undefined
  readonly #bad: RateByAddress
  #isJwtStarted = false
  /**
   * Signatures of JWTs that are verified for addresses that send bad credentials. Each address has half of the places, and of those to
   * wait. This is no rate, because bad JWTs would use it up, and shut out the good ones beside them.
   */
  readonly #suspectJwts = new Semaphore({ max: suspectSignatures * 2, maxWaiting: suspectsMax * 2 })

  constructor(options: AccessOptions) {
    const { mode, anonymous, adminToken, metricsToken, notBefore, jwt, store, onFault } = options
    const { badCredentials = { burst: 20, perSecond: 1 }, now = Date.now } = options
    this.mode = mode
    this.#anonymous = anonymous === 'read' ? ANONYMOUS : undefined
    this.#environment = new EnvironmentTokens({ admin: adminToken, metrics: metricsToken })
    this.#hasAdminToken = adminToken !== undefined
    this.#jwt = jwt
    this.#stored = store && new StoredTokens({ store, notBefore, require: mode === 'required', onFault, now })
    this.#bad = new RateByAddress(badCredentials)
  }

  /**
   * Loads the tokens of the store, again and again until it succeeds, and records there that credentials are demanded. Resolves when that
   * is done, or at `stop`; at once where the mode is not `required`. Starts the verifier of JWTs, too.
   *
   * @throws COORD_CONFIG_INVALID, and nothing else, if the store says that demanding credentials protects nothing
   */
  async start(): Promise<void> {
    this.#startJwt()
    const loaded = this.#stored?.start()
    if (this.mode === 'required') await loaded
  }

  /**
   * Serves callers before the store can be asked. `start` may be called later, and then throws no more: `onFault` tells.
   *
   * @param borrowed tokens of an earlier time, and until when they count, in epoch milliseconds. @default every token of the store gets
   * COORD_AUTH_UNAVAILABLE
   */
  startWithoutStore(borrowed?: {
    readonly state: Omit<AccessState, 'version'>
    readonly until: number
  }): void {
    this.#startJwt()
    this.#stored?.borrow(borrowed?.state ?? { requiredSince: null, tokens: [] }, borrowed?.until ?? 0)
  }

  #startJwt(): void {
    if (this.mode !== 'required' || this.#isJwtStarted) return
    this.#isJwtStarted = true
    this.#jwt?.start()
  }

  stop(): void {
    this.#jwt?.stop()
    this.#stored?.stop()
  }

  /** Another coordinator changed the tokens: loads them again, unless this version is known. Never throws; tries again after faults. */
  versionSeen(version: string): void {
    this.#stored?.versionSeen(version)
  }

  /**
   * Who sends a request.
   *
   * @param authorization the header `Authorization`
   * @param address of the client; bad credentials are throttled by it
   * @returns a promise only for a JWT that is not remembered, or a token that this process does not know yet
   * @throws COORD_AUTH_REQUIRED, COORD_CREDENTIAL_INVALID, COORD_CREDENTIAL_EXPIRED, COORD_CREDENTIAL_REVOKED, COORD_AUTH_UNAVAILABLE,
   * COORD_RATE_LIMITED; `denialReasonOf` tells the reason for metrics
   */
  identify(authorization: string | undefined, address: string): Principal | Promise<Principal> {
    if (this.mode !== 'required') return EVERYBODY
    if (authorization === undefined) {
      if (this.#anonymous !== undefined) return this.#anonymous
      throw denial('missing', 'COORD_AUTH_REQUIRED')
    }
    try {
      const found = this.#check(bearerOf(authorization), address)
      return found instanceof Promise ? this.#orRefuse(found, address) : found
    } catch (thrown) {
      throw this.#refusal(thrown, address)
    }
  }

  /**
   * Creates a token. Its text is in the answer, and nowhere else.
   *
   * @param by the actor who creates it
   * @throws COORD_FIELD_INVALID, COORD_TOKEN_NAME_TAKEN, COORD_TOKENS_TOO_MANY, a COORD_STORE_* error with `outcome`
   */
  async createToken(wish: TokenWish, by: string): Promise<{ token: string; info: TokenInfo }> {
    if (this.#stored === undefined) throw unavailable()
    return this.#stored.create(wish, by)
  }

  /**
   * Every token that was ever created, revoked ones too, the oldest first.
   *
   * @throws COORD_AUTH_UNAVAILABLE before the first load
   */
  listTokens(): readonly TokenInfo[] {
    return this.#stored?.list() ?? []
  }

  /**
   * Revokes a token. Its callers lose their open streams at once; those of other coordinators within POLL_MAX_MS and a second.
   *
   * @param by the actor who revokes it
   * @throws COORD_TOKEN_NOT_FOUND, a COORD_STORE_* error with `outcome`
   */
  async revokeToken(id: string, by: string): Promise<TokenInfo> {
    if (this.#stored === undefined) throw unavailable()
    return this.#stored.revoke(id, by)
  }

  /**
   * Whether somebody can administer: everybody where access is open; else the token of the environment, a token of the store as far as it
   * is loaded, or possibly a JWT.
   */
  get hasAdministrator(): boolean {
    return (
      this.mode !== 'required' ||
      this.#hasAdminToken ||
      this.#jwt !== undefined ||
      this.hasStoredAdministrator
    )
  }

  /** Whether a token of the store permits everything and is accepted. `false` before the first load. */
  get hasStoredAdministrator(): boolean {
    return this.#stored?.hasAdministrator ?? false
  }

  /** Whether the tokens are known: there is no store for them, or it was read at least once. */
  get tokensKnown(): boolean {
    return this.#stored?.loaded ?? true
  }

  /** Resolves when the tokens are known, or at `stop`. @throws what `start` throws */
  async untilTokensKnown(): Promise<void> {
    await this.#stored?.firstLoad
  }

  /** Whether somebody without a credential may do more than look at public pages. */
  get servesStrangers(): boolean {
    return this.mode !== 'required' || this.#anonymous !== undefined
  }

  /**
   * The newest revision when a coordinator first demanded credentials; `null` if none ever did. Nobody proved who wrote the entries up to
   * it. Where credentials are demanded, but the store has not said since when, these are all entries.
   */
  get requiredSince(): Revision | null {
    if (this.#stored === undefined) return null
    return this.#stored.requiredSince ?? (this.mode === 'required' ? MAX_REVISION : null)
  }

  /**
   * The names of tokens that were created while nobody had to prove who they are, and that are accepted still. Empty where access is open.
   *
   * @throws COORD_AUTH_UNAVAILABLE before the first load
   */
  get namesFromOpenTimes(): readonly string[] {
    if (this.mode !== 'required') return []
    const accepted = this.#stored?.listAccepted() ?? []
    return accepted.filter(({ createdBy }) => createdBy.startsWith('http:')).map(({ name }) => name)
  }

  #check(text: string, address: string): Principal | Promise<Principal> {
    const parts = parseToken(text)
    const found = (parts !== undefined && this.#stored?.identify(parts)) || this.#environment.identify(text)
    if (found) return found
    if (parts !== undefined && isCreatable(parts)) return this.#lookFor(parts, address)
    if (!looksLikeToken(text) && this.#jwt !== undefined && hasTwoDots(text))
      return this.#checkJwt(text, address)
    throw malformed(text)
  }

  #lookFor(parts: TokenParts, address: string): Promise<Principal> {
    if (this.#stored === undefined) throw unknownToken()
    return this.#stored.lookFor(parts, this.#bad.isExhausted(address) ? suspectsMax : undefined)
  }

  /** Verifying a signature is expensive: for an address that sends many bad credentials, it waits for its turn. */
  #checkJwt(text: string, address: string): Principal | Promise<Principal> {
    const jwt = this.#jwt as JwtChecker
    if (!this.#bad.isExhausted(address)) return jwt.verify(text)
    return jwt.verify(text, (work) => this.#inTurn(address, work))
  }

  /** @throws COORD_RATE_LIMITED if too many of the address wait */
  async #inTurn<T>(address: string, work: () => Promise<T>): Promise<T> {
    const client = clientOf(address)
    try {
      await this.#suspectJwts.acquire({ client })
    } catch {
      throw throttled(1, 'Too many bad credentials come from this address; this one was not verified.')
    }
    try {
      return await work()
    } finally {
      this.#suspectJwts.release(client)
    }
  }

  async #orRefuse(found: Promise<Principal>, address: string): Promise<Principal> {
    try {
      return await found
    } catch (thrown) {
      throw this.#refusal(thrown, address)
    }
  }

  /** The answer to a credential that was not accepted. */
  #refusal(thrown: unknown, address: string): CoordinatorError {
    const error = toCoordinatorError(thrown)
    const reason = denialReasonOf(error)
    if (reason === undefined || reason === 'throttled' || reason === 'unavailable') return error
    if (this.#bad.spend(address)) return error
    // Whoever has to repair the client learns what is wrong with its credential.
    return throttled(
      this.#bad.secondsLeft(address),
      `Too many bad credentials come from this address. ${error.detail}`,
    )
  }
}

const usual = 'Bearer '

/** @throws COORD_CREDENTIAL_INVALID */
function bearerOf(authorization: string): string {
  if (authorization.startsWith(usual) && authorization.charCodeAt(usual.length) > 0x20)
    return authorization.slice(usual.length)
  const [, text] = /^bearer(?: +|$)(.*)$/is.exec(authorization) ?? []
  if (text === undefined)
    throw denial('malformed', 'COORD_CREDENTIAL_INVALID', {
      detail: 'The header Authorization must begin with `Bearer `.',
    })
  if (text === '')
    throw denial('malformed', 'COORD_CREDENTIAL_INVALID', { detail: 'The credential is empty.' })
  return text
}

function hasTwoDots(text: string): boolean {
  const first = text.indexOf('.')
  const second = first === -1 ? -1 : text.indexOf('.', first + 1)
  return second !== -1 && !text.includes('.', second + 1)
}

function malformed(text: string): CoordinatorError {
  return denial('malformed', 'COORD_CREDENTIAL_INVALID', {
    detail: looksLikeToken(text)
      ? 'The token is incomplete or was changed: its checksum is wrong.'
      : 'The credential is neither a token of this coordinator nor a secret of its settings.',
  })
}

function throttled(retryAfterSeconds: number, detail: string): CoordinatorError {
  return denial('throttled', 'COORD_RATE_LIMITED', {
    detail,
    retryAfterSeconds,
    // The usual hint names settings that do not limit this.
    hint: 'Wait as long as Retry-After says, then send the request again with a correct credential.',
  })
}
