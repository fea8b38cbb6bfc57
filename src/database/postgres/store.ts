import type { CoordinatorError } from '../../errors.ts'
import { migrationWarnings } from '../migrations/runner.ts'
import { FunctionStore } from '../sql-functions/function-store.ts'
import type { Head } from '../store.ts'
import { PostgresCalls } from './call.ts'
import { PostgresMigrator } from './migrator.ts'
import { type PostgresOptions, type PostgresSettings, withDefaults } from './options.ts'

/** Keeps records in a schema of a PostgreSQL database, over PostgreSQL's own protocol. */
export class PostgresStore extends FunctionStore {
  readonly backend = 'postgres'
  readonly migrator: PostgresMigrator
  readonly #settings: PostgresSettings

  constructor(options: PostgresOptions) {
    const settings = withDefaults(options)
    const calls = new PostgresCalls(settings)
    const migrator = new PostgresMigrator(calls, settings)
    super(calls, settings, migrator.target)
    this.migrator = migrator
    this.#settings = settings
  }

  protected async openOnce(): Promise<Head> {
    const { autoMigrate, onMigrated, onWarning } = this.#settings
    const report = autoMigrate ? await this.migrator.migrate() : await this.migrator.check()
    const { from, current } = report
    if (from !== undefined) onMigrated({ from, to: current })
    const head = await this.head()
    for (const warning of migrationWarnings(report)) onWarning(warning)
    return head
  }

  /** Whether the error may pass: the server may refuse a password for a moment while somebody changes it. */
  protected mayPass({ code }: CoordinatorError): boolean {
    return code === 'COORD_STORE_AUTH'
  }
}
