import { isJsonObject, type JsonObject, type JsonValue } from '../../records/canonical-json.ts'
import { edgeId, nodeIdIn, parseEdgeId, parseNodeId } from '../../records/graph/graph-id.ts'
import { namespacesOfRecord } from '../../records/graph/record-namespaces.ts'
import { DEFAULT_NAMESPACE } from '../../records/service/namespace.ts'
import { SERVICE_KIND } from '../../records/service/service.ts'
import type { Item, ItemSubject } from './item.ts'
import type { SnapshotRecord } from './stored-records.ts'

/** The namespace that the caller of an import wants. */
export interface WantedNamespace {
  /** Everything goes there, whatever the file says. */
  readonly forced?: string | undefined
  /** Registrations that name none go there. */
  readonly fallback?: string | undefined
}

/** Whether a stored record belongs to a namespace. An edge belongs to those of both of its nodes. */
export function isInNamespace({ kind, id, data }: SnapshotRecord, namespace: string): boolean {
  return isJsonObject(data) && namespacesOfRecord({ kind, id, data }).includes(namespace)
}

/** The namespaces of an item; none if it is no registration. */
export function namespacesOfItem({ about, value }: Item): readonly string[] {
  if (about === undefined)
    return isJsonObject(value) ? namespacesOfRecord({ kind: SERVICE_KIND, id: '', data: value }) : []
  const data: JsonObject = about.kind === 'edge' ? { ...parseEdgeId(about.id) } : {}
  return namespacesOfRecord({ ...about, data })
}

/** A name for people: `shop/cart` outside of `default`. */
export function nameInNamespace(name: string, namespace: string = DEFAULT_NAMESPACE): string {
  return namespace === DEFAULT_NAMESPACE ? name : `${namespace}/${name}`
}

/** Puts an item into the wanted namespace. What cannot be read stays as it is: the coordinator refuses it. */
export function inNamespace(item: Item, { forced, fallback }: WantedNamespace): Item {
  const namespace = forced ?? (item.isStored === true ? undefined : fallback)
  if (namespace === undefined) return item
  const { about, value } = item
  const isMoved = (from: string) => forced !== undefined || from === DEFAULT_NAMESPACE
  if (about !== undefined) return { ...item, about: moved(about, { namespace, isMoved }) }
  if (!isJsonObject(value)) return item
  if (forced !== undefined) return { ...item, value: movedRegistration(value, namespace) }
  const isFree = (value['namespace'] ?? undefined) === undefined
  return isFree ? { ...item, value: { ...value, namespace } } : item
}

interface Move {
  readonly namespace: string
  readonly isMoved: (from: string) => boolean
}

function moved({ kind, id }: ItemSubject, move: Move): ItemSubject {
  if (kind === 'node') return { kind, id: movedNode(id, move) }
  const edge = parseEdgeId(id)
  if (edge === undefined) return { kind, id }
  const [source, target] = [movedNode(edge.source, move), movedNode(edge.target, move)]
  return { kind, id: edgeId({ ...edge, source, target }) }
}

function movedNode(id: string, { namespace, isMoved }: Move): string {
  const parsed = parseNodeId(id)
  if (parsed === undefined || !isMoved(parsed.namespace)) return id
  return nodeIdIn(namespace, parsed.type, ...parsed.parts)
}

/** What is needed from the namespace of the registration moves with it. What is needed from a third namespace stays where it is. */
function movedRegistration(value: JsonObject, namespace: string): JsonObject {
  const own = value['namespace'] ?? DEFAULT_NAMESPACE
  const { dependencies, migrationFile } = value
  return {
    ...value,
    namespace,
    ...(Array.isArray(dependencies)
      ? { dependencies: dependencies.map((need) => movedNeed(need, own)) }
      : {}),
    ...(isJsonObject(migrationFile) ? { migrationFile: movedFile(migrationFile, own) } : {}),
  }
}

/** The members of a migration file that list what a service needs, and those of its `events`. */
const needs: ReadonlySet<string> = new Set([
  ...['calls', 'tables', 'requires', 'dependencies', 'events'],
  ...['subscribes', 'consumes'],
])

function movedFile(file: JsonObject, own: JsonValue): JsonObject {
  const moved = ([name, needed]: [string, JsonValue]): [string, JsonValue] => {
    if (!needs.has(name)) return [name, needed]
    if (name === 'events' && isJsonObject(needed)) return [name, movedFile(needed, own)]
    return [name, Array.isArray(needed) ? needed.map((need) => movedNeed(need, own)) : needed]
  }
  return Object.fromEntries(Object.entries(file).map(moved))
}

function movedNeed(need: JsonValue, own: JsonValue): JsonValue {
  if (!isJsonObject(need)) return need
  const { namespace: named, ...rest } = need
  return named === own ? rest : need
}
