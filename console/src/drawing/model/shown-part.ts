import { type DrawnGraph, partOf } from './drawn-graph.ts'
import { distancesFrom, type Follow, neighboursOf } from './neighbours.ts'

/** What a focus drawing shows of a graph that was read. */
export interface ShownPart {
  readonly graph: DrawnGraph
  /** Steps from the nearest start, for each node of the part. */
  readonly distances: ReadonlyMap<string, number>
  /** How many neighbours of a node are known and not shown. Nodes without such neighbours are absent. */
  readonly hidden: ReadonlyMap<string, number>
}

export interface PartWanted {
  /** Where the walk starts. */
  readonly from: readonly string[]
  /** Opened nodes: all their neighbours are shown, too. */
  readonly opened: readonly string[]
  readonly follow: Follow
  /** The largest distance from a start. */
  readonly depth: number
  readonly mostNodes: number
  readonly mostEdges: number
}

/**
 * Chooses what to draw: the nodes near the starts and the neighbours of opened nodes, nearest first. It leaves out the farthest nodes
 * where there would be more nodes or edges than a person can read.
 */
export function shownPart(graph: DrawnGraph, wanted: PartWanted): ShownPart {
  const known = new Set(graph.nodes.map(({ id }) => id))
  const from = wanted.from.filter((id) => known.has(id))
  const distances = distancesFrom(from, neighboursOf(graph, wanted.follow))
  const all = neighboursOf(graph, 'both')
  const near = [...distances].filter(([, distance]) => distance <= wanted.depth).map(([id]) => id)
  const beside = wanted.opened.flatMap((id) => (known.has(id) ? [id, ...(all.get(id) ?? [])] : []))
  const candidates = [...new Set([...from, ...beside, ...near])].filter((id) => known.has(id))
  const ids = new Set(withinEdges(graph, candidates.slice(0, wanted.mostNodes), wanted.mostEdges))
  return { graph: partOf(graph, ids), distances: onlyOf(ids, distances), hidden: hiddenBeside(ids, all) }
}

/** As many of the candidates, in their order, as have no more than so many edges between them. The first one is always among them. */
function withinEdges(graph: DrawnGraph, candidates: readonly string[], mostEdges: number): readonly string[] {
  const places = new Map(candidates.map((id, place) => [id, place]))
  // An edge comes with the later one of its ends.
  const arriving = new Array<number>(candidates.length).fill(0)
  for (const { source, target } of graph.edges) {
    const [one, other] = [places.get(source), places.get(target)]
    if (one === undefined || other === undefined) continue
    const later = Math.max(one, other)
    arriving[later] = (arriving[later] ?? 0) + 1
  }
  let edges = 0
  for (const [place, more] of arriving.entries()) {
    edges += more
    if (edges > mostEdges && place > 0) return candidates.slice(0, place)
  }
  return candidates
}

function onlyOf(ids: ReadonlySet<string>, distances: ReadonlyMap<string, number>) {
  return new Map([...distances].filter(([id]) => ids.has(id)))
}

function hiddenBeside(ids: ReadonlySet<string>, all: ReadonlyMap<string, ReadonlySet<string>>) {
  const hidden = new Map<string, number>()
  for (const id of ids) {
    let count = 0
    for (const other of all.get(id) ?? []) if (!ids.has(other)) count += 1
    if (count > 0) hidden.set(id, count)
  }
  return hidden
}
