import type { PlaceQuery } from './location.ts'

/** Where things are shown: every link to them is made here. */
interface Place {
  readonly to: string
  readonly query: PlaceQuery
}

/** The page of one registered service, by its serviceId. */
export function serviceById(id: string): Place {
  return { to: '/service', query: { id, name: undefined, in: undefined } }
}

/** The page of a service by its name, whatever its instances are. */
export function serviceByName(name: string, namespace: string): Place {
  return { to: '/service', query: { id: undefined, name, in: namespace } }
}

/** The neighbourhood of a node of the graph. */
export function graphOf(node: string): Place {
  return { to: '/graph', query: { of: node } }
}

/** What would break without a service. */
export function withoutService(node: string): Place {
  return { to: '/what-if', query: { remove: node } }
}

/** The id of a service's node in the graph, as `docs/knowledge-graph.md` describes it. */
export function serviceNode(name: string, namespace: string): string {
  const part = encodeURIComponent(name.toWellFormed())
  return namespace === 'default' ? `service:${part}` : `service:@${namespace}:${part}`
}
