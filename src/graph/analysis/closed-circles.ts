import type { EdgeIdentity } from '../../records/graph/graph-id.ts'
import type { GraphProjection } from '../model/graph-projection.ts'
import { findWayBack } from './way-back.ts'

/** Edges that all searches of one question may look at: some ten milliseconds. */
const MAX_EDGES = 1_000_000

export interface ClosedCircles {
  /** Ids, each needing the next, the last needing the first. */
  readonly found: readonly (readonly string[])[]
  /** Whether every edge was looked into. */
  readonly complete: boolean
}

/** For each edge that closes a circle of need a shortest such circle. @param edges are in the graph */
export function closedCircles(graph: GraphProjection, edges: readonly EdgeIdentity[]): ClosedCircles {
  const needed = new Map<number, number[]>()
  for (const identity of edges) {
    const edge = graph.topology.findEdge(identity)
    const [from, to] = [graph.edges.from[edge] as number, graph.edges.to[edge] as number]
    const list = needed.get(from)
    if (list === undefined) needed.set(from, [to])
    else list.push(to)
  }
  const search = new Search(graph)
  for (const [end, starts] of needed) {
    // One search for all of them: most close nothing.
    if (starts.length > 1 && !search.mayFind(starts, end)) continue
    for (const start of starts) search.find(start, end)
  }
  return search
}

class Search implements ClosedCircles {
  readonly found: (readonly string[])[] = []
  complete = true
  readonly #graph: GraphProjection
  #left = MAX_EDGES

  constructor(graph: GraphProjection) {
    this.#graph = graph
  }

  mayFind(starts: readonly number[], end: number): boolean {
    return this.#wayBack(starts, end) !== 'none'
  }

  find(start: number, end: number): void {
    const way = this.#wayBack([start], end)
    // From the node that needs over the new edge, and on until it comes back.
    if (typeof way === 'object') this.found.push([this.#graph.idOf(end), ...way.slice(0, -1)])
    else if (way === 'unknown') this.complete = false
  }

  #wayBack(starts: readonly number[], end: number): readonly string[] | 'none' | 'unknown' {
    if (this.#left <= 0) return 'unknown'
    const way = findWayBack(this.#graph, { starts, end })
    this.#left -= way.looked
    return way.outcome === 'found' ? way.nodes : way.outcome
  }
}
