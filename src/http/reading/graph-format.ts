import { type FormatName, graphFormats } from '../../graph/export/export-graph.ts'
import { mediaRanges } from './accepts.ts'

export const FORMAT_NAMES = Object.keys(graphFormats) as [FormatName, ...FormatName[]]

// A map and not an object: a client may send a name such as `constructor`, which is a property of every object.
const mediaTypes: ReadonlyMap<string, FormatName> = new Map([
  ['application/json', 'json'],
  ['application/x-ndjson', 'ndjson'],
  ['application/ndjson', 'ndjson'],
  ['application/jsonl', 'ndjson'],
  ['application/graphml+xml', 'graphml'],
  ['text/vnd.graphviz', 'dot'],
  ['text/vnd.mermaid', 'mermaid'],
  ['application/vnd.cytoscape+json', 'cytoscape'],
])

/** The format that a client prefers; JSON if it names none of ours. */
export function preferredFormat(accept: string | undefined): FormatName {
  if (accept === undefined) return 'json'
  let best: FormatName = 'json'
  let quality = 0
  for (const range of mediaRanges(accept)) {
    const format = mediaTypes.get(range.type)
    if (format === undefined || range.quality <= quality) continue
    best = format
    quality = range.quality
  }
  return best
}
