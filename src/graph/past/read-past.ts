import type { Moment } from '../../database/store.ts'
import { CoordinatorError } from '../../errors.ts'
import type { Live } from '../../live/live.ts'
import type { Entry, Position, StoredRecord } from '../../records/record.ts'

/** How many records are sent to the helper at once, which takes some milliseconds; and their total size, in UTF-16 code units. */
const RECORDS_AT_ONCE = 500
const SIZE_AT_ONCE = 2_097_152
const REPLAY_LIMIT = 512

/** The position of a moment. No record has this id, so only the position arrives. */
export async function positionAt(live: Live, moment: Moment): Promise<Position> {
  for await (const { position } of live.asOf(moment, { kind: 'graph', id: '-' })) return position
  throw new CoordinatorError('COORD_STORE_FAULT', {
    detail: 'The store told the past without a single page.',
  })
}

/** The time of a revision, from the journal: a deletion leaves no record with a time. @param fallback if the entry is not kept */
export async function timeOf(live: Live, { revision }: Position, fallback: number): Promise<number> {
  if (revision === 0) return fallback
  try {
    const reply = await live.changes(await positionAt(live, { revision: revision - 1 }), 1)
    return (reply.status === 'ok' ? reply.entries[0]?.at : undefined) ?? fallback
  } catch (thrown) {
    if (thrown instanceof CoordinatorError && thrown.code === 'COORD_REVISION_COMPACTED') return fallback
    throw thrown
  }
}

/** The journal after one position, up to another, in parts. @throws COORD_REVISION_COMPACTED, COORD_STORE_* */
export async function* entriesBetween(
  live: Live,
  from: Position,
  to: Position,
): AsyncGenerator<readonly Entry[]> {
  let position = from
  while (position.revision < to.revision) {
    const reply = await live.changes(position, REPLAY_LIMIT)
    if (reply.status === 'compacted') throw new CoordinatorError('COORD_REVISION_COMPACTED')
    const entries =
      reply.status === 'ok' ? reply.entries.filter(({ revision }) => revision <= to.revision) : []
    const last = entries.at(-1)
    if (last === undefined)
      throw new CoordinatorError('COORD_STORE_BUSY', { detail: 'The history changed while it was read.' })
    yield entries
    position = { lineage: position.lineage, revision: last.revision, digest: last.digest }
  }
}

/** Records in parts that can be sent at once. Without records there is one empty part. */
export function* inParts(records: readonly StoredRecord[]): Generator<readonly StoredRecord[]> {
  let part: StoredRecord[] = []
  let size = 0
  for (const record of records) {
    if (part.length === RECORDS_AT_ONCE || size >= SIZE_AT_ONCE) {
      yield part
      part = []
      size = 0
    }
    part.push(record)
    size += record.data.length
  }
  yield part
}
