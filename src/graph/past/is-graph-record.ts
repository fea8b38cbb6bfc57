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
 * Whether a record belongs to a graph: it is of a kind that graphs use, and nobody changed it by hand so that a view does not serve it.
 * Graphs of the past omit what the present omitted.
 */
export function isGraphRecord({ kind, data }: Pick<StoredRecord, 'kind' | 'data'>): boolean {
  const check = checks.get(kind)
  const value = check === undefined ? undefined : storedJson(data)
  return value !== undefined && check?.(value) === undefined
}
