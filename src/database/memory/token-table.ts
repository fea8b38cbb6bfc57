import { randomUUID } from 'node:crypto'
import type { Revision } from '../../records/record.ts'
import { compareCodePoints } from '../../text/code-point-order.ts'
import { type AccessState, type NewToken, type StoredToken, TOKENS_MAX } from '../access-store.ts'
import { tokenNameTaken, tokenNotFound, tooManyTokens } from '../check-token.ts'

/** The tokens of a store in memory. */
export class TokenTable {
  readonly #tokens = new Map<string, StoredToken>()
  readonly #names = new Set<string>()
  #version: string = randomUUID()
  #requiredSince: Revision | null = null

  get version(): string {
    return this.#version
  }

  get state(): AccessState {
    const tokens = [...this.#tokens.values()].sort((left, right) => compareCodePoints(left.id, right.id))
    return { version: this.#version, requiredSince: this.#requiredSince, tokens }
  }

  /**
   * @param now the time of a change; it throws if the tokens must not change
   * @throws COORD_TOKEN_NAME_TAKEN, COORD_TOKENS_TOO_MANY
   */
  put({ id, name, scopes, secretHash, createdBy, expiresAt }: NewToken, now: () => number): StoredToken {
    const known = this.#tokens.get(id)
    if (known?.secretHash === secretHash) return known
    if (known !== undefined || this.#names.has(name)) throw tokenNameTaken()
    if (this.#tokens.size >= TOKENS_MAX) throw tooManyTokens()
    const created = { createdAt: Math.trunc(now()), createdBy, expiresAt }
    return this.#set({
      id,
      name,
      scopes: [...scopes],
      secretHash,
      ...created,
      revokedAt: null,
      revokedBy: null,
    })
  }

  /** @throws COORD_TOKEN_NOT_FOUND */
  revoke(id: string, by: string, now: () => number): StoredToken {
    const known = this.#tokens.get(id)
    if (known === undefined) throw tokenNotFound()
    if (known.revokedAt !== null) return known
    return this.#set({ ...known, revokedAt: Math.max(known.createdAt, Math.trunc(now())), revokedBy: by })
  }

  require(revision: Revision, now: () => number): void {
    if (this.#requiredSince !== null) return
    now()
    this.#requiredSince = revision
    this.#version = randomUUID()
  }

  /** @throws COORD_TOKEN_NAME_TAKEN, COORD_TOKENS_TOO_MANY */
  seed({ requiredSince, tokens }: Omit<AccessState, 'version'>): void {
    const changed = tokens.filter((token) => {
      const known = this.#tokens.get(token.id)
      if (known === undefined ? this.#names.has(token.name) : known.secretHash !== token.secretHash)
        throw tokenNameTaken()
      return known === undefined || (known.revokedAt === null && token.revokedAt !== null)
    })
    const added = changed.filter(({ id }) => !this.#tokens.has(id))
    for (const field of ['id', 'name'] as const)
      if (new Set(added.map((token) => token[field])).size < added.length) throw tokenNameTaken()
    if (this.#tokens.size + added.length > TOKENS_MAX) throw tooManyTokens()
    for (const token of changed) {
      const { revokedAt, revokedBy } = token
      this.#set({ ...(this.#tokens.get(token.id) ?? token), revokedAt, revokedBy })
    }
    if (this.#requiredSince !== null || requiredSince === null) return
    this.#requiredSince = requiredSince
    this.#version = randomUUID()
  }

  #set(token: StoredToken): StoredToken {
    this.#names.add(token.name)
    this.#tokens.set(token.id, token)
    this.#version = randomUUID()
    return token
  }
}
