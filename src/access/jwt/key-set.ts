import { CoordinatorError } from '../../errors.ts'
import { FetchFault, type FetchJsonOptions, fetchJson } from './fetch-json.ts'
import { readKeys, type VerificationKey } from './read-keys.ts'
import type { JwtAlgorithm } from './read-token.ts'
import { cannotCheckJwt, invalidJwt } from './refusals.ts'

export interface KeySetOptions {
  /** Where the key set is. It is asked before each fetch. */
  readonly locate: (options: FetchJsonOptions) => URL | Promise<URL>
  readonly fetch: typeof fetch
  /** For each request, in milliseconds. */
  readonly timeoutMs: number
  /** Epoch milliseconds. */
  readonly now: () => number
  /** Called when keys may have gone, or serve no more. */
  readonly onChange: () => void
  /** Called when a fetch fails in another way than the one before, and with `undefined` when the next one succeeds. */
  readonly onFault: (fault: CoordinatorError | undefined) => void
}

/** How often keys are fetched. Issuers publish a new key some time before they sign with it. */
export const REFRESH_MS = 600_000
/** How long keys serve after they were fetched, if they cannot be fetched again. */
export const SERVE_MS = 3_600_000
/** The least time between two fetches for unknown keys, so that nobody can make us flood the issuer with made-up ones. */
export const COOLDOWN_MS = 30_000
/** The wait after the first fault; it doubles with each further one, up to `COOLDOWN_MS`. */
const RETRY_FIRST_MS = 2_000
/** A clock that was set back by more than this makes every time since then unknown. */
const CLOCK_STEP_MS = 60_000

/** The public keys of an issuer, fetched again and again. An outage of the issuer is bridged for an hour. */
export class KeySet {
  readonly #options: KeySetOptions
  readonly #stop = new AbortController()
  #keys: readonly VerificationKey[] = []
  #thumbprints: ReadonlySet<string> = new Set()
  #fetchedAt: number | undefined
  #attemptedAt: number | undefined
  #faults = 0
  #fault: CoordinatorError | undefined
  #running: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(options: KeySetOptions) {
    this.#options = options
  }

  /** How many keys there are. */
  get size(): number {
    return this.#keys.length
  }

  /** When the keys were fetched, in epoch milliseconds. */
  get fetchedAt(): number | undefined {
    return this.#fetchedAt
  }

  /** Why the last fetch failed. */
  get fault(): CoordinatorError | undefined {
    return this.#fault
  }

  /** Fetches the keys in the background, now and from time to time. */
  start(): void {
    void this.refresh()
  }

  stop(): void {
    this.#stop.abort()
    clearTimeout(this.#timer)
  }

  /** Whether tokens that were signed with this key count. */
  serves(thumbprint: string): boolean {
    return this.#thumbprints.has(thumbprint) && this.#isFresh()
  }

  /**
   * The keys that may have signed a token.
   *
   * @param keyId the claim `kid` of its header. A token without it may be signed with any key for its algorithm.
   * @throws COORD_AUTH_UNAVAILABLE if there are no keys, or if nobody knows whether this key exists; COORD_CREDENTIAL_INVALID
   */
  async find(algorithm: JwtAlgorithm, keyId: string | undefined): Promise<readonly VerificationKey[]> {
    if (!this.#isFresh()) await this.#refreshAfter(this.#pauseMs())
    else if (this.#since(this.#attemptedAt) >= this.#pauseMs()) void this.refresh()
    if (!this.#isFresh()) throw this.#unavailable('The keys of the issuer cannot be fetched.')
    const found = this.#matching(algorithm, keyId)
    if (found.length > 0) return found
    await this.#refreshAfter(this.#fault === undefined ? COOLDOWN_MS : this.#pauseMs())
    const foundNow = this.#matching(algorithm, keyId)
    if (foundNow.length > 0) return foundNow
    if (this.#fault !== undefined)
      throw this.#unavailable(
        'The token is signed with a new key, and the keys of the issuer cannot be fetched.',
      )
    throw invalidJwt(
      keyId === undefined
        ? `The issuer has no key for ${algorithm}.`
        : `The issuer has no key for ${algorithm} with the id (kid) that the token names.`,
    )
  }

  /** Fetches the keys; calls at the same time share one fetch. Never rejects: `fault` says why it failed. */
  refresh(): Promise<void> {
    this.#running ??= this.#fetch().finally(() => {
      this.#running = undefined
      this.#arm()
    })
    return this.#running
  }

  /** Joins a fetch that is under way, or starts one if the last one was long enough ago. */
  async #refreshAfter(pauseMs: number): Promise<void> {
    if (this.#running !== undefined || this.#since(this.#attemptedAt) >= pauseMs) await this.refresh()
  }

  async #fetch(): Promise<void> {
    if (this.#stop.signal.aborted) return
    const { locate, fetch, timeoutMs, now } = this.#options
    const options = { fetch, timeoutMs, signal: this.#stop.signal }
    this.#attemptedAt = now()
    try {
      const url = await locate(options)
      this.#take(await readKeys(await fetchJson(url, options)))
      this.#report(undefined)
    } catch (thrown) {
      if (this.#stop.signal.aborted) return
      this.#faults += 1
      this.#report(thrown)
    }
    this.#options.onChange()
  }

  #take(keys: readonly VerificationKey[]): void {
    this.#keys = keys
    this.#thumbprints = new Set(keys.map(({ thumbprint }) => thumbprint))
    this.#fetchedAt = this.#options.now()
    this.#faults = 0
  }

  #report(thrown: unknown): void {
    const before = this.#fault
    this.#fault =
      thrown === undefined
        ? undefined
        : new CoordinatorError('COORD_AUTH_UNAVAILABLE', {
            detail: `The keys that sign JWTs cannot be fetched: ${thrown instanceof FetchFault ? thrown.message : 'the coordinator failed unexpectedly'}.`,
            cause: thrown,
          })
    if (this.#fault?.detail !== before?.detail) this.#options.onFault(this.#fault)
  }

  #matching(algorithm: JwtAlgorithm, keyId: string | undefined): VerificationKey[] {
    return this.#keys.filter(
      (key) => key.algorithm === algorithm && (keyId === undefined || key.keyId === keyId),
    )
  }

  #isFresh(): boolean {
    return this.#since(this.#fetchedAt) < SERVE_MS
  }

  /** The time from the last attempt to the next one. */
  #pauseMs(): number {
    return this.#faults === 0 ? REFRESH_MS : Math.min(COOLDOWN_MS, RETRY_FIRST_MS * 2 ** (this.#faults - 1))
  }

  #since(time: number | undefined): number {
    const elapsed = time === undefined ? Number.POSITIVE_INFINITY : this.#options.now() - time
    return elapsed < -CLOCK_STEP_MS ? Number.POSITIVE_INFINITY : Math.max(0, elapsed)
  }

  #arm(): void {
    clearTimeout(this.#timer)
    if (this.#stop.signal.aborted) return
    const jitter = 0.95 + Math.random() / 10
    this.#timer = setTimeout(() => this.refresh(), this.#pauseMs() * jitter).unref()
  }

  #unavailable(detail: string): CoordinatorError {
    const waitMs = this.#pauseMs() - this.#since(this.#attemptedAt)
    return cannotCheckJwt(detail, Math.max(1, Math.ceil(waitMs / 1000)))
  }
}
