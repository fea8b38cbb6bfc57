import type { Moment, Store } from '../../database/store.ts'
import type { StoredRecord } from '../../records/record.ts'
import type { Destination } from '../destination/destination.ts'
import type { BasePoint, NewFile } from '../format/archive-format.ts'
import { recordSize, writeBase } from '../format/write-base.ts'
import { AccessWriter } from './access-writer.ts'
import { putFile } from './put-file.ts'

export interface BackupNowOptions {
  readonly store: Pick<Store, 'head' | 'asOf' | 'access'>
  readonly destination: Destination
  /** See BACKUP_RECIPIENTS. @default none: not encrypted */
  readonly recipients?: readonly string[]
  /** Epoch milliseconds. @default the clock of this machine */
  readonly clock?: () => number
  readonly signal?: AbortSignal
  /** Called after each file. */
  readonly wrote?: (progress: { readonly files: number; readonly bytes: number }) => void
}

/** What `backupNow` has written. */
export interface BackupReport {
  readonly point: BasePoint
  readonly records: number
  readonly files: number
  readonly bytes: number
}

/**
 * Archives all records of a store as one base, and its tokens. The store is asked for the records twice: the names of the files tell how
 * many there are, so their size is measured first.
 *
 * @throws COORD_REVISION_COMPACTED if so much happens meanwhile that the journal no longer has the moment: run it again
 */
export async function backupNow({
  store,
  destination,
  recipients = [],
  clock = Date.now,
  signal = new AbortController().signal,
  wrote,
}: BackupNowOptions): Promise<BackupReport> {
  const head = await store.head()
  const point: BasePoint = { ...head.position, at: head.at, ancestors: head.ancestors }
  const moment = { revision: point.revision }
  let [records, recordBytes, files, bytes] = [0, 0, 0, 0]
  for await (const page of recordsOf(store, moment))
    for (const record of page) {
      records += 1
      recordBytes += recordSize(record)
    }
  const write = async (file: NewFile) => {
    await putFile(destination, file, { signal })
    files += 1
    bytes += file.content.length
    wrote?.({ files, bytes })
  }
  for await (const file of writeBase(point, recordsOf(store, moment), { recordBytes, recipients, at: clock }))
    await write(file)
  const access = new AccessWriter({ access: store.access, destination, recipients, clock, write }, point)
  await access.copy(head.accessVersion, signal)
  return { point, records, files, bytes }
}

async function* recordsOf(
  store: Pick<Store, 'asOf'>,
  moment: Moment,
): AsyncGenerator<readonly StoredRecord[]> {
  for await (const { records } of store.asOf(moment)) yield records
}
