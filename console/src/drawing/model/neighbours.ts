import { type DrawnGraph, needOf } from './drawn-graph.ts'

/** `needs`: to what a node needs. `neededBy`: to what needs it. `both`: along every edge. */
export type Follow = 'needs' | 'neededBy' | 'both'

export type Neighbours = ReadonlyMap<string, ReadonlySet<string>>

/** The adjacent nodes of each node that has an edge. A node is never its own neighbour. */
export function neighboursOf({ edges }: DrawnGraph, follow: Follow): Neighbours {
  const found = new Map<string, Set<string>>()
  const add = (from: string, to: string) => {
    const known = found.get(from)
    if (known === undefined) found.set(from, new Set([to]))
    else known.add(to)
  }
  for (const edge of edges) {
    const { consumer, provider } = needOf(edge)
    if (consumer === provider) continue
    if (follow !== 'neededBy') add(consumer, provider)
    if (follow !== 'needs') add(provider, consumer)
  }
  return found
}

/** How many steps each node is away from the nearest of the sources, nearest first. Nodes that cannot be reached are absent. */
export function distancesFrom(
  sources: Iterable<string>,
  neighbours: Neighbours,
): ReadonlyMap<string, number> {
  const distances = new Map<string, number>()
  for (const source of sources) distances.set(source, 0)
  // A map keeps the order of insertion, and a walk over it sees what is added meanwhile: this is the queue of a breadth-first search.
  for (const [id, distance] of distances)
    for (const next of neighbours.get(id) ?? []) if (!distances.has(next)) distances.set(next, distance + 1)
  return distances
}

/** The node with the most neighbours; `undefined` in an empty graph. */
export function mostJoined(graph: DrawnGraph): string | undefined {
  const neighbours = neighboursOf(graph, 'both')
  let best: string | undefined
  for (const { id } of graph.nodes)
    if (best === undefined || (neighbours.get(id)?.size ?? 0) > (neighbours.get(best)?.size ?? 0)) best = id
  return best
}
