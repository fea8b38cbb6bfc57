import { DatabaseSync } from 'node:sqlite'
import { CoordinatorError } from '../../errors.ts'
import { type AppliedMigration, loadMigrations, type Migration } from '../migrations/migration.ts'
import type { MigrationExecutor, MigrationSession } from '../migrations/runner.ts'
import { pendingMigrations } from '../migrations/runner.ts'
import type { Drift } from '../store.ts'
import { translateSqliteError } from './file/errors.ts'
import { APPLICATION_ID } from './file/open-file.ts'

/** The migrations that ran. Their text is kept so that a later change of a file can be shown. */
const ledgerTable = `create table if not exists migrations (
  version integer primary key,
  name text not null,
  checksum text not null,
  sql text not null,
  oldest_writer integer not null,
  applied_at integer not null
) strict`

/** A migration that ran. Programs with a schema number of at least `oldestWriter` may still write. */
export interface SqliteMigration extends AppliedMigration {
  readonly oldestWriter: number
}

/** The migrations of this program. */
export const sqliteMigrations: readonly Migration[] = loadMigrations('sqlite')

/** The migrations that ran, by version; none if the database is new. */
export function readLedger(database: DatabaseSync): readonly SqliteMigration[] {
  const there = database
    .prepare(`select 1 from sqlite_schema where type = 'table' and name = 'migrations'`)
    .get()
  if (there === undefined) return []
  return database
    .prepare(
      `select version, name, checksum, sql, oldest_writer as oldestWriter, applied_at as appliedAt
      from migrations order by version`,
    )
    .all() as unknown as readonly SqliteMigration[]
}

/**
 * Refuses a schema that this program cannot work with, before anything is written.
 *
 * @param mayMigrate whether pending migrations are going to run
 * @throws COORD_SCHEMA_NEWER, COORD_SCHEMA_OLD
 */
export function checkSchema(applied: readonly SqliteMigration[], file: string, mayMigrate: boolean): void {
  const mine = sqliteMigrations.length
  const locking = applied.find(({ version, oldestWriter }) => version > mine && oldestWriter > mine)
  if (locking !== undefined)
    throw new CoordinatorError('COORD_SCHEMA_NEWER', {
      detail: `${file} has schema ${applied.at(-1)?.version}, this program knows ${mine} and may not write to it any more.`,
    })
  const missing = pendingMigrations(sqliteMigrations, applied).length
  if (missing > 0 && !mayMigrate)
    throw new CoordinatorError('COORD_SCHEMA_OLD', {
      // Commands that change a database make none either: a mistyped path would name a new one.
      ...(applied.length === 0
        ? {
            detail: `${file} is not there, or is empty.`,
            hint: 'Check the path in DATABASE_URL. Only a coordinator with AUTO_MIGRATE=true, `coordinator migrate` and a restore make a new file.',
          }
        : {
            detail: `${file} lacks ${missing} of ${mine} migrations, which are not run here by themselves.`,
          }),
    })
}

/** Runs migrations on a connection that may write. SQLite's own write lock keeps two programs that start apart. */
export function sqliteExecutor(database: DatabaseSync, file: string): MigrationExecutor {
  const session: MigrationSession = {
    applied: () => readLedger(database),
    run: (migration) => runMigration(database, migration),
  }
  return {
    async transaction(keep, work) {
      try {
        database.exec('begin immediate')
        database.exec(ledgerTable)
        const result = await work(session)
        database.exec(keep === 'all' ? 'commit' : 'rollback')
        return result
      } catch (thrown) {
        if (database.isTransaction) database.exec('rollback')
        throw translateSqliteError(thrown, file)
      }
    },
  }
}

function runMigration(
  database: DatabaseSync,
  { version, name, checksum, sql, oldestWriter }: Migration,
): void {
  database
    .prepare(
      'insert into migrations (version, name, checksum, sql, oldest_writer, applied_at) values (?, ?, ?, ?, ?, ?)',
    )
    .run(version, name, checksum, sql, oldestWriter, Date.now())
  database.exec(sql)
  database.exec(`pragma application_id = ${APPLICATION_ID}`)
}

interface SchemaObject {
  readonly type: string
  readonly name: string
  readonly sql: string | null
}

/** Compares the schema with the one that the same migrations make in an empty database. */
export function findDrift(database: DatabaseSync): readonly Drift[] {
  const there = objectsOf(database)
  const wanted = expectedObjects(readLedger(database))
  const drifts: Drift[] = []
  for (const [object, expected] of wanted) {
    const found = there.get(object)
    const sql = `${expected.sql};`
    if (found === undefined) drifts.push({ object, problem: 'missing', repair: sql })
    else if (found.sql !== expected.sql)
      drifts.push({ object, problem: 'different', repair: replacing(expected) })
  }
  for (const [object, found] of there)
    if (!wanted.has(object)) drifts.push({ object, problem: 'unexpected', repair: removing(found) })
  return drifts
}

function expectedObjects(applied: readonly SqliteMigration[]): Map<string, SchemaObject> {
  const expected = new DatabaseSync(':memory:')
  try {
    expected.exec(ledgerTable)
    const ran = new Set(applied.map(({ version }) => version))
    for (const { version, sql } of sqliteMigrations) if (ran.has(version)) expected.exec(sql)
    return objectsOf(expected)
  } finally {
    expected.close()
  }
}

/** The objects that have SQL of their own: not the indexes of constraints, nor the tables of SQLite itself. */
function objectsOf(database: DatabaseSync): Map<string, SchemaObject> {
  const rows = database
    .prepare(
      `select type, name, sql from sqlite_schema where sql is not null and name not like 'sqlite\\_%' escape '\\' order by rowid`,
    )
    .all() as unknown as SchemaObject[]
  return new Map(rows.map((row) => [`${row.type} ${row.name}`, row]))
}

/** Only an object without data can be created again. */
function replacing(expected: SchemaObject): string {
  return expected.type === 'table' ? '' : `${removing(expected)} ${expected.sql};`
}

function removing({ type, name }: SchemaObject): string {
  return type === 'table' ? '' : `drop ${type} "${name.replaceAll('"', '""')}";`
}
