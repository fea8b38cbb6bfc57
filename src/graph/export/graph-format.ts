import type { EdgeJson, NodeJson } from '../derive/describe.ts'
import type { GraphMetadata } from '../questions/select-graph.ts'

export interface GraphFormat {
  readonly contentType: string
  readonly fileExtension: string
  /** Makes the writer of one graph. */
  writer(metadata: GraphMetadata): GraphWriter
}

/** How a graph is written: what comes first, each node, each edge, and what comes last. Nodes come before edges. */
export interface GraphWriter {
  begin(): string
  node(node: NodeJson): string
  /** Written between the last node and the first edge. */
  between?(): string
  edge(edge: EdgeJson): string
  end(): string
}
