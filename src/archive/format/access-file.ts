import { createHash } from 'node:crypto'
import type { AccessState, StoredToken } from '../../database/store.ts'
import type { JsonObject } from '../../records/canonical-json.ts'
import { storedObject } from '../../records/stored-json.ts'
import { Pace } from '../../scheduling/pace.ts'
import type { AccessPage, ArchivedLineage, EncryptOptions, NewFile, ReadFile } from './archive-format.ts'
import { damaged } from './damaged.ts'
import { FileTextWriter } from './file-text.ts'
import { headerLine, readHeader, renamed } from './header.ts'
import { isCount, isText, isTextList } from './members.ts'
import { openFile, packFile } from './pack-file.ts'

/**
 * The file with the tokens of a history. It holds the hashes of their secrets, like the store; the secrets themselves exist nowhere.
 *
 * @param at the time in its name. The newest file counts: pass a later time than that of the file before, even if the clock went back
 */
export async function writeAccess(
  state: Omit<AccessState, 'version'>,
  { lineage, ancestors }: ArchivedLineage,
  { at, ...options }: EncryptOptions & { readonly at: number },
): Promise<NewFile> {
  const digest = accessDigest(state)
  const text = new FileTextWriter()
  const { requiredSince } = state
  text.add(headerLine('access', { lineage, ancestors }, { at, digest, requiredSince }))
  const pace = new Pace()
  for (const token of state.tokens) {
    text.add(tokenLine(token))
    if (pace.due) await pace.turn()
  }
  return packFile({ kind: 'access', lineage, at, digest }, text.finish(), options)
}

/** SHA-256 of the tokens, as it stands in the name of their file. */
export function accessDigest({ requiredSince, tokens }: Omit<AccessState, 'version'>): string {
  const digest = createHash('sha256').update(`${requiredSince}\n`)
  for (const token of tokens) digest.update(`${tokenLine(token)}\n`)
  return digest.digest('hex')
}

/**
 * @param identities the age identities that may open it. @default none
 * @throws COORD_ARCHIVE_DAMAGED, COORD_ARCHIVE_NO_IDENTITY
 */
export async function readAccess(file: ReadFile, identities?: readonly string[]): Promise<AccessPage> {
  const { name, text } = await openFile('access', file, identities)
  const lineage = readHeader(text, name)
  const { at, digest, requiredSince } = text.header
  if (at !== name.at || digest !== name.digest) throw renamed(file.name)
  if (requiredSince !== null && !isCount(requiredSince))
    throw damaged(file.name, 'It does not say since when credentials are demanded.', 1)
  const tokens: StoredToken[] = []
  for (const { line, number } of text.lines()) {
    const token = tokenOf(storedObject(line) ?? {})
    if (token === undefined) throw damaged(file.name, 'It is no token.', number)
    tokens.push(token)
  }
  const state = { requiredSince, tokens }
  if (accessDigest(state) !== digest) throw renamed(file.name)
  return { ...lineage, at, state }
}

function tokenLine(token: StoredToken): string {
  const { id, name, scopes, secretHash, createdAt, createdBy, expiresAt, revokedAt, revokedBy } = token
  return JSON.stringify({
    ...{ id, name, scopes, secretHash, createdAt, createdBy, expiresAt, revokedAt, revokedBy },
  })
}

function tokenOf(line: JsonObject): StoredToken | undefined {
  const { id, name, scopes, secretHash, createdAt, createdBy, expiresAt, revokedAt, revokedBy } = line
  if (!isText(id) || !isText(name) || !isTextList(scopes) || !isText(secretHash)) return undefined
  if (!isCount(createdAt) || !isText(createdBy)) return undefined
  if ((expiresAt !== null && !isCount(expiresAt)) || (revokedAt !== null && !isCount(revokedAt)))
    return undefined
  if (revokedBy !== null && !isText(revokedBy)) return undefined
  return { id, name, scopes, secretHash, createdAt, createdBy, expiresAt, revokedAt, revokedBy }
}
