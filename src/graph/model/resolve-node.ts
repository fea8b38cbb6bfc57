import { CoordinatorError } from '../../errors.ts'
import { normalNodeId, serviceNodeId } from '../../records/graph/graph-id.ts'
import { DEFAULT_NAMESPACE } from '../../records/service/namespace.ts'
import { quoted } from '../../text/quoted.ts'
import type { GraphReader } from './graph-reader.ts'
import { suggestNode } from './suggest-node.ts'

/** Where a question got the text from, and where a plain name is looked for. */
interface Given {
  /** The parameter, for the error. @default `id` */
  readonly parameter?: string
  /** The namespace of plain names. An id says its own. @default `default` */
  readonly namespace?: string | undefined
}

/**
 * The node that a text refers to: by its id, by its id with decoded parts, or by the name of a service.
 *
 * @throws COORD_NODE_NOT_FOUND
 */
export function resolveNode(
  graph: GraphReader,
  text: string,
  { parameter = 'id', namespace = DEFAULT_NAMESPACE }: Given = {},
): number {
  for (const id of [text, normalNodeId(text), serviceNodeId(text, namespace)]) {
    const node = id === undefined ? -1 : graph.find(id)
    if (node !== -1) return node
  }
  const { more, extra } = whatWasMeant(graph, text, namespace)
  throw new CoordinatorError('COORD_NODE_NOT_FOUND', {
    detail: `The graph has no node ${quoted(text)}${inNamespace(namespace)}.${more}`,
    extra,
    errors: [{ path: parameter, message: 'names no node' }],
  })
}

/**
 * The end of a sentence about a name, which says where it was looked for.
 *
 * @param own the namespace of who used the name
 */
export function inNamespace(namespace: string, own: string = DEFAULT_NAMESPACE): string {
  return namespace === DEFAULT_NAMESPACE && own === DEFAULT_NAMESPACE
    ? ''
    : ` in the namespace ${quoted(namespace)}`
}

/**
 * What an error adds about a text that names nothing: the namespace that has the name, or else the name that was probably meant.
 *
 * @param namespace where plain names are looked for. @default `default`
 */
export function whatWasMeant(
  graph: GraphReader,
  text: string,
  namespace?: string,
): { readonly more: string; readonly extra: Readonly<Record<string, string>> } {
  const place = elsewhere(graph, serviceNodeId(text))
  const suggestion = place === '' ? suggestNode(graph, text, namespace) : undefined
  if (suggestion === undefined) return { more: place, extra: {} }
  return { more: ` Did you mean ${suggestion}?`, extra: { suggestion } }
}

/**
 * A sentence about services of the same name in other namespaces, after another one; empty if there are none.
 *
 * @param service the id of the node of a service
 */
export function elsewhere(graph: GraphReader, service: string): string {
  const [first, ...others] = graph.namespacesOf(service)
  if (first === undefined) return ''
  return ` The namespace ${quoted(first)} has a service of that name${others.length > 0 ? ', and so have others' : ''}.`
}
