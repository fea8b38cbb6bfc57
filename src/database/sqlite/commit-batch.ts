import { CoordinatorError } from '../../errors.ts'
import { nextDigest } from '../../records/digest.ts'
import { type Commit, type Entry, MAX_REVISION, type Position, type Revision } from '../../records/record.ts'
import { type PackedError, packError } from '../../workers/packed-error.ts'
import { refusalOf } from '../check-commit.ts'
import { type CurrentState, judgeCommit } from '../judge-commit.ts'
import type { CommitResult, OffTrack, Refused, StoreMode, Superseded } from '../store.ts'
import { frozen } from '../store-modes.ts'
import { EntryAppender, type RecordRow, readRecordRows } from './append-entry.ts'
import type { Connection, HeadRow } from './connection.ts'
import { requireMode } from './modes.ts'
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
    if (batch.length === 0) touchHead(connection, head)
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
function touchHead({ statements }: Connection, head: HeadRow): void {
  requireMode(head, 'open')
  statements.flipSwept.run()
  statements.flipSwept.run()
}

/** Judges the commits of one batch in order, and stores those that it accepts. */
class BatchJudge {
  readonly #connection: Connection
  readonly #mode: StoreMode
  readonly #at: number
  readonly #appender: EntryAppender

  constructor(connection: Connection, head: HeadRow, at: number) {
    this.#connection = connection
    this.#mode = head.mode
    this.#at = at
    this.#appender = new EntryAppender(connection, head)
  }

  judge(commit: Commit): PackedResult {
    const error = refusalOf(commit)
    if (error !== undefined) return refused(error)
    // Only ids that clients choose have a fingerprint, and can belong to a commit that changed nothing.
    const known = commit.fingerprint === undefined ? undefined : this.#resultOfNamed(commit)
    if (known !== undefined) return known
    if (this.#mode !== 'open') return this.#resultOfKnown(commit) ?? refused(frozen(this.#mode))
    const rows = readRecordRows(this.#connection, commit.writes)
    const verdict = judgeCommit(commit, rows.map(stateOf))
    if (verdict.outcome !== 'acceptable') {
      const first = this.#resultOfKnown(commit)
      if (first === undefined && verdict.outcome === 'unchanged') this.#remember(commit, verdict.revisions)
      return first ?? verdict
    }
    if (this.#appender.revision >= MAX_REVISION)
      return this.#resultOfKnown(commit) ?? refused(new CoordinatorError('COORD_REVISION_EXHAUSTED'))
    const revision = this.#appender.revision + 1
    const digest = nextDigest(this.#appender.digest, commit.commitId)
    const place = { revision, at: this.#at, digest }
    if (!this.#appender.append(commit, place, rows)) return this.#resultOfKnown(commit) as PackedResult
    return { outcome: 'accepted', ...place, previous: verdict.previous, replayed: false }
  }

  /** Writes the new head, if a commit was stored. */
  finish(): void {
    this.#appender.finish()
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

function refused(error: CoordinatorError): PackedResult {
  return { outcome: 'refused', error: packError(error.withOutcome('not_written')) }
}
