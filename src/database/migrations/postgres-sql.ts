import type { Migration } from './migration.ts'

/** A text of a PostgreSQL migration for one schema: `@schema@` is its identifier, `@name@` its bare name. */
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

/** Tells the functions which schema they belong to, and who may still write. */
export function stampSql(schema: string, { version, oldestWriter }: Migration): string {
  return asWriterSql(
    schema,
    `update @schema@.head set schema_number = greatest(schema_number, ${version}),
    oldest_writer = greatest(oldest_writer, ${oldestWriter}) where id = 1;`,
  )
}

/**
 * Changes tables that hands may not change. All in one statement: what lets it is gone with its transaction, and psql gives
 * each statement of a file one of its own.
 */
export function asWriterSql(schema: string, statements: string): string {
  return sqlFor(
    schema,
    `do $writer$
begin
  perform set_config('@name@.writer', 'on', true);
  ${statements}
  perform set_config('@name@.writer', '', true);
end
$writer$;
`,
  )
}
