import { asWriterSql, sqlFor } from '../sql-functions/schema-sql.ts'
import type { Migration } from './migration.ts'

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
);
`,
  )
}

/** Writes a migration into the ledger. */
export function recordSql(
  schema: string,
  { version, name, checksum, sql }: Migration,
  source: 'with its text' | 'without its text' = 'with its text',
): string {
  // No migration may hold this tag; a quoted text would have to double every quotation mark in it.
  const text = source === 'with its text' ? `$source$${sql}$source$` : `''`
  return sqlFor(schema, 'insert into @schema@.migrations (version, name, checksum, source)\n').concat(
    `values (${version}, '${name}', '${checksum}', ${text})`,
  )
}

/** Tells the functions the number of their schema, and from which number on programs may still write. */
export function stampSql(schema: string, { version, oldestWriter }: Migration): string {
  return asWriterSql(
    schema,
    `update @schema@.head set schema_number = greatest(schema_number, ${version}),
    oldest_writer = greatest(oldest_writer, ${oldestWriter}) where id = 1;`,
  )
}
