import { normalNodeId, serviceNodeId } from '../../records/graph/graph-id.ts'
import { DEFAULT_NAMESPACE } from '../../records/service/namespace.ts'
import { closestWord, oneEditAway } from '../../text/closest-word.ts'
import type { GraphReader } from './graph-reader.ts'

/** How many nodes are looked at for a name with several typing errors. */
const mostNodes = 20_000

type Nodes = Pick<GraphReader, 'find' | 'nodes' | 'idOf'>

/**
 * The node that was probably meant by a text that names none: a name of a service in the same namespace, a service that commands and
 * diagrams show as `shop/cart`, a node of another type with that name, or an id of the same type. One typing error is found in a graph of
 * any size, because the corrected texts are looked up. Several are found only among the first nodes, so that the answer takes some
 * milliseconds in every graph.
 */
export function suggestNode(
  graph: Nodes,
  text: string,
  namespace: string = DEFAULT_NAMESPACE,
): string | undefined {
  const id = normalNodeId(text)
  const service = serviceNodeId('')
  if (id === undefined) {
    const [, place, name = ''] = /^([a-z0-9-]{1,63})\/(.+)$/s.exec(text) ?? []
    const elsewhere = serviceNodeId(name, place)
    if (place !== undefined && graph.find(elsewhere) !== -1) return elsewhere
    const beginning = namespace === DEFAULT_NAMESPACE ? service : `${service}@${namespace}:`
    const end = serviceNodeId(text).slice(service.length)
    const found = closestEnd(graph, beginning, end)
    if (found !== undefined) return decodeURIComponent(found)
    return ofAnotherType(graph, namespace === DEFAULT_NAMESPACE ? `:${end}` : `:@${namespace}:${end}`)
  }
  const type = id.slice(0, id.indexOf(':') + 1)
  const found = closestEnd(graph, type, id.slice(type.length))
  return found === undefined ? undefined : type + found
}

/** The id of a node that has only this behind its type: of the first nodes, the least one. */
function ofAnotherType(graph: Nodes, end: string): string | undefined {
  let least: string | undefined
  for (const id of idsOf(graph))
    if (id.endsWith(end) && id.indexOf(':') === id.length - end.length && (least === undefined || id < least))
      least = id
  return least
}

/** The end of the id of a node with this beginning that is closest to the given end. */
function closestEnd(graph: Nodes, beginning: string, end: string): string | undefined {
  for (const corrected of oneEditAway(end)) if (graph.find(beginning + corrected) !== -1) return corrected
  return closestWord(end, endsOf(graph, beginning))
}

function* endsOf(graph: Nodes, beginning: string): Generator<string> {
  for (const id of idsOf(graph)) if (id.startsWith(beginning)) yield id.slice(beginning.length)
}

function* idsOf(graph: Nodes): Generator<string> {
  let seen = 0
  for (const node of graph.nodes()) {
    seen += 1
    if (seen > mostNodes) return
    yield graph.idOf(node)
  }
}
