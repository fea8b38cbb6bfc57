import type { CanonicalJson } from '../../records/canonical-json.ts'
import type { Entry, EntryWrite, Position, RecordKey, Revision } from '../../records/record.ts'
import { locatePosition } from '../locate-position.ts'
import type { ChangesReply, JournalReader, OffTrack } from '../store.ts'
import { type Connection, type HeadRow, headOf } from './connection.ts'
import { requireServing } from './modes.ts'

/** The largest number of entries of other writers in the answer to a commit. */
const ENTRIES_LIMIT = 512
/** An answer ends after the entry that exceeds this size, in UTF-16 code units, because other calls wait in the meantime. */
const ANSWER_SIZE = 2 * 1024 * 1024
/** How many versions of a record one call visits before it lets others run. */
const WALK_STEPS = 1_000

/** A row of the table `journal`. */
export interface EntryRow {
  readonly revision: Revision
  readonly commit_id: string
  readonly at: number
  readonly actor: string
  readonly fingerprint: string | null
  readonly digest: string
}

interface WriteRow extends RecordKey {
  readonly position: number
  readonly data: CanonicalJson | null
  readonly previous: Revision
}

/** One version of one record. */
export interface VersionRow {
  readonly data: CanonicalJson | null
  readonly previous: Revision
  readonly prior: Revision
  readonly created_at: number
}

/** A version that may be one of the records with which the history began. */
export interface KeptVersion extends VersionRow {
  /** Absent if it is that of the entry that wrote the version. */
  readonly updated_at?: number
}

export function locate(connection: Connection, head: HeadRow, after: Position): OffTrack | undefined {
  return locatePosition(after, headOf(head), (revision) => digestAt(connection, head, revision))
}

/** The digest of a revision between floor and head. */
export function digestAt(connection: Connection, head: HeadRow, revision: Revision): string {
  if (revision === head.revision) return head.digest
  if (revision === head.first_revision) return head.first_digest
  const row = readEntryRow(connection, revision)
  if (row === undefined) throw connection.damaged(`revision ${revision} is missing from the journal`)
  return row.digest
}

export function readEntryRow({ statements }: Connection, revision: Revision): EntryRow | undefined {
  return statements.readEntry.get(revision) as EntryRow | undefined
}

export function readVersion(
  { statements }: Connection,
  { kind, id }: RecordKey,
  revision: Revision,
): VersionRow | undefined {
  return statements.readVersion.get(revision, kind, id) as VersionRow | undefined
}

/** A version that an entry wrote, or that the history began with. */
export function readKeptVersion(
  connection: Connection,
  key: RecordKey,
  revision: Revision,
): KeptVersion | undefined {
  const { readSeeded } = connection.statements
  const version = readVersion(connection, key, revision)
  return version ?? (readSeeded.get(key.kind, key.id, revision) as KeptVersion | undefined)
}

/** The writes of a commit in its order, and the revision that each record had before it. */
export function readStoredWrites(
  connection: Connection,
  revision: Revision,
): { readonly writes: readonly EntryWrite[]; readonly previous: readonly Revision[] } {
  const rows = readWrites(connection, revision)
  return { writes: rows.map(writeOf), previous: rows.map(({ previous }) => previous) }
}

export function readChanges(
  connection: Connection,
  after: Position,
  { limit, reader }: { readonly limit: number; readonly reader: JournalReader },
): ChangesReply {
  const head = connection.readHead()
  if (reader === 'client') requireServing(head)
  const offTrack = locate(connection, head, after)
  if (offTrack !== undefined) return offTrack
  const { entries, more } = entriesAfter(connection, after.revision, head.revision, limit)
  return { status: 'ok', entries, more, accessVersion: head.access_version, mode: head.mode }
}

/** The journal after a revision that is not below the floor. It ends early if it is large. */
export function entriesAfter(
  connection: Connection,
  after: Revision,
  head: Revision,
  limit = ENTRIES_LIMIT,
): { readonly entries: readonly Entry[]; readonly more: boolean } {
  const entries: Entry[] = []
  const last = Math.min(head, after + limit)
  let revision = after
  for (let size = 0; revision < last && size < ANSWER_SIZE; ) {
    revision += 1
    const entry = readEntry(connection, revision)
    if (entry === undefined) throw connection.damaged(`revision ${revision} is missing from the journal`)
    entries.push(entry)
    size += sizeOf(entry)
  }
  return { entries, more: revision < head }
}

/** A part of a walk along the versions of a record. */
export interface HistoryPart {
  /** The head when the part was read. */
  readonly position: Position
  readonly entries: readonly Entry[]
  readonly previous: readonly Revision[]
  /**
   * `first`: the first entry of the record is reached. `forgotten`: compaction removed earlier ones. `full`: there are more than the limit.
   * `paused`: continue from `resume`.
   */
  readonly end: 'first' | 'forgotten' | 'full' | 'paused'
  readonly resume: Revision
}

export interface HistoryQuestion extends RecordKey {
  /** Only entries below this revision. */
  readonly before: Revision
  readonly limit: number
  /** The version to begin with: `resume` of the previous part. */
  readonly resume?: Revision
}

/** Part of a record's history, newest first. */
export function readHistory(connection: Connection, question: HistoryQuestion): HistoryPart {
  const { before, limit } = question
  const { position } = headOf(requireServing(connection.readHead()))
  const entries: Entry[] = []
  const previous: Revision[] = []
  let revision = question.resume ?? newestVersion(connection, question)
  for (let [steps, size] = [0, 0]; revision > 0; steps += 1) {
    if (steps === WALK_STEPS || size >= ANSWER_SIZE)
      return { position, entries, previous, end: 'paused', resume: revision }
    const version = readVersion(connection, question, revision)
    if (version === undefined) {
      if (revision > connection.readHeadRow().floor)
        throw connection.damaged(`what revision ${revision} wrote is missing`)
      return { position, entries, previous, end: 'forgotten', resume: 0 }
    }
    if (revision < before) {
      if (entries.length === limit) return { position, entries, previous, end: 'full', resume: revision }
      const entry = readEntry(connection, revision)
      if (entry === undefined)
        throw connection.damaged(`revision ${revision} has writes but is missing from the journal`)
      entries.push(entry)
      previous.push(version.previous)
      size += sizeOf(entry)
    }
    revision = version.prior
  }
  return { position, entries, previous, end: 'first', resume: 0 }
}

/** The version with which the walk begins: the previous version of `before`, if that is a version of the record; else the newest one. */
function newestVersion(connection: Connection, { kind, id, before }: HistoryQuestion): Revision {
  const version = Number.isSafeInteger(before) ? readVersion(connection, { kind, id }, before) : undefined
  if (version !== undefined) return version.prior
  const row = connection.statements.readRecord.get(kind, id) as
    | { readonly data: string | null; readonly revision: Revision }
    | undefined
  if (row === undefined) return 0
  return row.data === null && row.revision <= connection.readHead().floor ? 0 : row.revision
}

function readEntry(connection: Connection, revision: Revision): Entry | undefined {
  const row = readEntryRow(connection, revision)
  if (row === undefined) return undefined
  const { commit_id: commitId, at, actor, fingerprint, digest } = row
  const writes = readWrites(connection, revision).map(writeOf)
  const entry = { revision, commitId, at, actor, writes, digest }
  return fingerprint === null ? entry : { ...entry, fingerprint }
}

/** Reads the writes of an entry, in the order of its commit. */
function readWrites({ statements }: Connection, revision: Revision): readonly WriteRow[] {
  const rows = statements.readWrites.all(revision) as unknown as WriteRow[]
  return rows.length < 2 ? rows : rows.sort((left, right) => left.position - right.position)
}

function writeOf({ kind, id, data }: WriteRow): EntryWrite {
  return data === null ? { op: 'delete', kind, id } : { op: 'put', kind, id, data }
}

function sizeOf({ writes }: Entry): number {
  let size = 0
  for (const write of writes) size += write.id.length + (write.op === 'put' ? write.data.length : 0)
  return size
}
