import { sqlFor } from '../sql-functions/schema-sql.ts'
import type { ObjectSource } from './postgres-objects.ts'

export interface Repairing {
  readonly schema: string
  readonly sources: ReadonlyMap<string, ObjectSource>
  /** The role that should own every object. */
  readonly owner: string
}

export interface Difference {
  readonly object: string
  /** How it should be. */
  readonly definition: string
  readonly actual: string | undefined
}

/** SQL that restores the right definition of an object; empty if only a person can decide. */
export function repairOf(difference: Difference, repairing: Repairing): string {
  const { object, definition, actual } = difference
  const { schema, sources } = repairing
  const [, type, owner, name = ''] = /^(\w+) (?:(\w+)\.)?(.+)$/.exec(object) ?? []
  const table = sqlFor(schema, `@schema@."${owner}"`)
  const target = sqlFor(schema, `@schema@."${name}"`)
  const statement = statementOf(sources, object)
  switch (type) {
    case 'table':
      return actual === undefined ? tableSql(name, repairing) : tableRepair(target, difference, repairing)
    case 'column':
      return actual === undefined
        ? `alter table ${table} add column "${name}" ${definition};`
        : columnRepair(`alter table ${table} alter column "${name}"`, definition, actual)
    case 'constraint': {
      const drop = actual === undefined ? '' : `alter table ${table} drop constraint "${name}";\n`
      return `${drop}alter table ${table} add constraint "${name}" ${definition};`
    }
    case 'index':
      // The index of a primary key comes and goes with its constraint.
      if (statement === '') return ''
      return actual === undefined ? statement : `drop index ${target};\n${statement}`
    case 'trigger':
      return `drop trigger if exists "${name}" on ${table};\n${statement}`
    case 'view':
      // `create or replace` keeps the views that depend on this one. It cannot change columns: for that, the view is dropped first.
      return actual === undefined || columnsOf(actual) === columnsOf(definition)
        ? [...ownerSql(`view ${target}`, actual, repairing), statement].join('\n')
        : `drop view ${target};\n${statement}`
    default:
      return functionRepair(difference, repairing)
  }
}

/** A whole table with its later columns, indexes, triggers and row security. */
function tableSql(name: string, { schema, sources }: Repairing): string {
  const parts = [...sources.keys()].filter(
    (object) =>
      object.startsWith(`column ${name}.`) ||
      object.startsWith(`index ${name}_`) ||
      object.startsWith(`trigger ${name}.`),
  )
  return [
    ...[`table ${name}`, ...parts].map((object) => statementOf(sources, object)),
    sqlFor(schema, `alter table @schema@."${name}" enable row level security;`),
  ].join('\n')
}

function tableRepair(table: string, { definition, actual = '' }: Difference, repairing: Repairing): string {
  const parts = (text: string) => new Set(text.split(', '))
  const missing = [...parts(definition).difference(parts(actual))]
  const extra = [...parts(actual).difference(parts(definition))]
  return [
    ...ownerSql(`table ${table}`, actual, repairing),
    ...(missing.includes('row security') ? [`alter table ${table} enable row level security;`] : []),
    ...(extra.includes('row security forced') ? [`alter table ${table} no force row level security;`] : []),
    ...(extra.includes('unlogged') ? [`alter table ${table} set logged;`] : []),
    ...extra.flatMap((part) =>
      part.includes('=') ? [`alter table ${table} reset (${part.split('=')[0]});`] : [],
    ),
    ...missing.flatMap((part) => (part.includes('=') ? [`alter table ${table} set (${part});`] : [])),
  ].join('\n')
}

/** Repairs the default and `not null`, but not the type: present values may not fit the other type, so people must decide. */
function columnRepair(alter: string, definition: string, actual: string): string {
  const [wanted, found] = [columnOf(definition), columnOf(actual)]
  if (wanted.type !== found.type) return ''
  return [
    ...(wanted.value === found.value
      ? []
      : [wanted.value === undefined ? `${alter} drop default;` : `${alter} set default ${wanted.value};`]),
    ...(wanted.required === found.required ? [] : [`${alter} ${wanted.required ? 'set' : 'drop'} not null;`]),
  ].join('\n')
}

interface ColumnParts {
  readonly type: string | undefined
  readonly required: boolean
  /** The default value of the column. */
  readonly value: string | undefined
}

function columnOf(definition: string): ColumnParts {
  const [, type, required, value] = /^(.+?)( not null)?(?: default (.+))?$/.exec(definition) ?? []
  return { type, required: required !== undefined, value }
}

function columnsOf(view: string): string {
  return view.replace(/^(?:\w+=\S+, )*(?:owner \S+, )?/, '').replace(/, as SELECT .*$/, '')
}

function functionRepair({ object, definition, actual }: Difference, repairing: Repairing): string {
  const { schema, sources } = repairing
  const named = /^\w+ (?:public\.@@_)?(\w+)$/.exec(object)?.[1]
  const name = isWrapper(object) ? wrapperName(object, schema) : sqlFor(schema, `@schema@."${named}"`)
  const type = object.startsWith('aggregate ') ? 'aggregate' : 'function'
  const args =
    actual === undefined ? '' : (argumentsOf(actual)?.replaceAll('@@.', sqlFor(schema, '@schema@.')) ?? '')
  // `create or replace` cannot change the arguments, the result, or the parts of an aggregate.
  const anew = actual !== undefined && signatureOf(actual) !== signatureOf(definition)
  return [
    ...(anew ? [`drop ${type} ${name}${args};`] : ownerSql(`${type} ${name}${args}`, actual, repairing)),
    ...(isWrapper(object)
      ? wrapperSql(name, { schema, definition })
      : [
          statementOf(sources, object),
          sqlFor(schema, 'revoke all on all functions in schema @schema@ from public;'),
        ]),
  ].join('\n')
}

/** Arguments and result, as the catalog begins with them. */
function signatureOf(definition: string): string | undefined {
  return /^(.*?), (?:sql|plpgsql|internal|c), /.exec(definition)?.[1]
}

function argumentsOf(definition: string): string | undefined {
  return /^(\(.*?\)), /.exec(definition)?.[1]
}

function ownerSql(target: string, actual: string | undefined, { owner }: Repairing): string[] {
  return actual !== undefined && /(?:^|, )owner /.test(actual)
    ? [`alter ${target} owner to "${owner.replaceAll('"', '""')}";`]
    : []
}

function statementOf(sources: ReadonlyMap<string, ObjectSource>, object: string): string {
  return sources.get(object)?.statement ?? ''
}

export function isWrapper(object: string): boolean {
  return object.startsWith('function public.')
}

function wrapperName(object: string, schema: string): string {
  return object.slice('function '.length).replace('@@', schema)
}

/** The wrapper of a function for the Data API, from how the catalog describes it. */
function wrapperSql(name: string, { schema, definition }: { schema: string; definition: string }): string[] {
  const volatility = /\b(stable|volatile)\b/.exec(definition)?.[1] ?? 'volatile'
  const body = definition.slice(definition.indexOf(' as ') + 4).replace('@@.', sqlFor(schema, '@schema@.'))
  return [
    `create or replace function ${name}(p jsonb) returns jsonb language sql ${volatility} security definer set search_path = pg_catalog, pg_temp`,
    `as '${body}';`,
    `revoke all on function ${name}(jsonb) from public, anon, authenticated;`,
    `grant execute on function ${name}(jsonb) to service_role;`,
  ]
}
