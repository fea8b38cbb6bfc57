import type { GraphEdge, GraphNode } from '../../../api/types.ts'
import type { DrawnEdge, DrawnGraph, DrawnNode, Health } from '../../../drawing/model/drawn-graph.ts'

/** The health of nodes by id; `undefined` for a node whose health nobody asked for. */
export type HealthOf = (id: string) => Health | undefined

/**
 * A part of an answer of the API as the drawings want it.
 *
 * @param stated who owns a node by its metadata, by id
 */
export function toDrawn(
  nodes: readonly GraphNode[],
  edges: readonly GraphEdge[],
  healthOf: HealthOf,
  stated: ReadonlyMap<string, string> = new Map(),
): DrawnGraph {
  // As the overview of the API has it: `owner` in the metadata, or else the node with an edge `owns`.
  const owners = new Map([...ownersOf(nodes, edges), ...stated])
  return { nodes: nodes.map((node) => drawnNode(node, healthOf, owners)), edges: edges.map(drawnEdge) }
}

export function drawnEdge({ id, source, target, type, origin }: GraphEdge): DrawnEdge {
  return { id, source, target, type, origin }
}

export function drawnNode(
  { id, label, type, namespace, data }: GraphNode,
  healthOf: HealthOf,
  owners: ReadonlyMap<string, string> = new Map(),
): DrawnNode {
  const unresolved = data['unresolved'] === true
  const health = type === 'service' && !unresolved ? healthOf(id) : undefined
  const owner = owners.get(id)
  const instances = data['instanceCount']
  return {
    id,
    label,
    type,
    namespace,
    unresolved,
    ...(health === undefined ? {} : { health }),
    versions: texts(data['versions']),
    instances: typeof instances === 'number' ? instances : 0,
    tags: texts(data['tags']),
    ...(owner === undefined ? {} : { owner }),
  }
}

/** Who owns a node, by the edges of type `owns` that are in the answer. */
function ownersOf(nodes: readonly GraphNode[], edges: readonly GraphEdge[]): ReadonlyMap<string, string> {
  const labels = new Map(nodes.map(({ id, label }) => [id, label]))
  const owners = new Map<string, string>()
  for (const { source, target, type } of edges)
    if (type === 'owns' && !owners.has(target)) owners.set(target, labels.get(source) ?? source)
  return owners
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}
