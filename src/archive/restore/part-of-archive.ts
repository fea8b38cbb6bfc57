import type { Entry, StoredRecord } from '../../records/record.ts'
import { Pace } from '../../scheduling/pace.ts'
import type { RestorePlan } from '../inventory/restore-plan.ts'
import { ArchiveReader, type ArchiveReaderOptions } from './archive-reader.ts'
import { withLastGood } from './last-good.ts'
import type { Selection } from './selection.ts'

/** A record of the past. */
export type PastRecord = Pick<StoredRecord, 'kind' | 'id' | 'data' | 'revision'>

export interface PartOfArchive {
  /** The records of the part, in no particular order. */
  readonly records: readonly PastRecord[]
  readonly lineage: string
  /** The moment that they show. */
  readonly revision: number
  /** Time of the entry of that revision. Epoch milliseconds. */
  readonly at: number
}

/**
 * Reads a part of the records, as they were at the target of a plan. Only these are kept in memory. Gives others their turn.
 *
 * @throws COORD_ARCHIVE_DAMAGED with the last good revision, COORD_ARCHIVE_NO_IDENTITY, and what destinations throw
 */
export async function readPartOfArchive(
  selection: Selection,
  plan: RestorePlan,
  options: ArchiveReaderOptions,
): Promise<PartOfArchive> {
  const reader = new ArchiveReader(options)
  const records = new Map<string, PastRecord>()
  const pace = new Pace()
  let revision: number | undefined
  let at = 0
  try {
    for await (const { point, records: all } of reader.records(plan.base.files)) {
      at = point.at
      for (const record of all) {
        if (selection.has(record)) records.set(keyOf(record), record)
        if (pace.due) await pace.turn()
      }
    }
    revision = plan.base.revision
    for await (const entries of reader.entriesTo(plan))
      for (const entry of entries) {
        apply(entry, selection, records)
        ;({ revision, at } = entry)
        if (pace.due) await pace.turn()
      }
  } catch (thrown) {
    throw withLastGood(thrown, revision)
  }
  return { records: [...records.values()], lineage: plan.lineage, revision, at }
}

/** A record that was renamed leaves the part, or comes into it. */
function apply({ revision, writes }: Entry, selection: Selection, records: Map<string, PastRecord>): void {
  for (const write of writes) {
    const key = keyOf(write)
    if (write.op === 'delete' || !selection.has(write)) records.delete(key)
    else records.set(key, { kind: write.kind, id: write.id, data: write.data, revision })
  }
}

function keyOf({ kind, id }: Pick<StoredRecord, 'kind' | 'id'>): string {
  return `${kind}\0${id}`
}
