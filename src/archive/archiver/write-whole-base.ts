import type { StoredRecord } from '../../records/record.ts'
import { Pace } from '../../scheduling/pace.ts'
import { sortInSteps } from '../../scheduling/sort-in-steps.ts'
import { compareCodePoints } from '../../text/code-point-order.ts'
import type { NewFile } from '../format/archive-format.ts'
import { recordSize, writeBase } from '../format/write-base.ts'
import type { RecordsAtOnce } from './archive-source.ts'

/** How many records are passed on at once. */
const PAGE_LENGTH = 512

export interface BaseOptions {
  readonly recipients: readonly string[]
  /** Epoch milliseconds. */
  readonly clock: () => number
  readonly write: (file: NewFile) => Promise<void>
}

/**
 * Archives every record at one revision. It works in short steps, and has one file in memory at a time; the records are those that are
 * served, and are not copied.
 */
export async function writeWholeBase(
  { point, records }: RecordsAtOnce,
  { recipients, clock, write }: BaseOptions,
): Promise<void> {
  const recordBytes = await bytesOf(records)
  for await (const file of writeBase(point, inOrder(records), { recordBytes, recipients, at: clock }))
    await write(file)
}

async function bytesOf(records: RecordsAtOnce['records']): Promise<number> {
  const pace = new Pace()
  let bytes = 0
  for (const record of records) {
    if (record !== undefined) bytes += recordSize(record)
    if (pace.due) await pace.turn()
  }
  return bytes
}

/** Pages of records, sorted by kind, then id, by code points. */
async function* inOrder(records: RecordsAtOnce['records']): AsyncGenerator<readonly StoredRecord[]> {
  const pace = new Pace()
  let page: StoredRecord[] = []
  for (const record of sortInSteps(present(records), isBefore)) {
    if (record !== undefined) page.push(record)
    if (page.length === PAGE_LENGTH) {
      yield page
      page = []
    }
    if (pace.due) await pace.turn()
  }
  if (page.length > 0) yield page
}

function* present(records: RecordsAtOnce['records']): Generator<StoredRecord> {
  for (const record of records) if (record !== undefined) yield record
}

function isBefore(left: StoredRecord, right: StoredRecord): boolean {
  return (compareCodePoints(left.kind, right.kind) || compareCodePoints(left.id, right.id)) < 0
}
