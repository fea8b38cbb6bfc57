import type { GraphReader } from '../model/graph-reader.ts'
import { type ReachAnswer, type ReachOptions, reach } from './reach.ts'

/** What a node cannot do without, directly or through others. */
export function dependencies(graph: GraphReader, node: number, options: ReachOptions = {}): ReachAnswer {
  return reach(graph, node, { ...options, direction: 'needs' })
}
