import { CoordinatorError } from '../../errors.ts'
import type { CanonicalJson } from '../../records/canonical-json.ts'
import { nextDigest } from '../../records/digest.ts'
import { type Commit, type Entry, MAX_REVISION, type Position, type Revision } from '../../records/record.ts'
import { type PackedError, packError } from '../../workers/packed-error.ts'
import { refusalOf } from '../check-commit.ts'
import { type CurrentState, judgeCommit } from '../judge-commit.ts'
import type { Accepted, CommitResult, OffTrack, Refused, Superseded } from '../store.ts'
import type { Connection, HeadRow } from './connection.ts'
import { type EntryRow, entriesAfter, locate, readStoredWrites } from './read-journal.ts'
import { rememberUnchanged, resultOfUnchangedCommit } from './unchanged-commits.ts'

/** A result that can be sent between threads. */
export type PackedResult =
  | Exclude<CommitResult, Refused>
  | { readonly outcome: 'refused'; readonly error: PackedError }

/** The worker's answer to a batch. It omits the entries of the batch itself, because the caller has their content. */
export type BatchReply =
  | OffTrack
  | Superseded
  | {
      readonly status: 'ok'
      readonly results: readonly PackedResult[]
      /** The journal between the caller's position and the first revision of this batch. */
      readonly before: readonly Entry[]
      /** Whether `before` ends too early to continue with this batch. */
      readonly more: boolean
    }

/** A row of the table `records`. `data` is null if the record is deleted. For a deletion, it is empty if it exists. */
interface RecordRow {
  readonly data: CanonicalJson | null
  readonly revision: Revision
  readonly created_at: number
}

function stateOf(row: RecordRow | undefined): CurrentState | undefined {
  return row === undefined || row.data === null ? undefined : { data: row.data, revision: row.revision }
}

/**
 * Judges a batch in one durable transaction.
 *
 * @param now the wall clock, epoch milliseconds
 */
export function commitBatch(
  connection: Connection,
  batch: readonly Commit[],
  { after, now }: { readonly after: Position; readonly now: number },
): BatchReply {
  return connection.transaction(() => {
    const head = connection.readHead()
    const offTrack = locate(connection, head, after)
    if (offTrack !== undefined) return offTrack
    if (batch.length === 0) touchHead(connection)
    const { entries, more } = entriesAfter(connection, after.revision, head.revision)
    const judge = new BatchJudge(connection, head, Math.max(head.at, Math.trunc(now)))
    const results = batch.map((commit) => judge.judge(commit))
    judge.finish()
    return { status: 'ok', results, before: entries, more }
  })
}

/**
 * An empty batch checks whether writing works, and only a write can tell. SQLite writes nothing if a row stays the same, so the row is
 * changed and changed back.
 */
function touchHead({ statements }: Connection): void {
  statements.flipSwept.run()
  statements.flipSwept.run()
}

/** Judges the commits of one batch in order, and stores those that it accepts. */
class BatchJudge {
  readonly #connection: Connection
  readonly #head: HeadRow
  readonly #at: number
  #revision: Revision
  #digest: string

  constructor(connection: Connection, head: HeadRow, at: number) {
    this.#connection = connection
    this.#head = head
    this.#at = at
    this.#revision = head.revision
    this.#digest = head.digest
  }

  judge(commit: Commit): PackedResult {
    const error = refusalOf(commit)
    if (error !== undefined) return { outcome: 'refused', error: packError(error) }
    // Only ids that clients choose have a fingerprint, and can belong to a commit that changed nothing.
    const known = commit.fingerprint === undefined ? undefined : this.#resultOfNamed(commit)
    if (known !== undefined) return known
    const { readRecord, readRecordToDelete } = this.#connection.statements
    const rows = commit.writes.map(({ op, kind, id }) => {
      const statement = op === 'delete' ? readRecordToDelete : readRecord
      return statement.get(kind, id) as RecordRow | undefined
    })
    const verdict = judgeCommit(commit, rows.map(stateOf))
    if (verdict.outcome !== 'acceptable') {
      const first = this.#resultOfKnown(commit)
      if (first === undefined && verdict.outcome === 'unchanged') this.#remember(commit, verdict.revisions)
      return first ?? verdict
    }
    if (this.#revision >= MAX_REVISION)
      return (
        this.#resultOfKnown(commit) ?? {
          outcome: 'refused',
          error: packError(new CoordinatorError('COORD_REVISION_EXHAUSTED', { outcome: 'not_written' })),
        }
      )
    return this.#append(commit, verdict.previous, rows) ?? (this.#resultOfKnown(commit) as PackedResult)
  }

  /** Writes the new head, if a commit was stored. */
  finish(): void {
    if (this.#revision > this.#head.revision)
      this.#connection.statements.writeHead.run(this.#revision, this.#digest, this.#at)
  }

  /** Stores a commit; `undefined` if its id is known. The unique index finds out, so that new ids need no lookup. */
  #append(
    { commitId, actor, fingerprint, writes }: Commit,
    previous: readonly Revision[],
    rows: readonly (RecordRow | undefined)[],
  ): Accepted | undefined {
    const { insertEntry, insertWrite, writeRecord } = this.#connection.statements
    const revision = this.#revision + 1
    const at = this.#at
    const digest = nextDigest(this.#digest, commitId)
    const inserted = insertEntry.run(
      revision,
      commitId,
      at,
      actor,
      fingerprint ?? null,
      digest,
      writes.length,
    )
    if (inserted.changes === 0) return undefined
    for (const [index, write] of writes.entries()) {
      const { kind, id } = write
      const row = rows[index]
      const data = write.op === 'put' ? write.data : null
      const createdAt = row === undefined || row.data === null ? at : row.created_at
      insertWrite.run(
        revision,
        kind,
        id,
        index,
        data,
        previous[index] as Revision,
        this.#priorOf(row),
        createdAt,
      )
      writeRecord.run(kind, id, data, revision, createdAt, at)
    }
    this.#revision = revision
    this.#digest = digest
    return { outcome: 'accepted', revision, at, digest, previous, replayed: false }
  }

  /** A deletion that the floor has passed counts as forgotten, even before compaction removes it. */
  #priorOf(row: RecordRow | undefined): Revision {
    if (row === undefined) return 0
    return row.data === null && row.revision <= this.#head.floor ? 0 : row.revision
  }

  #resultOfNamed(commit: Commit): PackedResult | undefined {
    return this.#resultOfKnown(commit) ?? resultOfUnchangedCommit(this.#connection, commit)
  }

  #remember(commit: Commit, revisions: readonly Revision[]): void {
    if (commit.fingerprint !== undefined)
      rememberUnchanged(this.#connection, {
        ...commit,
        fingerprint: commit.fingerprint,
        revisions,
        at: this.#at,
      })
  }

  #resultOfKnown({ commitId, fingerprint }: Commit): PackedResult | undefined {
    const entry = this.#connection.statements.readEntryByCommitId.get(commitId) as EntryRow | undefined
    if (entry === undefined) return undefined
    const { revision, at, digest } = entry
    if (entry.fingerprint !== (fingerprint ?? null)) return { outcome: 'reused', revision }
    const { previous, writes } = readStoredWrites(this.#connection, revision)
    return { outcome: 'accepted', revision, at, digest, previous, replayed: true, writes }
  }
}
