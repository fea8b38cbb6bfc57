import type { View } from '../../live/view/view.ts'
import type { Revision } from '../../records/record.ts'
import { Pace } from '../../scheduling/pace.ts'
import type { GraphReader } from '../model/graph-reader.ts'
import { DetachedGraph } from './detached-graph.ts'
import { graphProjection } from './graph-projection.ts'

/** A difference between the live graph and the newly derived one. */
export interface GraphDifference {
  readonly what: 'node' | 'edge'
  readonly id: string
  /** `missing`: only the newly derived graph has it. `extra`: only the live graph has it. */
  readonly problem: 'missing' | 'extra' | 'different'
}

export interface RebuildAnswer {
  readonly revision: Revision
  readonly nodes: number
  readonly edges: number
  readonly differencesTotal: number
  /** The first hundred differences. There must be none. */
  readonly differences: readonly GraphDifference[]
  readonly durationMs: number
}

const MAX_LISTED = 100

/**
 * Derives the graph again from the records of a view, and compares it with the live graph. Both are taken at one moment; the work then
 * continues beside other requests.
 */
export async function rebuild(view: View): Promise<RebuildAnswer> {
  const startedAt = performance.now()
  const { revision } = view
  const live = view.projection(graphProjection).copy()
  const records = graphProjection.kinds.flatMap((kind) => [...view.records.of(kind)])
  const pace = new Pace()
  const anew = new DetachedGraph()
  for (const record of records) {
    anew.put(record)
    if (pace.due) await pace.turn()
  }
  const differences: GraphDifference[] = []
  let total = 0
  for await (const difference of compareGraphs(live, anew.graph, pace)) {
    total += 1
    if (differences.length < MAX_LISTED) differences.push(difference)
  }
  return {
    revision,
    nodes: anew.graph.nodeCount,
    edges: anew.graph.edges.count,
    differencesTotal: total,
    differences,
    durationMs: Math.round(performance.now() - startedAt),
  }
}

/** All differences between two graphs. Nodes and edges are matched by id, because their numbers mean nothing. */
async function* compareGraphs(
  live: GraphReader,
  anew: GraphReader,
  pace: Pace,
): AsyncGenerator<GraphDifference> {
  for (const [one, other, problem] of [
    [anew, live, 'missing'],
    [live, anew, 'extra'],
  ] as const) {
    const numbers = await numbersOf(other, pace)
    for (const node of one.nodes()) {
      if (pace.due) await pace.turn()
      const id = one.idOf(node)
      const match = numbers.get(id) ?? -1
      if (match === -1) yield { what: 'node', id, problem }
      else if (problem === 'missing' && nodeFacts(one, node) !== nodeFacts(other, match))
        yield { what: 'node', id, problem: 'different' }
      const known = match === -1 ? undefined : edgeFacts(other, match)
      for (const [edge, facts] of edgeFacts(one, node)) {
        const found = known?.get(edge)
        if (found === undefined) yield { what: 'edge', id: edge, problem }
        else if (problem === 'missing' && found !== facts)
          yield { what: 'edge', id: edge, problem: 'different' }
      }
    }
  }
}

/** Node numbers by id. A graph copy would search all its ids for each one. */
async function numbersOf(graph: GraphReader, pace: Pace): Promise<ReadonlyMap<string, number>> {
  const numbers = new Map<string, number>()
  for (const node of graph.nodes()) {
    if (pace.due) await pace.turn()
    numbers.set(graph.idOf(node), node)
  }
  return numbers
}

function nodeFacts(graph: GraphReader, node: number): string {
  const records = [...graph.servicesOf(node), ...graph.assertionsOf(node)]
  const keys = records.map(({ kind, id, revision }) => `${kind} ${id} ${revision}`).sort()
  return `${graph.isResolved(node)} ${graph.out.size(node)} ${graph.in.size(node)} ${keys.join()}`
}

function edgeFacts(graph: GraphReader, node: number): ReadonlyMap<string, string> {
  const { refs, revision } = graph.edges
  return new Map(
    Array.from(graph.out.of(node), (edge) => [graph.edgeIdOf(edge), `${refs[edge]} ${revision[edge]}`]),
  )
}
