import { type Follow, type Found, followOf, search } from '../analysis/search.ts'
import { type NodeName, nodeName } from '../model/describe.ts'
import { firstById } from '../model/first-by-id.ts'
import type { Adjacency, GraphReader } from '../model/graph-reader.ts'
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
  readonly #found: Found
  /** The side that the search went along, the way back, and the types of edges that count. */
  readonly #ahead: Adjacency
  readonly #back: Adjacency
  readonly #types: readonly boolean[]
  readonly #before = new Map<number, number>()
  /** By distance: how many edges lead on from all nodes that far away; -1 where they were followed. */
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
      at = this.#stepBack(at, distance)
      via.push(this.#graph.idOf(at))
    }
    return via.reverse()
  }

  /** A node that tens of thousands lead to is found faster from the few among them that are near. */
  #stepBack(node: number, distance: number): number {
    const edges = this.#edgesFromAll(distance - 1)
    if (edges !== -1 && (this.#back.length[node] ?? 0) > edges) this.#followAll(distance - 1)
    return this.#before.get(node) ?? this.#first(node, distance - 1)
  }

  #edgesFromAll(distance: number): number {
    const known = this.#edgesFrom[distance]
    if (known !== undefined) return known
    let edges = 0
    for (const node of this.#nodesAt(distance)) edges += this.#ahead.length[node] ?? 0
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
      this.#visit(this.#ahead, node, { distance: distance + 1, see: (next) => this.#offer(next, node) })
  }

  #first(node: number, nearer: number): number {
    this.#visit(this.#back, node, { distance: nearer, see: (before) => this.#offer(node, before) })
    return this.#before.get(node) as number
  }

  #offer(node: number, before: number): void {
    const known = this.#before.get(node)
    if (known === undefined || this.#graph.idOf(before) < this.#graph.idOf(known))
      this.#before.set(node, before)
  }

  /** Sees every neighbour that is so far away. Most are not, which is found out fastest. */
  #visit(
    { start, length, items, others }: Adjacency,
    node: number,
    { distance, see }: { readonly distance: number; readonly see: (other: number) => void },
  ): void {
    const { kind } = this.#graph.edges
    const first = start[node] ?? 0
    for (let at = first; at < first + (length[node] ?? 0); at += 1) {
      const other = others[at] as number
      if (this.#found.distanceOf(other) !== distance) continue
      if (this.#types[(kind[items[at] as number] as number) >> 2]) see(other)
    }
  }
}
