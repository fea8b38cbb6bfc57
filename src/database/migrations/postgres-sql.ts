import { asWriterSql, sqlFor } from '../sql-functions/schema-sql.ts'
import type { Migration } from './migration.ts'

/** The ledger of migrations, created before the first of them. */
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

/**
 * Runs one migration. Its ledger row is written first: if two programs migrate at the same time, the second one stops on the key of that
 * row. At the end the functions get the number of their schema, and the lowest schema number of programs that may still write.
 */
export function migrationSql(
  schema: string,
  { version, name, checksum, sql, oldestWriter }: Migration,
  ledger: 'with the text' | 'without the text',
): string {
  // No migration may contain this tag. In a quoted text every quotation mark would have to be doubled.
  const source = ledger === 'with the text' ? `$source$${sql}$source$` : `''`
  const row = `insert into @schema@.migrations (version, name, checksum, source)
values (${version}, '${name}', '${checksum}', `
  const stamp = `update @schema@.head set schema_number = greatest(schema_number, ${version}),
    oldest_writer = greatest(oldest_writer, ${oldestWriter}) where id = 1;`
  return `${sqlFor(schema, row)}${source});\n\n${sqlFor(schema, sql).trimEnd()}\n\n${asWriterSql(schema, stamp)}`
}
