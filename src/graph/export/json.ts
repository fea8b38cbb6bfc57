import type { EdgeJson, NodeJson } from '../derive/describe.ts'
import type { GraphFormat, GraphWriter } from './graph-format.ts'

/** One JSON document: `{success, knowledgeGraph: {metadata, nodes, edges}}`. */
export const jsonFormat: GraphFormat = {
  contentType: 'application/json; charset=utf-8',
  writer: (metadata) =>
    jsonWriter(`{"success":true,"knowledgeGraph":{"metadata":${JSON.stringify(metadata)},`, {
      node: (node) => node,
      edge: (edge) => edge,
    }),
}

/** Writes one JSON document with two lists. @param head the text before them, with two open objects */
export function jsonWriter(
  head: string,
  { node, edge }: { readonly node: (node: NodeJson) => object; readonly edge: (edge: EdgeJson) => object },
): GraphWriter {
  let comma = ''
  const item = (value: object) => {
    const text = comma + JSON.stringify(value)
    comma = ','
    return text
  }
  return {
    begin: () => `${head}"nodes":[`,
    node: (shown) => item(node(shown)),
    between: () => {
      comma = ''
      return '],"edges":['
    },
    edge: (shown) => item(edge(shown)),
    end: () => ']}}\n',
  }
}
