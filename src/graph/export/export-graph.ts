import { Pace } from '../../scheduling/pace.ts'
import type { SelectedGraph } from '../questions/select-graph.ts'
import { cytoscapeFormat } from './cytoscape.ts'
import { dotFormat } from './dot.ts'
import type { GraphFormat } from './graph-format.ts'
import { graphmlFormat } from './graphml.ts'
import { jsonFormat } from './json.ts'
import { mermaidFormat } from './mermaid.ts'
import { ndjsonFormat } from './ndjson.ts'

export const graphFormats = {
  json: jsonFormat,
  ndjson: ndjsonFormat,
  graphml: graphmlFormat,
  dot: dotFormat,
  mermaid: mermaidFormat,
  cytoscape: cytoscapeFormat,
} as const satisfies Record<string, GraphFormat>

export type FormatName = keyof typeof graphFormats

/** Size of a chunk, in UTF-16 code units. */
const CHUNK_SIZE = 65_536

/**
 * The text of a graph in chunks, each made when it is requested. Making a chunk takes some milliseconds, however much data has to be looked
 * at for it. A chunk may therefore be short, or empty.
 */
export function* exportGraph(format: GraphFormat, graph: SelectedGraph): Generator<string> {
  const pace = new Pace()
  let chunk = ''
  for (const piece of pieces(format, graph)) {
    chunk += piece
    if (chunk.length < CHUNK_SIZE && !pace.due) continue
    yield chunk
    chunk = ''
    pace.renew()
  }
  yield chunk
}

function* pieces(format: GraphFormat, { metadata, nodes, edges }: SelectedGraph): Generator<string> {
  const writer = format.writer(metadata)
  yield writer.begin()
  for (const node of nodes) yield node === undefined ? '' : writer.node(node)
  yield writer.between?.() ?? ''
  for (const edge of edges) yield edge === undefined ? '' : writer.edge(edge)
  yield writer.end()
}
