import { smallest } from '../../collections/smallest.ts'
import { labelOfNodeId, namespaceOfNodeId, nodeTypeOf } from '../../records/graph/graph-id.ts'
import type { StoredRecord } from '../../records/record.ts'
import type { GraphReader } from './graph-reader.ts'
import { dataOf, textOf } from './lenient-json.ts'

/** A node without its data, as lists of nodes show it. */
export interface NodeName {
  readonly id: string
  readonly label: string
  readonly type: string
  readonly namespace: string
}

/** How many records of one node are read for its data. Further records are only counted. */
export const MAX_DESCRIBED_RECORDS = 1_000

/** A node without its data. The label is the asserted one, or made from the id. */
export function nodeName(graph: GraphReader, node: number): NodeName {
  return nameFromId(graph.idOf(node), assertedLabel(graph.assertionsOf(node)))
}

/** What the id alone says about a node. @param label another label than the one that is made from the id */
export function nameFromId(id: string, label: string = labelOfNodeId(id)): NodeName {
  return { id, label, type: nodeTypeOf(id), namespace: namespaceOfNodeId(id) }
}

/** The last one wins, as with properties. */
function assertedLabel(assertions: readonly StoredRecord[]): string | undefined {
  if (assertions.length === 0) return undefined
  const labels = recordsById(assertions).map((record) => textOf(dataOf(record)['label']))
  return labels.findLast((text) => text !== undefined)
}

/** Records by id, so that every coordinator says the same. */
export function recordsById(records: readonly StoredRecord[]): readonly StoredRecord[] {
  return records.length < 2 ? records : smallest(records, MAX_DESCRIBED_RECORDS, byId)
}

export function byId(left: { readonly id: string }, right: { readonly id: string }): number {
  return left.id < right.id ? -1 : 1
}
