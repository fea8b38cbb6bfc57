import { CoordinatorError } from '../../errors.ts'
import { objectOf, readReply, textOf } from '../sql-functions/read-reply.ts'
import { sqlFor } from '../sql-functions/schema-sql.ts'
import type { SqlFunctions } from '../sql-functions/sql-functions.ts'
import type { Drift } from '../store.ts'
import { anonFunctions } from './emit-supabase.ts'
import { expectedCatalog } from './expected-catalog.ts'
import type { Migration } from './migration.ts'
import { type ObjectSource, objectSources } from './postgres-objects.ts'
import { isWrapper, type Repairing, repairOf } from './repair-postgres-object.ts'

export interface DriftOptions {
  readonly schema: string
  readonly migrations: readonly Migration[]
}

/** The reply of the function `catalog`. */
interface Catalog {
  readonly objects: ReadonlyMap<string, string>
  /** The owner of the table `head`, which should own everything else. */
  readonly owner: string
  /** Whether the roles of Supabase exist. */
  readonly dataApi: boolean
  readonly anonAllowed: boolean
}

/** The objects that were found, those that should exist, and the data for a repair. */
interface Comparison {
  readonly found: ReadonlyMap<string, string>
  readonly expected: ReadonlyMap<string, string>
  readonly repairing: Repairing
}

/** Roles that mean everybody: they must have no rights. Rights of other roles are a decision of the owner. */
const everybody = ['public', 'anon', 'authenticated']

/**
 * Compares a schema with the one that the migrations make: tables, columns, constraints, indexes, triggers, rules, policies, row security,
 * views, functions, owners, and the rights of the roles that include everybody.
 */
export async function findPostgresDrift(
  functions: SqlFunctions,
  { schema, migrations }: DriftOptions,
): Promise<readonly Drift[]> {
  const sources = objectSources(migrations, schema)
  const catalog = await readCatalog(functions)
  if (catalog === undefined)
    return [
      {
        object: 'function catalog',
        problem: 'missing',
        repair: repairOf(
          { object: 'function catalog', definition: '', actual: undefined },
          { schema, sources, owner: '' },
        ),
      },
    ]
  const repairing = { schema, sources, owner: catalog.owner }
  // Roles belong to all databases of a server. Others may have created them after this schema was migrated.
  const cameLater = catalog.dataApi && ![...catalog.objects.keys()].some(isWrapper)
  const expected = expectedObjects(sources, catalog.dataApi && !cameLater)
  const comparison = { found: catalog.objects, expected, repairing }
  return [
    ...missingAndDifferent(comparison),
    ...(cameLater ? [withoutDataApi(repairing)] : []),
    ...unexpected(comparison),
    ...unsafeOfOthers(comparison),
    ...rightsDrift(comparison, catalog),
  ].map((drift) => ({ ...drift, object: drift.object.replace('@@', schema) }))
}

function withoutDataApi(repairing: Repairing): Drift {
  const repairs = Object.entries(expectedCatalog).flatMap(([object, definition]) =>
    isWrapper(object) ? repairOf({ object, definition, actual: undefined }, repairing) : [],
  )
  return {
    object: 'access by the Data API',
    problem: 'optional',
    repair: [...repairs, "notify pgrst, 'reload schema';"].join('\n'),
  }
}

async function readCatalog(functions: SqlFunctions): Promise<Catalog | undefined> {
  try {
    return readReply(await functions.call('catalog', '{}'), (reply) => ({
      objects: new Map(Object.entries(objectOf(reply['objects'], 'objects') as Record<string, string>)),
      owner: textOf(reply, 'owner'),
      dataApi: reply['dataApi'] === true,
      anonAllowed: reply['anonAllowed'] === true,
    }))
  } catch (thrown) {
    if (thrown instanceof CoordinatorError && thrown.code === 'COORD_SCHEMA_OLD') return undefined
    throw thrown
  }
}

/** The expected definitions. The wrappers are only for Supabase. The hash of a body depends on the name of the schema. */
function expectedObjects(
  sources: ReadonlyMap<string, ObjectSource>,
  dataApi: boolean,
): ReadonlyMap<string, string> {
  const entries = Object.entries(expectedCatalog).filter(([name]) => dataApi || !isWrapper(name))
  // A function can only be created after the table whose rows it takes, and an aggregate after its function.
  const placeOf = (name: string) => (name.startsWith('table ') ? 0 : name.startsWith('aggregate ') ? 2 : 1)
  return new Map(
    entries
      .toSorted(([left], [right]) => placeOf(left) - placeOf(right))
      .map(([name, definition]) => {
        const hash = sources.get(name)?.bodyHash
        return [name, hash === undefined ? definition : definition.replace(/ body \S+$/, ` body ${hash}`)]
      }),
  )
}

function missingAndDifferent({ found, expected, repairing }: Comparison): Drift[] {
  const drifts: Drift[] = []
  for (const [object, definition] of expected) {
    const actual = found.get(object)
    if (actual === definition || isPartOfMissing(object, found)) continue
    const problem = actual === undefined ? 'missing' : isUnsafe(object, actual) ? 'unsafe' : 'different'
    drifts.push({ object, problem, repair: repairOf({ object, definition, actual }, repairing) })
  }
  return drifts
}

/**
 * Whether a function resolves names at each call, with a search path to which the caller can add types and tables. PostgreSQL searches
 * `pg_temp` first, unless the path names it later.
 */
function isUnsafe(object: string, definition: string): boolean {
  if (!object.startsWith('function ')) return false
  const [head = ''] = definition.split(/, (?:body|as) /)
  return !head.includes(', search_path=pg_catalog, pg_temp') && !/, (?:RETURN|BEGIN ATOMIC) /.test(head)
}

/** Functions of other authors in the schema that run with the rights of their owner for every caller. */
function unsafeOfOthers({ found, expected, repairing: { schema } }: Comparison): Drift[] {
  return [...found].flatMap(([object, definition]): Drift[] => {
    if (expected.has(object) || isWrapper(object)) return []
    if (!definition.includes(', security definer') || !isUnsafe(object, definition)) return []
    const target = `@schema@."${object.slice('function '.length)}"${/^\(.*?\)/.exec(definition)?.[0] ?? '()'}`
    const repair = sqlFor(schema, `alter function ${target} set search_path = pg_catalog, pg_temp;`)
    return [{ object, problem: 'unsafe', repair: repair.replaceAll('@@.', sqlFor(schema, '@schema@.')) }]
  })
}

/** Reports only objects that can change how our own tables work. Other objects in the schema do no harm. */
function unexpected({ found, expected, repairing: { schema } }: Comparison): Drift[] {
  const ours = (table: string) => expected.has(`table ${table}`)
  return [...found].flatMap(([object, definition]): Drift[] => {
    if (expected.has(object)) return []
    const uniqueOn = /^CREATE UNIQUE on (\w+) /.exec(definition)?.[1]
    if (uniqueOn !== undefined) {
      const name = object.slice('index '.length)
      // The index of a constraint goes with the constraint.
      if (!ours(uniqueOn) || found.has(`constraint ${uniqueOn}.${name}`)) return []
      return [
        { object, problem: 'unexpected', repair: `drop index ${sqlFor(schema, `@schema@."${name}"`)};` },
      ]
    }
    const [, type, table, name] = /^(column|constraint|trigger|rule|policy) (\w+)\.(.+)$/.exec(object) ?? []
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

function rightsDrift(
  { found, expected, repairing: { schema } }: Comparison,
  { dataApi, anonAllowed }: Catalog,
): Drift[] {
  const drifts: Drift[] = []
  // The names of rights in the catalog say `table` for a view, too, and `function` for an aggregate.
  const ours = (what: string) =>
    what === 'schema' ||
    expected.has(what) ||
    expected.has(what.replace(/^function /, 'aggregate ')) ||
    expected.has(what.replace(/^(?:table|column) (\w+).*$/, 'view $1'))
  for (const object of found.keys()) {
    const [, role, what] = /^right of (\S+) on (.+)$/.exec(object) ?? []
    if (role === undefined || what === undefined || !everybody.includes(role) || !ours(what)) continue
    const allowed = anonAllowed && role === 'anon' && anonFunctions.some((name) => what === wrapper(name))
    if (!allowed)
      drifts.push({
        object,
        problem: 'unexpected',
        repair: `revoke all ${targetOf(what, schema)} from ${role};`,
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
    if (found.has(what) && !found.has(`right of ${role} on ${what}`))
      drifts.push({
        object: `right of ${role} on ${what}`,
        problem: 'missing',
        repair: `grant execute ${targetOf(what, schema)} to ${role};`,
      })
  return drifts
}

/** Whether an object belongs to a table that is missing, and comes back with that table. */
function isPartOfMissing(object: string, found: ReadonlyMap<string, string>): boolean {
  const table =
    /^(?:column|constraint|trigger) (\w+)\./.exec(object)?.[1] ??
    /^index (head|records|tombstones|journal|unchanged|writers|access_tokens)_/.exec(object)?.[1]
  return table !== undefined && !found.has(`table ${table}`)
}

function wrapper(name: string): string {
  return `function public.@@_${name}`
}

/** The object of a right, as `grant` and `revoke` name it. */
function targetOf(what: string, schema: string): string {
  const identifier = sqlFor(schema, '@schema@')
  if (what === 'schema') return `on schema ${identifier}`
  const [, type, owner, name] = /^(\w+) (?:(\w+)\.)?(.+)$/.exec(what) ?? []
  if (type === 'table') return `on table ${identifier}."${name}"`
  if (type === 'column') return `("${name}") on table ${identifier}."${owner}"`
  return owner === 'public'
    ? `on function public.${name?.replace('@@', schema)}(jsonb)`
    : `on all functions in schema ${identifier}`
}
