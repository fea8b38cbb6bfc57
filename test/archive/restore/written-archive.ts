import type { ArchivedFile, Destination } from '../../../src/archive/destination/destination.ts'
import { writeAccess } from '../../../src/archive/format/access-file.ts'
import type { ArchivedLineage, NewFile } from '../../../src/archive/format/archive-format.ts'
import { recordSize, writeBase } from '../../../src/archive/format/write-base.ts'
import { writeLog } from '../../../src/archive/format/write-log.ts'
import type { Store } from '../../../src/database/store.ts'
import type { Entry, Position, Revision, StoredRecord } from '../../../src/records/record.ts'

export interface WrittenArchive {
  /** The revisions that get a base. The first one must not be below the floor. */
  readonly bases: readonly Revision[]
  /** The logs begin after this revision. @default 0 */
  readonly from?: Revision
  /** How many entries a log file has. @default 5 */
  readonly perLog?: number
  readonly recipients?: readonly string[]
  /** How many parts a base has. @default 1 */
  readonly parts?: number
}

/** Writes an archive of what a store has, as the archiver would have written it. The store is open. */
export async function writeArchive(
  store: Store,
  destination: Destination,
  { bases, from: first = 0, perLog = 5, recipients = [], parts = 1 }: WrittenArchive,
): Promise<ArchivedLineage> {
  const { position, ancestors, at } = await store.head()
  const { lineage } = position
  const entries = await entriesOf(store, ancestors[0])
  const write = ({ name, content }: NewFile) => destination.write(name, content)
  for (const revision of bases) {
    const records = await recordsAt(store, revision)
    const size = records.reduce((sum, record) => sum + recordSize(record), 0)
    const entry = entries.find((known) => known.revision === revision)
    const digest = entry?.digest ?? (revision === 0 ? (ancestors[0] ?? lineage) : position.digest)
    const point = { lineage, ancestors, revision, digest, at: entry?.at ?? entries[0]?.at ?? at }
    // A part is full at 6 MiB: the size that is told decides how many there are.
    const recordBytes = parts === 1 ? size : parts * 6 * 1_048_576
    for await (const file of writeBase(point, pages(records), { recordBytes, recipients, at: Date.now }))
      await write(file)
  }
  for (let from = first; from < entries.length; from += perLog) {
    const part = entries.slice(from, from + perLog)
    const { revision, digest } = entries[from - 1] ?? { revision: 0, digest: ancestors[0] ?? lineage }
    const after: Position = { lineage, revision, digest }
    await write(await writeLog({ lineage, ancestors, after, entries: part }, { recipients }))
  }
  const { version: _, ...state } = await store.access.load()
  await write(await writeAccess(state, { lineage, ancestors }, { at: Date.now(), recipients }))
  return { lineage, ancestors }
}

/** Every record at one revision, in order. */
export async function recordsAt(store: Store, revision: Revision): Promise<StoredRecord[]> {
  const records: StoredRecord[] = []
  for await (const page of store.asOf({ revision })) records.push(...page.records)
  return records
}

/**
 * The journal from its beginning on.
 *
 * @param firstDigest of revision 0: the lineage that the history began with. @default the present lineage
 */
export async function entriesOf(store: Store, firstDigest?: string): Promise<Entry[]> {
  const { lineage } = (await store.head()).position
  const entries: Entry[] = []
  for (let after: Position = { lineage, revision: 0, digest: firstDigest ?? lineage }; ; ) {
    const reply = await store.changes(after, 512)
    if (reply.status !== 'ok') throw new Error(`The store answered ${reply.status}.`)
    entries.push(...reply.entries)
    const last = reply.entries.at(-1)
    if (last !== undefined) after = { lineage, revision: last.revision, digest: last.digest }
    if (!reply.more) return entries
  }
}

/** The files of a destination whose names match. */
export async function filesIn(destination: Destination, pattern = /(?:)/): Promise<ArchivedFile[]> {
  const files: ArchivedFile[] = []
  for await (const file of destination.list('')) if (pattern.test(file.name)) files.push(file)
  return files
}

async function* pages(records: readonly StoredRecord[]): AsyncGenerator<readonly StoredRecord[]> {
  for (let at = 0; at < records.length; at += 7) yield records.slice(at, at + 7)
}
