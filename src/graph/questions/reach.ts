import { type NodeName, nodeName } from '../describe.ts'
import { firstById } from '../first-by-id.ts'
import type { GraphReader } from '../graph-reader.ts'
import { type Direction, type Follow, type Found, followOf, search } from '../search.ts'
import { COMPLETE, type Completeness, cutBy, DEFAULT_LIMIT } from './answer.ts'
import { ofTypes } from './of-types.ts'

export interface ReachOptions {
  /** How many steps to go. @default no bound */
  readonly depth?: number | undefined
  /** How many nodes to list, nearest first. @default 1_000 */
  readonly limit?: number | undefined
  /** Only these types of edges are followed. @default all */
  readonly edgeTypes?: readonly string[] | undefined
  /** Only nodes of these types are listed; the search goes through others too. @default all */
  readonly nodeTypes?: readonly string[] | undefined
}

export interface ReachedNode extends NodeName {
  /** Steps from the node that was asked about: 1 for its neighbours. */
  readonly distance: number
  /** The nodes on the way, from the one that was asked about to this one, without both. A shortest way. */
  readonly via: readonly string[]
}

export interface ReachAnswer extends Completeness {
  readonly of: string
  /** By distance, then by id. */
  readonly nodes: readonly ReachedNode[]
  /** How many nodes there are, listed or not. */
  readonly total: number
}

/** How many ids all `via` of an answer may hold. Only very long chains come near. */
const MAX_VIA_IDS = 100_000

/** Everything that is reached from a node in a direction: what `impact` and `dependencies` have in common. */
export function reach(
  graph: GraphReader,
  node: number,
  { direction, depth, limit = DEFAULT_LIMIT, edgeTypes, nodeTypes }: ReachOptions & { direction: Direction },
): ReachAnswer {
  const follow = followOf(graph, direction, edgeTypes)
  return search(graph, { sources: [node], follow, depth }, (found) => {
    const { chosen, total } = choose(graph, found, { limit, nodeTypes })
    const ways = new Ways(graph, follow, found)
    const nodes: ReachedNode[] = []
    let ids = 0
    for (const reached of chosen) {
      const via = ways.to(reached)
      ids += via.length
      if (ids > MAX_VIA_IDS) return { of: graph.idOf(node), nodes, total, ...cutBy('size') }
      nodes.push({ ...nodeName(graph, reached), distance: found.distanceOf(reached), via })
    }
    return { of: graph.idOf(node), nodes, total, ...(total > nodes.length ? cutBy('limit') : COMPLETE) }
  })
}

/** The nearest nodes; among equally near ones the first by id, so that every coordinator chooses the same. */
function choose(
  graph: GraphReader,
  { order, levels, count }: Found,
  { limit, nodeTypes }: { limit: number; nodeTypes: readonly string[] | undefined },
): { chosen: readonly number[]; total: number } {
  const chosen: number[] = []
  let total = 0
  for (let distance = 1; distance < levels.length - 1; distance += 1) {
    if (chosen.length === limit && nodeTypes === undefined)
      return { chosen, total: count - (levels[1] as number) }
    const level = order.subarray(levels[distance], levels[distance + 1])
    const wanted = nodeTypes === undefined ? level : level.filter((node) => ofTypes(graph, node, nodeTypes))
    total += wanted.length
    if (chosen.length < limit) chosen.push(...firstById(graph, wanted, limit - chosen.length))
  }
  return { chosen, total }
}

/** Shortest ways back to the source: from each node to the first by id among those one step nearer. */
class Ways {
  readonly #graph: GraphReader
  readonly #follow: Follow
  readonly #found: Found
  readonly #before = new Map<number, number>()

  constructor(graph: GraphReader, follow: Follow, found: Found) {
    this.#graph = graph
    this.#follow = follow
    this.#found = found
  }

  /** Ids of the nodes between the source and a node. */
  to(node: number): readonly string[] {
    const via: string[] = []
    for (let at = node, distance = this.#found.distanceOf(node); distance > 1; distance -= 1) {
      at = this.#stepBack(at)
      via.push(this.#graph.idOf(at))
    }
    return via.reverse()
  }

  #stepBack(node: number): number {
    const known = this.#before.get(node)
    if (known !== undefined) return known
    const { out, in: into } = this.#follow
    let best = -1
    // The search went along `out`, so the way back is in the other list.
    if (out !== undefined) best = this.#first(node, { side: 'in', types: out, best })
    if (into !== undefined) best = this.#first(node, { side: 'out', types: into, best })
    this.#before.set(node, best)
    return best
  }

  #first(
    node: number,
    { side, types, best }: { side: 'in' | 'out'; types: readonly boolean[]; best: number },
  ): number {
    const graph = this.#graph
    const { start, length, items } = graph[side]
    const far = side === 'in' ? graph.edges.from : graph.edges.to
    const nearer = this.#found.distanceOf(node) - 1
    const first = start[node] ?? 0
    let chosen = best
    for (let at = first; at < first + (length[node] ?? 0); at += 1) {
      const edge = items[at] as number
      if (!types[(graph.edges.kind[edge] as number) >> 2]) continue
      const other = far[edge] as number
      if (this.#found.distanceOf(other) !== nearer) continue
      if (chosen === -1 || graph.idOf(other) < graph.idOf(chosen)) chosen = other
    }
    return chosen
  }
}
