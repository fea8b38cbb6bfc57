import { CoordinatorError } from '../../errors.ts'
import { MAX_REVISION, type Revision } from '../../records/record.ts'

/** The fewest characters that tell one lineage from another. */
export const LINEAGE_MARK_LENGTH = 8

/** A state of a record: its revision, in the history whose id begins with this text. At least 8 characters. */
export interface RecordState {
  readonly revision: Revision
  readonly lineage: string
}

/** The condition of a write about its record. */
export type Precondition =
  /** The record exists, or does not exist. */
  | { readonly kind: 'exists' | 'absent' }
  /** The record has this revision. */
  | ({ readonly kind: 'revision' } & RecordState)
  /** The record has one of these revisions, or none of them. A record that does not exist has none. */
  | { readonly kind: 'among' | 'not-among'; readonly states: readonly RecordState[] }

/**
 * Removes from a precondition the parts about other histories, whose revisions mean something else in this one.
 *
 * @throws COORD_PRECONDITION_FAILED if it demands a revision of another history
 */
export function inHistory(precondition: Precondition | undefined, lineage: string): Precondition | undefined {
  switch (precondition?.kind) {
    case 'revision':
      if (belongsTo(precondition, lineage)) return precondition
      throw otherHistory()
    case 'among':
    case 'not-among': {
      const states = precondition.states.filter((state) => belongsTo(state, lineage))
      if (precondition.kind === 'among' && states.length === 0 && precondition.states.length > 0)
        throw otherHistory()
      return { ...precondition, states }
    }
    default:
      return precondition
  }
}

function belongsTo(state: RecordState, lineage: string): boolean {
  // A shorter text could belong to any history.
  return state.lineage.length >= LINEAGE_MARK_LENGTH && lineage.startsWith(state.lineage)
}

function otherHistory(): CoordinatorError {
  return new CoordinatorError('COORD_PRECONDITION_FAILED', {
    detail: 'The revision belongs to another history: the database was restored or replaced.',
    outcome: 'not_written',
  })
}

/** The newest revision that a precondition names; 0 if it names none. */
export function newestNamed(precondition: Precondition | undefined): Revision {
  switch (precondition?.kind) {
    case 'revision':
      return precondition.revision
    case 'among':
    case 'not-among':
      return precondition.states.reduce((newest, { revision }) => Math.max(newest, revision), 0)
    default:
      return 0
  }
}

function names({ states }: { readonly states: readonly RecordState[] }, wanted: Revision): boolean {
  return states.some(({ revision }) => revision === wanted)
}

/** The facts about the record that a plan changes. */
export interface Planning {
  readonly op: 'put' | 'delete'
  /** The revision of the record in the view; 0 if it does not exist. */
  readonly current: Revision
  /** The revision that the plan depends on; `undefined` if it depends on none. */
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
  precondition: Precondition | undefined,
  { op, current, needed }: Planning,
): Revision | undefined {
  switch (precondition?.kind) {
    case undefined:
      return needed
    case 'absent':
      return bothOf(0, needed)
    case 'revision':
      return bothOf(precondition.revision, needed)
    case 'exists':
      // Deleting a record that does not exist changes nothing. The result then shows that it did not exist.
      if (op === 'delete') return needed
      return current === 0 ? MAX_REVISION : current
    case 'among':
      return names(precondition, current) ? current : MAX_REVISION
    case 'not-among':
      return names(precondition, current) ? MAX_REVISION : current
  }
}

function bothOf(wished: Revision, needed: Revision | undefined): Revision {
  return needed === undefined || needed === wished ? wished : MAX_REVISION
}

/**
 * The reason why the client's condition is not true for a record; `undefined` if it is true.
 *
 * @param actual the revision the record has: 0 where it does not exist
 */
export function failedPrecondition(
  precondition: Precondition | undefined,
  actual: Revision,
): CoordinatorError | undefined {
  switch (precondition?.kind) {
    case undefined:
      return undefined
    case 'exists':
      return actual > 0 ? undefined : mustExist()
    case 'absent':
      return actual === 0 ? undefined : preconditionFailed(0, actual)
    case 'revision':
      return actual === precondition.revision ? undefined : preconditionFailed(precondition.revision, actual)
    case 'among':
      if (names(precondition, actual)) return undefined
      return actual === 0 ? mustExist() : unmet('which is none of those that the condition names', actual)
    case 'not-among':
      return names(precondition, actual) ? unmet('which the condition excludes', actual) : undefined
  }
}

function unmet(why: string, actual: Revision): CoordinatorError {
  return new CoordinatorError('COORD_PRECONDITION_FAILED', {
    detail: `The record has revision ${actual}, ${why}.`,
    outcome: 'not_written',
    extra: { actual },
  })
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

/** The record that had to exist does not. */
export function mustExist(): CoordinatorError {
  return new CoordinatorError('COORD_PRECONDITION_FAILED', {
    detail: 'The record does not exist.',
    outcome: 'not_written',
    extra: { actual: 0 },
  })
}

/** Whether a precondition demands a record that exists. */
export function mustHaveExisted(precondition: Precondition | undefined): boolean {
  return precondition !== undefined && precondition.kind !== 'absent' && precondition.kind !== 'not-among'
}
