import type { Steps } from '../../scheduling/pace.ts'
import { followOf, search } from '../analysis/search.ts'
import type { Describer } from '../derive/describe.ts'
import type { GraphReader } from '../model/graph-reader.ts'
import { firstInSteps } from '../model/in-order.ts'
import { NamespacePart } from '../model/namespace-part.ts'
import { nodeName } from '../model/node-name.ts'
import { resolveNode } from '../model/resolve-node.ts'
import type { TypeFilter } from '../model/sort-types.ts'
import { DEFAULT_LIMIT, type QuestionOptions } from './answer.ts'

/** The wanted nodes. Without any filter, all of them. @default `limit` all; around a node 1_000 */
export interface NodeFilter extends TypeFilter, Pick<QuestionOptions, 'direction' | 'limit'> {
  /** Only nodes of this namespace, and the far ends of their edges. With `around` it says only where that name is looked for. */
  readonly namespace?: string | undefined
  /** Only nodes with this label or id. `pay*`: only nodes whose label begins with `pay`. */
  readonly name?: string | undefined
  /** Only services that have all of these tags. */
  readonly tags?: readonly string[] | undefined
  /** Only the surroundings of this node. */
  readonly around?: string | undefined
  /** How far the surroundings go. @default 1 */
  readonly depth?: number | undefined
}

interface Selection {
  /** `undefined`: every node. */
  readonly nodes?: readonly number[]
  /** Nodes at the other ends of edges of `nodes`. Edges between two of them are not wanted. */
  readonly farEnds?: readonly number[]
  readonly truncated?: string
}

interface Selecting {
  readonly graph: GraphReader
  readonly describer: Describer
  /** Only these edges have far ends. */
  readonly isWantedEdge: (edge: number) => boolean
}

/** @throws COORD_NODE_NOT_FOUND for `around` */
export function* selectNodes(
  { graph, describer, isWantedEdge }: Selecting,
  filter: NodeFilter,
): Steps<Selection> {
  const { nodeTypes, name, tags, namespace, limit = Number.POSITIVE_INFINITY } = filter
  const isWanted = (node: number) => hasName(graph, node, name) && hasTags(describer, node, tags)
  if (filter.around !== undefined) {
    const found = yield* surroundings(
      graph,
      resolveNode(graph, filter.around, { parameter: 'around', namespace }),
      filter,
    )
    const nodes = yield* filterInSteps(found.nodes, isWanted)
    return { nodes, ...(found.complete ? {} : { truncated: 'limit' }) }
  }
  const isFiltered = [nodeTypes, name, tags, namespace].some((given) => given !== undefined)
  if (!isFiltered && limit >= graph.nodeCount) return {}
  const isOfKind = (node: number) => graph.isOfType(node, nodeTypes) && isWanted(node)
  const part = namespace === undefined ? undefined : new NamespacePart(graph, namespace)
  const own = yield* filterInSteps(graph.nodes(), (node) => (part?.has(node) ?? true) && isOfKind(node))
  const nodes = yield* firstInSteps(graph, own, limit)
  if (part === undefined) return { nodes, ...(own.length > limit ? { truncated: 'limit' } : {}) }
  const far = yield* filterInSteps(
    yield* othersOf(graph, nodes, isWantedEdge),
    (node) => !part.has(node) && isOfKind(node),
  )
  const farEnds = yield* firstInSteps(graph, far, limit - nodes.length)
  const isCut = own.length > nodes.length || far.length > farEnds.length
  return { nodes, farEnds, ...(isCut ? { truncated: 'limit' } : {}) }
}

/** The nodes at the other ends of all wanted edges of some nodes. */
function* othersOf(
  graph: GraphReader,
  nodes: readonly number[],
  isWantedEdge: (edge: number) => boolean,
): Steps<ReadonlySet<number>> {
  const found = new Set<number>()
  for (const node of nodes)
    for (const side of ['out', 'in'] as const) {
      const others = graph[side].othersOf(node)
      for (const [at, edge] of graph[side].of(node).entries()) {
        if (isWantedEdge(edge)) found.add(others[at] as number)
        yield
      }
    }
  return found
}

/**
 * The nearest nodes around a node, which is the first of them. Of equally near nodes, it takes the first ones by id; within one distance
 * they are in no particular order. The search runs at once, and the selection runs in steps.
 */
function* surroundings(
  graph: GraphReader,
  centre: number,
  { depth = 1, direction = 'both', limit = DEFAULT_LIMIT, edgeTypes, nodeTypes }: NodeFilter,
): Steps<{ readonly nodes: readonly number[]; readonly complete: boolean }> {
  const follow = followOf(graph, direction, edgeTypes)
  const levels = search(graph, { sources: [centre], follow, depth }, (found) =>
    found.levels.slice(1).map((end, at) => Array.from(found.order.subarray(found.levels[at], end))),
  )
  const nodes: number[] = []
  let total = 0
  for (const level of levels) {
    yield
    const wanted = level.filter((node) => node === centre || graph.isOfType(node, nodeTypes))
    total += wanted.length
    for (const node of yield* firstInSteps(graph, wanted, limit - nodes.length)) nodes.push(node)
  }
  return { nodes, complete: total === nodes.length }
}

function* filterInSteps(
  nodes: Iterable<number>,
  isWanted: (node: number) => boolean,
): Steps<readonly number[]> {
  const wanted: number[] = []
  for (const node of nodes) {
    if (isWanted(node)) wanted.push(node)
    yield
  }
  return wanted
}

function hasName(graph: GraphReader, node: number, name: string | undefined): boolean {
  if (name === undefined) return true
  const { label, id } = nodeName(graph, node)
  return name.endsWith('*') ? label.startsWith(name.slice(0, -1)) : label === name || id === name
}

function hasTags(describer: Describer, node: number, tags: readonly string[] | undefined): boolean {
  if (tags === undefined) return true
  const carried = describer.tagsOf(node)
  return tags.every((tag) => carried.has(tag))
}
