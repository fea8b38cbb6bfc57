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

  /** @throws COORD_TOKEN_NAME_TAKEN, COORD_TOKENS_TOO_MANY */
  put({ id, name, scopes, secretHash, createdBy, expiresAt }: NewToken, now: number): StoredToken {
    const known = this.#tokens.get(id)
    if (known?.secretHash === secretHash) return known
    if (known !== undefined || this.#names.has(name)) throw tokenNameTaken()
    if (this.#tokens.size >= TOKENS_MAX) throw tooManyTokens()
    this.#names.add(name)
    const created = { createdAt: Math.trunc(now), createdBy, expiresAt }
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
  revoke(id: string, by: string, now: number): StoredToken {
    const known = this.#tokens.get(id)
    if (known === undefined) throw tokenNotFound()
    if (known.revokedAt !== null) return known
    return this.#set({ ...known, revokedAt: Math.max(known.createdAt, Math.trunc(now)), revokedBy: by })
  }

  require(revision: Revision): void {
    if (this.#requiredSince !== null) return
    this.#requiredSince = revision
    this.#version = randomUUID()
  }

  #set(token: StoredToken): StoredToken {
    this.#tokens.set(token.id, token)
    this.#version = randomUUID()
    return token
  }
}
