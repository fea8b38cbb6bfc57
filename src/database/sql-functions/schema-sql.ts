/** The text of a PostgreSQL migration for one schema. `@schema@` is its identifier, `@name@` its plain name. */
export function sqlFor(schema: string, sql: string): string {
  return sql.replaceAll('@schema@', `"${schema}"`).replaceAll('@name@', schema)
}

/**
 * Changes tables that nobody may change by hand. This is one statement, because its permission ends with its transaction, and psql runs
 * each statement of a file in its own transaction.
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
