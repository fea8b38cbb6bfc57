import type { GraphReader } from '../model/graph-reader.ts'
import { type ReachAnswer, type ReachOptions, reach } from './reach.ts'

/** What cannot do without a node, directly or through others: what is hit when it fails. */
export function impact(graph: GraphReader, node: number, options: ReachOptions = {}): ReachAnswer {
  return reach(graph, node, { ...options, direction: 'neededBy' })
}
