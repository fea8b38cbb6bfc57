import type { JsonObject } from '../../records/canonical-json.ts'
import type { EdgeData, NodeData } from '../../records/graph/graph.ts'
import { edgeId } from '../../records/graph/graph-id.ts'
import type { StoredRecord } from '../../records/record.ts'
import { deriveService } from '../derive/derive.ts'
import { targetNeedsSource } from './edge-types.ts'

/**
 * What one record says, by the ids of nodes and edges. The text is different whenever something else is said about the
 * node or edge itself; it is empty where a node is only the end of an edge, which says nothing about it.
 */
export interface RecordStatements {
  readonly nodes: ReadonlyMap<string, string>
  readonly edges: ReadonlyMap<string, string>
}

/** @param record one that a graph is made of; without it nothing is said */
export function statementsOf(record: StoredRecord | undefined): RecordStatements {
  const statements = new Statements()
  if (record === undefined) return statements
  const data = JSON.parse(record.data) as JsonObject
  if (record.kind === 'node') statements.aboutNode((data as unknown as NodeData).id, record.data)
  else if (record.kind === 'edge') {
    const edge = data as unknown as EdgeData
    statements.aboutNode(edge.source, '')
    statements.aboutNode(edge.target, '')
    statements.edges.set(edgeId(edge), record.data)
  } else {
    const relations: Parameters<Parameters<typeof deriveService>[1]>[] = []
    const source = deriveService(data, (...relation) => relations.push(relation))
    statements.aboutNode(source, record.data)
    for (const [type, target, edge, node] of relations) {
      statements.aboutNode(target, targetNeedsSource(type) ? `stated ${JSON.stringify(node)}` : '')
      const id = edgeId({ source, type, target, origin: 'declared' })
      statements.edges.set(id, `${statements.edges.get(id) ?? ''}stated ${JSON.stringify(edge)}`)
    }
  }
  return statements
}

class Statements implements RecordStatements {
  readonly nodes = new Map<string, string>()
  readonly edges = new Map<string, string>()

  /** One record may speak of the same node several times. */
  aboutNode(id: string, text: string): void {
    this.nodes.set(id, (this.nodes.get(id) ?? '') + text)
  }
}
