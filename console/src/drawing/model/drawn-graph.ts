/**
 * The graph that the drawings and their tables show. It is plain data: pages read it from the API, and nothing here asks for anything.
 */

/** Who says that an edge exists: a service, a client of the API, or traffic that was watched. */
export type Origin = 'declared' | 'asserted' | 'observed'

/** What a coordinator heard from a service. `unknown`: it never sent a heartbeat. */
export type Health = 'up' | 'down' | 'expired' | 'unknown'

export interface DrawnNode {
  readonly id: string
  readonly label: string
  /** `service`, `table`, or any type that a client asserts. */
  readonly type: string
  readonly namespace: string
  /** Whether something refers to it, but nobody declares it. */
  readonly unresolved: boolean
  /** Absent where nobody asked for it, and for what is no service. */
  readonly health?: Health
  /** The versions of its instances, sorted. Empty for what is no service. */
  readonly versions: readonly string[]
  readonly instances: number
  readonly tags: readonly string[]
  /** The label of a node that owns it. */
  readonly owner?: string
}

export interface DrawnEdge {
  readonly id: string
  readonly source: string
  readonly target: string
  readonly type: string
  readonly origin: Origin
}

export interface DrawnGraph {
  readonly nodes: readonly DrawnNode[]
  readonly edges: readonly DrawnEdge[]
}

export const EMPTY_GRAPH: DrawnGraph = { nodes: [], edges: [] }

/** Most types mean "source needs target". These mean the opposite: docs/knowledge-graph.md, "Need". */
const TARGET_NEEDS_SOURCE: ReadonlySet<string> = new Set(['exposes', 'publishes', 'provides', 'owns'])

/** The two ends of an edge by need: `consumer` needs `provider`. */
export function needOf({ source, target, type }: DrawnEdge): { consumer: string; provider: string } {
  return TARGET_NEEDS_SOURCE.has(type)
    ? { consumer: target, provider: source }
    : { consumer: source, provider: target }
}

/** One graph from several, each node and edge once. Of a node that is in several, the first one counts. */
export function joined(graphs: readonly DrawnGraph[]): DrawnGraph {
  const nodes = new Map<string, DrawnNode>()
  const edges = new Map<string, DrawnEdge>()
  for (const graph of graphs) {
    for (const node of graph.nodes) if (!nodes.has(node.id)) nodes.set(node.id, node)
    for (const edge of graph.edges) if (!edges.has(edge.id)) edges.set(edge.id, edge)
  }
  return { nodes: [...nodes.values()], edges: [...edges.values()] }
}

/** The nodes with these ids, and the edges between them. */
export function partOf(graph: DrawnGraph, ids: ReadonlySet<string>): DrawnGraph {
  return {
    nodes: graph.nodes.filter(({ id }) => ids.has(id)),
    edges: graph.edges.filter(({ source, target }) => ids.has(source) && ids.has(target)),
  }
}
