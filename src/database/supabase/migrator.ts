import { CoordinatorError } from '../../errors.ts'
import { findPostgresDrift } from '../migrations/find-postgres-drift.ts'
import { type AppliedMigration, loadMigrations, reportMigrations } from '../migrations/migration.ts'
import { listOf, numberOf, objectOf, readReply, textOf } from '../sql-functions/read-reply.ts'
import type { Drift, MigrationReport, Migrator } from '../store.ts'
import type { SupabaseCalls } from './call.ts'
import { MendingAdvice } from './mending-advice.ts'
import type { SupabaseSettings } from './options.ts'

/** Tells the state of the schema. It cannot change it, because the Data API runs no DDL. */
export class SupabaseMigrator implements Migrator {
  readonly #calls: SupabaseCalls
  readonly #schema: string
  readonly #advice: MendingAdvice
  readonly #migrations = loadMigrations('postgres')

  constructor(calls: SupabaseCalls, settings: SupabaseSettings) {
    this.#calls = calls
    this.#schema = settings.schema
    this.#advice = new MendingAdvice(settings)
  }

  /** The schema number of this program. */
  get target(): number {
    return this.#migrations.length
  }

  get howToMigrate(): string {
    return this.#advice.migrate
  }

  async status(): Promise<MigrationReport> {
    const reply = await this.#calls.call('migrations', '{}')
    return reportMigrations(
      this.#migrations,
      readReply(reply, (answer) => listOf(answer, 'steps').map(appliedOf)),
    )
  }

  /**
   * Returns what ran, if nothing is pending.
   *
   * @throws COORD_SCHEMA_OLD with the commands that migrate, if something is pending
   */
  async migrate(): Promise<MigrationReport> {
    const report = await this.status()
    if (report.steps.some(({ state }) => state === 'pending')) throw this.tooOld(report.current)
    return report
  }

  verify(): Promise<readonly Drift[]> {
    return findPostgresDrift(this.#calls, { schema: this.#schema, migrations: this.#migrations })
  }

  tooOld(current: number): CoordinatorError {
    return new CoordinatorError('COORD_SCHEMA_OLD', {
      detail: `The schema ${this.#schema} has number ${current}; this program needs ${this.target}.`,
      hint: this.howToMigrate,
    })
  }
}

function appliedOf(step: unknown): AppliedMigration {
  const members = objectOf(step, 'a migration')
  // A schema that was made by the file for Supabase's own migrations keeps no copy of the text.
  const sql = textOf(members, 'source')
  return {
    version: numberOf(members, 'version'),
    name: textOf(members, 'name'),
    checksum: textOf(members, 'checksum'),
    ...(sql === '' ? {} : { sql }),
    appliedAt: numberOf(members, 'appliedAt'),
  }
}
