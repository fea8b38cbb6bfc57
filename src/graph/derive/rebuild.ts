import type { View } from '../../live/view/view.ts'
import { edgeId } from '../../records/graph/graph-id.ts'
import type { Revision, StoredRecord } from '../../records/record.ts'
import { Pace } from '../../scheduling/pace.ts'
import { DetachedGraph } from '../model/detached-graph.ts'
import { type GraphProjection, graphProjection } from '../model/graph-projection.ts'
import type { GraphReader } from '../model/graph-reader.ts'

/** Something that the live graph and the one derived anew do not agree about. */
export interface GraphDifference {
  readonly what: 'node' | 'edge'
  readonly id: string
  /** `missing`: only the graph derived anew has it. `extra`: only the live one has it. */
  readonly problem: 'missing' | 'extra' | 'different'
}

export interface RebuildAnswer {
  readonly revision: Revision
  readonly nodes: number
  readonly edges: number
  readonly differencesTotal: number
  /** The first hundred. There must be none. */
  readonly differences: readonly GraphDifference[]
  readonly durationMs: number
}

const MAX_LISTED = 100
/**
 * Derives the graph anew from the records of a view, and compares it with the graph that was kept as they changed. Both
 * are taken at one moment; the work goes on beside other requests.
 */
export async function rebuild(view: View): Promise<RebuildAnswer> {
  const startedAt = performance.now()
  const { revision } = view
  const live = view.projection(graphProjection).copy()
  const records = ['service', 'node', 'edge'].flatMap((kind) => [...view.records.of(kind)])
  const anew = await deriveFrom(records)
  const differences: GraphDifference[] = []
  let total = 0
  for await (const difference of compareGraphs(live, anew)) {
    total += 1
    if (differences.length < MAX_LISTED) differences.push(difference)
  }
  return {
    revision,
    nodes: anew.nodeCount,
    edges: anew.edges.count,
    differencesTotal: total,
    differences,
    durationMs: Math.round(performance.now() - startedAt),
  }
}

/** A graph from records, made in small steps. */
export async function deriveFrom(records: readonly StoredRecord[]): Promise<GraphProjection> {
  const detached = new DetachedGraph()
  const pace = new Pace()
  for (const record of records) {
    detached.put(record)
    if (pace.due) await pace.turn()
  }
  return detached.graph
}

/** Everything that two graphs do not agree about, by identity: numbers mean nothing. */
export async function* compareGraphs(live: GraphReader, anew: GraphReader): AsyncGenerator<GraphDifference> {
  const pace = new Pace()
  for (const [one, other, problem] of [
    [anew, live, 'missing'],
    [live, anew, 'extra'],
  ] as const) {
    const numbers = await numbersOf(other, pace)
    for (let node = 0; node < one.nodeSlots; node += 1) {
      if (pace.due) await pace.turn()
      const id = one.idOf(node)
      if (id === '') continue
      const match = numbers.get(id) ?? -1
      if (match === -1) yield { what: 'node', id, problem }
      else if (problem === 'missing' && nodeFacts(one, node) !== nodeFacts(other, match))
        yield { what: 'node', id, problem: 'different' }
      yield* compareEdges({ graph: one, node }, { graph: other, node: match }, problem)
    }
  }
}

/** Nodes by id. A copy would look through all of them for each. */
async function numbersOf(graph: GraphReader, pace: Pace): Promise<ReadonlyMap<string, number>> {
  const numbers = new Map<string, number>()
  for (let node = 0; node < graph.nodeSlots; node += 1) {
    if (pace.due) await pace.turn()
    numbers.set(graph.idOf(node), node)
  }
  return numbers
}

function* compareEdges(
  one: { readonly graph: GraphReader; readonly node: number },
  other: { readonly graph: GraphReader; readonly node: number },
  problem: 'missing' | 'extra',
): Generator<GraphDifference> {
  const known = other.node === -1 ? new Map<string, string>() : edgeFacts(other.graph, other.node)
  for (const [id, facts] of edgeFacts(one.graph, one.node)) {
    const match = known.get(id)
    if (match === undefined) yield { what: 'edge', id, problem }
    else if (problem === 'missing' && match !== facts) yield { what: 'edge', id, problem: 'different' }
  }
}

function nodeFacts(graph: GraphReader, node: number): string {
  const records = [...graph.servicesOf(node), ...graph.assertionsOf(node)]
  const stated = records.map(({ kind, id, revision }) => `${kind} ${id} ${revision}`).sort()
  return `${graph.isResolved(node)} ${graph.out.length[node] ?? 0} ${graph.in.length[node] ?? 0} ${stated.join()}`
}

function edgeFacts(graph: GraphReader, node: number): ReadonlyMap<string, string> {
  const facts = new Map<string, string>()
  const first = graph.out.start[node] ?? 0
  for (let at = first; at < first + (graph.out.length[node] ?? 0); at += 1) {
    const edge = graph.out.items[at] as number
    const id = edgeId({
      source: graph.idOf(graph.sourceOf(edge)),
      type: graph.typeOf(edge),
      target: graph.idOf(graph.targetOf(edge)),
      origin: graph.originOf(edge),
    })
    facts.set(id, `${graph.edges.refs[edge]} ${graph.edges.revision[edge]}`)
  }
  return facts
}
