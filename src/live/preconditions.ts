import { CoordinatorError } from '../errors.ts'
import { MAX_REVISION, type Revision } from '../records/record.ts'
import type { WriteContext } from './write-context.ts'

/**
 * What a client asks of the state that its write meets.
 *
 * - `none`: nothing. `exists`: `If-Match: *`. `absent`: `If-None-Match: *`.
 * - `revision`: `If-Match: "<lineage8>-<revision>"`.
 */
export type Precondition =
  | { readonly kind: 'none' | 'exists' | 'absent' }
  | { readonly kind: 'revision'; readonly revision: Revision }

const none: Precondition = { kind: 'none' }
const anything: Expectation = { callers: false }

const etagForm = /^"([0-9a-f]{8})-(\d{1,16})"$/

/**
 * Reads the conditional headers of a write.
 *
 * @throws COORD_HEADER_INVALID for another form, COORD_PRECONDITION_FAILED for an ETag of another history
 */
export function readPrecondition(
  { ifMatch, ifNoneMatch }: Pick<WriteContext, 'ifMatch' | 'ifNoneMatch'>,
  lineage: string,
): Precondition {
  if (ifMatch !== undefined && ifNoneMatch !== undefined)
    throw invalid('If-Match', 'may not come together with If-None-Match')
  if (ifNoneMatch !== undefined) {
    if (ifNoneMatch.trim() === '*') return { kind: 'absent' }
    throw invalid('If-None-Match', 'of a write must be *')
  }
  if (ifMatch === undefined) return none
  return ifMatch.trim() === '*' ? { kind: 'exists' } : revisionOf(ifMatch.trim(), lineage)
}

function revisionOf(etag: string, lineage: string): Precondition {
  const [, lineage8, digits] = etagForm.exec(etag) ?? []
  const revision = Number(digits)
  if (lineage8 === undefined || !(revision >= 1 && revision <= MAX_REVISION))
    throw invalid('If-Match', 'must be an ETag as it was sent, or *')
  if (lineage8 !== lineage.slice(0, 8))
    throw new CoordinatorError('COORD_PRECONDITION_FAILED', {
      detail: 'The ETag belongs to another history: the database was restored or replaced.',
      outcome: 'not_written',
    })
  return { kind: 'revision', revision }
}

function invalid(header: string, message: string): CoordinatorError {
  return new CoordinatorError('COORD_HEADER_INVALID', {
    detail: `${header} ${message}.`,
    errors: [{ path: `header.${header.toLowerCase()}`, message, code: 'COORD_HEADER_INVALID' }],
    outcome: 'not_written',
  })
}

/** How a write carries a precondition to the store. */
export interface Expectation {
  /** Revision the record must have; absent where any will do. */
  readonly expect?: Revision
  /** Whether it is the client's wish: then losing a race is an answer, and not a reason to try again. */
  readonly callers: boolean
}

/**
 * What the store is asked to expect.
 *
 * A record that must exist and does not is expected at a revision that no record has. The store refuses that, but first
 * it answers commit ids that it knows; and where only this coordinator is behind, the second attempt finds the record.
 *
 * @param state the record's revision in the view, 0 where it does not exist, and how often the write was planned
 * @throws COORD_PRECONDITION_FAILED where the record does not exist although the view has caught up
 */
export function expectationOf(
  precondition: Precondition,
  { current, attempt }: { readonly current: Revision; readonly attempt: number },
): Expectation {
  switch (precondition.kind) {
    case 'none':
      return anything
    case 'absent':
      return { expect: 0, callers: true }
    case 'revision':
      return { expect: precondition.revision, callers: true }
    case 'exists':
      if (current > 0) return { expect: current, callers: false }
      if (attempt > 1) throw mustExist()
      return { expect: MAX_REVISION, callers: false }
  }
}

/** `If-Match: *` met nothing. */
export function mustExist(): CoordinatorError {
  return new CoordinatorError('COORD_PRECONDITION_FAILED', {
    detail: 'The record does not exist.',
    outcome: 'not_written',
    extra: { actual: 0 },
  })
}
