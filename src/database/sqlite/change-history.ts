import { randomUUID } from 'node:crypto'
import type { CanonicalJson } from '../../records/canonical-json.ts'
import { nextDigest } from '../../records/digest.ts'
import type { Position, RecordKey, Revision } from '../../records/record.ts'
import { withAncestor } from '../ancestors.ts'
import type { Head } from '../store.ts'
import { type Connection, type HeadRow, headOf } from './connection.ts'
import { requireMode } from './modes.ts'
import { clear } from './seed-records.ts'

// What deletes history, and what begins a new one.

/** How many writes one transaction releases. Commits can run in between. */
const WRITES_AT_ONCE = 1_000

interface RetiringWrite extends RecordKey {
  readonly data: CanonicalJson | null
  readonly previous: Revision
}

/** Raises the floor before anything is removed, so that a reader of what is being removed gets the right error. */
export function raiseFloor(connection: Connection, floor: Revision): void {
  connection.transaction(() => {
    const head = requireMode(connection.readHead(), 'open')
    const target = Math.min(floor, head.revision)
    if (target > head.floor) connection.statements.writeFloor.run(target)
  })
}

/**
 * Removes a part of what the floor no longer needs. It continues where an earlier call, or an earlier process, stopped.
 *
 * @returns whether there is more to remove
 */
export function sweep(connection: Connection): boolean {
  const { swept, floor } = requireMode(connection.readHead(), 'open')
  if (swept >= floor) return false
  return connection.transaction(() => {
    let revision = swept
    for (let writes = 0; revision < floor && writes < WRITES_AT_ONCE; ) {
      revision += 1
      writes += retire(connection, revision, floor)
      // The row of the floor is kept: callers may have its digest as their position.
      remove(connection, revision - 1, floor)
    }
    connection.statements.writeSwept.run(revision)
    return revision < floor
  })
}

/** The versions that the writes of a revision replaced are no longer needed, nor are its deletions. */
function retire(connection: Connection, revision: Revision, floor: Revision): number {
  const { statements } = connection
  const writes = statements.readWrites.all(revision) as unknown as RetiringWrite[]
  for (const { kind, id, data, previous } of writes) {
    // Before a record that was recreated there was a deletion, which has released itself.
    if (previous > 0) {
      release(connection, previous, floor)
      statements.removeSeeded.run(kind, id, previous)
    }
    if (data !== null) continue
    release(connection, revision, floor)
    statements.removeTombstone.run(kind, id, revision)
  }
  return Math.max(1, writes.length)
}

function release(connection: Connection, revision: Revision, floor: Revision): void {
  connection.statements.releaseEntry.run(revision)
  remove(connection, revision, floor)
}

function remove({ statements }: Connection, revision: Revision, floor: Revision): void {
  if (revision === floor) return
  if (statements.removeEntry.run(revision).changes > 0) statements.removeWrites.run(revision)
}

/** Starts a new lineage at the head, if the head is `from`. */
export function fork(connection: Connection, from: Position): Head {
  return connection.transaction(() => {
    const head = requireMode(connection.readHead(), 'open', 'seeding', 'frozen')
    const isHead =
      head.lineage === from.lineage && head.revision === from.revision && head.digest === from.digest
    return headOf(isHead ? connection.replaceHead(inNewLineage(head)) : head)
  })
}

/** Makes another lineage an ancestor of the present one. */
export function adopt(connection: Connection, lineage: string): Head {
  return connection.transaction(() => {
    const head = requireMode(connection.readHead(), 'open')
    if (lineage === head.lineage) return headOf(head)
    return headOf(connection.replaceHead({ ...head, ancestors: moreAncestors(head, lineage) }))
  })
}

/**
 * Makes the head the end of the journal, makes a commit of each record that no entry wrote, and begins a new lineage. For the content of a
 * backup that was restored without its head. If the head is right, only the lineage changes.
 */
export function mendHead(connection: Connection, now: number): Head {
  while (connection.hasHead() && clear(connection)) {
    // What an unfinished seed left would become commits.
  }
  return connection.transaction(() => {
    if (!connection.hasHead()) connection.createHead({ firstRevision: 0, now })
    const head = connection.readHeadRow()
    const [record] = connection.rows<{ revision: Revision | null }>(
      'select max(revision) as revision from records where data is not null',
    )
    const isRight = connection.isEndOfJournal(head) && (record?.revision ?? 0) <= head.revision
    const mended = inNewLineage(isRight ? head : endOf(connection, head, now))
    const mode = mended.mode === 'seeding' ? mended.mode : 'open'
    return headOf(connection.replaceHead({ ...mended, mode }))
  })
}

function moreAncestors({ ancestors }: HeadRow, lineage: string): string {
  return JSON.stringify(withAncestor(JSON.parse(ancestors) as string[], lineage))
}

function inNewLineage(head: HeadRow): HeadRow {
  const next = { ...head, lineage: randomUUID(), ancestors: moreAncestors(head, head.lineage) }
  if (head.digest !== head.lineage) return next
  // No entry was stored yet: the digest is the lineage itself.
  return { ...next, digest: next.lineage, first_digest: next.lineage }
}

/** The head that fits the journal and the records, which are changed where no head could fit them. */
function endOf(connection: Connection, head: HeadRow, now: number): HeadRow {
  const newest = connection.readNewest()
  const { first_revision: first, first_digest } = head
  const revision = newest?.revision ?? first
  const at = Math.max(head.at, newest?.at ?? 0)
  const kept = newest === undefined ? { floor: first, swept: first } : keptBy(connection, head, revision)
  const end = { ...head, ...kept, revision, digest: newest?.digest ?? first_digest, at }
  return withoutFuture(journalStrays(connection, end, Math.max(at, Math.trunc(now))))
}

/** Nobody demanded credentials after the newest revision. */
function withoutFuture(head: HeadRow): HeadRow {
  const since = head.required_since
  return since === null ? head : { ...head, required_since: Math.min(since, head.revision) }
}

/**
 * The oldest revision that is exact. If the head is that of another history, and compaction has never removed anything, it is the first
 * entry. If compaction has, nobody knows from where on moments are exact: only the present is. Entries before it stay, so that records keep
 * their histories.
 */
function keptBy(connection: Connection, head: HeadRow, end: Revision): Pick<HeadRow, 'floor' | 'swept'> {
  if (isOfJournal(connection, head, end)) return { floor: head.floor, swept: head.swept }
  const [journal] = connection.rows<{ count: number; whole: number }>(
    `select count(*) as count, min(needed = (select count(*) from writes w where w.revision = j.revision)) as whole
    from journal j`,
  )
  const floor = journal?.count === end && journal.whole === 1 ? 1 : end
  return { floor, swept: floor }
}

/** Whether the journal is that of the head, complete from the floor to its end. */
function isOfJournal(connection: Connection, head: HeadRow, end: Revision): boolean {
  const { floor, first_revision, first_digest } = head
  const entries = connection.statements.entriesBetween.all(floor, end) as unknown as readonly {
    readonly revision: Revision
    readonly commit_id: string
    readonly digest: string
  }[]
  if (floor > end || entries.length !== end - floor) return false
  if (floor > first_revision) return connection.statements.readEntry.get(floor) !== undefined
  const [next] = entries
  return next !== undefined && next.digest === nextDigest(first_digest, next.commit_id)
}

/** Makes a commit of each record that no entry wrote. Entries are missing then, so that no moment before now is exact. */
function journalStrays(connection: Connection, head: HeadRow, at: number): HeadRow {
  const { database, statements } = connection
  // Nothing tells any more at which revision and time they were seeded.
  if (head.seeded_at === null) database.exec('delete from seeded')
  const strays = connection.rows<RecordKey & { data: string; created_at: number }>(
    `select kind, id, data, created_at from records r where data is not null
      and not exists (select 1 from writes w where w.revision = r.revision and w.kind = r.kind and w.id = r.id)
      and not exists (select 1 from seeded s where s.revision = r.revision and s.kind = r.kind and s.id = r.id)
    order by revision, kind, id`,
  )
  const lost = 'delete from records where data is null and revision > ?'
  if (database.prepare(lost).run(head.revision).changes === 0 && strays.length === 0) return head
  let { revision, digest } = head
  for (const { kind, id, data, created_at } of strays) {
    const commitId = randomUUID()
    revision += 1
    digest = nextDigest(digest, commitId)
    statements.insertEntry.run(revision, commitId, at, 'restored', null, digest, 1)
    statements.insertWrite.run(revision, kind, id, 0, data, 0, 0, created_at)
    statements.writeRecord.run(kind, id, data, revision, created_at, at)
  }
  database.exec('delete from records where data is null')
  return {
    ...head,
    revision,
    digest,
    at: strays.length === 0 ? head.at : at,
    floor: revision,
    swept: revision,
  }
}
