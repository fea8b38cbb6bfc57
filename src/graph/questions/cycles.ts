import { smallest } from '../../collections/smallest.ts'
import type { Steps } from '../../scheduling/pace.ts'
import type { Adjacency, GraphReader } from '../model/graph-reader.ts'
import { firstById } from '../model/in-order.ts'
import { NamespacePart } from '../model/namespace-part.ts'
import { COMPLETE, type Completeness, cutBy, type QuestionOptions } from './answer.ts'

/** With a `namespace`, only cycles in which one of its nodes takes part. @default `limit` 100, for the cycles and for the members of each */
export type CyclesOptions = Pick<QuestionOptions, 'limit' | 'edgeTypes' | 'namespace'>

export interface Cycle {
  /** How many nodes need each other. */
  readonly size: number
  /** The first `limit` ids of these nodes, in order. */
  readonly nodes: readonly string[]
  /** A shortest cycle from the first node. Each node needs the next one, and the last needs the first. */
  readonly example: readonly string[]
}

export interface CyclesAnswer extends Completeness {
  /** The largest first. A node that needs itself is a cycle of size 1. */
  readonly cycles: readonly Cycle[]
  readonly total: number
}

export const DEFAULT_CYCLES_LIMIT = 100

/**
 * Groups of nodes that need each other.
 *
 * @param components for each node, the number of its strongly connected component over the same types of edges
 */
export function* cycles(
  graph: GraphReader,
  components: Int32Array,
  options: CyclesOptions = {},
): Steps<CyclesAnswer> {
  const { limit = DEFAULT_CYCLES_LIMIT, edgeTypes, namespace } = options
  const part = namespace === undefined ? undefined : new NamespacePart(graph, namespace)
  const types = graph.edgeTypes.map((type) => edgeTypes === undefined || edgeTypes.includes(type))
  const self = selfNeeding(graph, types)
  yield
  const members = membersOf(components, self)
  yield
  const groups: { readonly members: readonly number[]; readonly first: number }[] = []
  for (const group of members.values()) {
    yield
    if (part !== undefined && !(yield* part.hasSome(group))) continue
    groups.push({ members: group, first: firstById(graph, group, 1)[0] as number })
  }
  const chosen = smallest(
    groups,
    limit,
    (left, right) =>
      right.members.length - left.members.length ||
      (graph.idOf(left.first) < graph.idOf(right.first) ? -1 : 1),
  )
  let cut = groups.length > chosen.length
  const listed: Cycle[] = []
  for (const { members, first } of chosen) {
    yield
    cut ||= members.length > limit
    const nodes = firstById(graph, members, limit)
    const example = yield* shortestCycle(graph, first, (edge) => {
      const { kind, from } = graph.edges
      const counts = types[(kind[edge] as number) >> 2] as boolean
      return counts && components[from[edge] as number] === components[first]
    })
    listed.push({ size: members.length, nodes: ids(graph, nodes), example: ids(graph, example) })
  }
  return { cycles: listed, total: groups.length, ...(cut ? cutBy('limit') : COMPLETE) }
}

/** Components of more than one node, and nodes that need themselves. */
function membersOf(components: Int32Array, selfNeeding: ReadonlySet<number>): Map<number, number[]> {
  const sizes = new Int32Array(components.length)
  for (const component of components) sizes[component] = (sizes[component] as number) + 1
  const isInCycle = (node: number) =>
    (sizes[components[node] as number] as number) > 1 || selfNeeding.has(node)
  return Map.groupBy(components.keys().filter(isInCycle), (node) => components[node] as number)
}

function selfNeeding(graph: GraphReader, types: readonly boolean[]): ReadonlySet<number> {
  const { bound, from, to, kind, refs } = graph.edges
  const found = new Set<number>()
  for (let edge = 0; edge < bound; edge += 1)
    if (from[edge] === to[edge] && refs[edge] !== 0 && types[(kind[edge] as number) >> 2])
      found.add(from[edge] as number)
  return found
}

/** Goes back from a node, step by step, until it reaches a node that the first one needs. Then follows the path forward again. */
function* shortestCycle(
  graph: GraphReader,
  start: number,
  counts: (edge: number) => boolean,
): Steps<readonly number[]> {
  const neighbors = ({ start, length, items, others }: Adjacency, node: number) => {
    const found: number[] = []
    const first = start[node] ?? 0
    for (let at = first; at < first + (length[node] ?? 0); at += 1)
      if (counts(items[at] as number)) found.push(others[at] as number)
    return found
  }
  const needed = new Set(neighbors(graph.out, start))
  if (needed.has(start)) return [start]
  const distance = new Map([[start, 0]])
  let level = [start]
  for (let steps = 1; level.length > 0; steps += 1) {
    const nextLevel: number[] = []
    for (const node of level) {
      yield
      for (const before of neighbors(graph.in, node)) {
        if (distance.has(before)) continue
        distance.set(before, steps)
        nextLevel.push(before)
      }
    }
    if (nextLevel.some((node) => needed.has(node))) break
    level = nextLevel
  }
  const cycle = [start]
  let candidates = [...needed].filter((node) => distance.has(node))
  while (candidates.length > 0) {
    yield
    const nearest = Math.min(...candidates.map((node) => distance.get(node) as number))
    if (nearest === 0) break
    const best = candidates
      .filter((node) => distance.get(node) === nearest)
      .reduce((least, node) => (graph.idOf(node) < graph.idOf(least) ? node : least))
    cycle.push(best)
    candidates = neighbors(graph.out, best).filter((node) => distance.get(node) === nearest - 1)
  }
  return cycle
}

function ids(graph: GraphReader, nodes: readonly number[]): readonly string[] {
  return nodes.map((node) => graph.idOf(node))
}
