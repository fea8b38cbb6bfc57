import { CoordinatorError } from '../../errors.ts'
import { lineageMark, readRecordEtag } from '../../records/etag.ts'
import { MAX_REVISION, type Revision } from '../../records/record.ts'
import type { WriteContext } from './write-context.ts'

/**
 * What a client asks of the state that its write meets.
 *
 * - `none`: nothing. `exists`: `If-Match: *`. `absent`: `If-None-Match: *`.
 * - `revision`: `If-Match` with the ETag of a record. The health in it is ignored, because it is not stored.
 */
export type Precondition =
  | { readonly kind: 'none' | 'exists' | 'absent' }
  | { readonly kind: 'revision'; readonly revision: Revision }

const none: Precondition = { kind: 'none' }

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
  const read = readRecordEtag(etag)
  if (read === undefined) throw invalid('If-Match', 'must be an ETag as it was sent, or *')
  if (read.lineageMark !== lineageMark(lineage))
    throw new CoordinatorError('COORD_PRECONDITION_FAILED', {
      detail: 'The ETag belongs to another history: the database was restored or replaced.',
      outcome: 'not_written',
    })
  return { kind: 'revision', revision: read.revision }
}

function invalid(header: string, message: string): CoordinatorError {
  return new CoordinatorError('COORD_HEADER_INVALID', {
    detail: `${header} ${message}.`,
    errors: [{ path: `header.${header.toLowerCase()}`, message, code: 'COORD_HEADER_INVALID' }],
    outcome: 'not_written',
  })
}

/** What a plan knows of the record that it changes. */
export interface Planning {
  readonly op: 'put' | 'delete'
  /** The record's revision in the view, 0 where it does not exist. */
  readonly current: Revision
  /** The revision that the plan depends on; `undefined` where any will do. */
  readonly needed: Revision | undefined
}

/**
 * The revision that the store has to expect, so that both the client's condition and what the plan has read are true. `undefined` if
 * any revision will do.
 *
 * If the two contradict each other, this coordinator may be behind. It then expects a revision that no record has. The store refuses
 * the commit, unless it knows the commit id, and the second attempt sees the present record.
 */
export function expectedRevision(
  precondition: Precondition,
  { op, current, needed }: Planning,
): Revision | undefined {
  switch (precondition.kind) {
    case 'none':
      return needed
    case 'absent':
      return bothOf(0, needed)
    case 'revision':
      return bothOf(precondition.revision, needed)
    case 'exists':
      // Deleting an absent record changes nothing, which tells that it was absent.
      if (op === 'delete') return needed
      return current === 0 ? MAX_REVISION : current
  }
}

function bothOf(wished: Revision, needed: Revision | undefined): Revision {
  return needed === undefined || needed === wished ? wished : MAX_REVISION
}

/**
 * Why the client's condition is not true for a record; `undefined` if it is true.
 *
 * @param actual the revision the record has: 0 where it does not exist
 */
export function failedPrecondition(
  precondition: Precondition,
  actual: Revision,
): CoordinatorError | undefined {
  switch (precondition.kind) {
    case 'none':
      return undefined
    case 'exists':
      return actual > 0 ? undefined : mustExist()
    case 'absent':
      return actual === 0 ? undefined : preconditionFailed(0, actual)
    case 'revision':
      return actual === precondition.revision ? undefined : preconditionFailed(precondition.revision, actual)
  }
}

function preconditionFailed(expected: Revision, actual: Revision): CoordinatorError {
  const detail =
    actual === 0
      ? 'The record does not exist.'
      : expected === 0
        ? `The record exists already, with revision ${actual}.`
        : `The record has revision ${actual}, not ${expected}.`
  return new CoordinatorError('COORD_PRECONDITION_FAILED', {
    detail,
    outcome: 'not_written',
    extra: { expected, actual },
  })
}

/** `If-Match: *` met nothing. */
export function mustExist(): CoordinatorError {
  return new CoordinatorError('COORD_PRECONDITION_FAILED', {
    detail: 'The record does not exist.',
    outcome: 'not_written',
    extra: { actual: 0 },
  })
}
