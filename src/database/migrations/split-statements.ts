/** Texts in which a semicolon does not end a statement: comments, quoted texts and names, dollar-quoted bodies. */
const opaque = /--[^\n]*|'(?:[^']|'')*'|"(?:[^"]|"")*"|\$([a-z_]*)\$[\s\S]*?\$\1\$/gy

/** The statements of a PostgreSQL file, without the comments and the space before them, and with their semicolons. */
export function splitStatements(sql: string): readonly string[] {
  const statements: string[] = []
  let start = 0
  for (let at = 0; at < sql.length; ) {
    opaque.lastIndex = at
    const skipped = opaque.exec(sql)
    if (skipped !== null) {
      at += skipped[0].length
      continue
    }
    at += 1
    if (sql[at - 1] !== ';') continue
    statements.push(sql.slice(start, at).replace(/^(?:\s|--[^\n]*\n)+/, ''))
    start = at
  }
  return statements
}
