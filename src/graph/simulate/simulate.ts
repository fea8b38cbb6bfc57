import type { JsonObject } from '../../records/canonical-json.ts'
import { type EdgeIdentity, edgeId, labelOfNodeId, nodeTypeOf } from '../../records/graph/graph-id.ts'
import type { StoredRecord } from '../../records/record.ts'
import type { Steps } from '../../scheduling/pace.ts'
import { closedCircles } from '../analysis/closed-circles.ts'
import { followOf, search } from '../analysis/search.ts'
import { deriveService } from '../derive/derive.ts'
import { type NodeName, nodeName } from '../model/describe.ts'
import { firstById } from '../model/first-by-id.ts'
import type { GraphProjection } from '../model/graph-projection.ts'
import { COMPLETE, type Completeness, cutBy } from '../questions/answer.ts'
import {
  type Declaring,
  dependentsOf,
  servicesByName,
  type ViolatedRange,
  violatedRanges,
} from './violated-ranges.ts'

/** One record as it would be. `after` is absent where it would go. */
export interface SimulatedChange {
  /** Where the record is, or would be: then one that nothing has. */
  readonly slot: number
  readonly before?: StoredRecord | undefined
  readonly after?: StoredRecord | undefined
}

export interface BrokenConsumer extends NodeName {
  /** What it needs and would lose. */
  readonly loses: string
  /** How it needs it. */
  readonly type: string
}

export interface SimulateAnswer extends Completeness {
  /**
   * Nodes whose last provider went: no service of the name, or none that exposes, publishes, provides or owns it. What is
   * asserted about them does not make up for that.
   */
  readonly lostProviders: readonly NodeName[]
  /** Who needs those directly. */
  readonly brokenConsumers: readonly BrokenConsumer[]
  /** How many nodes need something lost, directly or through others. */
  readonly affected: number
  /** Ranges that some version fulfils now and none would, or that a new service brings and none fulfils. */
  readonly violatedRanges: readonly ViolatedRange[]
  /** Circles of need that a new edge would close: ids, each needing the next, the last needing the first. */
  readonly newCycles: readonly (readonly string[])[]
  /** Dependencies of new services on names that nothing states. */
  readonly unknownDependencies: readonly { readonly consumer: string; readonly dependency: string }[]
  /** Whether nobody would be worse off, as far as was found out: see `complete`. */
  readonly safe: boolean
}

/** How many records one question may change. */
export const MAX_SIMULATED_CHANGES = 1_000
/** How many items each list of the answer may have. */
const MAX_LISTED = 1_000
/** What can be changed in a graph that others wait for, in UTF-16 code units of records: some fifty services. */
const SMALL_SIZE = 65_536

/** Whether changes are made and taken back in a few dozen milliseconds. */
export function isSmall(changes: readonly SimulatedChange[]): boolean {
  const sizes = changes.map(({ before, after }) => (before?.data.length ?? 0) + (after?.data.length ?? 0))
  return sizes.reduce((sum, size) => sum + size, 0) <= SMALL_SIZE
}

/** A record and what it says, read once. */
interface Version {
  readonly record: StoredRecord
  readonly data: JsonObject
  /** The node of its service. */
  readonly node: string
  readonly relations: readonly { readonly type: string; readonly target: string }[]
}

interface Change {
  readonly slot: number
  readonly before: Version | undefined
  readonly after: Version | undefined
}

/**
 * What would happen if records changed. The changes are made in the graph, looked at, and taken back, all in the first
 * step: nobody sees them, and the answer is that of the real rules and not of an imitation. The other steps read records
 * of that moment, and no graph.
 *
 * @throws nothing of its own; the graph is as before in any case
 */
export function* simulate(graph: GraphProjection, wanted: readonly SimulatedChange[]): Steps<SimulateAnswer> {
  const changes = wanted.map(({ slot, before, after }) => ({
    slot,
    before: versionOf(before),
    after: versionOf(after),
  }))
  const { lost, broken, affected, unknown, circles, evidence } = tryOut(graph, changes)
  const violated = yield* violatedRanges(evidence)
  const nothing = [broken, violated, circles.found, unknown].every(({ length }) => length === 0)
  const long = [lost, broken, violated, circles.found, unknown].some(({ length }) => length > MAX_LISTED)
  return {
    safe: nothing,
    lostProviders: lost.slice(0, MAX_LISTED),
    brokenConsumers: broken.slice(0, MAX_LISTED),
    affected,
    violatedRanges: violated.slice(0, MAX_LISTED),
    newCycles: circles.found.slice(0, MAX_LISTED),
    unknownDependencies: unknown.slice(0, MAX_LISTED),
    ...(long ? cutBy('limit') : circles.complete ? COMPLETE : cutBy('budget')),
  }
}

function versionOf(record: StoredRecord | undefined): Version | undefined {
  if (record === undefined) return undefined
  const data = JSON.parse(record.data) as JsonObject
  const relations: { type: string; target: string }[] = []
  const node = deriveService(data, (type, target) => relations.push({ type, target }))
  return { record, data, node, relations }
}

function tryOut(graph: GraphProjection, changes: readonly Change[]) {
  const touched = touchedIds(changes)
  const provided = [...touched].filter((id) => isProvided(graph, id))
  const newEdges = edgesToCome(graph, changes)
  const before = servicesByName(graph, touched)
  try {
    apply(graph, changes)
    const lost = provided.filter((id) => !isProvided(graph, id)).sort()
    return {
      lost: lost.slice(0, MAX_LISTED + 1).map((id) => nameOf(graph, id)),
      broken: brokenConsumers(graph, lost),
      affected: affectedBy(graph, lost),
      unknown: newEdges
        .filter(({ type, target }) => type === 'depends_on' && !isResolved(graph, target))
        .map(({ source, target }) => ({ consumer: source, dependency: target })),
      circles: closedCircles(graph, newEdges),
      evidence: {
        before,
        after: servicesByName(graph, touched),
        declaring: declaringRecords(graph, changes),
      },
    }
  } finally {
    takeBack(graph, changes)
  }
}

function apply(graph: GraphProjection, changes: readonly Change[]): void {
  for (const { slot, before, after } of changes)
    if (after !== undefined) graph.put(slot, after.record, after.data)
    else if (before !== undefined) graph.remove(slot)
}

function takeBack(graph: GraphProjection, changes: readonly Change[]): void {
  for (const { slot, before, after } of changes.toReversed())
    if (before !== undefined) graph.put(slot, before.record, before.data)
    else if (after !== undefined) graph.remove(slot)
}

function versionsIn(changes: readonly Change[]): readonly Version[] {
  return changes.flatMap(({ before, after }) => [before, after].filter((version) => version !== undefined))
}

/** Every node that the records speak of, before or after. */
function touchedIds(changes: readonly Change[]): ReadonlySet<string> {
  return new Set(
    versionsIn(changes).flatMap(({ node, relations }) => [node, ...relations.map(({ target }) => target)]),
  )
}

/** The edges that the records would add to the graph as it is. */
function edgesToCome(graph: GraphProjection, changes: readonly Change[]): readonly EdgeIdentity[] {
  const edges = new Map<string, EdgeIdentity>()
  for (const { after } of changes)
    for (const { type, target } of after?.relations ?? []) {
      const edge: EdgeIdentity = { source: after?.node as string, type, target, origin: 'declared' }
      if (graph.topology.findEdge(edge) === -1) edges.set(edgeId(edge), edge)
    }
  return [...edges.values()]
}

/**
 * Records that may declare ranges about services that change, or belong to such services. Called while the changes are
 * made: of what has gone altogether no range can be violated.
 */
function declaringRecords(graph: GraphProjection, changes: readonly Change[]): readonly Declaring[] {
  const versions = versionsIn(changes)
  const changed = new Set(versions.map(({ record }) => record.id))
  const nodes = [...new Set(versions.map(({ node }) => graph.find(node)))]
  const left = nodes.filter((node) => node !== -1 && graph.servicesOf(node).length > 0)
  const declaring: Declaring[] = []
  for (const node of new Set([...left, ...dependentsOf(graph, left)]))
    for (const record of graph.servicesOf(node))
      if (!changed.has(record.id))
        declaring.push({ consumer: graph.idOf(node), record, before: true, after: true })
  for (const { before, after } of changes) {
    if (before !== undefined)
      declaring.push({ consumer: before.node, record: before.record, before: true, after: false })
    if (after !== undefined)
      declaring.push({ consumer: after.node, record: after.record, before: false, after: true })
  }
  return declaring
}

function isResolved(graph: GraphProjection, id: string): boolean {
  const node = graph.find(id)
  return node !== -1 && graph.isResolved(node)
}

/** Whether services state a node. */
function isProvided(graph: GraphProjection, id: string): boolean {
  const node = graph.find(id)
  if (node === -1) return false
  if (graph.servicesOf(node).length > 0) return true
  const { start, length, items } = graph.out
  const first = start[node] ?? 0
  for (let at = first; at < first + (length[node] ?? 0); at += 1) {
    const edge = items[at] as number
    if (graph.isReversed((graph.edges.kind[edge] as number) >> 2) && graph.originOf(edge) === 'declared')
      return true
  }
  return false
}

/** Who still needs what was lost, one more than are listed. Lost nodes that nobody needs are gone from the graph altogether. */
function brokenConsumers(graph: GraphProjection, lost: readonly string[]): readonly BrokenConsumer[] {
  const broken: BrokenConsumer[] = []
  for (const id of lost) {
    if (broken.length > MAX_LISTED) break
    const node = graph.find(id)
    if (node === -1) continue
    for (const consumer of firstById(graph, consumersOf(graph, node), MAX_LISTED + 1))
      for (const type of typesBetween(graph, consumer, node))
        broken.push({ ...nodeName(graph, consumer), loses: id, type })
  }
  return broken
}

/** Each of them once. */
function consumersOf(graph: GraphProjection, node: number): readonly number[] {
  const { start, length, others } = graph.in
  const first = start[node] ?? 0
  const consumers = new Set(others.subarray(first, first + (length[node] ?? 0)))
  consumers.delete(node)
  return [...consumers]
}

/** How one node needs another, whatever the origins of the edges. */
function typesBetween(graph: GraphProjection, from: number, to: number): readonly string[] {
  const { start, length, items, others } = graph.out
  const types = new Set<string>()
  const first = start[from] ?? 0
  for (let at = first; at < first + (length[from] ?? 0); at += 1)
    if (others[at] === to) types.add(graph.typeOf(items[at] as number))
  return [...types].sort()
}

function affectedBy(graph: GraphProjection, lost: readonly string[]): number {
  const sources = lost.map((id) => graph.find(id)).filter((node) => node !== -1)
  if (sources.length === 0) return 0
  const follow = followOf(graph, 'neededBy')
  return search(graph, { sources, follow }, ({ count, levels }) => count - (levels[1] as number))
}

function nameOf(graph: GraphProjection, id: string): NodeName {
  const node = graph.find(id)
  if (node !== -1) return nodeName(graph, node)
  return { id, label: labelOfNodeId(id), type: nodeTypeOf(id) }
}
