import { byCodeUnits } from '../../collections/sorted-list.ts'
import type { View } from '../../live/view/view.ts'
import type { Revision } from '../../records/record.ts'
import { DEFAULT_NAMESPACE } from '../../records/service/namespace.ts'
import { type ServiceIndex, serviceIndex } from '../index/service-index.ts'

export interface NamespaceCounts {
  readonly namespace: string
  readonly services: number
  /** How many of the services have sent their `migrationFile`. */
  readonly active: number
}

export interface NamespacesAnswer {
  /** In order of their names. */
  readonly namespaces: readonly NamespaceCounts[]
  /** How many there are on all pages. */
  readonly total: number
  /** Pass it as `cursor` for the next page; absent on the last one. */
  readonly nextCursor?: string
  readonly revision: Revision
  readonly lineage: string
}

export interface NamespacesQuery {
  /** @default NAMESPACES_LIMIT */
  readonly limit?: number
  /** Only namespaces after this one. */
  readonly cursor?: string
}

/** The largest number of namespaces on a page, and the default. */
export const NAMESPACES_LIMIT = 1_000

/** The namespaces that have services. */
export function listNamespaces(
  view: View,
  { limit = NAMESPACES_LIMIT, cursor = '' }: NamespacesQuery = {},
): NamespacesAnswer {
  const index = view.projection(serviceIndex)
  const names: string[] = []
  for (const name of namesAfter(index, cursor)) if (names.push(name) > limit) break
  const more = names.length > limit
  if (more) names.pop()
  return {
    namespaces: names.map((namespace) => countsOf(index, namespace)),
    total: index.namespaces.names.size + (hasDefault(index) ? 1 : 0),
    ...(more ? { nextCursor: names.at(-1) as string } : {}),
    revision: view.revision,
    lineage: view.lineage,
  }
}

function hasDefault(index: ServiceIndex): boolean {
  return index.size > index.namespaces.size
}

/** The names after a text, in order; `default` in its place. */
function* namesAfter(index: ServiceIndex, after: string): Generator<string> {
  let waiting = hasDefault(index) && after < DEFAULT_NAMESPACE
  for (const chunk of index.namespaces.names.chunks) {
    if (byCodeUnits(chunk.at(-1) as string, after) <= 0) continue
    for (const name of chunk) {
      if (name <= after) continue
      if (waiting && DEFAULT_NAMESPACE < name) {
        waiting = false
        yield DEFAULT_NAMESPACE
      }
      yield name
    }
  }
  if (waiting) yield DEFAULT_NAMESPACE
}

function countsOf(index: ServiceIndex, namespace: string): NamespaceCounts {
  const { namespaces } = index
  if (namespace !== DEFAULT_NAMESPACE)
    return {
      namespace,
      services: namespaces.get(namespace)?.size ?? 0,
      active: namespaces.activeIn(namespace),
    }
  return {
    namespace,
    services: index.size - namespaces.size,
    active: index.activeCount - namespaces.activeTotal,
  }
}
