import type { GraphFormat } from './graph-format.ts'
import { jsonWriter } from './json.ts'

/** Elements of Cytoscape.js: `{elements: {nodes: [{data}], edges: [{data}]}, data: metadata}`. */
export const cytoscapeFormat: GraphFormat = {
  contentType: 'application/json; charset=utf-8',
  writer: (metadata) =>
    jsonWriter(`{"data":${JSON.stringify(metadata)},"elements":{`, {
      node: ({ data, ...name }) => ({ data: { ...name, details: data } }),
      edge: ({ id, source, target, type, origin, revision, data }) => ({
        data: { id, source, target, type, origin, revision, details: data },
      }),
    }),
}
