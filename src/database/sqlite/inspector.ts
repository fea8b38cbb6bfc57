import { statSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import type { CanonicalJson } from '../../records/canonical-json.ts'
import { nextDigest } from '../../records/digest.ts'
import type { RecordKey, Revision } from '../../records/record.ts'
import { type DamageFact, type DamageRepairs, describeDamage, sqlText } from '../describe-damage.ts'
import type { Examination, ExaminationCursor, Inspection } from '../store.ts'
import type { Connection, HeadRow } from './connection.ts'
import { readLedger } from './migrator.ts'
import { type EntryRow, readEntryRow, readKeptVersion } from './read-journal.ts'
import { takeRows } from './read-records.ts'

/** The number of small rows in one part: some milliseconds, in which no commit is stored. */
const PART_ROWS = 500

/** Facts about a database file, for people. `database` is the connection that writes. */
export function inspectFile(database: DatabaseSync, file: string): Inspection {
  const pageSize = numberOf(pragma(database, 'page_size'))
  return {
    serverVersion: String(database.prepare('select sqlite_version() as version').get()?.['version']),
    schemaVersion: readLedger(database).at(-1)?.version ?? 0,
    details: {
      file,
      fileBytes: sizeOf(file),
      walBytes: sizeOf(`${file}-wal`),
      freeBytes: numberOf(pragma(database, 'freelist_count')) * pageSize,
      pageBytes: pageSize,
      journalMode: String(pragma(database, 'journal_mode')),
      synchronous: synchronousName(numberOf(pragma(database, 'synchronous'))),
      busyTimeoutMs: numberOf(pragma(database, 'busy_timeout')),
      checkpointPages: numberOf(pragma(database, 'wal_autocheckpoint')),
      atAheadMs: Math.max(0, numberOf(database.prepare('select at from head').get()?.['at']) - Date.now()),
    },
  }
}

function pragma(database: DatabaseSync, name: string): unknown {
  return Object.values(database.prepare(`pragma ${name}`).get() ?? {})[0]
}

/** https://sqlite.org/pragma.html#pragma_synchronous */
function synchronousName(level: number): string {
  return ['off', 'normal', 'full', 'extra'][level] ?? String(level)
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}

interface Part {
  readonly facts: readonly DamageFact[]
  readonly next?: ExaminationCursor
}

/**
 * Compares head, journal and records: the journal from the floor to the head, then every record with its last entry, then what the history
 * began with.
 */
export function examineFile(connection: Connection, from: ExaminationCursor | undefined): Examination {
  const head = connection.readHeadRow()
  if (head.clearing === 1) return { damages: [] }
  const { facts, next } = examinePart(connection, head, from)
  return {
    damages: facts.map((fact) => describeDamage(fact, repairs)),
    ...(next === undefined ? {} : { next }),
  }
}

function examinePart(connection: Connection, head: HeadRow, from: ExaminationCursor = {}): Part {
  const { row, seeded, above } = from
  if (typeof row === 'number') return examineRecords(connection, head, row)
  if (seeded !== undefined) return examineSeeded(connection, seeded as RecordKey)
  return examineJournal(connection, head, above === undefined ? undefined : Number(above))
}

function examineJournal(connection: Connection, head: HeadRow, from: Revision | undefined): Part {
  const facts: DamageFact[] = from === undefined ? headFacts(connection, head) : []
  const above = Math.max(head.floor, from ?? head.floor)
  const upto = Math.min(head.revision, above + PART_ROWS)
  const first = readEntryRow(connection, above)
  let last: { readonly revision: Revision; readonly digest: string | undefined } = {
    revision: above,
    digest: first?.digest ?? (above === head.first_revision ? head.first_digest : undefined),
  }
  if (last.digest === undefined && above === head.floor)
    facts.push({ fact: 'hole', revision: above, upto: above })
  for (const entry of connection.statements.entriesBetween.all(above, upto) as unknown as EntryRow[]) {
    const { revision, commit_id: commitId, digest } = entry
    if (revision !== last.revision + 1)
      facts.push({ fact: 'hole', revision: last.revision + 1, upto: revision - 1 })
    else if (last.digest !== undefined && nextDigest(last.digest, commitId) !== digest)
      facts.push({ fact: 'digest', revision })
    last = { revision, digest }
  }
  if (last.revision < upto) facts.push({ fact: 'hole', revision: last.revision + 1, upto })
  // Entries whose record is missing, or older than the entry.
  const lost = connection.statements.writesBetween.all(above, upto) as unknown as (RecordKey & {
    readonly revision: Revision
  })[]
  for (const { kind, id, revision } of lost) facts.push({ fact: 'lost', kind, id, revision })
  return { facts, next: upto < head.revision ? { above: upto } : { row: 0 } }
}

function headFacts(connection: Connection, head: HeadRow): DamageFact[] {
  const newest = connection.readNewest()
  if ((newest?.revision ?? head.first_revision) !== head.revision)
    return [{ fact: 'head', revision: head.revision, newest: newest?.revision ?? null }]
  const digest = newest?.digest ?? head.first_digest
  return digest === head.digest ? [] : [{ fact: 'digest', revision: head.revision }]
}

type FileRow = readonly [
  kind: string,
  id: string,
  data: CanonicalJson | null,
  revision: Revision,
  createdAt: number,
  updatedAt: number,
  row: number,
]

function examineRecords(connection: Connection, head: HeadRow, afterRow: number): Part {
  const { pageOfFile } = connection.statements
  const { rows, last } = takeRows<FileRow>(pageOfFile.iterate(afterRow, PART_ROWS), PART_ROWS)
  const facts = rows.flatMap((row) => recordFact(connection, head, row) ?? [])
  return { facts, next: last === undefined ? { seeded: { kind: '', id: '' } } : { row: last[6] } }
}

/** No entry tells that a seeded record is missing. */
function examineSeeded({ statements }: Connection, after: RecordKey): Part {
  const rows = statements.presentOfSeeded.all(after.kind, after.id, PART_ROWS) as unknown as (RecordKey & {
    readonly revision: Revision
    readonly present: Revision | null
  })[]
  const facts = rows.flatMap(({ kind, id, revision, present }): DamageFact[] =>
    (present ?? 0) < revision ? [{ fact: 'lost', kind, id, revision }] : [],
  )
  const last = rows.length < PART_ROWS ? undefined : rows.at(-1)
  return last === undefined ? { facts } : { facts, next: { seeded: { kind: last.kind, id: last.id } } }
}

function recordFact(
  connection: Connection,
  head: HeadRow,
  [kind, id, data, revision, createdAt, updatedAt]: FileRow,
): DamageFact | undefined {
  const key = { kind, id, revision }
  if (revision > head.revision) return { ...key, fact: 'ahead' }
  // Compaction will remove a deletion that the floor has passed.
  if (data === null && revision <= head.floor) return undefined
  const version = readKeptVersion(connection, key, revision)
  const writtenAt = version?.updated_at ?? readEntryRow(connection, revision)?.at
  if (version === undefined || writtenAt === undefined) return { ...key, fact: 'unjournalled' }
  const same = version.data === data && writtenAt === updatedAt && version.created_at === createdAt
  return same ? undefined : { ...key, fact: 'differs' }
}

const repairs: DamageRepairs = {
  record: ({ kind, id }, revision) =>
    stopped(`delete from records where kind = ${sqlText(kind)} and id = ${sqlText(id)};
insert into records (kind, id, data, revision, created_at, updated_at)
select w.kind, w.id, w.data, w.revision, w.created_at, j.at from writes w join journal j using (revision)
where w.revision = ${revision} and w.kind = ${sqlText(kind)} and w.id = ${sqlText(id)}
union all select kind, id, data, revision, created_at, updated_at from seeded
where revision = ${revision} and kind = ${sqlText(kind)} and id = ${sqlText(id)};`),
  forgetHistory: () => stopped('update head set floor = revision;'),
}

function stopped(sql: string): string {
  return `-- with the coordinator stopped:\n${sql}`
}
