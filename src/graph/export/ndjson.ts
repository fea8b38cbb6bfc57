import type { GraphFormat } from './graph-format.ts'

/** One JSON object a line: `{"metadata": ...}` first, then `{"node": ...}`, then `{"edge": ...}`. */
export const ndjsonFormat: GraphFormat = {
  contentType: 'application/x-ndjson',
  writer: (metadata) => ({
    begin: () => `${JSON.stringify({ metadata })}\n`,
    node: (node) => `${JSON.stringify({ node })}\n`,
    edge: (edge) => `${JSON.stringify({ edge })}\n`,
    end: () => '',
  }),
}
