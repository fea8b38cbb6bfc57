import type { GraphFormat } from './export-graph.ts'

/** Elements of Cytoscape.js: `{elements: {nodes: [{data}], edges: [{data}]}, data: metadata}`. */
export const cytoscapeFormat: GraphFormat = {
  contentType: 'application/json; charset=utf-8',
  fileExtension: 'cyjs',
  writer: (metadata) => {
    let comma = ''
    const element = (data: object) => {
      const text = comma + JSON.stringify({ data })
      comma = ','
      return text
    }
    return {
      begin: () => `{"data":${JSON.stringify(metadata)},"elements":{"nodes":[`,
      node: ({ id, label, type, data }) => element({ id, label, type, details: data }),
      between: () => {
        comma = ''
        return '],"edges":['
      },
      edge: ({ id, source, target, type, origin, revision, data }) =>
        element({ id, source, target, type, origin, revision, details: data }),
      end: () => ']}}\n',
    }
  },
}
