import { smallest } from '../../collections/smallest.ts'
import type { GraphReader } from '../model/graph-reader.ts'
import { firstById } from '../model/in-order.ts'
import { shownIn } from '../model/namespace-part.ts'
import { type NodeName, nodeName } from '../model/node-name.ts'
import { COMPLETE, type Completeness, cutBy, DEFAULT_LIMIT, type QuestionOptions } from './answer.ts'

/** @default `limit` 1_000 */
export type ListOptions = Pick<QuestionOptions, 'limit' | 'nodeTypes' | 'namespace'>

interface NodeList<T> extends Completeness {
  /** Sorted by id. */
  readonly nodes: readonly T[]
  readonly total: number
}

export interface UnresolvedNode extends NodeName {
  /** Ids of nodes that refer to it, the first ten by id. */
  readonly referencedBy: readonly string[]
  /** How many edges refer to it. */
  readonly references: number
  /** For a service: other namespaces that have one of its name, at most ten. Absent if there are none. */
  readonly elsewhere?: readonly string[]
}

export type UnresolvedAnswer = NodeList<UnresolvedNode>
export type OrphansAnswer = NodeList<NodeName>

/** Nodes without any edge. */
export function orphans(graph: GraphReader, options: ListOptions = {}): OrphansAnswer {
  const { chosen, list } = choose(graph, options, (node) => !(graph.in.size(node) || graph.out.size(node)))
  return { nodes: chosen.map((node) => nodeName(graph, node)), ...list }
}

/**
 * Nodes that edges refer to but nothing defines: services that are not registered, events that nobody publishes, ends of asserted edges
 * that do not exist.
 */
export function unresolved(graph: GraphReader, options: ListOptions = {}): UnresolvedAnswer {
  const { chosen, list } = choose(graph, options, (node) => !graph.isResolved(node))
  return {
    nodes: chosen.map((node) => ({
      ...nodeName(graph, node),
      ...referencesTo(graph, node),
      ...elsewhereOf(graph, node),
    })),
    ...list,
  }
}

function choose(
  graph: GraphReader,
  { limit = DEFAULT_LIMIT, nodeTypes, namespace }: ListOptions,
  isWanted: (node: number) => boolean,
) {
  const found: number[] = []
  const isShown = shownIn(graph, { namespace })
  for (const node of graph.nodes())
    if (isWanted(node) && graph.isOfType(node, nodeTypes) && isShown(node)) found.push(node)
  const chosen = firstById(graph, found, limit)
  return {
    chosen,
    list: { total: found.length, ...(found.length > chosen.length ? cutBy('limit') : COMPLETE) },
  }
}

function elsewhereOf(graph: GraphReader, node: number): Pick<UnresolvedNode, 'elsewhere'> {
  if (!graph.isOfType(node, ['service'])) return {}
  const elsewhere = graph.namespacesOf(graph.idOf(node)).slice(0, 10)
  return elsewhere.length > 0 ? { elsewhere } : {}
}

function referencesTo(graph: GraphReader, node: number) {
  const others = [...graph.in.othersOf(node), ...graph.out.othersOf(node)]
  const ids = new Set(others.map((other) => graph.idOf(other)))
  return {
    referencedBy: smallest(ids, 10, (left, right) => (left < right ? -1 : 1)),
    references: others.length,
  }
}
