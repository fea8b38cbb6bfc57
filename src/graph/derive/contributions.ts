import type { EdgeData, NodeData } from '../../records/graph/graph.ts'
import { edgeId } from '../../records/graph/graph-id.ts'
import type { StoredRecord } from '../../records/record.ts'
import { targetNeedsSource } from '../model/edge-types.ts'
import { dataOf } from '../model/lenient-json.ts'
import { deriveService } from './derive.ts'

/**
 * The contributions of one record: for the id of each node and edge, a text of the details. The text changes whenever the record
 * says something else about this node or edge. It is empty for a node that is only the end of an edge.
 */
export interface Contributions {
  readonly nodes: ReadonlyMap<string, string>
  readonly edges: ReadonlyMap<string, string>
}

/** @param record a record that belongs to graphs; without it there are no contributions */
export function contributionsOf(record: StoredRecord | undefined): Contributions {
  const [nodes, edges] = [new Map<string, string>(), new Map<string, string>()]
  // One record may refer to the same node or edge several times.
  const add = (texts: Map<string, string>, id: string, text: string) =>
    texts.set(id, (texts.get(id) ?? '') + text)
  if (record?.kind === 'node') add(nodes, (dataOf(record) as unknown as NodeData).id, record.data)
  else if (record?.kind === 'edge') {
    const edge = dataOf(record) as unknown as EdgeData
    add(nodes, edge.source, '')
    add(nodes, edge.target, '')
    add(edges, edgeId(edge), record.data)
  } else if (record !== undefined) {
    const relations: Parameters<Parameters<typeof deriveService>[1]>[] = []
    const source = deriveService(dataOf(record), (...relation) => relations.push(relation))
    add(nodes, source, record.data)
    for (const [type, target, edge, node] of relations) {
      add(nodes, target, targetNeedsSource(type) ? `defined ${JSON.stringify(node)}` : '')
      add(edges, edgeId({ source, type, target, origin: 'declared' }), `declared ${JSON.stringify(edge)}`)
    }
  }
  return { nodes, edges }
}
