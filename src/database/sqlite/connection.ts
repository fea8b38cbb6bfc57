import type { DatabaseSync } from 'node:sqlite'
import { CoordinatorError } from '../../errors.ts'
import type { Revision } from '../../records/record.ts'
import type { Head } from '../store.ts'
import { outcomeOfFailedEnd, translateSqliteError } from './errors.ts'
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
    const newest = this.readNewest()
    if (
      head.revision !== (newest?.revision ?? head.first_revision) ||
      head.digest !== (newest?.digest ?? head.first_digest)
    )
      throw this.damaged(
        `the head is at revision ${head.revision} and the journal ends at ${newest?.revision ?? 'none'}`,
      )
    return head
  }

  /** The row without a check. */
  readHeadRow(): HeadRow {
    const row = this.statements.readHead.get() as HeadRow | undefined
    if (row === undefined) throw this.damaged('the row of the table head is missing')
    return row
  }

  readNewest(): { readonly revision: Revision; readonly digest: string } | undefined {
    return this.statements.newestEntry.get() as
      | { readonly revision: Revision; readonly digest: string }
      | undefined
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
}: HeadRow): Head {
  return { position: { lineage, revision, digest }, floor, at, accessVersion }
}
