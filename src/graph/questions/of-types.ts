import { nodeTypeOf } from '../../records/graph/graph-id.ts'
import type { GraphReader } from '../model/graph-reader.ts'

/** Whether a node has one of the types that were asked for. Without a wish every node has. */
export function ofTypes(graph: GraphReader, node: number, types: readonly string[] | undefined): boolean {
  return types === undefined || types.includes(nodeTypeOf(graph.idOf(node)))
}
