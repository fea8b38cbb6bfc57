import { CoordinatorError, toCoordinatorError } from '../../errors.ts'
import { allowAnonSql, CREDENTIALS_DEMANDED, forbidAnonSql } from '../migrations/emit-supabase.ts'
import { findPostgresDrift } from '../migrations/find-postgres-drift.ts'
import { type AppliedMigration, loadMigrations, reportMigrations } from '../migrations/migration.ts'
import { ledgerSql, migrationSql } from '../migrations/postgres-sql.ts'
import { type MigrationExecutor, runMigrations } from '../migrations/runner.ts'
import { sqlFor } from '../sql-functions/schema-sql.ts'
import type { Drift, MigrationReport, Migrator } from '../store.ts'
import type { PostgresCalls } from './call.ts'
import type { Connection, Row } from './connection.ts'
import type { PostgresSettings } from './options.ts'

/** How long one statement of a migration may take, in milliseconds. */
const STATEMENT_TIMEOUT_MS = 120_000

const ourTables = [
  ...['head', 'records', 'tombstones', 'journal', 'unchanged', 'writers'],
  ...['access_tokens', 'migrations'],
]
const ledgerColumns = ['version', 'name', 'checksum', 'source', 'applied_at']

/** Brings a schema of a PostgreSQL database to this program's version. */
export class PostgresMigrator implements Migrator {
  readonly #calls: PostgresCalls
  readonly #schema: string
  readonly #migrations = loadMigrations('postgres')

  constructor(calls: PostgresCalls, { schema }: PostgresSettings) {
    this.#calls = calls
    this.#schema = schema
  }

  /** The schema number of this program. */
  get target(): number {
    return this.#migrations.length
  }

  status(): Promise<MigrationReport> {
    return this.#calls.use('writer', async (connection) =>
      reportMigrations(this.#migrations, await this.#applied(connection)),
    )
  }

  /** If no migration is pending, this locks nothing, and needs only the right to read. */
  async migrate(options: { readonly dryRun?: boolean } = {}): Promise<MigrationReport> {
    const before = await this.status()
    if (before.steps.every(({ state }) => state !== 'pending')) return before
    return this.#calls.use('writer', async (connection) => {
      const executor = new PostgresExecutor(connection, this.#schema, () => this.#applied(connection))
      const report = await runMigrations(this.#migrations, executor, options)
      return options.dryRun === true ? { ...report, locks: executor.locks } : report
    })
  }

  verify(): Promise<readonly Drift[]> {
    return findPostgresDrift(this.#calls, { schema: this.#schema, migrations: this.#migrations })
  }

  /** @throws COORD_CONFIG_INVALID where credentials are demanded, COORD_STORE_* if the roles of Supabase do not exist */
  async allowAnon(): Promise<void> {
    const change = { text: allowAnonSql(this.#schema), doing: 'allowing the public key' }
    await this.#calls
      .use('writer', (connection) => connection.run(change))
      .catch((thrown: unknown) => {
        if (toCoordinatorError(thrown).sourceCode !== CREDENTIALS_DEMANDED) throw thrown
        throw new CoordinatorError('COORD_CONFIG_INVALID', {
          detail: `The public key is not allowed: a coordinator has demanded credentials (AUTH=required) on the schema ${this.#schema}, and everybody has the public key.`,
          hint: 'Give every coordinator the secret key (SUPABASE_SERVICE_ROLE_KEY). A schema on which credentials were demanded stays closed to the public key; for open data, use another DATABASE_SCHEMA.',
        })
      })
  }

  /** @throws COORD_STORE_* if the roles of Supabase do not exist */
  async forbidAnon(): Promise<void> {
    await this.#calls.use('writer', (connection) =>
      connection.run({ text: forbidAnonSql(this.#schema), doing: 'refusing the public key' }),
    )
  }

  /**
   * Refuses a schema that this program cannot use. It can read a newer schema, whose functions say whether it may write.
   *
   * @throws COORD_SCHEMA_OLD
   */
  async check(): Promise<MigrationReport> {
    const report = await this.status()
    const { current, target, steps } = report
    if (steps.every(({ state }) => state !== 'pending')) return report
    throw new CoordinatorError('COORD_SCHEMA_OLD', {
      detail:
        current === 0
          ? `The schema ${this.#schema} is not there; this program needs number ${target} of it.`
          : `The schema ${this.#schema} has number ${current}; this program needs ${target}.`,
    })
  }

  async #applied(connection: Connection): Promise<readonly AppliedMigration[]> {
    const found = await connection.run({
      text: `select c.relname as table_name, string_agg(a.attname, ' ') as columns
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        where n.nspname = $1 and c.relname = any (string_to_array($2, ' ')) group by c.relname`,
      values: [this.#schema, ourTables.join(' ')],
      doing: 'looking for the schema',
    })
    if (found.length === 0) return []
    const ledger = found.find((table) => table['table_name'] === 'migrations')
    const columns = ledger?.['columns']?.split(' ') ?? []
    if (!ledgerColumns.every((column) => columns.includes(column))) throw this.#foreign(found)
    const rows = await connection.run({
      text: sqlFor(
        this.#schema,
        `select version, name, checksum, source, floor(extract(epoch from applied_at) * 1000)::bigint as applied_at
        from @schema@.migrations order by version`,
      ),
      doing: 'reading which migrations ran',
    })
    if (rows.length === 0) await this.#refuseHiddenRows(connection)
    return rows.map(appliedOf)
  }

  /** To a role from which row security hides rows, a migrated schema looks like one without migrations. */
  async #refuseHiddenRows(connection: Connection): Promise<void> {
    const [row] = await connection.run({
      text: sqlFor(
        this.#schema,
        `select row_security_active('@schema@.migrations'::regclass)::text as hidden, current_user::text as role`,
      ),
      doing: 'asking whether row security hides the schema',
    })
    if (row?.['hidden'] !== 'true') return
    throw new CoordinatorError('COORD_STORE_RIGHTS', {
      detail: `Row security hides the rows of schema ${this.#schema} from role ${row['role']}: it needs bypassrls, or has to be the owner.`,
      hint: `As a superuser run \`alter role ${row['role']} bypassrls\`, or name the owner of the schema in DATABASE_URL.`,
      outcome: 'not_written',
    })
  }

  #foreign(found: readonly Row[]): CoordinatorError {
    const names = found.map((table) => table['table_name']).join(', ')
    return new CoordinatorError('COORD_SCHEMA_FOREIGN', {
      detail: `The schema ${this.#schema} has tables of another program (${names}).`,
    })
  }
}

function appliedOf(row: Row): AppliedMigration {
  return {
    version: Number(row['version']),
    name: row['name'] ?? '',
    checksum: row['checksum'] ?? '',
    ...(row['source'] ? { sql: row['source'] } : {}),
    appliedAt: Number(row['applied_at']),
  }
}

/**
 * Runs migrations on one connection. The lock belongs to the transaction. A lock of the session would survive this process in a pooler, and
 * nobody could migrate any more.
 */
class PostgresExecutor implements MigrationExecutor {
  /** The locks of the last transaction at its end, such as `AccessExclusiveLock on records`. */
  locks: readonly string[] = []
  readonly #connection: Connection
  readonly #schema: string
  readonly #applied: () => Promise<readonly AppliedMigration[]>

  constructor(connection: Connection, schema: string, applied: () => Promise<readonly AppliedMigration[]>) {
    this.#connection = connection
    this.#schema = schema
    this.#applied = applied
  }

  async transaction<T>(
    keep: 'all' | 'nothing',
    work: Parameters<MigrationExecutor['transaction']>[1],
  ): Promise<T> {
    await this.#run('begin isolation level read committed read write')
    try {
      await this.#begin()
      const result = await work({
        applied: this.#applied,
        run: async (migration) => {
          await this.#run(migrationSql(this.#schema, migration, 'with the text'))
        },
      })
      if (keep === 'nothing') this.locks = await this.#locks()
      await (keep === 'all' ? this.#commit() : this.#run('rollback'))
      return result as T
    } catch (thrown) {
      // If the connection is gone, the server has rolled back by itself.
      if (!this.#connection.broken) await this.#run('rollback')
      throw thrown
    }
  }

  /** Waits for another program that migrates. Then makes the schema and the ledger, which the first migration needs. */
  async #begin(): Promise<void> {
    await this.#run(`set local lock_timeout = '60s'; set local client_min_messages = warning`)
    await this.#run(
      `select pg_advisory_xact_lock(hashtextextended('coordinator migrates ${this.#schema}', 0))`,
    )
    await this.#run(`set local lock_timeout = '5s'`)
    // `create schema if not exists` needs the right to create a schema even if the schema exists.
    const [row] = await this.#run(
      `select count(*) as known from pg_namespace where nspname = '${this.#schema}'`,
    )
    if (row?.['known'] === '0') await this.#run(sqlFor(this.#schema, 'create schema @schema@'))
    await this.#run(ledgerSql(this.#schema))
  }

  /** The strongest lock on each table, except the locks that reading and writing rows take. */
  async #locks(): Promise<readonly string[]> {
    const rows = await this.#run(`select distinct on (c.relname) l.mode || ' on ' || c.relname as lock
      from pg_locks l join pg_class c on c.oid = l.relation join pg_namespace n on n.oid = c.relnamespace
      cross join lateral array_position(array['ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock',
        'AccessExclusiveLock'], l.mode) as strength
      where l.pid = pg_backend_pid() and n.nspname = '${this.#schema}' and c.relkind in ('r', 'v') and strength is not null
      order by c.relname, strength desc`)
    return rows.map((row) => row['lock'] ?? '')
  }

  #commit(): Promise<readonly Row[]> {
    return this.#connection.run({
      text: 'commit',
      doing: 'migrating',
      timeoutMs: STATEMENT_TIMEOUT_MS,
      unanswered: 'unknown',
    })
  }

  #run(text: string): Promise<readonly Row[]> {
    return this.#connection.run({ text, doing: 'migrating', timeoutMs: STATEMENT_TIMEOUT_MS })
  }
}
