import { randomUUID } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { CoordinatorError } from '../../errors.ts'
import type { Revision } from '../../records/record.ts'
import type { Head, StoreMode } from '../store.ts'
import { outcomeOfFailedEnd, translateSqliteError } from './file/errors.ts'
import { prepareStatements, type Statements } from './statements.ts'

/** The row of the table `head`. */
export interface HeadRow {
  readonly lineage: string
  readonly revision: Revision
  readonly digest: string
  readonly at: number
  readonly floor: Revision
  /** Up to which revision compaction has removed what the floor no longer needs. */
  readonly swept: Revision
  readonly first_revision: Revision
  readonly first_digest: string
  readonly access_version: string
  readonly required_since: Revision | null
  /** JSON: lineages, the oldest first. */
  readonly ancestors: string
  readonly mode: StoreMode
  /** Time of the first revision, if the history began with records of another store. */
  readonly seeded_at: number | null
  /** 1 while what an unfinished seed left is being removed. The tables hold rests of it then. */
  readonly clearing: number
}

/** The end of the journal. */
interface NewestEntry {
  readonly revision: Revision
  readonly digest: string
  readonly at: number
}

/** One connection with its statements, to a database that has the schema. All its methods are synchronous. */
export class Connection {
  readonly database: DatabaseSync
  readonly file: string
  readonly statements: Statements

  constructor(database: DatabaseSync, file: string) {
    this.database = database
    this.file = file
    this.statements = prepareStatements(database)
  }

  /** @throws COORD_STORE_DAMAGED if the row is gone, or is not the end of the journal */
  readHead(): HeadRow {
    const head = this.readHeadRow()
    const { revision, first_revision, seeded_at: seededAt, clearing } = head
    if (clearing === 1) return head
    if (!this.isEndOfJournal(head))
      throw this.damaged(
        `the head is at revision ${revision} and the journal ends at ${this.readNewest()?.revision ?? 'none'}`,
      )
    // The records of a backup without its head and its journal.
    if (revision === first_revision && seededAt === null && this.statements.anyRecord.get() !== undefined)
      throw this.damaged(`the head is at its first revision, ${revision}, and there are records`)
    return head
  }

  isEndOfJournal({ revision, digest, first_revision, first_digest }: HeadRow): boolean {
    const newest = this.readNewest()
    return revision === (newest?.revision ?? first_revision) && digest === (newest?.digest ?? first_digest)
  }

  hasHead(): boolean {
    return this.statements.readHead.get() !== undefined
  }

  /** Creates the row of a new history. */
  createHead({
    firstRevision: first,
    now,
  }: {
    readonly firstRevision: Revision
    readonly now: number
  }): void {
    const lineage = randomUUID()
    const at = Math.trunc(now)
    this.statements.insertHead.run(lineage, first, lineage, at, first, first, first, lineage, randomUUID())
  }

  /** The row without a check. */
  readHeadRow(): HeadRow {
    const row = this.statements.readHead.get() as HeadRow | undefined
    if (row === undefined) throw this.damaged('the row of the table head is missing')
    return row
  }

  /** Writes every column but the version of the tokens. */
  replaceHead(head: HeadRow): HeadRow {
    const { lineage, ancestors, revision, digest, at, floor, swept, first_revision, first_digest } = head
    this.statements.replaceHead.run(
      ...[lineage, ancestors, revision, digest, at, floor, swept, first_revision, first_digest],
      ...[head.required_since, head.mode, head.seeded_at, head.clearing],
    )
    return head
  }

  readNewest(): NewestEntry | undefined {
    return this.statements.newestEntry.get() as NewestEntry | undefined
  }

  /** The rows of a rare question. Frequent ones are prepared: see `Statements`. */
  rows<Row>(sql: string): readonly Row[] {
    return this.database.prepare(sql).all() as unknown as readonly Row[]
  }

  /**
   * Runs `work` in a transaction that is on disk when this returns.
   *
   * @throws CoordinatorError with `outcome`; everything was rolled back
   */
  transaction<T>(work: () => T): T {
    let ending = false
    try {
      this.statements.begin.run()
      const result = work()
      ending = true
      this.statements.commit.run()
      return result
    } catch (thrown) {
      // If the disk is full, SQLite has rolled back already.
      if (this.database.isTransaction) this.statements.rollback.run()
      const outcome = ending ? outcomeOfFailedEnd(thrown) : 'not_written'
      throw translateSqliteError(thrown, this.file).withOutcome(outcome)
    }
  }

  /** The error for tables that contradict each other because somebody changed them without the coordinator. */
  damaged(what: string): CoordinatorError {
    return new CoordinatorError('COORD_STORE_DAMAGED', { detail: `In ${this.file} ${what}.` })
  }
}

export function headOf({
  lineage,
  revision,
  digest,
  floor,
  at,
  access_version: accessVersion,
  ancestors,
  mode,
}: HeadRow): Head {
  const position = { lineage, revision, digest }
  return { position, floor, at, accessVersion, ancestors: JSON.parse(ancestors) as string[], mode }
}
