import semver from 'semver'
import type { JsonObject } from '../records/canonical-json.ts'
import { type EdgeIdentity, labelOfNodeId, nodeTypeOf, serviceNodeId } from '../records/graph-id.ts'
import type { StoredRecord } from '../records/record.ts'
import { deriveService } from './derive.ts'
import { isObject, itemsOf, textOf } from './derive-sink.ts'
import { type NodeName, nodeName } from './describe.ts'
import type { GraphProjection } from './graph-projection.ts'
import { COMPLETE, type Completeness, cutBy } from './questions/answer.ts'
import { followOf, search } from './search.ts'
import { findWayBack } from './way-back.ts'

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

export interface ViolatedRange {
  /** The node of the service that declares the range. */
  readonly consumer: string
  readonly dependency: string
  readonly range: string
  /** The versions there would be. */
  readonly versions: readonly string[]
}

export interface SimulateAnswer extends Completeness {
  /** Nodes that nothing would state any more: the last provider went. */
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
  /** Whether nobody would be worse off. */
  readonly safe: boolean
}

/** How many records one question may change. */
export const MAX_SIMULATED_CHANGES = 1_000
/** How many items each list of the answer may have. */
const MAX_LISTED = 1_000

/**
 * What would happen if records changed. The changes are made in the live graph, looked at, and taken back, all in one
 * turn: nobody sees them, and the answer is that of the real rules and not of an imitation.
 *
 * @throws nothing of its own; the graph is as before in any case
 */
export function simulate(graph: GraphProjection, changes: readonly SimulatedChange[]): SimulateAnswer {
  const touched = touchedIds(changes)
  const resolvedBefore = new Set([...touched].filter((id) => isResolved(graph, id)))
  const rangesBefore = new Set(violations(graph, touched).map(rangeKey))
  const newEdges = edgesToCome(graph, changes)
  apply(graph, changes)
  try {
    const lost = [...resolvedBefore].filter((id) => !isResolved(graph, id))
    const broken = brokenConsumers(graph, lost)
    const violated = violations(graph, touched).filter((violation) => !rangesBefore.has(rangeKey(violation)))
    const { cycles, complete } = closedCycles(graph, newEdges)
    const unknown = newEdges
      .filter(({ type, target }) => type === 'depends_on' && !isResolved(graph, target))
      .map(({ source, target }) => ({ consumer: source, dependency: target }))
    const long = [lost, broken, violated, cycles, unknown].some(({ length }) => length > MAX_LISTED)
    return {
      safe: broken.length === 0 && violated.length === 0 && cycles.length === 0 && unknown.length === 0,
      lostProviders: lost
        .sort()
        .slice(0, MAX_LISTED)
        .map((id) => nameOf(graph, id)),
      brokenConsumers: broken.slice(0, MAX_LISTED),
      affected: affectedBy(graph, lost),
      violatedRanges: violated.slice(0, MAX_LISTED),
      newCycles: cycles.slice(0, MAX_LISTED),
      unknownDependencies: unknown.slice(0, MAX_LISTED),
      ...(long ? cutBy('limit') : complete ? COMPLETE : cutBy('budget')),
    }
  } finally {
    takeBack(graph, changes)
  }
}

function apply(graph: GraphProjection, changes: readonly SimulatedChange[]): void {
  for (const { slot, before, after } of changes)
    if (after !== undefined) graph.put(slot, after, dataOf(after))
    else if (before !== undefined) graph.remove(slot)
}

function takeBack(graph: GraphProjection, changes: readonly SimulatedChange[]): void {
  for (const { slot, before, after } of changes.toReversed())
    if (before !== undefined) graph.put(slot, before, dataOf(before))
    else if (after !== undefined) graph.remove(slot)
}

function dataOf(record: StoredRecord): JsonObject {
  return JSON.parse(record.data) as JsonObject
}

/** Every node that the records speak of, before or after. */
function touchedIds(changes: readonly SimulatedChange[]): ReadonlySet<string> {
  const ids = new Set<string>()
  for (const record of changes.flatMap(({ before, after }) => [before, after]))
    if (record !== undefined) ids.add(deriveService(dataOf(record), (_type, target) => void ids.add(target)))
  return ids
}

/** The edges that the records would add to the graph as it is. */
function edgesToCome(graph: GraphProjection, changes: readonly SimulatedChange[]): readonly EdgeIdentity[] {
  const edges = new Map<string, EdgeIdentity>()
  for (const { after } of changes) {
    if (after === undefined) continue
    const relations: [string, string][] = []
    const source = deriveService(dataOf(after), (type, target) => relations.push([type, target]))
    for (const [type, target] of relations) {
      const edge: EdgeIdentity = { source, type, target, origin: 'declared' }
      if (graph.topology.findEdge(edge) === -1) edges.set(`${source} ${type} ${target}`, edge)
    }
  }
  return [...edges.values()]
}

function isResolved(graph: GraphProjection, id: string): boolean {
  const node = graph.find(id)
  return node !== -1 && graph.isResolved(node)
}

/** Who still needs what was lost. Lost nodes that nobody needs are gone from the graph altogether. */
function brokenConsumers(graph: GraphProjection, lost: readonly string[]): readonly BrokenConsumer[] {
  const broken: BrokenConsumer[] = []
  for (const id of lost) {
    const node = graph.find(id)
    if (node === -1) continue
    const first = graph.in.start[node] ?? 0
    for (let at = first; at < first + (graph.in.length[node] ?? 0); at += 1) {
      const consumer = graph.in.others[at] as number
      const type = graph.typeOf(graph.in.items[at] as number)
      if (consumer !== node) broken.push({ ...nodeName(graph, consumer), loses: id, type })
    }
  }
  return broken.sort((left, right) =>
    `${left.loses} ${left.id} ${left.type}` < `${right.loses} ${right.id} ${right.type}` ? -1 : 1,
  )
}

function affectedBy(graph: GraphProjection, lost: readonly string[]): number {
  const sources = lost.map((id) => graph.find(id)).filter((node) => node !== -1)
  if (sources.length === 0) return 0
  const follow = followOf(graph, 'neededBy')
  return search(graph, { sources, follow }, ({ count, levels }) => count - (levels[1] as number))
}

function closedCycles(
  graph: GraphProjection,
  edges: readonly EdgeIdentity[],
): { cycles: readonly (readonly string[])[]; complete: boolean } {
  const cycles: (readonly string[])[] = []
  let complete = true
  for (const identity of edges) {
    const edge = graph.topology.findEdge(identity)
    const end = graph.edges.from[edge] as number
    const way = findWayBack(graph, { starts: [graph.edges.to[edge] as number], end })
    if (way.outcome === 'unknown') complete = false
    if (way.outcome !== 'found') continue
    // From the node that needs over the new edge, and on until it comes back.
    cycles.push([graph.idOf(end), ...way.nodes.slice(0, -1)])
  }
  return { cycles, complete }
}

/** Ranges that no version fulfils, of dependencies between services among which at least one is touched. */
function violations(graph: GraphProjection, touched: ReadonlySet<string>): readonly ViolatedRange[] {
  const found = new Map<string, ViolatedRange>()
  for (const id of touched) {
    const node = graph.find(id)
    if (node === -1 || !id.startsWith('service:')) continue
    for (const record of graph.servicesOf(node)) collect(graph, { consumer: id, record }, found)
    const first = graph.in.start[node] ?? 0
    for (let at = first; at < first + (graph.in.length[node] ?? 0); at += 1) {
      const other = graph.in.others[at] as number
      const consumer = graph.idOf(other)
      if (touched.has(consumer)) continue
      for (const record of graph.servicesOf(other)) collect(graph, { consumer, record, only: id }, found)
    }
  }
  return [...found.values()].sort((left, right) => (rangeKey(left) < rangeKey(right) ? -1 : 1))
}

function collect(
  graph: GraphProjection,
  { consumer, record, only }: { consumer: string; record: StoredRecord; only?: string },
  found: Map<string, ViolatedRange>,
): void {
  for (const dependency of itemsOf(dataOf(record)['dependencies'])) {
    if (!isObject(dependency)) continue
    const [name, range] = [textOf(dependency['serviceName']), textOf(dependency['version'])]
    if (name === undefined || range === undefined) continue
    const id = serviceNodeId(name)
    if (only !== undefined && id !== only) continue
    const versions = versionsOf(graph, id)
    // Where nothing is registered, the consumer is broken, or depends on an unknown name: that is said elsewhere.
    if (versions.length === 0 || versions.some((version) => fulfils(version, range))) continue
    const violation = { consumer, dependency: id, range, versions }
    found.set(rangeKey(violation), violation)
  }
}

function versionsOf(graph: GraphProjection, id: string): readonly string[] {
  const node = graph.find(id)
  if (node === -1) return []
  return [...new Set(graph.servicesOf(node).map((record) => textOf(dataOf(record)['version']) ?? ''))].sort()
}

function rangeKey({ consumer, dependency, range }: ViolatedRange): string {
  return `${consumer} ${dependency} ${range}`
}

/** A semantic version within a range, or the same text. */
function fulfils(version: string, range: string): boolean {
  return version === range || semver.satisfies(version, range)
}

function nameOf(graph: GraphProjection, id: string): NodeName {
  const node = graph.find(id)
  if (node !== -1) return nodeName(graph, node)
  return { id, label: labelOfNodeId(id), type: nodeTypeOf(id) }
}
