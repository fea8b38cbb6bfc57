import type { CoordinatorError } from '../../errors.ts'
import type { StoredRecord } from '../../records/record.ts'
import { compareCodePoints } from '../../text/code-point-order.ts'
import { readAccess } from '../format/access-file.ts'
import type { AccessPage, BaseEnd, BasePoint } from '../format/archive-format.ts'
import { damaged } from '../format/damaged.ts'
import { readBasePart } from '../format/read-base.ts'
import { StateDigest } from '../format/state-digest.ts'
import { snapshotFault, tooOld } from './snapshot-faults.ts'
import type { SnapshotFolder, SnapshotPlace } from './snapshot-folder.ts'
import type { SnapshotNote } from './snapshot-note.ts'

/** A snapshot whose records were not read yet. */
export interface FoundSnapshot extends Pick<SnapshotNote, 'point' | 'floor' | 'confirmedAt'> {
  /** Where it is, for people. */
  readonly path: string
  /** Absent if there are none, or they cannot be read. */
  readonly access?: { readonly state: AccessPage['state']; readonly confirmedAt: number }
  /**
   * All records. Only after the last page it is certain that they are those of the snapshot.
   *
   * @throws COORD_ARCHIVE_DAMAGED, COORD_ARCHIVE_UNREACHABLE
   */
  pages(): AsyncGenerator<readonly StoredRecord[]>
}

export interface FindOptions {
  /** See `snapshotNameOf`. */
  readonly database: string
  /** See SNAPSHOT_MAX_AGE_HOURS. Milliseconds. */
  readonly maxAgeMs: number
  /** Epoch milliseconds. */
  readonly clock: () => number
  /** A snapshot, or its tokens, cannot be used. */
  readonly ignored: (path: string, why: CoordinatorError) => void
}

/** The snapshots that may be served, the newest first. It never throws: what cannot be used is told. */
export async function* findSnapshots(
  snapshots: SnapshotFolder,
  options: FindOptions,
): AsyncGenerator<FoundSnapshot> {
  for (const place of await listed(snapshots, options)) {
    const path = `${snapshots.path}/${place.folder}`
    try {
      yield await open(snapshots, { place, path, options })
    } catch (thrown) {
      options.ignored(path, snapshotFault(thrown))
    }
  }
}

async function listed(snapshots: SnapshotFolder, { clock, ignored }: FindOptions): Promise<SnapshotPlace[]> {
  try {
    return await snapshots.list(clock())
  } catch (thrown) {
    ignored(snapshots.path, snapshotFault(thrown))
    return []
  }
}

interface Wanted {
  readonly place: SnapshotPlace
  readonly path: string
  readonly options: FindOptions
}

async function open(snapshots: SnapshotFolder, { place, path, options }: Wanted): Promise<FoundSnapshot> {
  const { database, maxAgeMs, clock, ignored } = options
  const note = await snapshots.readNote(place)
  if (note.database !== database) throw damaged(place.note, 'It is a snapshot of another database.')
  if (clock() - note.confirmedAt > maxAgeMs) throw tooOld(note.confirmedAt)
  const { point, floor, confirmedAt } = note
  const access = await tokensOf(snapshots, place.folder, note).catch((thrown: unknown) => {
    ignored(path, snapshotFault(thrown))
    return undefined
  })
  return {
    ...{ point, floor, confirmedAt, path },
    ...(access === undefined ? {} : { access }),
    pages: () => readPages(snapshots, place.folder, note),
  }
}

async function tokensOf(
  snapshots: SnapshotFolder,
  folder: string,
  { access, point }: SnapshotNote,
): Promise<FoundSnapshot['access']> {
  if (access === undefined) return undefined
  const { file, confirmedAt } = access
  const { state, lineage } = await readAccess({ name: file, content: await snapshots.read(folder, file) })
  if (lineage !== point.lineage) throw damaged(file, 'It belongs to another history.')
  return { state, confirmedAt }
}

async function* readPages(
  snapshots: SnapshotFolder,
  folder: string,
  { point, files }: SnapshotNote,
): AsyncGenerator<readonly StoredRecord[]> {
  const digest = new StateDigest()
  let before: StoredRecord | undefined
  let end: BaseEnd | undefined
  for (const name of files) {
    const content = await snapshots.read(folder, name)
    for await (const page of readBasePart({ name, content })) {
      if (!isSamePoint(page.point, point)) throw damaged(name, 'It belongs to another snapshot.')
      for (const record of page.records) {
        if (before !== undefined && !isInOrder(before, record))
          throw damaged(name, 'Its records do not follow those of the file before.')
        before = record
        digest.add(record)
      }
      end = page.end
      yield page.records
    }
  }
  if (end === undefined || end.records !== digest.records || end.state !== digest.finish())
    throw damaged(folder, 'It does not have all records.')
}

function isSamePoint(left: BasePoint, right: BasePoint): boolean {
  return left.lineage === right.lineage && left.revision === right.revision && left.digest === right.digest
}

function isInOrder(left: StoredRecord, right: StoredRecord): boolean {
  return (compareCodePoints(left.kind, right.kind) || compareCodePoints(left.id, right.id)) < 0
}
