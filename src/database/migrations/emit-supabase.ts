import { asWriterSql, sqlFor } from '../sql-functions/schema-sql.ts'
import { loadMigrations, type Migration } from './migration.ts'
import { ledgerSql, migrationSql } from './postgres-sql.ts'
import { splitStatements } from './split-statements.ts'

export interface SupabaseFileOptions {
  /** @default 'coordinator' */
  readonly schema?: string
  /** Lets the public key of the project read and write. Everybody has that key, so everybody can then change everything. @default false */
  readonly allowAnon?: boolean
  /** Reverts `allowAnon`. @default false */
  readonly forbidAnon?: boolean
  /** The time in the name of the file. @default now */
  readonly now?: Date
  /** @default those of this program */
  readonly migrations?: readonly Migration[]
}

export interface SupabaseFile {
  /** Name of the file in the folder `supabase/migrations`. */
  readonly name: string
  readonly sql: string
}

/**
 * All migrations as one file for `supabase/migrations`, to be applied by `supabase db push` or pasted into the SQL editor. It may be
 * applied again: each version runs only if the ledger of the coordinator has no row for it. The functions in `public` are created each time,
 * because a backup of the schema alone lacks them. Supabase's own ledger is not changed.
 */
export function emitSupabase({
  schema = 'coordinator',
  allowAnon = false,
  forbidAnon = false,
  now = new Date(),
  migrations = loadMigrations('postgres'),
}: SupabaseFileOptions = {}): SupabaseFile {
  const choice = allowAnon ? ' --allow-anon' : forbidAnon ? ' --forbid-anon' : ''
  const head = `-- Schema ${schema} of the coordinator, number ${migrations.length}. Made by: coordinator migrate --emit supabase${choice}\n`
  const rights = [
    ...(allowAnon ? [allowAnonSql(schema)] : []),
    ...(forbidAnon ? [forbidAnonSql(schema)] : []),
  ]
  const start = sqlFor(schema, 'create schema if not exists @schema@;\n\n') + ledgerSql(schema)
  const parts = migrations.map((migration) => migrateOnceSql(schema, migration))
  return {
    name: `${timestamp(now)}_coordinator_${migrations.length}.sql`,
    sql: [head, start, ...parts, dataApiSql(schema, migrations), ...rights].join('\n'),
  }
}

/** One version as one statement, which is a transaction wherever it runs: in psql, the SQL editor, or the Supabase CLI. */
function migrateOnceSql(schema: string, migration: Migration): string {
  const { version, name } = migration
  // No migration may contain these tags.
  return `-- ${String(version).padStart(4, '0')}-${name}
do $once$
begin
  if exists (select from ${sqlFor(schema, '@schema@')}.migrations where version = ${version}) then return; end if;
  execute $migration$
${migrationSql(schema, migration, 'without the text')}$migration$;
end
$once$;
`
}

/** The functions in `public`: the last statement of the migrations that makes them makes them all. */
function dataApiSql(schema: string, migrations: readonly Migration[]): string {
  const sql = migrations.flatMap((migration) => splitStatements(migration.sql)).findLast(makesDataApi)
  if (sql === undefined) return ''
  return `-- Again, if they are missing after a restore.\n${sqlFor(schema, sql)}\n\nnotify pgrst, 'reload schema';\n`
}

function makesDataApi(statement: string): boolean {
  return statement.startsWith('do $do$')
}

/** The error state of `refuseWhereRequired`: our own, in the class of 55K01. */
export const CREDENTIALS_DEMANDED = '55K02'

/** With the lock of the head, which `access_require` takes, too: only one of the two can come first. */
const refuseWhereRequired = `if exists (select from @schema@.head where id = 1 and required_since is not null) then
    raise exception 'credentials are demanded here (AUTH=required): the public key cannot be allowed' using errcode = '${CREDENTIALS_DEMANDED}';
  end if;`

/** Lets the public key read everything and commit, never compact or fork. */
export function allowAnonSql(schema: string): string {
  const grants = anonFunctions.map((name) => `grant execute on function ${wrapperOf(name)} to anon;`)
  return `-- Everybody who has the public key of the project can now read and write every record.
${changeAnon(schema, { allowed: true, rights: [refuseWhereRequired, ...grants] })}`
}

/** Reverts `allowAnonSql`. */
export function forbidAnonSql(schema: string): string {
  const revocations = anonFunctions.map((name) => `revoke execute on function ${wrapperOf(name)} from anon;`)
  return changeAnon(schema, { allowed: false, rights: revocations })
}

function changeAnon(schema: string, { allowed, rights }: { allowed: boolean; rights: string[] }): string {
  const statements = [`update @schema@.head set anon_allowed = ${allowed} where id = 1;`, ...rights]
  return `${asWriterSql(schema, statements.join('\n  '))}notify pgrst, 'reload schema';\n`
}

function wrapperOf(name: string): string {
  return `public.@name@_${name}(jsonb)`
}

/** The functions that the public key may call if it is allowed. */
export const anonFunctions = ['head', 'load', 'changes', 'commit'] as const

function timestamp(now: Date): string {
  return now.toISOString().replace(/\D/g, '').slice(0, 14)
}
