import { smallest } from '../../collections/smallest.ts'
import type { Health } from '../../records/health.ts'
import type { Steps } from '../../scheduling/pace.ts'
import type { GraphReader } from '../model/graph-reader.ts'
import { shownIn } from '../model/namespace-part.ts'
import { COMPLETE, type Completeness, cutBy, type QuestionOptions } from './answer.ts'
import { type GroupBy, type HealthOf, nodeHealth, valuesOf } from './group-by.ts'

export interface OverviewOptions
  extends Pick<QuestionOptions, 'limit' | 'nodeTypes' | 'edgeTypes' | 'namespace'> {
  readonly groupBy: GroupBy
}

/** Groups in an answer, if the client does not set a limit. */
export const DEFAULT_GROUPS = 500
export const MAX_GROUPS = 2_000
/** Pairs of groups whose edges are counted. Further pairs would take too much memory. */
const MAX_PAIRS = 50_000
/** Pairs in an answer, those with the most edges first. */
const MAX_GROUP_EDGES = 10_000

export type GroupKind = 'value' | 'none' | 'others'

export interface NodeGroup {
  /** `value:VALUE`, `none` or `others`. */
  readonly id: string
  /** `none`: the nodes without a value. `others`: the groups that the answer does not list. */
  readonly kind: GroupKind
  /** What all of its nodes have; absent for `none` and `others`. */
  readonly value?: string
  /** How many groups `others` stands for. */
  readonly groups?: number
  readonly nodes: number
  /** Nodes that others refer to and nothing defines. */
  readonly unresolved: number
  /** The registered services among its nodes. */
  readonly health: Readonly<Record<Health, number>>
  /** Edges between nodes of the group. */
  readonly edges: number
}

export interface GroupEdge {
  /** Ids of groups. */
  readonly source: string
  readonly target: string
  readonly edges: number
  readonly types: Readonly<Record<string, number>>
}

export interface OverviewAnswer extends Completeness {
  /** The largest first. */
  readonly groups: readonly NodeGroup[]
  /** How many values there are, including those that `others` stands for. */
  readonly total: number
  /** The pairs with the most edges first. */
  readonly edges: readonly GroupEdge[]
  /** How many pairs of groups have edges. */
  readonly edgesTotal: number
  /** Nodes that were grouped. */
  readonly nodes: number
}

interface Group {
  readonly value: string | undefined
  nodes: number
}

/** The graph as groups of its nodes, with the edges between them. A node with several tags is in several groups. */
export function* overview(
  graph: GraphReader,
  { groupBy, limit = DEFAULT_GROUPS, nodeTypes, edgeTypes, namespace }: OverviewOptions,
  healthOf: HealthOf = () => 'unknown',
): Steps<OverviewAnswer> {
  const isShown = shownIn(graph, { namespace, edgeTypes })
  const membership = yield* groupNodes(
    graph,
    valuesOf(graph, groupBy, healthOf),
    (node) => graph.isOfType(node, nodeTypes) && isShown(node),
  )
  const shown = new ShownGroups(membership.groups, limit)
  const counters = shown.list.map(() => ({
    unresolved: 0,
    health: { up: 0, down: 0, expired: 0, unknown: 0 },
    edges: 0,
  }))
  let nodes = 0
  for (const node of membership.nodes()) {
    yield
    nodes += 1
    const health = nodeHealth(graph, node, healthOf)
    for (const group of shown.of(membership.groupsOf(node))) {
      const counter = counters[group] as (typeof counters)[number]
      if (!graph.isResolved(node)) counter.unresolved += 1
      if (health !== undefined) counter.health[health] += 1
    }
  }
  const pairs = yield* countPairs(graph, { membership, shown, edgeTypes })
  for (const { source, target, edges } of pairs.all())
    if (source === target) (counters[source] as (typeof counters)[number]).edges += edges
  const between = pairs.all().filter(({ source, target }) => source !== target)
  const listed = smallest(between, MAX_GROUP_EDGES, byEdges)
  const total = membership.groups.filter(({ value }) => value !== undefined).length
  const isCut = shown.hidden > 0 || between.length > listed.length
  return {
    groups: shown.list.map((group, at) => ({ ...group, ...(counters[at] as (typeof counters)[number]) })),
    total,
    edges: listed.map(({ source, target, edges, types }) => ({
      source: (shown.list[source] as ShownGroup).id,
      target: (shown.list[target] as ShownGroup).id,
      edges,
      types: Object.fromEntries(types),
    })),
    edgesTotal: between.length,
    nodes,
    ...(pairs.isFull ? cutBy('budget') : isCut ? cutBy('limit') : COMPLETE),
  }
}

/** Pairs with more edges first. */
function byEdges(left: Pair, right: Pair): number {
  return right.edges - left.edges || left.source - right.source || left.target - right.target
}

/** The groups of each node, by number. The first group is that of the nodes without a value. */
class Membership {
  readonly groups: Group[] = [{ value: undefined, nodes: 0 }]
  readonly #numbers = new Map<string, number>()
  /** For each node, where its groups begin in the list, and one after the last; -1 for a node that is not wanted. */
  readonly #first: Int32Array
  readonly #end: Int32Array
  readonly #list: number[] = []

  constructor(nodeBound: number) {
    this.#first = new Int32Array(nodeBound).fill(-1)
    this.#end = new Int32Array(nodeBound)
  }

  add(node: number, values: readonly string[]): void {
    this.#first[node] = this.#list.length
    for (const group of values.length === 0 ? [0] : values.map((value) => this.#numberOf(value))) {
      this.#list.push(group)
      ;(this.groups[group] as Group).nodes += 1
    }
    this.#end[node] = this.#list.length
  }

  groupsOf(node: number): readonly number[] {
    const first = this.#first[node] as number
    return first === -1 ? none : this.#list.slice(first, this.#end[node])
  }

  *nodes(): Generator<number> {
    for (let node = 0; node < this.#first.length; node += 1) if (this.#first[node] !== -1) yield node
  }

  #numberOf(value: string): number {
    const known = this.#numbers.get(value)
    if (known !== undefined) return known
    this.#numbers.set(value, this.groups.length)
    return this.groups.push({ value, nodes: 0 }) - 1
  }
}

const none: readonly number[] = []

function* groupNodes(
  graph: GraphReader,
  valuesOfNode: (node: number) => readonly string[],
  isWanted: (node: number) => boolean,
): Steps<Membership> {
  const membership = new Membership(graph.nodeBound)
  for (const node of graph.nodes()) {
    yield
    if (isWanted(node)) membership.add(node, valuesOfNode(node))
  }
  return membership
}

type ShownGroup = Pick<NodeGroup, 'id' | 'kind' | 'value' | 'groups' | 'nodes'>

/** The largest groups, in the order of the answer, and one for all others. */
class ShownGroups {
  readonly list: readonly ShownGroup[]
  /** How many groups the last one stands for. */
  readonly hidden: number
  /** For each group, its place in the list. */
  readonly #placeOf: Int32Array

  constructor(groups: readonly Group[], limit: number) {
    const filled = groups.map((group, number) => ({ ...group, number })).filter(({ nodes }) => nodes > 0)
    const listed = smallest(
      filled,
      limit,
      (left, right) => right.nodes - left.nodes || ((left.value ?? '') < (right.value ?? '') ? -1 : 1),
    )
    this.hidden = filled.length - listed.length
    this.#placeOf = new Int32Array(groups.length).fill(listed.length)
    for (const [place, { number }] of listed.entries()) this.#placeOf[number] = place
    const all = filled.reduce((sum, { nodes }) => sum + nodes, 0)
    const shown = listed.reduce((sum, { nodes }) => sum + nodes, 0)
    this.list = [
      ...listed.map(
        ({ value, nodes }): ShownGroup =>
          value === undefined
            ? { id: 'none', kind: 'none', nodes }
            : { id: `value:${value}`, kind: 'value', value, nodes },
      ),
      ...(this.hidden === 0
        ? []
        : [{ id: 'others', kind: 'others' as const, groups: this.hidden, nodes: all - shown }]),
    ]
  }

  /** The places of some groups, each once. */
  of(groups: readonly number[]): readonly number[] {
    if (groups.length === 1) return [this.#placeOf[groups[0] as number] as number]
    return [...new Set(groups.map((group) => this.#placeOf[group] as number))]
  }
}

interface Pair {
  readonly source: number
  readonly target: number
  edges: number
  readonly types: Map<string, number>
}

/** How many edges lead from one group to another. */
class Pairs {
  readonly #pairs = new Map<number, Pair>()
  readonly #groups: number
  /** Whether there were more pairs than are counted. */
  isFull = false

  constructor(groups: number) {
    this.#groups = groups
  }

  add(source: number, target: number, type: string): void {
    const key = source * this.#groups + target
    let pair = this.#pairs.get(key)
    if (pair === undefined) {
      if (this.#pairs.size >= MAX_PAIRS) {
        this.isFull = true
        return
      }
      pair = { source, target, edges: 0, types: new Map() }
      this.#pairs.set(key, pair)
    }
    pair.edges += 1
    pair.types.set(type, (pair.types.get(type) ?? 0) + 1)
  }

  all(): Pair[] {
    return [...this.#pairs.values()]
  }
}

interface Counting {
  readonly membership: Membership
  readonly shown: ShownGroups
  readonly edgeTypes: readonly string[] | undefined
}

function* countPairs(graph: GraphReader, { membership, shown, edgeTypes }: Counting): Steps<Pairs> {
  const pairs = new Pairs(shown.list.length)
  for (const node of membership.nodes())
    for (const edge of graph.out.of(node)) {
      yield
      const type = graph.typeOf(edge)
      if (edgeTypes !== undefined && !edgeTypes.includes(type)) continue
      const [sources, targets] = [graph.sourceOf(edge), graph.targetOf(edge)].map((end) =>
        shown.of(membership.groupsOf(end)),
      )
      for (const source of sources as readonly number[]) {
        for (const target of targets as readonly number[]) pairs.add(source, target, type)
        yield
      }
    }
  return pairs
}
