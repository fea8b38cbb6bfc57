import { CoordinatorError } from '../../errors.ts'
import type { Commit, Position, Write } from '../../records/record.ts'
import { acceptedEntries } from '../judge-commit.ts'
import type { CommitCall, CommitReply, CommitResult } from '../store.ts'
import { frozen } from '../store-modes.ts'
import {
  entriesOf,
  listOf,
  modeOf,
  numberOf,
  numbersOf,
  objectOf,
  offTrackOf,
  type Reply,
  textOf,
  writesOf,
} from './read-reply.ts'

/** The largest number of entries of other writers in the answer to a commit. */
const ENTRIES_LIMIT = 512

export interface CommitQuestion {
  /** The schema number of this program. */
  readonly schema: number
  readonly after: Position
  readonly call: CommitCall
}

/**
 * The argument of the function `commit`, as text. The data is canonical text already: parsing it and writing it again would cost as much as
 * all the rest.
 */
export function commitArgument({ schema, after, call }: CommitQuestion, batch: readonly Commit[]): string {
  const commits = batch.map(commitJson).join(',')
  const caller = `"call":{"writer":"${call.writer}","attempt":${call.attempt}},"after":${positionJson(after)}`
  return `{"schema":${schema},${caller},"limit":${ENTRIES_LIMIT},"batch":[${commits}]}`
}

/** Exactly these three members, because `fork` compares the whole value. */
export function positionJson({ lineage, revision, digest }: Position): string {
  return JSON.stringify({ lineage, revision, digest })
}

function commitJson(commit: Commit): string {
  const { writes } = commit
  const expect = writes.some((write) => write.expect !== undefined)
    ? `,"expect":${JSON.stringify(writes.map((write) => write.expect ?? null))}`
    : ''
  return `{${commitMembers(commit)}${expect}}`
}

/** What a commit and its entry have in common, as members of a JSON object. */
export function commitMembers({ commitId, actor, fingerprint, writes }: Commit): string {
  const print = fingerprint === undefined ? '' : `,"fingerprint":${JSON.stringify(fingerprint)}`
  const list = writes.map(writeJson).join(',')
  return `"commitId":"${commitId}","actor":${JSON.stringify(actor)}${print},"writes":[${list}]`
}

function writeJson(write: Write): string {
  const key = `"kind":${JSON.stringify(write.kind)},"id":${JSON.stringify(write.id)}`
  return write.op === 'put' ? `{"op":"put",${key},"data":${write.data}}` : `{"op":"delete",${key}}`
}

/** The reply of the function `commit`. It omits the entries that were just accepted; they are made from the batch. */
export function commitReplyOf(reply: Reply, batch: readonly Commit[]): CommitReply {
  const offTrack = offTrackOf(reply)
  if (offTrack !== undefined) return offTrack
  if (reply['status'] === 'superseded') return { status: 'superseded' }
  const at = numberOf(reply, 'at')
  const results = listOf(reply, 'results').map((result) =>
    Array.isArray(result) ? acceptedOf(result, at) : otherResultOf(result),
  )
  if (results.length !== batch.length)
    throw new CoordinatorError('COORD_STORE_REPLY', {
      detail: `The database answered ${results.length} of ${batch.length} commits.`,
      outcome: 'unknown',
    })
  const { entries, more } = entriesOf(reply)
  const accepted = more ? [] : acceptedEntries(results, batch)
  return { status: 'ok', results, entries: entries.length === 0 ? accepted : [...entries, ...accepted], more }
}

/** An accepted commit is a list in the reply. Nearly every result is one, and objects take three times as long. */
function acceptedOf([revision, digest, previous]: readonly unknown[], at: number): CommitResult {
  const result = { revision, digest, previous }
  return { ...acceptedMembers(result, at), replayed: false }
}

function acceptedMembers(result: Reply, at: number) {
  return {
    outcome: 'accepted',
    revision: numberOf(result, 'revision'),
    at,
    digest: textOf(result, 'digest'),
    previous: numbersOf(result, 'previous'),
  } as const
}

function otherResultOf(value: unknown): CommitResult {
  const result = objectOf(value, 'a result')
  switch (result['outcome']) {
    case 'replayed':
      return { ...acceptedMembers(result, numberOf(result, 'at')), replayed: true, writes: writesOf(result) }
    case 'unchanged':
      return unchangedOf(result)
    case 'conflict':
      return {
        outcome: 'conflict',
        kind: textOf(result, 'kind'),
        id: textOf(result, 'id'),
        expected: numberOf(result, 'expected'),
        actual: numberOf(result, 'actual'),
      }
    case 'reused':
      return { outcome: 'reused', revision: numberOf(result, 'revision') }
    case 'exhausted':
      return refused(new CoordinatorError('COORD_REVISION_EXHAUSTED', { outcome: 'not_written' }))
    case 'frozen':
      return refused(frozen(modeOf(result)))
    case 'malformed':
      return refused(new CoordinatorError('COORD_COMMIT_REFUSED', { outcome: 'not_written' }))
    default:
      throw new CoordinatorError('COORD_STORE_REPLY', {
        detail: 'The database gave a result of an unknown kind.',
        outcome: 'unknown',
      })
  }
}

function unchangedOf(result: Reply): CommitResult {
  const revisions = numbersOf(result, 'revisions')
  if (result['replayed'] !== true) return { outcome: 'unchanged', revisions, replayed: false }
  // The writes are absent if the journal no longer knows what the records were.
  const writes = Array.isArray(result['writes']) ? { writes: writesOf(result) } : {}
  return { outcome: 'unchanged', revisions, replayed: true, ...writes }
}

function refused(error: CoordinatorError): CommitResult {
  return { outcome: 'refused', error }
}
