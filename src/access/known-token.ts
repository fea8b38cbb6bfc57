import { randomBytes } from 'node:crypto'
import type { StoredToken } from '../database/access-store.ts'
import type { CoordinatorError } from '../errors.ts'
import { denial } from './denial.ts'
import type { Principal } from './principal.ts'
import { Grants } from './scopes/grants.ts'

/** A token as people see it: everything but the hash of its secret. */
export interface TokenInfo extends Omit<StoredToken, 'secretHash'> {
  /** When this process last accepted it, in epoch milliseconds; `null` if it did not since it started. */
  readonly lastUsedAt: number | null
  /** Whether it counts. `refused`: it was created before the time from which on credentials count. */
  readonly state: 'active' | 'expired' | 'revoked' | 'refused'
}

/** No secret has a hash that equals this text. */
export const HASH_OF_NOBODY: Buffer = Buffer.from(randomBytes(32).toString('hex'), 'latin1')

/** A token of the store, with the principal of its callers. */
export class KnownToken {
  /** The hexadecimal digits of the hash, as bytes. */
  readonly hash: Buffer
  readonly #stored: StoredToken
  #ended: AbortController | undefined
  #principal: Principal | undefined
  lastUsedAt: number | null = null

  constructor(stored: StoredToken) {
    this.#stored = stored
    const hash = Buffer.from(stored.secretHash, 'latin1')
    this.hash = hash.length === HASH_OF_NOBODY.length ? hash : HASH_OF_NOBODY
  }

  get expiresAt(): number {
    return this.#stored.expiresAt ?? Number.POSITIVE_INFINITY
  }

  get isRevoked(): boolean {
    return this.#stored.revokedAt !== null
  }

  permits(scope: string): boolean {
    return this.#stored.scopes.includes(scope)
  }

  infoAt(now: number, notBefore: number): TokenInfo {
    const { secretHash: _, ...shown } = this.#stored
    return { ...shown, lastUsedAt: this.lastUsedAt, state: this.#stateAt(now, notBefore) }
  }

  /** The one object that stands for all callers with this token, if there were any. */
  get principal(): Principal | undefined {
    return this.#principal
  }

  /** Whether a token of the store is the same as this one in every respect. */
  equals(other: StoredToken): boolean {
    const { id, name, secretHash, expiresAt, revokedAt, scopes } = this.#stored
    return (
      id === other.id &&
      name === other.name &&
      secretHash === other.secretHash &&
      expiresAt === other.expiresAt &&
      revokedAt === other.revokedAt &&
      scopes.length === other.scopes.length &&
      scopes.every((scope, at) => scope === other.scopes[at])
    )
  }

  /** Creates the principal for the first caller. */
  makePrincipal(): Principal {
    const { name, scopes, expiresAt } = this.#stored
    const actor = `token:${name}`
    this.#ended ??= new AbortController()
    this.#principal ??= {
      kind: 'token',
      id: actor,
      actor,
      grants: new Grants(scopes),
      ...(expiresAt === null ? {} : { expiresAt }),
      ended: this.#ended.signal,
    }
    return this.#principal
  }

  /** Ends what callers have open. The reason of the signal is the error that their next request would get. */
  end(why: CoordinatorError): void {
    this.#ended?.abort(why)
  }

  /** Why the token does not count, if it does not. */
  faultAt(now: number, notBefore: number): CoordinatorError | undefined {
    switch (this.#stateAt(now, notBefore)) {
      case 'revoked':
        return revoked()
      case 'expired':
        return expired(this.expiresAt)
      case 'refused':
        return issuedBefore(notBefore)
      default:
        return undefined
    }
  }

  #stateAt(now: number, notBefore: number): TokenInfo['state'] {
    if (this.isRevoked) return 'revoked'
    if (now >= this.expiresAt) return 'expired'
    return this.#stored.createdAt < notBefore ? 'refused' : 'active'
  }
}

export function revoked(): CoordinatorError {
  return denial('revoked', 'COORD_CREDENTIAL_REVOKED', { detail: 'The credential was revoked.' })
}

export function expired(at: number): CoordinatorError {
  return denial('expired', 'COORD_CREDENTIAL_EXPIRED', {
    detail: `The credential expired at ${new Date(at).toISOString()}.`,
  })
}

function issuedBefore(time: number): CoordinatorError {
  return denial('revoked', 'COORD_CREDENTIAL_REVOKED', {
    detail: `Every credential that was issued before ${new Date(time).toISOString()} is refused (AUTH_NOT_BEFORE).`,
  })
}
