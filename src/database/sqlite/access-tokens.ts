import { randomUUID } from 'node:crypto'
import { type AccessState, type NewToken, type StoredToken, TOKENS_MAX } from '../access-store.ts'
import { checkSeededTokens } from '../check-replay.ts'
import { checkRevocation, checkToken, tokenNameTaken, tokenNotFound, tooManyTokens } from '../check-token.ts'
import type { Connection } from './connection.ts'
import { requireMode, requireTaking } from './modes.ts'

/** A row of the table `access_tokens`. `scopes` is JSON. */
interface TokenRow {
  readonly id: string
  readonly name: string
  readonly scopes: string
  readonly secret_hash: string
  readonly created_at: number
  readonly created_by: string
  readonly expires_at: number | null
  readonly revoked_at: number | null
  readonly revoked_by: string | null
}

// Tokens can be read and changed even if head and journal contradict each other: a revocation must always be possible.

export function readAccess(connection: Connection): AccessState {
  const { access_version: version, required_since: requiredSince } = connection.readHeadRow()
  const rows = connection.statements.readTokens.all() as unknown as TokenRow[]
  return { version, requiredSince, tokens: rows.map(tokenOf) }
}

/** @param now the wall clock, epoch milliseconds */
export function putToken(connection: Connection, token: NewToken, now: number): StoredToken {
  checkToken(token)
  const { id, name, scopes, secretHash, createdBy, expiresAt } = token
  const { statements } = connection
  return connection.transaction(() => {
    const known = statements.readToken.get(id) as TokenRow | undefined
    if (known?.secret_hash === secretHash) return tokenOf(known)
    if (known !== undefined || statements.readTokenByName.get(name) !== undefined) throw tokenNameTaken()
    const { count } = statements.countTokens.get() as { readonly count: number }
    if (count >= TOKENS_MAX) throw tooManyTokens()
    requireMode(connection.readHeadRow(), 'open')
    changeTokens(connection, () =>
      insert(connection, {
        ...{ id, name, scopes, secretHash, createdAt: Math.trunc(now), createdBy, expiresAt },
        ...{ revokedAt: null, revokedBy: null },
      }),
    )
    return tokenOf(statements.readToken.get(id) as unknown as TokenRow)
  })
}

/** @param now the wall clock, epoch milliseconds */
export function revokeToken(
  connection: Connection,
  { id, by, now }: { readonly id: string; readonly by: string; readonly now: number },
): StoredToken {
  checkRevocation(id, by)
  const { readToken, revokeToken: revoke } = connection.statements
  return connection.transaction(() => {
    const known = readToken.get(id) as TokenRow | undefined
    if (known === undefined) throw tokenNotFound()
    if (known.revoked_at !== null) return tokenOf(known)
    requireMode(connection.readHeadRow(), 'open')
    changeTokens(connection, () => revoke.run(Math.max(known.created_at, Math.trunc(now)), by, id))
    return tokenOf(readToken.get(id) as unknown as TokenRow)
  })
}

export function requireAccess(connection: Connection): void {
  connection.transaction(() => {
    const head = connection.readHeadRow()
    if (head.required_since !== null) return
    requireMode(head, 'open')
    connection.statements.requireAccess.run(head.revision, randomUUID())
  })
}

/** Adds the tokens of another store. None is ever un-revoked. */
export function seedAccess(connection: Connection, state: Omit<AccessState, 'version'>): AccessState {
  checkSeededTokens(state)
  const { requiredSince, tokens } = state
  return connection.transaction(() => {
    const head = requireTaking(connection.readHeadRow(), 'seeding', 'copy')
    const changes = tokens.flatMap((token) => changeToSeed(connection, token) ?? [])
    if (changes.length > 0)
      changeTokens(connection, () => {
        for (const change of changes) change()
      })
    const { count } = connection.statements.countTokens.get() as { readonly count: number }
    if (count > TOKENS_MAX) throw tooManyTokens()
    if (requiredSince !== null && head.required_since === null)
      connection.statements.requireAccess.run(requiredSince, randomUUID())
    return readAccess(connection)
  })
}

/** What brings a token of another store here; `undefined` if it is here as it is there. */
function changeToSeed(connection: Connection, token: StoredToken): (() => unknown) | undefined {
  const { statements } = connection
  const known = statements.readToken.get(token.id) as TokenRow | undefined
  if (known !== undefined && known.secret_hash !== token.secretHash) throw tokenNameTaken()
  if (known === undefined) return () => insert(connection, token)
  if (token.revokedAt === null || known.revoked_at !== null) return undefined
  return () => statements.revokeToken.run(token.revokedAt, token.revokedBy, token.id)
}

/** @throws COORD_TOKEN_NAME_TAKEN */
function insert({ statements }: Connection, token: StoredToken): void {
  const { id, name, secretHash, createdAt, createdBy, expiresAt, revokedAt, revokedBy } = token
  const taken = statements.readToken.get(id) ?? statements.readTokenByName.get(name)
  if (taken !== undefined) throw tokenNameTaken()
  const scopes = JSON.stringify(token.scopes)
  statements.insertToken.run(
    ...[id, name, scopes, secretHash, createdAt, createdBy, expiresAt, revokedAt, revokedBy],
  )
}

/** The triggers of the table let nobody else change it. */
function changeTokens({ statements }: Connection, change: () => void): void {
  statements.openTokens.run()
  change()
  statements.closeTokens.run(randomUUID())
}

function tokenOf(row: TokenRow): StoredToken {
  return {
    id: row.id,
    name: row.name,
    scopes: JSON.parse(row.scopes) as string[],
    secretHash: row.secret_hash,
    createdAt: row.created_at,
    createdBy: row.created_by,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
    revokedBy: row.revoked_by,
  }
}
