import { type DrawnGraph, needOf } from '../../../drawing/model/drawn-graph.ts'

/**
 * The edges by which each node of a list needs the next one.
 *
 * @param end `round`: the last node needs the first one, too
 */
export function edgesAlong(
  graph: DrawnGraph,
  nodes: readonly string[],
  end: 'open' | 'round',
): readonly string[] {
  const pairs = new Set<string>()
  for (const [at, node] of nodes.entries()) {
    const next = nodes[at + 1] ?? (end === 'round' ? nodes[0] : undefined)
    if (next !== undefined) pairs.add(JSON.stringify([node, next]))
  }
  return graph.edges
    .filter((edge) => {
      const { consumer, provider } = needOf(edge)
      return pairs.has(JSON.stringify([consumer, provider]))
    })
    .map(({ id }) => id)
}
