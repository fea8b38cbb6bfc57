import { followOf, search } from '../analysis/search.ts'
import type { GraphReader } from '../model/graph-reader.ts'
import { firstById } from '../model/in-order.ts'
import { type NodeName, nameFromId, nodeName } from '../model/node-name.ts'

export interface BrokenConsumer extends NodeName {
  /** The node that it needs and would lose. */
  readonly loses: string
  /** How it needs it. */
  readonly type: string
}

/** Whether services define a node. */
export function isProvided(graph: GraphReader, id: string): boolean {
  const node = graph.find(id)
  if (node === -1) return false
  return graph.servicesOf(node).length > 0 || graph.out.of(node).some((edge) => graph.isDefining(edge))
}

/** The name of a node that may no longer exist. */
export function nameOf(graph: GraphReader, id: string): NodeName {
  const node = graph.find(id)
  return node === -1 ? nameFromId(id) : nodeName(graph, node)
}

/** The nodes that still need a lost node, at least `count` if there are that many. Lost nodes that nothing needs are not in the graph. */
export function brokenConsumers(
  graph: GraphReader,
  lost: readonly string[],
  count: number,
): readonly BrokenConsumer[] {
  const broken: BrokenConsumer[] = []
  for (const id of lost) {
    if (broken.length >= count) break
    const node = graph.find(id)
    const consumers = new Set(graph.in.othersOf(node))
    consumers.delete(node)
    for (const consumer of firstById(graph, consumers, count))
      for (const type of typesBetween(graph, consumer, node))
        broken.push({ ...nodeName(graph, consumer), loses: id, type })
  }
  return broken
}

/** The types of edges by which one node needs another, whatever their origins. */
function typesBetween(graph: GraphReader, from: number, to: number): readonly string[] {
  const others = graph.out.othersOf(from)
  const edges = graph.out.of(from).filter((_, at) => others[at] === to)
  return [...new Set(Array.from(edges, (edge) => graph.typeOf(edge)))].sort()
}

/** How many nodes need a lost node, directly or through others. */
export function countAffected(graph: GraphReader, lost: readonly string[]): number {
  const sources = lost.map((id) => graph.find(id)).filter((node) => node !== -1)
  if (sources.length === 0) return 0
  const follow = followOf(graph, 'neededBy')
  return search(graph, { sources, follow }, ({ count, levels }) => count - (levels[1] as number))
}
