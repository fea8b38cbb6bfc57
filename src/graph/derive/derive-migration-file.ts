import { isJsonObject, type JsonObject, type JsonValue } from '../../records/canonical-json.ts'
import { nodeId } from '../../records/graph/graph-id.ts'
import { itemsOf, textOf } from '../model/lenient-json.ts'
import { deriveDependencies } from './derive-dependencies.ts'
import type { DeriveSink } from './derive-sink.ts'

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
 */
export function deriveMigrationFile(file: JsonObject, serviceName: string, sink: DeriveSink): void {
  for (const member of ['apis', 'apiEndpoints', 'endpoints'])
    for (const api of itemsOf(file[member])) deriveApi(api, serviceName, sink)
  for (const call of itemsOf(file['calls'])) deriveCall(call, sink)
  for (const table of itemsOf(file['tables'])) deriveTable(table, sink)
  deriveEvents(file['events'], sink)
  for (const item of itemsOf(file['capabilities'])) deriveNamed(item, 'provides', sink)
  for (const item of itemsOf(file['requires'])) deriveNamed(item, 'requires', sink)
  deriveDependencies(file['dependencies'], sink)
}

function deriveApi(api: JsonValue, serviceName: string, sink: DeriveSink): void {
  const parsed = typeof api === 'string' ? parseRoute(api) : isJsonObject(api) ? routeOf(api) : undefined
  if (parsed === undefined) return
  const id = nodeId('api', serviceName, parsed.method, parsed.path)
  sink('exposes', id, undefined, isJsonObject(api) ? { ...api, ...parsed } : parsed)
}

function deriveCall(call: JsonValue, sink: DeriveSink): void {
  if (!isJsonObject(call)) return
  const route = routeOf(call)
  const service = textOf(call['service']) ?? textOf(call['serviceName'])
  if (route === undefined || service === undefined) return
  sink('calls', nodeId('api', service, route.method, route.path), call)
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

function deriveTable(table: JsonValue, sink: DeriveSink): void {
  if (typeof table === 'string') {
    if (table !== '') sink('owns', nodeId('table', table))
    return
  }
  if (!isJsonObject(table)) return
  const name = textOf(table['name'])
  if (name === undefined) return
  const database = textOf(table['database'])
  const id = database === undefined ? nodeId('table', name) : nodeId('table', database, name)
  const access = table['access']
  if (access === 'reads' || access === 'writes') sink(access, id, table)
  else sink('owns', id, undefined, table)
}

function deriveEvents(events: JsonValue | undefined, sink: DeriveSink): void {
  if (isJsonObject(events)) {
    for (const event of itemsOf(events['publishes'])) deriveNamed(event, 'publishes', sink)
    for (const member of ['subscribes', 'consumes'])
      for (const event of itemsOf(events[member])) deriveNamed(event, 'subscribes', sink)
    return
  }
  for (const event of itemsOf(events)) {
    const role = isJsonObject(event) ? (event['role'] ?? event['direction']) : undefined
    const reads = role === 'subscribes' || role === 'consumes'
    deriveNamed(event, reads ? 'subscribes' : 'publishes', sink)
  }
}

/** The relations to things that have only a name, and the type of their nodes. */
const NAMED = {
  provides: 'capability',
  requires: 'capability',
  publishes: 'event',
  subscribes: 'event',
} as const

function deriveNamed(item: JsonValue, relation: keyof typeof NAMED, sink: DeriveSink): void {
  const details = isJsonObject(item) ? item : undefined
  const name = details === undefined ? textOf(item) : textOf(details['name'])
  if (name === undefined) return
  const id = nodeId(NAMED[relation], name)
  if (relation === 'provides' || relation === 'publishes') sink(relation, id, undefined, details)
  else sink(relation, id, details)
}
