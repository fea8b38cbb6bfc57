import { normalNodeId, serviceNodeId } from '../../records/graph/graph-id.ts'
import { DEFAULT_NAMESPACE } from '../../records/service/namespace.ts'
import { closestWord } from '../../text/closest-word.ts'
import type { GraphReader } from './graph-reader.ts'

/**
 * The node that was probably meant by a text that names none: a name of a service in the same namespace, or an id of the same type. The
 * number of ids that are compared is limited, because the graph may have millions.
 */
export function suggestNode(
  graph: GraphReader,
  text: string,
  namespace: string = DEFAULT_NAMESPACE,
): string | undefined {
  const id = normalNodeId(text)
  if (id !== undefined) {
    const type = id.slice(0, id.indexOf(':') + 1)
    const found = closestWord(id.slice(type.length), endsOf(graph, type))
    return found === undefined ? undefined : type + found
  }
  const service = serviceNodeId('')
  const found = closestWord(
    serviceNodeId(text).slice(service.length),
    endsOf(graph, namespace === DEFAULT_NAMESPACE ? service : `${service}@${namespace}:`),
  )
  return found === undefined ? undefined : decodeURIComponent(found)
}

/** What follows the same beginning in the ids of nodes. */
function* endsOf(graph: GraphReader, beginning: string): Generator<string> {
  for (const node of graph.nodes()) {
    const id = graph.idOf(node)
    if (id.startsWith(beginning)) yield id.slice(beginning.length)
  }
}
