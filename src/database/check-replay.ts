import { CoordinatorError } from '../errors.ts'
import { nextDigest } from '../records/digest.ts'
import {
  type Entry,
  MAX_REVISION,
  type Position,
  type Revision,
  type StoredRecord,
} from '../records/record.ts'
import type { AccessState, StoredToken } from './access-store.ts'
import { ANCESTORS_MAX } from './ancestors.ts'
import { isText, MAX_ACTOR_LENGTH, refusalOf, writeFault } from './check-commit.ts'
import { checkToken } from './check-token.ts'
import type { SeedPoint } from './store.ts'

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const sha256 = /^[0-9a-f]{64}$/

/**
 * Refuses entries that do not follow a position one by one, or that no store can hold. Every store calls this first, so that all backends
 * refuse the same ones.
 *
 * @throws COORD_COMMIT_REFUSED
 */
export function checkReplay(after: Position, entries: readonly Entry[]): void {
  let { revision, digest } = after
  let at = Number.NEGATIVE_INFINITY
  for (const entry of entries) {
    if (entry.revision !== revision + 1)
      throw refused(`Revision ${entry.revision} cannot follow revision ${revision}.`)
    if (entry.digest !== nextDigest(digest, entry.commitId))
      throw refused(`The digest of revision ${entry.revision} does not follow from the one before.`)
    if (!Number.isSafeInteger(entry.at) || entry.at < at)
      throw refused(`Revision ${entry.revision} is older than the one before, or has no time.`)
    const refusal = refusalOf(entry)
    if (refusal !== undefined) throw refused(`Revision ${entry.revision}: ${refusal.detail}`)
    ;({ revision, digest, at } = entry)
  }
}

/**
 * Refuses an entry that is older than the newest one that a store has.
 *
 * @param first the first entry that the store does not have
 * @param newest the time of the newest entry, also of a seeded one; `null` if there was none
 * @throws COORD_COMMIT_REFUSED
 */
export function checkNotOlder(first: Entry | undefined, newest: number | null): void {
  if (first !== undefined && newest !== null && first.at < newest)
    throw refused(`Revision ${first.revision} is older than the one before.`)
}

/**
 * Refuses records that no store can hold, and a point that belongs to no history. Every store calls this first.
 *
 * @throws COORD_COMMIT_REFUSED
 */
export function checkSeed(point: SeedPoint, records: readonly StoredRecord[]): void {
  const reason = faultOfPoint(point)
  if (reason !== undefined) throw refused(reason)
  const newest = point.position.revision
  for (const record of records) {
    const fault = faultOfRecord(record, newest)
    if (fault !== undefined) throw refused(`The record ${record.kind} ${JSON.stringify(record.id)}: ${fault}`)
  }
}

/**
 * Refuses tokens that no store can hold. Every store calls this first.
 *
 * @throws COORD_COMMIT_REFUSED. It never shows a hash
 */
export function checkSeededTokens({ requiredSince, tokens }: Omit<AccessState, 'version'>): void {
  if (requiredSince !== null && !isRevision(requiredSince))
    throw refused('The revision since which credentials are required is none.')
  for (const token of tokens) {
    checkToken(token)
    const reason = faultOfTimes(token)
    if (reason !== undefined) throw refused(reason)
  }
}

function faultOfPoint({ position, at, ancestors }: SeedPoint): string | undefined {
  const { lineage, revision, digest } = position
  if (!uuid.test(lineage)) return 'The lineage is not a UUID in lower case.'
  if (!isRevision(revision)) return `The revision is not a whole number from 0 to ${MAX_REVISION}.`
  // The digest of revision 0 is the lineage that the history began with; forks may have followed.
  if (!uuid.test(digest) && !sha256.test(digest))
    return 'The digest is neither a lineage nor 64 hexadecimal digits.'
  if (!Number.isSafeInteger(at)) return 'The time is not in whole milliseconds.'
  if (ancestors.length > ANCESTORS_MAX || !ancestors.every((ancestor) => uuid.test(ancestor)))
    return `The ancestors are not at most ${ANCESTORS_MAX} UUIDs in lower case.`
  return undefined
}

function faultOfRecord({ kind, id, data, revision, createdAt, updatedAt }: StoredRecord, newest: Revision) {
  if (!Number.isSafeInteger(revision) || revision < 1 || revision > newest)
    return `Its revision is not one from 1 to ${newest}.`
  if (!Number.isSafeInteger(createdAt) || !Number.isSafeInteger(updatedAt))
    return 'A time of it is not in whole milliseconds.'
  return writeFault({ op: 'put', kind, id, data })
}

function faultOfTimes({ createdAt, revokedAt, revokedBy }: StoredToken): string | undefined {
  if (!Number.isSafeInteger(createdAt)) return 'The creation of a token is not a time in whole milliseconds.'
  if (revokedAt === null && revokedBy === null) return undefined
  if (!Number.isSafeInteger(revokedAt) || revokedBy === null || !isText(revokedBy, MAX_ACTOR_LENGTH))
    return `A revoked token does not have a time and an actor of 1 to ${MAX_ACTOR_LENGTH} characters.`
  return undefined
}

function isRevision(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

function refused(detail: string): CoordinatorError {
  return new CoordinatorError('COORD_COMMIT_REFUSED', { detail, outcome: 'not_written' })
}
