import { type Follow, type Found, followOf, search } from '../analysis/search.ts'
import type { Adjacency, GraphReader } from '../model/graph-reader.ts'
import { firstById } from '../model/in-order.ts'
import { type NodeName, nodeName } from '../model/node-name.ts'
import { COMPLETE, type Completeness, cutBy, DEFAULT_LIMIT, type QuestionOptions } from './answer.ts'

/** @default `limit` 1_000 */
export type ReachOptions = Pick<QuestionOptions, 'limit' | 'depth' | 'edgeTypes' | 'nodeTypes'>

export interface ReachedNode extends NodeName {
  /** Steps from the node of the question: 1 for its neighbors. */
  readonly distance: number
  /** The nodes between the node of the question and this one, on a shortest path. */
  readonly via: readonly string[]
}

export interface ReachAnswer extends Completeness {
  readonly of: string
  /** Sorted by distance, then by id. */
  readonly nodes: readonly ReachedNode[]
  /** How many nodes there are, listed or not. */
  readonly total: number
}

/** How many ids all `via` of an answer may contain. Only very long chains come near. */
const MAX_VIA_IDS = 100_000

/** The nodes that need a node, directly or through others: those that its failure affects. */
export function impact(graph: GraphReader, node: number, options: ReachOptions = {}): ReachAnswer {
  return reach(graph, node, { ...options, direction: 'neededBy' })
}

/** The nodes that a node needs, directly or through others. */
export function dependencies(graph: GraphReader, node: number, options: ReachOptions = {}): ReachAnswer {
  return reach(graph, node, { ...options, direction: 'needs' })
}

function reach(
  graph: GraphReader,
  node: number,
  {
    direction,
    depth,
    limit = DEFAULT_LIMIT,
    edgeTypes,
    nodeTypes,
  }: ReachOptions & { readonly direction: 'needs' | 'neededBy' },
): ReachAnswer {
  const follow = followOf(graph, direction, edgeTypes)
  return search(graph, { sources: [node], follow, depth }, (found) => {
    const { chosen, total } = choose(graph, found, { limit, nodeTypes })
    const paths = new Predecessors(graph, follow, found)
    const nodes: ReachedNode[] = []
    let ids = 0
    for (const reached of chosen) {
      const via = paths.to(reached)
      ids += via.length
      if (ids > MAX_VIA_IDS) return { of: graph.idOf(node), nodes, total, ...cutBy('size') }
      nodes.push({ ...nodeName(graph, reached), distance: found.distanceOf(reached), via })
    }
    return { of: graph.idOf(node), nodes, total, ...(total > nodes.length ? cutBy('limit') : COMPLETE) }
  })
}

/** The nearest nodes. Of equally near nodes it takes the first ones by id, so that every coordinator chooses the same. */
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
    const wanted = nodeTypes === undefined ? level : level.filter((node) => graph.isOfType(node, nodeTypes))
    total += wanted.length
    if (chosen.length < limit) chosen.push(...firstById(graph, wanted, limit - chosen.length))
  }
  return { chosen, total }
}

/** Shortest paths from the source. The predecessor of each node is the first one by id among those that are one step nearer. */
class Predecessors {
  readonly #graph: GraphReader
  readonly #found: Found
  /** The direction of the search, the direction back, and the types of edges that count. */
  readonly #ahead: Adjacency
  readonly #back: Adjacency
  readonly #types: readonly boolean[]
  readonly #known = new Map<number, number>()
  /** For each distance, how many edges lead on from all nodes at that distance; -1 if these edges were followed. */
  readonly #edgesFrom: number[] = []

  constructor(graph: GraphReader, { out, in: into }: Follow, found: Found) {
    this.#graph = graph
    this.#found = found
    this.#ahead = out === undefined ? graph.in : graph.out
    this.#back = out === undefined ? graph.out : graph.in
    this.#types = out ?? into ?? []
  }

  /** Ids of the nodes between the source and a node. */
  to(node: number): readonly string[] {
    const via: string[] = []
    for (let at = node, distance = this.#found.distanceOf(node); distance > 1; distance -= 1) {
      at = this.#before(at, distance)
      via.push(this.#graph.idOf(at))
    }
    return via.reverse()
  }

  /** Follows all edges from the nodes that are one step nearer, once, if those are fewer than the edges of this node. */
  #before(node: number, distance: number): number {
    const edges = this.#edgesFromAll(distance - 1)
    if (edges !== -1 && this.#back.size(node) > edges) this.#followAll(distance - 1)
    if (!this.#known.has(node))
      for (const before of this.#neighbours(this.#back, node, distance - 1)) this.#offer(node, before)
    return this.#known.get(node) as number
  }

  #edgesFromAll(distance: number): number {
    const known = this.#edgesFrom[distance]
    if (known !== undefined) return known
    let edges = 0
    for (const node of this.#nodesAt(distance)) edges += this.#ahead.size(node)
    this.#edgesFrom[distance] = edges
    return edges
  }

  #nodesAt(distance: number): Int32Array {
    const { order, levels } = this.#found
    return order.subarray(levels[distance], levels[distance + 1])
  }

  #followAll(distance: number): void {
    this.#edgesFrom[distance] = -1
    for (const node of this.#nodesAt(distance))
      for (const next of this.#neighbours(this.#ahead, node, distance + 1)) this.#offer(next, node)
  }

  #offer(node: number, before: number): void {
    const known = this.#known.get(node)
    if (known === undefined || this.#graph.idOf(before) < this.#graph.idOf(known))
      this.#known.set(node, before)
  }

  /** Every neighbor at a given distance. Most neighbors are not, and that is checked first. */
  *#neighbours(side: Adjacency, node: number, distance: number): Generator<number> {
    const { kind } = this.#graph.edges
    const [edges, others] = [side.of(node), side.othersOf(node)]
    for (let at = 0; at < others.length; at += 1) {
      const other = others[at] as number
      if (this.#found.distanceOf(other) !== distance) continue
      if (this.#types[(kind[edges[at] as number] as number) >> 2]) yield other
    }
  }
}
