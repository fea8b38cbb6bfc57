import { CoordinatorError } from '../../errors.ts'
import { normalNodeId, serviceNodeId } from '../../records/graph/graph-id.ts'
import { quoted } from '../../text/quoted.ts'
import type { GraphReader } from './graph-reader.ts'
import { suggestNode } from './suggest-node.ts'

/**
 * The node that a text refers to: by its id, by its id with decoded parts, or by the name of a service.
 *
 * @param parameter the source of the text, for the error
 * @throws COORD_NODE_NOT_FOUND
 */
export function resolveNode(graph: GraphReader, text: string, parameter = 'id'): number {
  for (const id of [text, normalNodeId(text), serviceNodeId(text)]) {
    const node = id === undefined ? -1 : graph.find(id)
    if (node !== -1) return node
  }
  const suggestion = suggestNode(graph, text)
  const meant = suggestion === undefined ? '' : ` Did you mean ${suggestion}?`
  throw new CoordinatorError('COORD_NODE_NOT_FOUND', {
    detail: `The graph has no node ${quoted(text)}.${meant}`,
    ...(suggestion === undefined ? {} : { extra: { suggestion } }),
    errors: [{ path: parameter, message: 'names no node' }],
  })
}
