import type { Revision } from '../records/record.ts'

/** The names that tokens may have. */
export const TOKEN_NAME: RegExp = /^[a-z0-9._-]{1,63}$/

/** A token, as the store keeps it. The secret itself is stored nowhere. */
export interface StoredToken {
  /** 12 letters and digits. The token has it in plain text. */
  readonly id: string
  /** Unique for ever: `[a-z0-9._-]`, 1 to 63 characters. */
  readonly name: string
  /** The texts of its scopes, in the order in which they were given. 1 to `TOKEN_SCOPES_MAX`, together `TOKEN_SCOPES_MAX_LENGTH`. */
  readonly scopes: readonly string[]
  /** SHA-256 of the secret, in 64 hexadecimal digits. */
  readonly secretHash: string
  /** Epoch milliseconds, by the clock of the store. */
  readonly createdAt: number
  /** The actor who created it. */
  readonly createdBy: string
  /** Epoch milliseconds; `null` if it does not expire. */
  readonly expiresAt: number | null
  /** Epoch milliseconds, by the clock of the store; `null` if it was not revoked. */
  readonly revokedAt: number | null
  /** The actor who revoked it. */
  readonly revokedBy: string | null
}

/** A token to be stored. */
export type NewToken = Omit<StoredToken, 'createdAt' | 'revokedAt' | 'revokedBy'>

export interface AccessState {
  /**
   * Another text after every change. The replies of `head` and `changes` carry it, too, so that every coordinator notices a change of
   * another one.
   */
  readonly version: string
  /**
   * The newest revision when a coordinator first demanded credentials; `null` if none ever did. Up to this revision, nobody proved that the
   * actor of an entry is who wrote it.
   */
  readonly requiredSince: Revision | null
  /** Every token that was ever stored, revoked ones too, in order of their ids. */
  readonly tokens: readonly StoredToken[]
}

/** The most tokens that a store takes, revoked ones included. */
export const TOKENS_MAX = 10_000
/** The most scopes of a token. */
export const TOKEN_SCOPES_MAX = 64
/** The length of all scopes of a token together, in UTF-16 code units. */
export const TOKEN_SCOPES_MAX_LENGTH = 8_192

/**
 * The part of a store that keeps tokens. They are neither records nor part of the journal: whoever may write records must not be able to
 * create an administrator, and records that are restored must not bring revoked tokens back. Only these methods change them; changes by
 * hand are refused.
 *
 * In every mode but `open`, `put`, `revoke` and `require` throw COORD_STORE_FROZEN unless they would change nothing: another store takes
 * the place of this one, and must not miss a revocation.
 */
export interface AccessStore {
  /** @throws like the methods of `Store` */
  load(): Promise<AccessState>

  /**
   * Stores a token. The same token again (the same id and hash) is answered with what is stored, so that a call whose answer was lost can
   * be repeated.
   *
   * @throws COORD_TOKEN_NAME_TAKEN if another token has or had its name or id, COORD_TOKENS_TOO_MANY at `TOKENS_MAX`,
   * COORD_COMMIT_REFUSED if a field is not as `StoredToken` says; like `commit`, every error with `outcome`
   */
  put(token: NewToken): Promise<StoredToken>

  /**
   * Revokes a token for ever. A token that was revoked before stays as it is.
   *
   * @param by the actor, 1 to 256 characters
   * @throws COORD_TOKEN_NOT_FOUND; like `commit`, every error with `outcome`
   */
  revoke(id: string, by: string): Promise<StoredToken>

  /**
   * Records that credentials are demanded from now on. Only the first call sets `requiredSince`.
   *
   * @throws COORD_CONFIG_INVALID if that would protect nothing, because everybody may write to the database itself; like `commit`, every
   * error with `outcome`
   */
  require(): Promise<void>

  /**
   * Adds the tokens of another store, revoked ones too, to a store in mode `seeding` or `copy`, all or none. A token that is there (the same
   * id and hash) stays, but is revoked as it is there; none is ever un-revoked. `requiredSince` is taken over if it is not set.
   *
   * @throws COORD_STORE_MODE; COORD_TOKEN_NAME_TAKEN if another token has the name or the id, COORD_TOKENS_TOO_MANY, COORD_COMMIT_REFUSED if
   * a field is not as `StoredToken` says; like `commit`, every error with `outcome`
   */
  seed(state: Omit<AccessState, 'version'>): Promise<AccessState>
}
