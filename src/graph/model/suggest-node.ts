import { normalNodeId, serviceNodeId } from '../../records/graph/graph-id.ts'
import { DEFAULT_NAMESPACE } from '../../records/service/namespace.ts'
import { closestWord, oneEditAway } from '../../text/closest-word.ts'
import type { GraphReader } from './graph-reader.ts'

/** How many nodes are looked at for a name with several typing errors. */
const mostNodes = 20_000

type Nodes = Pick<GraphReader, 'find' | 'nodes' | 'idOf'>

/**
 * The node that was probably meant by a text that names none: a name of a service in the same namespace, or an id of the same type. One
 * typing error is found in a graph of any size, because the corrected texts are looked up. Several are found only among the first nodes,
 * so that the answer takes some milliseconds in every graph.
 */
export function suggestNode(
  graph: Nodes,
  text: string,
  namespace: string = DEFAULT_NAMESPACE,
): string | undefined {
  const id = normalNodeId(text)
  const service = serviceNodeId('')
  if (id === undefined) {
    const beginning = namespace === DEFAULT_NAMESPACE ? service : `${service}@${namespace}:`
    const found = closestEnd(graph, beginning, serviceNodeId(text).slice(service.length))
    return found === undefined ? undefined : decodeURIComponent(found)
  }
  const type = id.slice(0, id.indexOf(':') + 1)
  const found = closestEnd(graph, type, id.slice(type.length))
  return found === undefined ? undefined : type + found
}

/** The end of the id of a node with this beginning that is closest to the given end. */
function closestEnd(graph: Nodes, beginning: string, end: string): string | undefined {
  for (const corrected of oneEditAway(end)) if (graph.find(beginning + corrected) !== -1) return corrected
  return closestWord(end, endsOf(graph, beginning))
}

function* endsOf(graph: Nodes, beginning: string): Generator<string> {
  let seen = 0
  for (const node of graph.nodes()) {
    seen += 1
    if (seen > mostNodes) return
    const id = graph.idOf(node)
    if (id.startsWith(beginning)) yield id.slice(beginning.length)
  }
}
