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
 * Whether a record is one that a graph is made of: not of another kind, and not changed by hand into something that a view
 * does not serve. Graphs of the past have to leave out what the present left out, and must not fail of it.
 */
export function isServed({ kind, data }: Pick<StoredRecord, 'kind' | 'data'>): boolean {
  const check = checks.get(kind)
  if (check === undefined) return false
  const value = storedJson(data)
  return value !== undefined && check(value) === undefined
}
