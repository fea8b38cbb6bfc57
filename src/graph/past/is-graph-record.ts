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
 * Whether a graph is made of a record: not of one of another kind, nor of one that somebody changed by hand into something
 * that a view does not serve. Graphs of the past leave out what the present left out.
 */
export function isGraphRecord({ kind, data }: Pick<StoredRecord, 'kind' | 'data'>): boolean {
  const check = checks.get(kind)
  const value = check === undefined ? undefined : storedJson(data)
  return value !== undefined && check?.(value) === undefined
}
