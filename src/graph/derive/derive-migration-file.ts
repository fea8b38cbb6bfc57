import { isJsonObject, type JsonObject, type JsonValue } from '../../records/canonical-json.ts'
import { nodeIdIn } from '../../records/graph/graph-id.ts'
import { itemsOf, textOf } from '../model/lenient-json.ts'
import { deriveDependencies } from './derive-dependencies.ts'
import type { DeriveSink } from './derive-sink.ts'
import { neededNamespace } from './needed-namespace.ts'

/** The service whose file it is, and what receives its relations. */
interface Owner {
  readonly serviceName: string
  readonly namespace: string
  readonly sink: DeriveSink
}

/**
 * Derives nodes and edges from a `migrationFile`. Every member is optional. Members that are not listed here are stored with the
 * service, but have no effect on the graph. `docs/migration-file.schema.json` says the same in JSON Schema.
 *
 * - `apis` (also `apiEndpoints`, `endpoints`): `"GET /items"`, or `{method, path, ...}`: exposed by this service
 * - `calls`: `{service, method, path}`: an API of another service
 * - `tables`: `"orders"`, or `{name, database?, access?: owns|reads|writes}`
 * - `events`: `"order.placed"` (published), or `{name, role?: publishes|subscribes}`, or `{publishes: [], subscribes: []}`
 * - `capabilities` (provided) and `requires` (needed): names, or `{name, ...}`
 * - `dependencies`: as in the registration
 *
 * Everything is in the namespace of the service. What it needs from another namespace is an object with the member `namespace`.
 */
export function deriveMigrationFile(file: JsonObject, owner: Owner): void {
  for (const member of ['apis', 'apiEndpoints', 'endpoints'])
    for (const api of itemsOf(file[member])) deriveApi(api, owner)
  for (const call of itemsOf(file['calls'])) deriveCall(call, owner)
  for (const table of itemsOf(file['tables'])) deriveTable(table, owner)
  deriveEvents(file['events'], owner)
  for (const item of itemsOf(file['capabilities'])) deriveNamed(item, 'provides', owner)
  for (const item of itemsOf(file['requires'])) deriveNamed(item, 'requires', owner)
  deriveDependencies(file['dependencies'], owner.namespace, owner.sink)
}

function deriveApi(api: JsonValue, { serviceName, namespace, sink }: Owner): void {
  const parsed = typeof api === 'string' ? parseRoute(api) : isJsonObject(api) ? routeOf(api) : undefined
  if (parsed === undefined) return
  const id = nodeIdIn(namespace, 'api', serviceName, parsed.method, parsed.path)
  sink('exposes', id, undefined, isJsonObject(api) ? { ...api, ...parsed } : parsed)
}

function deriveCall(call: JsonValue, { namespace: own, sink }: Owner): void {
  if (!isJsonObject(call)) return
  const route = routeOf(call)
  const service = textOf(call['service']) ?? textOf(call['serviceName'])
  const namespace = neededNamespace(call, own)
  if (route === undefined || service === undefined || namespace === undefined) return
  sink('calls', nodeIdIn(namespace, 'api', service, route.method, route.path), call)
}

function routeOf(api: JsonObject): { method: string; path: string } | undefined {
  const path = textOf(api['path'])
  const method = textOf(api['method']) ?? 'ANY'
  return path === undefined ? undefined : { method: method.toUpperCase(), path }
}

/** `GET /items`, or only a path, which means every method. */
function parseRoute(text: string): { method: string; path: string } | undefined {
  const [first = '', second] = text.trim().split(/\s+/, 2)
  if (first === '') return undefined
  return second === undefined ? { method: 'ANY', path: first } : { method: first.toUpperCase(), path: second }
}

function deriveTable(table: JsonValue, { namespace: own, sink }: Owner): void {
  if (typeof table === 'string') {
    if (table !== '') sink('owns', nodeIdIn(own, 'table', table))
    return
  }
  if (!isJsonObject(table)) return
  const name = textOf(table['name'])
  if (name === undefined) return
  const database = textOf(table['database'])
  const parts = database === undefined ? [name] : [database, name]
  const access = table['access']
  if (access !== 'reads' && access !== 'writes')
    return sink('owns', nodeIdIn(own, 'table', ...parts), undefined, table)
  const namespace = neededNamespace(table, own)
  if (namespace !== undefined) sink(access, nodeIdIn(namespace, 'table', ...parts), table)
}

function deriveEvents(events: JsonValue | undefined, owner: Owner): void {
  if (isJsonObject(events)) {
    for (const event of itemsOf(events['publishes'])) deriveNamed(event, 'publishes', owner)
    for (const member of ['subscribes', 'consumes'])
      for (const event of itemsOf(events[member])) deriveNamed(event, 'subscribes', owner)
    return
  }
  for (const event of itemsOf(events)) {
    const role = isJsonObject(event) ? (event['role'] ?? event['direction']) : undefined
    const reads = role === 'subscribes' || role === 'consumes'
    deriveNamed(event, reads ? 'subscribes' : 'publishes', owner)
  }
}

/** The relations to things that have only a name, and the type of their nodes. */
const NAMED = {
  provides: 'capability',
  requires: 'capability',
  publishes: 'event',
  subscribes: 'event',
} as const

function deriveNamed(item: JsonValue, relation: keyof typeof NAMED, { namespace: own, sink }: Owner): void {
  const details = isJsonObject(item) ? item : undefined
  const name = details === undefined ? textOf(item) : textOf(details['name'])
  if (name === undefined) return
  const type = NAMED[relation]
  if (relation === 'provides' || relation === 'publishes')
    return sink(relation, nodeIdIn(own, type, name), undefined, details)
  const namespace = neededNamespace(details, own)
  if (namespace !== undefined) sink(relation, nodeIdIn(namespace, type, name), details)
}
