import type { GraphFormat } from './export-graph.ts'

/** One JSON document: `{success, knowledgeGraph: {metadata, nodes, edges}}`. */
export const jsonFormat: GraphFormat = {
  contentType: 'application/json; charset=utf-8',
  fileExtension: 'json',
  writer: (metadata) => {
    let comma = ''
    const item = (value: object) => {
      const text = comma + JSON.stringify(value)
      comma = ','
      return text
    }
    return {
      begin: () => `{"success":true,"knowledgeGraph":{"metadata":${JSON.stringify(metadata)},"nodes":[`,
      node: item,
      between: () => {
        comma = ''
        return '],"edges":['
      },
      edge: item,
      end: () => ']}}\n',
    }
  },
}
