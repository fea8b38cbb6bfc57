import { CoordinatorError } from '../../errors.ts'

/**
 * How a call to the database ended. `refused`: the database rejected what only the caller can change, such as a revision that is
 * compacted. `error`: the call failed.
 */
export const queryOutcomes = ['ok', 'refused', 'error'] as const

export function outcomeOf(thrown: unknown): (typeof queryOutcomes)[number] {
  return thrown instanceof CoordinatorError && thrown.status < 500 ? 'refused' : 'error'
}

/** The label `class`: a word from a short, fixed set, such as `unavailable`, `timeout`, `busy`, `full`, `schema`, `fault`. */
export function errorClassOf(thrown: unknown): string {
  if (!(thrown instanceof CoordinatorError)) return 'fault'
  const [, area = '', fault = ''] = /^COORD_([A-Z]+)_(.*)$/.exec(thrown.code) ?? []
  if (area === 'STORE') return fault.toLowerCase()
  return area === 'SCHEMA' || area === 'CONFIG' ? area.toLowerCase() : 'fault'
}

/** The label `code`: a SQLSTATE, a PGRST code, or `other`, so that no text of a database can become a label. */
export function errorCodeLabel(thrown: unknown): string {
  const code = thrown instanceof CoordinatorError ? (thrown.sourceCode ?? '') : ''
  return /^([0-9A-Z]{5}|PGRST[0-9X]\d\d)$/.test(code) && /\d/.test(code) ? code : 'other'
}
