import { edgeCheck, nodeCheck } from '../../records/graph/graph.ts'
import type { StoredRecord } from '../../records/record.ts'
import { serviceCheck } from '../../records/service/service-check.ts'
import { storedJson } from '../../records/stored-json.ts'

const checks = new Map([
  ['service', serviceCheck],
  ['node', nodeCheck],
  ['edge', edgeCheck],
])

/**
 * Whether a record contributes to graphs: it has the right kind, and its data is valid. Somebody may have changed the data by
 * hand; then views do not serve the record, and graphs of the past must leave it out, too.
 */
export function isGraphRecord({ kind, data }: Pick<StoredRecord, 'kind' | 'data'>): boolean {
  const check = checks.get(kind)
  const value = check === undefined ? undefined : storedJson(data)
  return value !== undefined && check?.(value) === undefined
}
