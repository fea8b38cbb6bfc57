import type { AccessState, AccessStore, StoredToken } from '../database/access-store.ts'
import { type CoordinatorError, toCoordinatorError } from '../errors.ts'
import type { Revision } from '../records/record.ts'
import { Backoff, within } from '../scheduling/backoff.ts'
import { denial } from './denial.ts'
import { RecentKeys } from './recent-keys.ts'
import type { TokenBook } from './token-book.ts'

/** How often strangers may make the store load, in milliseconds. */
const lookEveryMs = 1_000
/** How long a caller waits for that, in milliseconds. */
const lookMaxMs = 5_000
/** How often is looked whether borrowed tokens still count, in milliseconds. */
const borrowedCheckMs = 1_000
/** How many callers may wait for it. */
const lookMaxCallers = 1_000

export interface TokenLoaderOptions {
  readonly store: AccessStore
  readonly book: TokenBook
  /** Whether to record in the store that credentials are demanded. */
  readonly require: boolean
  /** Called when the store cannot be read; again only after it could be read in between. @default no call */
  readonly onFault?: ((error: CoordinatorError) => void) | undefined
  /** The clock, in epoch milliseconds. @default Date.now */
  readonly now?: () => number
}

interface Waiting {
  readonly resolve: () => void
  readonly reject: (error: CoordinatorError) => void
}

/** Keeps a token book equal to the store. While the store is down, the book stays as it is. */
export class TokenLoader {
  readonly #store: AccessStore
  readonly #book: TokenBook
  readonly #now: () => number
  readonly #onFault: ((error: CoordinatorError) => void) | undefined
  readonly #stop = new AbortController()
  readonly #backoff = new Backoff()
  readonly #first = Promise.withResolvers<void>()
  /** Ids that no token had when the store was last asked for them. */
  readonly #unknown = new RecentKeys(10_000)
  readonly #mustRequire: boolean
  /** Whether the store has taken it that credentials are demanded. */
  #isRequired = false
  #version: string | undefined
  /** Whether the store takes no writes at this time, so that it still lacks what this process knows better. */
  #isOwed = false
  #requiredSince: Revision | null = null
  /** Until when tokens count that did not come from the store itself, epoch milliseconds. */
  #borrowedUntil: number | undefined
  #borrowTimer: NodeJS.Timeout | undefined
  #isWanted = false
  #isRunning = false
  /** Whether the last load failed. */
  #isBlind = false
  #isFailing = false
  #isRefused = false
  /** Whether `start` is done: a refusal that comes later can only be told. */
  #isStarted = false
  /** When a stranger last made the store load. */
  #lookedAt = Number.NEGATIVE_INFINITY
  /** Callers who wait for a load that begins after they came. */
  #waiting: Waiting[] = []
  #callers = 0
  #lookTimer: NodeJS.Timeout | undefined
  #changed = new Set<string>()

  constructor({ store, book, require, onFault, now = Date.now }: TokenLoaderOptions) {
    this.#store = store
    this.#now = now
    this.#book = book
    this.#mustRequire = require
    this.#onFault = onFault
  }

  /** Whether the store was read at least once. */
  get loaded(): boolean {
    return this.#version !== undefined
  }

  /** Resolves when the store was read for the first time, or at `stop`. @throws what `start` throws */
  get firstLoad(): Promise<void> {
    return this.#first.promise
  }

  /** `AccessState.requiredSince`, as it was last read. */
  get requiredSince(): Revision | null {
    return this.#requiredSince
  }

  /**
   * Takes tokens of an earlier time, until the store was read. From then on, the answer of the store counts: what it refuses is only told.
   *
   * @param until when they no longer count, epoch milliseconds
   */
  borrow(state: Omit<AccessState, 'version'>, until: number): void {
    this.#isStarted = true
    if (this.loaded) return
    this.#book.take(state, new Set())
    this.#requiredSince = state.requiredSince
    this.#borrowedUntil = until
    this.#borrowTimer = setInterval(() => this.expireBorrowed(), borrowedCheckMs).unref()
  }

  /** Forgets borrowed tokens whose time is over. What their callers have open ends. */
  expireBorrowed(): void {
    if (this.#borrowedUntil === undefined || this.#now() < this.#borrowedUntil) return
    this.#endBorrowing()
    this.#book.forget(unavailable())
  }

  #endBorrowing(): void {
    clearInterval(this.#borrowTimer)
    this.#borrowedUntil = undefined
  }

  /** Resolves after the first load, or at `stop`. @throws COORD_CONFIG_INVALID if demanding credentials would protect nothing */
  start(): Promise<void> {
    if (!this.loaded) this.want()
    return this.#first.promise
  }

  stop(): void {
    this.#stop.abort()
    clearTimeout(this.#lookTimer)
    this.#endBorrowing()
    this.#first.resolve()
    this.#refuse(this.#waiting)
  }

  /** Loads again, unless the version is the one that is known, and the store lacks nothing. */
  versionSeen(version: string): void {
    if (version !== this.#version || this.#isOwed) this.want()
  }

  /** Loads again. */
  want(): void {
    this.#isWanted = true
    if (!this.#isRunning) void this.#run()
  }

  /** This process changed a token, and knows the result. */
  changed(stored: StoredToken): void {
    this.#changed.add(stored.id)
    this.want()
  }

  /**
   * Another coordinator may have created a token that this one does not know yet: waits for a load that began after the call. All
   * callers together load once a second at most, and each id only once.
   *
   * @param maxCallers how many callers may wait at the same time. @default 1_000
   * @throws COORD_AUTH_UNAVAILABLE if that cannot be done soon
   */
  async look(id: string, maxCallers = lookMaxCallers): Promise<void> {
    if (!this.loaded || this.#isBlind || this.#stop.signal.aborted) throw unavailable()
    // While a newer state is being read, it may be known there.
    if (this.#unknown.has(id) && !this.#isRunning) return
    if (this.#callers >= maxCallers) throw unavailable()
    this.#callers += 1
    try {
      if (!(await within(lookMaxMs, this.#nextLoad()))) throw unavailable()
    } finally {
      this.#callers -= 1
    }
    this.#unknown.add(id)
  }

  /** Resolves after a load that begins later, for the sake of a stranger. */
  #nextLoad(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#waiting.push({ resolve, reject })
    const waitMs = this.#lookedAt + lookEveryMs - performance.now()
    if (waitMs <= 0) this.#lookNow()
    else this.#lookTimer ??= setTimeout(() => this.#lookNow(), waitMs).unref()
    return promise
  }

  #lookNow(): void {
    this.#lookTimer = undefined
    if (this.#waiting.length === 0) return
    this.#lookedAt = performance.now()
    this.want()
  }

  async #run(): Promise<void> {
    const stop = this.#stop.signal
    this.#isRunning = true
    while (this.#isWanted && !stop.aborted) {
      this.#isWanted = false
      const waiting = this.#waiting
      this.#waiting = []
      try {
        const again = await this.#load()
        for (const { resolve } of waiting) resolve()
        await this.#correct(again)
        this.#isFailing = false
        this.#backoff.reset()
      } catch (thrown) {
        const error = toCoordinatorError(thrown)
        this.#refuse(waiting)
        if (isRefusal(error) && !this.#isStarted) {
          this.#first.reject(error)
          break
        }
        this.#failed(error)
        this.#isWanted = true
        await this.#backoff.wait(stop)
      } finally {
        if (this.loaded) {
          this.#isStarted = true
          this.#first.resolve()
        }
      }
    }
    this.#isRunning = false
  }

  async #load(): Promise<StoredToken[]> {
    this.#changed = new Set()
    const state = await this.#store.load().catch((thrown: unknown) => {
      this.#isBlind = true
      throw thrown
    })
    this.#isBlind = false
    const again = this.#book.take(state, this.#changed)
    this.#version = state.version
    this.#endBorrowing()
    this.#requiredSince = state.requiredSince
    return again
  }

  /**
   * Brings the store to what this process knows better. Tokens can be used already. A store that takes no writes gets it when it is open:
   * it may be a copy, whose coordinators serve before.
   */
  async #correct(again: readonly StoredToken[]): Promise<void> {
    try {
      await this.#write(again)
      this.#isOwed = false
    } catch (thrown) {
      if (toCoordinatorError(thrown).code !== 'COORD_STORE_FROZEN') throw thrown
      this.#isOwed = true
    }
  }

  async #write(again: readonly StoredToken[]): Promise<void> {
    for (const { id, revokedBy } of again) {
      try {
        await this.#store.revoke(id, revokedBy ?? 'unknown')
      } catch (thrown) {
        // The store has changed again, so that there is nothing to revoke.
        if (toCoordinatorError(thrown).code !== 'COORD_TOKEN_NOT_FOUND') throw thrown
      }
    }
    // Once where it was recorded before, too: only the answer tells whether credentials protect this store. Again after a restore.
    if (!this.#mustRequire || (this.#isRequired && this.#requiredSince !== null)) return
    await this.#store.require()
    this.#isRequired = true
    if (this.#requiredSince === null) await this.#load()
  }

  #failed(error: CoordinatorError): void {
    // What only a person can mend is told even if a passing fault was told before it.
    const isNew = isRefusal(error) ? !this.#isRefused : !this.#isFailing
    if (isNew && !this.#stop.signal.aborted) this.#onFault?.(error)
    this.#isFailing = true
    this.#isRefused ||= isRefusal(error)
  }

  #refuse(waiting: readonly Waiting[]): void {
    for (const { reject } of waiting) reject(unavailable())
  }
}

export function unavailable(): CoordinatorError {
  return denial('unavailable', 'COORD_AUTH_UNAVAILABLE', { retryAfterSeconds: 1 })
}

/** Whether the store says that demanding credentials protects nothing. See `AccessStore.require`. */
function isRefusal({ code }: CoordinatorError): boolean {
  return code === 'COORD_CONFIG_INVALID'
}
