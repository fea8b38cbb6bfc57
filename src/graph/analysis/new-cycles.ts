import type { EdgeIdentity } from '../../records/graph/graph-id.ts'
import type { GraphReader } from '../model/graph-reader.ts'
import { findPath } from './find-path.ts'

/** Edges that all searches of one question may look at. That takes some ten milliseconds. */
const MAX_EDGES = 1_000_000

export interface NewCycles {
  /** Lists of ids. Each node needs the next one, and the last needs the first. */
  readonly found: readonly (readonly string[])[]
  /** Whether every edge was checked. */
  readonly complete: boolean
}

/** For each edge that closes a cycle, one such cycle. @param edges are in the graph */
export function newCycles(graph: GraphReader, edges: readonly EdgeIdentity[]): NewCycles {
  const found: (readonly string[])[] = []
  let complete = true
  let left = MAX_EDGES
  const pathBack = (from: readonly number[], to: number): readonly string[] | 'none' | 'unknown' => {
    if (left <= 0) return 'unknown'
    const path = findPath(graph, { from, to })
    left -= path.looked
    return path.outcome === 'found' ? path.nodes : path.outcome
  }
  const needs = edges.map((identity) => graph.findEdge(identity))
  const byNeeding = Map.groupBy(needs, (edge) => graph.edges.from[edge] as number)
  for (const [needing, group] of byNeeding) {
    const needed = group.map((edge) => graph.edges.to[edge] as number)
    // One search for all of them, because most edges close no cycle.
    if (needed.length > 1 && pathBack(needed, needing) === 'none') continue
    for (const node of needed) {
      const path = pathBack([node], needing)
      // The cycle starts at the node that needs, goes over the new edge, and continues until it comes back.
      if (typeof path === 'object') found.push([graph.idOf(needing), ...path.slice(0, -1)])
      else if (path === 'unknown') complete = false
    }
  }
  return { found, complete }
}
