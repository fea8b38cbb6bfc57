import { Pace } from '../../scheduling/pace.ts'
import type { RebuildAnswer } from '../derive/rebuild.ts'
import type { EdgeJson, NodeJson } from '../model/describe.ts'
import { cytoscapeFormat } from './cytoscape.ts'
import { dotFormat } from './dot.ts'
import { graphmlFormat } from './graphml.ts'
import { jsonFormat } from './json.ts'
import { mermaidFormat } from './mermaid.ts'
import { ndjsonFormat } from './ndjson.ts'

/** What an exported graph says about itself. */
export interface GraphMetadata {
  readonly totalServices: number
  readonly activeServices: number
  readonly nodes: number
  readonly edges: number
  readonly revision: number
  /** Time of the newest change, ISO 8601, UTC. */
  readonly lastUpdated: string
  /** Whether nothing that was asked for is missing. */
  readonly complete: boolean
  readonly truncated?: string
  /** What deriving the graph anew has found, where that was asked for. */
  readonly rebuild?: RebuildAnswer
}

/** How a graph is written: what comes first, each node, each edge, and what comes last. Nodes come before edges. */
export interface GraphFormat {
  readonly contentType: string
  readonly fileExtension: string
  /** Makes the writer of one graph. */
  writer(metadata: GraphMetadata): GraphWriter
}

export interface GraphWriter {
  begin(): string
  node(node: NodeJson): string
  /** Written between the last node and the first edge. */
  between?(): string
  edge(edge: EdgeJson): string
  end(): string
}

export type FormatName = 'json' | 'ndjson' | 'graphml' | 'dot' | 'mermaid' | 'cytoscape'

export const graphFormats: Readonly<Record<FormatName, GraphFormat>> = {
  json: jsonFormat,
  ndjson: ndjsonFormat,
  graphml: graphmlFormat,
  dot: dotFormat,
  mermaid: mermaidFormat,
  cytoscape: cytoscapeFormat,
}

export interface ExportedGraph {
  readonly metadata: GraphMetadata
  /** `undefined`, here and among the edges: some work was done, and nothing is ready yet. */
  readonly nodes: Iterable<NodeJson | undefined>
  readonly edges: Iterable<EdgeJson | undefined>
}

/** Size of a chunk, in UTF-16 code units. */
const CHUNK_SIZE = 65_536

/**
 * The text of a graph in pieces, each made when it is asked for. Making one takes some milliseconds, however much has to be
 * looked at for it: it may be short, or empty.
 */
export function* exportGraph(
  format: GraphFormat,
  { metadata, nodes, edges }: ExportedGraph,
): Generator<string> {
  const writer = format.writer(metadata)
  const pace = new Pace()
  let chunk = writer.begin()
  for (const node of nodes) {
    if (node !== undefined) chunk += writer.node(node)
    if (chunk.length < CHUNK_SIZE && !pace.due) continue
    yield chunk
    chunk = ''
    pace.renew()
  }
  chunk += writer.between?.() ?? ''
  for (const edge of edges) {
    if (edge !== undefined) chunk += writer.edge(edge)
    if (chunk.length < CHUNK_SIZE && !pace.due) continue
    yield chunk
    chunk = ''
    pace.renew()
  }
  yield chunk + writer.end()
}
