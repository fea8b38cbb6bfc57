import type { EdgeJson, NodeJson } from '../derive/describe.ts'
import type { GraphMetadata } from '../questions/select-graph.ts'

export interface GraphFormat {
  readonly contentType: string
  /** Creates the writer of one graph. */
  writer(metadata: GraphMetadata): GraphWriter
}

/** How to write a graph: the beginning, each node, each edge, and the end. Nodes come before edges. */
export interface GraphWriter {
  begin(): string
  node(node: NodeJson): string
  /** Written between the last node and the first edge. */
  between?(): string
  edge(edge: EdgeJson): string
  end(): string
}
