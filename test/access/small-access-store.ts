import type { AccessState, AccessStore, NewToken, StoredToken } from '../../src/database/access-store.ts'
import { CoordinatorError } from '../../src/errors.ts'

/** Keeps tokens in memory, and does to the calls what a test wants. */
export class SmallAccessStore implements AccessStore {
  readonly calls: string[] = []
  requiredSince: number | null = null
  #tokens = new Map<string, StoredToken>()
  #changes = 0
  /** Each call waits for this. */
  gate: Promise<void> = Promise.resolve()
  /** Each call fails with this before it does anything. */
  fault: CoordinatorError | undefined
  /** The next change happens, but its answer is lost. */
  loseAnswer = false
  readonly #now: () => number

  constructor(now: () => number = Date.now) {
    this.#now = now
  }

  get version(): string {
    return String(this.#changes)
  }

  async load(): Promise<AccessState> {
    const read = () => ({
      version: this.version,
      requiredSince: this.requiredSince,
      tokens: [...this.#tokens.values()],
    })
    return this.#call('load', read)
  }

  put(token: NewToken): Promise<StoredToken> {
    return this.#call('put', () => {
      for (const known of this.#tokens.values()) {
        if (known.id === token.id && known.secretHash === token.secretHash) return known
        if (known.id === token.id || known.name === token.name)
          throw new CoordinatorError('COORD_TOKEN_NAME_TAKEN')
      }
      return this.#set({ ...token, createdAt: this.#now(), revokedAt: null, revokedBy: null })
    })
  }

  revoke(id: string, by: string): Promise<StoredToken> {
    return this.#call('revoke', () => {
      const known = this.#tokens.get(id)
      if (known === undefined) throw new CoordinatorError('COORD_TOKEN_NOT_FOUND')
      if (known.revokedAt !== null) return known
      return this.#set({ ...known, revokedAt: this.#now(), revokedBy: by })
    })
  }

  require(): Promise<void> {
    return this.#call('require', () => {
      this.requiredSince ??= 0
    })
  }

  /** What a dump holds. */
  dump(): readonly StoredToken[] {
    return [...this.#tokens.values()]
  }

  /** Returns to an earlier dump. */
  restore(tokens: readonly StoredToken[]): void {
    this.#tokens = new Map(tokens.map((token) => [token.id, token]))
    this.#changes += 1
  }

  get(id: string): StoredToken | undefined {
    return this.#tokens.get(id)
  }

  #set(token: StoredToken): StoredToken {
    this.#tokens.set(token.id, token)
    this.#changes += 1
    return token
  }

  async #call<T>(name: string, run: () => T): Promise<T> {
    this.calls.push(name)
    if (this.fault !== undefined) throw this.fault
    const result = run()
    await this.gate
    if (this.loseAnswer && name !== 'load') {
      this.loseAnswer = false
      throw new CoordinatorError('COORD_STORE_UNAVAILABLE', { outcome: 'unknown' })
    }
    return result
  }
}
