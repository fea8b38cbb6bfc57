import { CoordinatorError, toCoordinatorError } from '../errors.ts'
import type { JsonObject } from '../records/canonical-json.ts'
import type { Revision, Write } from '../records/record.ts'
import type { CommitOutcome } from './committer.ts'
import type { Live } from './live.ts'
import type { View } from './view.ts'

/** How often a change is computed anew because others were faster. */
const MAX_ATTEMPTS = 5

export interface ChangeRequest {
  readonly commitId: string
  readonly actor: string
  readonly fingerprint?: string
  /** From when on its time counts, all attempts together, on the monotonic clock. @default the call */
  readonly askedAt?: number
}

/** What a change wants to write, computed from the view as it is. */
export interface PlannedChange<T> {
  readonly writes: readonly Write[]
  /** What the `data` of each write says; see `Live.commit`. */
  readonly values?: readonly JsonObject[]
  /** Makes the answer from what the store said. `view`: one that has it, perhaps of another history than the plan's. */
  readonly answer: (outcome: Exclude<CommitOutcome, { outcome: 'conflict' | 'reused' }>, view: View) => T
  /** Whether an `expect` was the caller's own wish: then it is not tried again. @default false */
  readonly callersPrecondition?: boolean
}

/**
 * Changes records whose new content depends on what is stored: plans it from the view, with `expect`, and plans it again
 * where somebody else was faster.
 *
 * @throws COORD_PRECONDITION_FAILED, COORD_IDEMPOTENCY_REUSED, COORD_COMMIT_CONTENDED, and what `Live.commit` throws
 */
export async function change<T>(
  live: Live,
  { askedAt = performance.now(), ...request }: ChangeRequest,
  plan: (view: View) => PlannedChange<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    const { writes, values, answer, callersPrecondition = false } = plan(live.view)
    const outcome = await live.commit({ ...request, writes }, values, askedAt)
    if (outcome.outcome === 'reused')
      throw new CoordinatorError('COORD_IDEMPOTENCY_REUSED', {
        detail: `The key belongs to another request, which was answered with revision ${outcome.revision}.`,
        outcome: 'not_written',
        extra: { revision: outcome.revision },
      })
    if (outcome.outcome !== 'conflict') return answer(outcome, live.view)
    const { expected, actual } = outcome
    if (callersPrecondition)
      throw new CoordinatorError('COORD_PRECONDITION_FAILED', {
        detail: whyNot(expected, actual),
        outcome: 'not_written',
        extra: { expected, actual },
      })
    if (attempt === MAX_ATTEMPTS)
      throw new CoordinatorError('COORD_COMMIT_CONTENDED', { outcome: 'not_written', retryAfterSeconds: 1 })
    // The view has followed up to the batch that held the conflict; waiting only matters where it is still behind.
    await caughtUpTo(live, actual)
  }
}

function whyNot(expected: Revision, actual: Revision): string {
  if (actual === 0) return 'The record does not exist.'
  if (actual === expected) return 'The history changed meanwhile: the database was restored or replaced.'
  return expected === 0
    ? `The record exists already, with revision ${actual}.`
    : `The record has revision ${actual}, not ${expected}.`
}

/** A wait that ends in vain, as where the history is replaced meanwhile, ends a write that stored nothing. */
async function caughtUpTo(live: Live, revision: Revision): Promise<void> {
  try {
    await live.waitForRevision(revision)
  } catch (thrown) {
    throw toCoordinatorError(thrown).withOutcome('not_written')
  }
}
