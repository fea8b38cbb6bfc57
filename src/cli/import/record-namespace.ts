import { isJsonObject, type JsonObject, type JsonValue } from '../../records/canonical-json.ts'
import { edgeId, nodeIdIn, parseEdgeId, parseNodeId } from '../../records/graph/graph-id.ts'
import { namespacesOfRecord } from '../../records/graph/record-namespaces.ts'
import { DEFAULT_NAMESPACE } from '../../records/service/namespace.ts'
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

/** Puts an item into the wanted namespace. What cannot be read stays as it is: the coordinator refuses it. */
export function inNamespace(item: Item, { forced, fallback }: WantedNamespace): Item {
  const { about, value, isStored } = item
  if (about !== undefined) return forced === undefined ? item : { ...item, about: moved(about, forced) }
  if (!isJsonObject(value)) return item
  if (forced !== undefined) return { ...item, value: movedRegistration(value, forced) }
  const isFree = isStored !== true && (value['namespace'] ?? undefined) === undefined
  return fallback === undefined || !isFree ? item : { ...item, value: { ...value, namespace: fallback } }
}

function moved({ kind, id }: ItemSubject, namespace: string): ItemSubject {
  if (kind === 'node') return { kind, id: movedNode(id, namespace) }
  const edge = parseEdgeId(id)
  if (edge === undefined) return { kind, id }
  const [source, target] = [movedNode(edge.source, namespace), movedNode(edge.target, namespace)]
  return { kind, id: edgeId({ ...edge, source, target }) }
}

function movedNode(id: string, namespace: string): string {
  const parsed = parseNodeId(id)
  return parsed === undefined ? id : nodeIdIn(namespace, parsed.type, ...parsed.parts)
}

/** A dependency in the namespace of the registration moves with it. One in a third namespace stays where it is. */
function movedRegistration(value: JsonObject, namespace: string): JsonObject {
  const own = value['namespace'] ?? DEFAULT_NAMESPACE
  const dependencies = value['dependencies']
  const movedDependency = (dependency: JsonValue): JsonValue => {
    if (!isJsonObject(dependency)) return dependency
    const { namespace: named, ...rest } = dependency
    return named === own ? rest : dependency
  }
  return {
    ...value,
    namespace,
    ...(Array.isArray(dependencies) ? { dependencies: dependencies.map(movedDependency) } : {}),
  }
}
