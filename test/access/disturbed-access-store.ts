import type { AccessState, AccessStore, NewToken, StoredToken } from '../../src/database/access-store.ts'
import { MemoryStore } from '../../src/database/memory/store.ts'
import { CoordinatorError } from '../../src/errors.ts'

type Call = keyof AccessStore

/** The tokens of a store in memory, behind a line that a test disturbs. */
export class DisturbedAccessStore implements AccessStore {
  /** The calls that began, in their order. */
  readonly calls: Call[] = []
  /** The store behind the line. Another one is a database that was restored. */
  behind: AccessStore
  /** These calls fail before they do anything. */
  readonly down = new Set<Call>()
  /** These calls are done, but this many of their answers are lost. */
  readonly lost = new Map<Call, number>()
  /** Whether everybody may write to the database itself. */
  protectsNothing = false
  readonly #now: () => number
  readonly #held = new Map<Call, Promise<void>>()

  constructor(now: () => number = Date.now) {
    this.#now = now
    this.behind = new MemoryStore({ now }).access
  }

  load(): Promise<AccessState> {
    return this.#pass('load', () => this.behind.load())
  }

  put(token: NewToken): Promise<StoredToken> {
    return this.#pass('put', () => this.behind.put(token))
  }

  revoke(id: string, by: string): Promise<StoredToken> {
    return this.#pass('revoke', () => this.behind.revoke(id, by))
  }

  require(): Promise<void> {
    return this.#pass('require', async () => {
      if (this.protectsNothing) throw new CoordinatorError('COORD_CONFIG_INVALID', { outcome: 'not_written' })
      await this.behind.require()
    })
  }

  seed(state: Omit<AccessState, 'version'>): Promise<AccessState> {
    return this.#pass('seed', () => this.behind.seed(state))
  }

  count(call: Call): number {
    return this.calls.filter((made) => made === call).length
  }

  /** Holds back the answers to a call from now on. @returns lets them go */
  hold(call: Call): () => void {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#held.set(call, promise)
    return () => {
      this.#held.delete(call)
      resolve()
    }
  }

  breakDown(...calls: Call[]): void {
    for (const call of calls.length === 0 ? (['load', 'put', 'revoke', 'require'] as const) : calls)
      this.down.add(call)
  }

  /** Repairs everything. */
  repair(): void {
    this.down.clear()
  }

  /** The tokens at this moment, for `restore`. */
  async dump(): Promise<readonly StoredToken[]> {
    return (await this.behind.load()).tokens
  }

  /** Replaces the database by one with these tokens. */
  async restore(tokens: readonly StoredToken[]): Promise<void> {
    const { access } = new MemoryStore({ now: this.#now })
    for (const { createdAt: _, revokedAt, revokedBy, ...token } of tokens) {
      await access.put(token)
      if (revokedAt !== null) await access.revoke(token.id, revokedBy ?? '')
    }
    this.behind = access
  }

  async version(): Promise<string> {
    return (await this.behind.load()).version
  }

  async #pass<T>(call: Call, run: () => Promise<T>): Promise<T> {
    this.calls.push(call)
    if (this.down.has(call)) throw new CoordinatorError('COORD_STORE_UNAVAILABLE', { outcome: 'not_written' })
    const result = await run()
    await this.#held.get(call)
    const losses = this.lost.get(call) ?? 0
    this.lost.set(call, losses - 1)
    if (losses > 0) throw new CoordinatorError('COORD_STORE_TIMEOUT', { outcome: 'unknown' })
    return result
  }
}
