import { CoordinatorError } from '../../errors.ts'
import type { Door } from '../door.ts'
import { objectOf, readReply } from '../door-replies.ts'
import type { Drift } from '../store.ts'
import { anonFunctions } from './emit-supabase.ts'
import { expectedCatalog } from './expected-catalog.ts'
import type { Migration } from './migration.ts'
import { type ObjectSource, objectSources } from './postgres-objects.ts'
import { sqlFor } from './postgres-sql.ts'

export interface DriftOptions {
  readonly schema: string
  readonly migrations: readonly Migration[]
}

/** What the function `catalog` tells. */
interface Catalog {
  readonly objects: ReadonlyMap<string, string>
  /** Whether the roles of Supabase are there. */
  readonly dataApi: boolean
  readonly anonAllowed: boolean
}

/** Roles that stand for everybody: a right of theirs is a hole. Rights of other roles are their owner's decision. */
const everybody = ['public', 'anon', 'authenticated']

/**
 * Compares a schema with the one that the migrations make: tables, columns, constraints, indexes, triggers, policies, row
 * security, views, function bodies, and the rights of the roles that stand for everybody.
 */
export async function findPostgresDrift(
  door: Door,
  { schema, migrations }: DriftOptions,
): Promise<readonly Drift[]> {
  const sources = objectSources(migrations, schema)
  const catalog = await readCatalog(door)
  if (catalog === undefined)
    return [
      {
        object: 'function catalog',
        problem: 'missing',
        repair: repairOf(
          { object: 'function catalog', definition: '', actual: undefined },
          { schema, sources },
        ),
      },
    ]
  const expected = expectedObjects(sources, catalog.dataApi)
  return [
    ...missingAndDifferent(catalog.objects, expected, { schema, sources }),
    ...unexpected(catalog.objects, expected, schema),
    ...rightsDrift(catalog, schema),
  ]
}

async function readCatalog(door: Door): Promise<Catalog | undefined> {
  try {
    return readReply(await door.call('catalog', '{}'), (reply) => ({
      objects: new Map(Object.entries(objectOf(reply['objects'], 'objects') as Record<string, string>)),
      dataApi: reply['dataApi'] === true,
      anonAllowed: reply['anonAllowed'] === true,
    }))
  } catch (thrown) {
    if (thrown instanceof CoordinatorError && thrown.code === 'COORD_SCHEMA_OLD') return undefined
    throw thrown
  }
}

/** The definitions that should be there. The wrappers belong to Supabase alone; a body's hash depends on the schema's name. */
function expectedObjects(
  sources: ReadonlyMap<string, ObjectSource>,
  dataApi: boolean,
): ReadonlyMap<string, string> {
  const entries = Object.entries(expectedCatalog).filter(([name]) => dataApi || !isWrapper(name))
  return new Map(
    entries.map(([name, definition]) => {
      const hash = sources.get(name)?.bodyHash
      return [name, hash === undefined ? definition : definition.replace(/ body \S+$/, ` body ${hash}`)]
    }),
  )
}

interface Repairing {
  readonly schema: string
  readonly sources: ReadonlyMap<string, ObjectSource>
}

function missingAndDifferent(
  found: ReadonlyMap<string, string>,
  expected: ReadonlyMap<string, string>,
  repairing: Repairing,
): Drift[] {
  const drifts: Drift[] = []
  for (const [object, definition] of expected) {
    const actual = found.get(object)
    if (actual === definition || isPartOfMissing(object, found)) continue
    const problem = actual === undefined ? 'missing' : 'different'
    drifts.push({ object, problem, repair: repairOf({ object, definition, actual }, repairing) })
  }
  return drifts
}

/** Only what could change how our own tables work is reported; other objects in the schema disturb nobody. */
function unexpected(
  found: ReadonlyMap<string, string>,
  expected: ReadonlyMap<string, string>,
  schema: string,
): Drift[] {
  const ours = (table: string) => expected.has(`table ${table}`)
  return [...found.keys()].flatMap((object): Drift[] => {
    if (expected.has(object)) return []
    const [, type, table, name] = /^(column|constraint|trigger|policy) (\w+)\.(.+)$/.exec(object) ?? []
    if (type === undefined || table === undefined || !ours(table)) return []
    const target = sqlFor(schema, `@schema@."${table}"`)
    const repair =
      type === 'constraint'
        ? `alter table ${target} drop constraint "${name}";`
        : type === 'column'
          ? // It may hold somebody's data.
            ''
          : `drop ${type} "${name}" on ${target};`
    return [{ object, problem: 'unexpected', repair }]
  })
}

function rightsDrift({ objects, dataApi, anonAllowed }: Catalog, schema: string): Drift[] {
  const drifts: Drift[] = []
  for (const object of objects.keys()) {
    const [, role, what] = /^right of (\S+) on (.+)$/.exec(object) ?? []
    if (role === undefined || what === undefined || !everybody.includes(role)) continue
    const allowed = anonAllowed && role === 'anon' && anonFunctions.some((name) => what === wrapper(name))
    if (!allowed)
      drifts.push({
        object,
        problem: 'unexpected',
        repair: `revoke all on ${targetOf(what, schema)} from ${role};`,
      })
  }
  if (!dataApi) return drifts
  const callers = [
    ...Object.keys(expectedCatalog)
      .filter(isWrapper)
      .map((what) => ({ role: 'service_role', what })),
    ...(anonAllowed ? anonFunctions.map((name) => ({ role: 'anon', what: wrapper(name) })) : []),
  ]
  for (const { role, what } of callers)
    if (objects.has(what) && !objects.has(`right of ${role} on ${what}`))
      drifts.push({
        object: `right of ${role} on ${what}`,
        problem: 'missing',
        repair: `grant execute on ${targetOf(what, schema)} to ${role};`,
      })
  return drifts
}

/** A table that is missing says it all: its columns, indexes and triggers come back with it. */
function isPartOfMissing(object: string, found: ReadonlyMap<string, string>): boolean {
  const table =
    /^(?:column|constraint|trigger) (\w+)\./.exec(object)?.[1] ??
    /^index (head|records|tombstones|journal)_/.exec(object)?.[1]
  return table !== undefined && !found.has(`table ${table}`)
}

interface Difference {
  readonly object: string
  /** How it should be. */
  readonly definition: string
  readonly actual: string | undefined
}

/** SQL that makes an object as it should be; empty where only a person can decide. */
function repairOf({ object, definition, actual }: Difference, { schema, sources }: Repairing): string {
  const [, type, owner, name] = /^(\w+) (?:(\w+)\.)?(.+)$/.exec(object) ?? []
  const table = sqlFor(schema, `@schema@."${owner}"`)
  const statement = statementOf(sources, object)
  switch (type) {
    case 'table':
      return actual === undefined
        ? tableSql(name ?? '', { schema, sources })
        : tableRepair(sqlFor(schema, `@schema@."${name}"`), definition, actual)
    case 'column':
      return actual === undefined ? `alter table ${table} add column "${name}" ${definition};` : ''
    case 'constraint': {
      const drop = actual === undefined ? '' : `alter table ${table} drop constraint "${name}";\n`
      return `${drop}alter table ${table} add constraint "${name}" ${definition};`
    }
    case 'index':
      // Those of primary keys come and go with their constraints.
      if (statement === '') return ''
      return actual === undefined
        ? statement
        : `drop index ${sqlFor(schema, `@schema@."${name}"`)};\n${statement}`
    case 'trigger':
      return `drop trigger if exists "${name}" on ${table};\n${statement}`
    case 'view':
      return actual === undefined
        ? statement
        : `drop view ${sqlFor(schema, `@schema@."${name}"`)};\n${statement}`
    default:
      if (isWrapper(object)) return wrapperSql(object, { schema, definition })
      return `${statement}\n${sqlFor(schema, 'revoke all on all functions in schema @schema@ from public;')}`
  }
}

/** A whole table with its indexes, triggers and row security. */
function tableSql(name: string, { schema, sources }: Repairing): string {
  const parts = [...sources.keys()].filter(
    (object) => object.startsWith(`index ${name}_`) || object.startsWith(`trigger ${name}.`),
  )
  return [
    ...[`table ${name}`, ...parts].map((object) => statementOf(sources, object)),
    sqlFor(schema, `alter table @schema@."${name}" enable row level security;`),
  ].join('\n')
}

function tableRepair(table: string, definition: string, actual: string): string {
  const parts = (text: string) => new Set(text.split(', '))
  const missing = [...parts(definition).difference(parts(actual))]
  return missing
    .map((part) =>
      part === 'row security'
        ? `alter table ${table} enable row level security;`
        : part.includes('=')
          ? `alter table ${table} set (${part});`
          : '',
    )
    .join('\n')
}

function statementOf(sources: ReadonlyMap<string, ObjectSource>, object: string): string {
  return sources.get(object)?.statement ?? ''
}

function wrapper(name: string): string {
  return `function public.@@_${name}`
}

function isWrapper(object: string): boolean {
  return object.startsWith('function public.')
}

/** The wrapper of a function for the Data API, from how the catalog describes it. */
function wrapperSql(object: string, { schema, definition }: { schema: string; definition: string }): string {
  const name = object.slice('function '.length).replace('@@', schema)
  const volatility = /\b(stable|volatile)\b/.exec(definition)?.[1] ?? 'volatile'
  const body = definition.slice(definition.indexOf(' as ') + 4).replace('@@.', sqlFor(schema, '@schema@.'))
  return [
    `create or replace function ${name}(p jsonb) returns jsonb language sql ${volatility} security definer set search_path = ''`,
    `as '${body}';`,
    `revoke all on function ${name}(jsonb) from public, anon, authenticated;`,
    `grant execute on function ${name}(jsonb) to service_role;`,
  ].join('\n')
}

/** What a right is on, as `grant` and `revoke` name it. */
function targetOf(what: string, schema: string): string {
  const identifier = sqlFor(schema, '@schema@')
  if (what === 'schema') return `schema ${identifier}`
  const [type, name = ''] = what.split(' ')
  if (type === 'table') return `table ${identifier}."${name}"`
  return name.startsWith('public.')
    ? `function ${name.replace('@@', schema)}(jsonb)`
    : `all functions in schema ${identifier}`
}
