import { hash } from 'node:crypto'
import type { CryptoKey } from 'jose'
import { JWSSignatureVerificationFailed } from 'jose/errors'
import { jwtVerify } from 'jose/jwt/verify'
import { CoordinatorError } from '../../errors.ts'
import type { Principal } from '../principal.ts'
import { Grants } from '../scopes/grants.ts'
import { CLOCK_TOLERANCE_MS, type ClaimRules, checkClaims } from './check-claims.ts'
import { JwtPrincipal } from './jwt-principal.ts'
import { KeySet } from './key-set.ts'
import { locateKeys } from './locate-keys.ts'
import { readScopes } from './read-scopes.ts'
import {
  type Claims,
  type JwtAlgorithm,
  readToken,
  TOKEN_MAX_LENGTH,
  type UnverifiedToken,
} from './read-token.ts'
import { cannotCheckJwt, invalidJwt } from './refusals.ts'
import { RememberedTokens } from './remembered-tokens.ts'

export interface JwtOptions {
  /** The claim `iss` of every token, exactly. */
  readonly issuer: string
  /** The claim `aud` of every token contains it. @default `authenticated` with `supabase`; else it is required */
  readonly audience?: string
  /**
   * The key set of the issuer. @default found by OpenID Connect Discovery from the issuer. With `secret` there is no default: only HS256
   * is accepted then
   */
  readonly jwksUrl?: string
  /** Accepts HS256 with this secret of at least 32 bytes. @default HS256 is refused */
  readonly secret?: string
  /** The claim with the scopes, or a path to it: `app_metadata.coordinator`. */
  readonly scopeClaim: string
  /** Refuses what a Supabase project signs for others than users who signed in. */
  readonly supabase: boolean
  /** Tokens that were issued earlier are refused; epoch milliseconds. @default none */
  readonly notBefore?: number
  /** @default the `fetch` of Node.js */
  readonly fetch?: typeof fetch
  /** For each request to the issuer. @default 5_000 (milliseconds) */
  readonly timeoutMs?: number
  /** Epoch milliseconds. @default Date.now */
  readonly now?: () => number
  /** How many verified tokens are remembered at least; at most twice as many. @default 10_000 */
  readonly rememberedMax?: number
  /** Called when the keys cannot be fetched, for another reason than before; with `undefined` when they could be fetched again. */
  readonly onFault?: (fault: CoordinatorError | undefined) => void
}

/** Does some work when its turn comes. */
export type InTurn = <T>(work: () => Promise<T>) => Promise<T>

export interface JwtFigures {
  /** Tokens that were verified, and are answered from memory. */
  readonly remembered: number
  /** Tokens that are being verified. */
  readonly checking: number
  /** Public keys of the issuer. */
  readonly keys: number
  /** When they were fetched, in epoch milliseconds. */
  readonly keysFetchedAt: number | undefined
  readonly fault: CoordinatorError | undefined
}

interface NamedKey {
  readonly keyName: string
  readonly key: CryptoKey | Uint8Array
}

/** The name of the secret among the keys. Thumbprints of keys are longer. */
const SECRET = 'secret'
/** RFC 7518, 3.2. */
const secretMinBytes = 32
/** Tokens that are verified at the same time. Each one has up to 8 KiB, and waits up to two time-outs for keys. */
const checksMax = 1_000
/** A token that names no key is tried with every key for its algorithm, but with no more than these. */
const keysToTry = 4

/** Verifies JWTs: who sends them, and what they may do. */
export class JwtVerifier {
  readonly #options: JwtOptions
  readonly #rules: ClaimRules
  readonly #now: () => number
  readonly #remembered: RememberedTokens
  readonly #keySet: KeySet | undefined
  readonly #secret: Uint8Array | undefined
  /** By the hash of the token: a token that comes many times at once is verified once. */
  readonly #checks = new Map<string, Promise<Principal>>()

  /** @throws COORD_CONFIG_INVALID */
  constructor(options: JwtOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
    this.#rules = readRules(options)
    this.#secret = readSecret(options.secret)
    this.#keySet = this.#createKeySet()
    this.#remembered = new RememberedTokens({
      now: this.#now,
      ...(options.rememberedMax === undefined ? {} : { max: options.rememberedMax }),
    })
  }

  get figures(): JwtFigures {
    return {
      remembered: this.#remembered.size,
      checking: this.#checks.size,
      keys: this.#keySet?.size ?? 0,
      keysFetchedAt: this.#keySet?.fetchedAt,
      fault: this.#keySet?.fault,
    }
  }

  /** Fetches the keys in the background. Tokens that come before wait for them. */
  start(): void {
    this.#keySet?.start()
  }

  /** Ends the requests to the issuer, and forgets all tokens. */
  stop(): void {
    this.#keySet?.stop()
    this.#remembered.stop()
  }

  /**
   * Who sends a token. Never throws: a token that does not count is a rejection.
   *
   * @param inTurn for tokens of suspects: their signatures are verified in it
   * @returns a promise only for tokens that are not remembered. It rejects with COORD_CREDENTIAL_INVALID, COORD_CREDENTIAL_EXPIRED,
   * COORD_AUTH_UNAVAILABLE if the keys of the issuer cannot be had, or what `inTurn` throws
   */
  verify(token: string, inTurn?: InTurn): Principal | Promise<Principal> {
    if (token.length > TOKEN_MAX_LENGTH)
      return Promise.reject(invalidJwt(`The token has more than ${TOKEN_MAX_LENGTH} characters.`))
    const name = hash('sha256', token)
    return this.#recall(name) ?? this.#checks.get(name) ?? this.#startCheck(token, name, inTurn)
  }

  /** The principal of a token that was verified before, and still counts. */
  #recall(name: string): Principal | undefined {
    const known = this.#remembered.get(name)
    return known !== undefined && this.#serves(known.keyName) ? known : undefined
  }

  #startCheck(token: string, name: string, inTurn: InTurn | undefined): Promise<Principal> {
    // Suspects, whose tokens may name keys that must be fetched first, leave half of the places to others.
    const max = inTurn === undefined ? checksMax : checksMax / 2
    if (this.#checks.size >= max)
      return Promise.reject(cannotCheckJwt(`${max} tokens are being checked already.`, 1))
    const check = this.#check(token, name, inTurn).finally(() => this.#checks.delete(name))
    this.#checks.set(name, check)
    return check
  }

  async #check(token: string, name: string, inTurn: InTurn = (work) => work()): Promise<Principal> {
    const unverified = readToken(token)
    // Before the signature: most tokens that do not count are refused here, and cost neither a computation nor a question to the issuer.
    checkClaims(unverified.claims, this.#rules, this.#now())
    // Before the turn, too: a key that must be fetched first would keep a place for seconds.
    const keys = await this.#keysFor(unverified)
    const { claims, keyName } = await inTurn(() => this.#verifySignature(token, unverified.algorithm, keys))
    const { subject, expiresAt } = checkClaims(claims, this.#rules, this.#now())
    // The key may have gone meanwhile.
    if (!this.#serves(keyName)) throw invalidJwt('The issuer has withdrawn the key that signed the token.')
    const principal = new JwtPrincipal({
      issuer: this.#options.issuer,
      subject,
      grants: new Grants(readScopes(claims, this.#options.scopeClaim)),
      expiresAt,
      keyName,
      onWatch: (watched) => {
        // Between its verification and its first stream, its key may have gone.
        if (this.#serves(watched.keyName)) this.#remembered.watch(watched)
        else watched.end()
      },
    })
    this.#remembered.add(name, principal)
    return principal
  }

  async #verifySignature(
    token: string,
    algorithm: JwtAlgorithm,
    keys: readonly NamedKey[],
  ): Promise<{ readonly claims: Claims; readonly keyName: string }> {
    for (const { keyName, key } of keys) {
      try {
        // `jose` judges the claims once more: two readers must be wrong before a bad token counts.
        const { payload } = await jwtVerify(token, key, {
          algorithms: [algorithm],
          issuer: this.#rules.issuer,
          audience: this.#rules.audience,
          requiredClaims: ['exp', 'sub'],
          clockTolerance: CLOCK_TOLERANCE_MS / 1000,
          currentDate: new Date(this.#now()),
        })
        return { claims: payload, keyName }
      } catch (thrown) {
        // Errors of `jose` hold the claims: they are not passed on.
        if (!(thrown instanceof JWSSignatureVerificationFailed)) throw invalidJwt('The token cannot be read.')
      }
    }
    throw invalidJwt('The signature of the token is wrong.')
  }

  /** The keys that may have signed a token. The algorithm decides between the secret and the public keys, never the other way round. */
  async #keysFor({ algorithm, keyId }: UnverifiedToken): Promise<readonly NamedKey[]> {
    if (algorithm === 'HS256') {
      if (this.#secret === undefined)
        throw invalidJwt(
          'The token is signed with HS256, which is accepted only where AUTH_JWT_SECRET is set.',
        )
      return [{ keyName: SECRET, key: this.#secret }]
    }
    if (this.#keySet === undefined)
      throw invalidJwt(
        `The token is signed with ${algorithm}, and only HS256 is accepted: AUTH_JWT_SECRET is set, and AUTH_JWKS_URL is not.`,
      )
    const keys = await this.#keySet.find(algorithm, keyId)
    if (keys.length > keysToTry)
      throw invalidJwt(
        `The token names no key (kid), and the issuer has ${keys.length} keys for ${algorithm}.`,
      )
    return keys.map(({ thumbprint, key }) => ({ keyName: thumbprint, key }))
  }

  #serves(keyName: string): boolean {
    return keyName === SECRET || (this.#keySet?.serves(keyName) ?? false)
  }

  #createKeySet(): KeySet | undefined {
    const { issuer, jwksUrl, secret, fetch = globalThis.fetch, timeoutMs = 5_000, onFault } = this.#options
    if (jwksUrl === undefined && secret !== undefined) return undefined
    const url = readUrl(jwksUrl ?? issuer, jwksUrl === undefined ? 'AUTH_JWT_ISSUER' : 'AUTH_JWKS_URL')
    return new KeySet({
      locate: (options) => (jwksUrl === undefined ? locateKeys(issuer, options) : url),
      fetch,
      timeoutMs,
      now: this.#now,
      onChange: () => this.#remembered.keep((principal) => this.#serves(principal.keyName)),
      onFault: (fault) => onFault?.(fault),
    })
  }
}

function readRules({ issuer, audience, supabase, notBefore }: JwtOptions): ClaimRules {
  const expected = audience ?? (supabase ? 'authenticated' : '')
  if (issuer === '') throw invalidSetting('AUTH_JWT_ISSUER is empty.')
  // Without it, a token that was made for any other service of the issuer would count here.
  if (expected === '') throw invalidSetting('AUTH_JWT_ISSUER is set, and AUTH_JWT_AUDIENCE is not.')
  return { issuer, audience: expected, supabase, notBefore }
}

function readSecret(secret: string | undefined): Uint8Array | undefined {
  const bytes = secret === undefined ? undefined : new TextEncoder().encode(secret)
  if (bytes !== undefined && bytes.length < secretMinBytes)
    throw invalidSetting(`AUTH_JWT_SECRET has fewer than ${secretMinBytes} bytes: it could be guessed.`)
  return bytes
}

function readUrl(text: string, setting: string): URL {
  const url = URL.parse(text)
  const good = url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === ''
  if (!good) throw invalidSetting(`${setting} is not an http: or https: URL without a password.`)
  return url
}

function invalidSetting(detail: string): CoordinatorError {
  return new CoordinatorError('COORD_CONFIG_INVALID', { detail })
}
