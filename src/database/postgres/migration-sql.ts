import pg from 'pg'
import type { Migration } from '../migrations/migration.ts'

/** The text of a migration for one schema: `@schema@` is its identifier, `@name@` its bare name. */
export function sqlFor(schema: string, sql: string): string {
  return sql.replaceAll('@schema@', `"${schema}"`).replaceAll('@name@', schema)
}

/** The ledger of migrations, made before the first of them. */
export function ledgerSql(schema: string): string {
  return sqlFor(
    schema,
    `create table if not exists @schema@.migrations (
  version integer primary key,
  name text not null,
  checksum text not null,
  source text not null,
  applied_at timestamptz not null default clock_timestamp()
);`,
  )
}

/** Writes a migration into the ledger. */
export function recordSql(schema: string, { version, name, checksum, sql }: Migration): string {
  const values = [String(version), ...[name, checksum, sql].map((text) => pg.escapeLiteral(text))]
  return sqlFor(schema, `insert into @schema@.migrations (version, name, checksum, source) values (`).concat(
    values.join(', '),
    ')',
  )
}

/** Tells the functions which schema they belong to, and who may still write. */
export function stampSql(schema: string, { version, oldestWriter }: Migration): string {
  return sqlFor(
    schema,
    `select set_config('@name@.writer', 'on', true);
update @schema@.head set schema_number = ${version}, oldest_writer = ${oldestWriter} where id = 1;
select set_config('@name@.writer', '', true);`,
  )
}
