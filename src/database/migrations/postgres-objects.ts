import { hash } from 'node:crypto'
import { sqlFor } from '../sql-functions/schema-sql.ts'
import type { Migration } from './migration.ts'
import { splitStatements } from './split-statements.ts'

/** The statement that makes an object, and for a function the MD5 of its body as PostgreSQL keeps it. */
export interface ObjectSource {
  readonly statement: string
  readonly bodyHash?: string
}

/** Finds, from the beginning of a statement, the name that the function `catalog` has for its object. */
const makers: readonly (readonly [RegExp, (match: RegExpExecArray) => string])[] = [
  [/^create table if not exists @schema@\.(\w+)/, ([, name]) => `table ${name}`],
  [
    /^alter table @schema@\.(\w+) add column if not exists (\w+)/,
    ([, table, name]) => `column ${table}.${name}`,
  ],
  [/^create (?:unique )?index if not exists (\w+)/, ([, name]) => `index ${name}`],
  [/^create or replace function @schema@\.(\w+)/, ([, name]) => `function ${name}`],
  [/^create or replace aggregate @schema@\.(\w+)/, ([, name]) => `aggregate ${name}`],
  [/^create or replace view @schema@\.(\w+)/, ([, name]) => `view ${name}`],
  [
    /^create or replace trigger (\w+)[\s\S]*? on @schema@\.(\w+)/,
    ([, name, table]) => `trigger ${table}.${name}`,
  ],
]

const droppedIndex = /^drop index if exists @schema@\.(\w+)/

/** For each object, the last statement of the migrations that makes it. What a later migration drops has none. */
export function objectSources(migrations: readonly Migration[], schema: string): Map<string, ObjectSource> {
  const sources = new Map<string, ObjectSource>()
  for (const text of migrations.flatMap(({ sql }) => splitStatements(sql))) {
    const dropped = droppedIndex.exec(text)?.[1]
    if (dropped !== undefined) sources.delete(`index ${dropped}`)
    const name = nameOf(text)
    if (name === undefined) continue
    const statement = sqlFor(schema, text)
    const body = /\$\$([\s\S]*)\$\$/.exec(statement)?.[1]
    sources.set(name, { statement, ...(body === undefined ? {} : { bodyHash: hash('md5', body, 'hex') }) })
  }
  return sources
}

function nameOf(statement: string): string | undefined {
  for (const [pattern, name] of makers) {
    const match = pattern.exec(statement)
    if (match !== null) return name(match)
  }
  return undefined
}
