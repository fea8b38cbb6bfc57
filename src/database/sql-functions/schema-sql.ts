/** The text of a PostgreSQL migration for one schema. `@schema@` is its identifier, `@name@` its plain name. */
export function sqlFor(schema: string, sql: string): string {
  return sql.replaceAll('@schema@', `"${schema}"`).replaceAll('@name@', schema)
}

/**
 * Changes tables that are protected from changes by hand. All in one statement: the permission ends with its transaction, and psql
 * gives each statement of a file a transaction of its own.
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
