import type { Entry, Position, StoredRecord } from '../../records/record.ts'
import type { ReplayReply, SeedPoint } from '../store.ts'
import { commitMembers, positionJson } from './commit-message.ts'
import { headOf, offTrackOf, type Reply, requireOk } from './read-reply.ts'

/**
 * The argument of the function `seed`, as text: the data is canonical text already.
 *
 * @param schema the schema number of this program
 */
export function seedArgument(schema: number, point: SeedPoint, records: readonly StoredRecord[]): string {
  const { position, at, ancestors } = point
  const rows = records.map(recordJson).join(',')
  return `{"schema":${schema},"point":${JSON.stringify({ ...position, at, ancestors })},"records":[${rows}]}`
}

/** A row of `load` and `as_of` has the same form. */
function recordJson({ kind, id, data, revision, createdAt, updatedAt }: StoredRecord): string {
  return `[${JSON.stringify(kind)},${JSON.stringify(id)},${data},${revision},${createdAt},${updatedAt}]`
}

/**
 * The argument of the function `replay`, as text.
 *
 * @param schema the schema number of this program
 */
export function replayArgument(schema: number, after: Position, entries: readonly Entry[]): string {
  const list = entries.map(entryJson).join(',')
  return `{"schema":${schema},"after":${positionJson(after)},"entries":[${list}]}`
}

function entryJson(entry: Entry): string {
  const { revision, at, digest } = entry
  return `{"revision":${revision},"at":${at},"digest":"${digest}",${commitMembers(entry)}}`
}

export function replayReplyOf(reply: Reply): ReplayReply {
  const offTrack = offTrackOf(reply)
  if (offTrack !== undefined) return offTrack
  requireOk(reply)
  return { status: 'ok', head: headOf(reply['head']) }
}
