import type { JsonObject } from '../canonical-json.ts'
import { namespaceIn } from '../service/namespace.ts'
import { namespaceOfNodeId } from './graph-id.ts'

/** What has to be known of a record to find its namespaces. */
export interface PlacedRecord {
  readonly kind: string
  readonly id: string
  readonly data: JsonObject
}

/** The namespaces of a record: one, or those of both nodes of an edge. */
export function namespacesOfRecord({ kind, id, data }: PlacedRecord): readonly string[] {
  if (kind === 'service') return [namespaceIn(data)]
  const ids = kind === 'node' ? [data['id'] ?? id] : [data['source'], data['target']]
  return ids.filter((nodeId) => typeof nodeId === 'string').map(namespaceOfNodeId)
}
