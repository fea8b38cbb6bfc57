import type { Accepted, Conflict, Unchanged } from '../../database/store.ts'
import { CoordinatorError, toCoordinatorError } from '../../errors.ts'
import type { CanonicalJson, JsonObject } from '../../records/canonical-json.ts'
import {
  MAX_REVISION,
  type RecordKey,
  type Revision,
  type StoredRecord,
  type Write,
} from '../../records/record.ts'
import type { Live } from '../live.ts'
import type { Projection, ProjectionDefinition } from '../view/projection.ts'
import type { View } from '../view/view.ts'
import { checkHistory, expectedRevision, failedPrecondition, type Precondition } from './preconditions.ts'

/** How often a change is computed anew because others were faster. */
const MAX_ATTEMPTS = 5

export interface ChangeRequest {
  readonly commitId: string
  readonly actor: string
  readonly fingerprint?: string
  /** From when on its time counts, all attempts together, on the monotonic clock. @default the call */
  readonly askedAt?: number
}

/**
 * All that a plan can read of the stored state. Another coordinator may have changed that state since. The store therefore has to
 * expect everything that the plan reads here, so that a plan made from an old state is never stored.
 */
export interface PlanState {
  /** The record to change; `undefined` if there is none, or if it is not served. */
  read(): StoredRecord | undefined
  /**
   * A value derived from all records. The store cannot expect all of them, so that the value is given only after the view has been
   * brought up to date within this change. Before that, a plan that needs it refuses, and is called again.
   */
  projection<P extends Projection>(definition: ProjectionDefinition<P>): P | undefined
}

/** The result of a change. For a request that was sent before it is the first result. */
export interface ChangeResult {
  /** Whether anything was stored. */
  readonly changed: boolean
  /** Whether the record did not exist before. */
  readonly created: boolean
  /** The commit that wrote the record; 0 where there is none. */
  readonly revision: Revision
  /** Whether this is the first result of a request that was sent before. */
  readonly replayed: boolean
  /**
   * For a request that was sent before: the data that it stored then, which may differ from the plan of this time. Absent otherwise, and if it
   * stored no data.
   */
  readonly replayedData?: CanonicalJson
}

/** What a plan does to its record. */
export type PlannedChange<T> = Planned & {
  /** Makes the answer from what the store said. `view`: one that has it, perhaps of another history than the plan's. */
  readonly answer: (result: ChangeResult, view: View) => T
}

type Planned =
  | {
      readonly op: 'put'
      readonly data: CanonicalJson
      /** What `data` says; see `Live.commit`. */
      readonly value?: JsonObject
    }
  | { readonly op: 'delete' }
  | {
      /** The change is refused. Thrown only if the store does not know the request, and the view is up to date. */
      readonly op: 'refuse'
      readonly why: (view: View) => CoordinatorError
    }

/** Plans a change of one record. It is called again if another change came first. */
export type Plan<T> = (state: PlanState) => PlannedChange<T>

export interface ChangeSubject {
  readonly key: RecordKey
  readonly precondition: Precondition | undefined
}

/**
 * Changes a record whose new content may depend on the stored state. It plans the change from the view, lets the store expect what the
 * plan has read, and plans again if another change came first.
 *
 * @throws COORD_PRECONDITION_FAILED, COORD_IDEMPOTENCY_REUSED, COORD_COMMIT_CONTENDED, what the plan refuses with, and what
 * `Live.commit` throws
 */
export async function change<T>(
  live: Live,
  { subject, request }: { readonly subject: ChangeSubject; readonly request: ChangeRequest },
  plan: Plan<T>,
): Promise<T> {
  const { askedAt = performance.now(), ...identity } = request
  const { precondition } = subject
  for (let attempt = 1; ; attempt += 1) {
    const { view } = live
    // The history may have changed since the last attempt.
    checkHistory(precondition, view.lineage)
    const reading = new Reading(view, subject.key, { upToDate: attempt > 1 })
    const planned = plan(reading)
    if (planned.op === 'refuse' && attempt > 1) throw planned.why(view)
    const write = writeOf(planned, reading, precondition)
    const values = planned.op === 'put' && planned.value !== undefined ? [planned.value] : undefined
    const outcome = await live.commit({ ...identity, writes: [write] }, values, askedAt)
    if (outcome.outcome === 'reused') throw reused(outcome.revision)
    if (outcome.outcome !== 'conflict') return planned.answer(resultOf(outcome), live.view)
    if (planned.op !== 'refuse') throwIfUnmet(precondition, outcome)
    if (attempt === MAX_ATTEMPTS)
      throw new CoordinatorError('COORD_COMMIT_CONTENDED', { outcome: 'not_written', retryAfterSeconds: 1 })
    // The view has followed up to the batch that held the conflict; waiting only matters where it is still behind.
    await caughtUpTo(live, outcome.actual)
  }
}

/** What one attempt sees of a view, and whether it looked at its record. */
class Reading implements PlanState {
  readonly key: RecordKey
  /** The revision of the record in the view; 0 if there is none. A record that is not served has one too. */
  readonly current: Revision
  readonly #view: View
  readonly #upToDate: boolean
  #hasRead = false

  constructor(view: View, key: RecordKey, { upToDate }: { readonly upToDate: boolean }) {
    this.key = key
    this.current = view.revisionOf(key.kind, key.id)
    this.#view = view
    this.#upToDate = upToDate
  }

  read(): StoredRecord | undefined {
    this.#hasRead = true
    return this.#view.get(this.key.kind, this.key.id)
  }

  projection<P extends Projection>(definition: ProjectionDefinition<P>): P | undefined {
    return this.#upToDate ? this.#view.projection(definition) : undefined
  }

  /** The revision that the plan depends on; `undefined` if it did not read the record. */
  get needed(): Revision | undefined {
    return this.#hasRead ? this.current : undefined
  }
}

function writeOf(
  planned: PlannedChange<unknown>,
  reading: Reading,
  precondition: Precondition | undefined,
): Write {
  const { kind, id } = reading.key
  // The store answers the first result if it knows the commit id, and a conflict if not.
  if (planned.op === 'refuse') return { op: 'delete', kind, id, expect: MAX_REVISION }
  const { current, needed } = reading
  const expect = expectedRevision(precondition, { op: planned.op, current, needed })
  const expecting = expect === undefined ? {} : { expect }
  return planned.op === 'put'
    ? { op: 'put', kind, id, data: planned.data, ...expecting }
    : { op: 'delete', kind, id, ...expecting }
}

function throwIfUnmet(precondition: Precondition | undefined, { actual }: Conflict): void {
  const unmet = failedPrecondition(precondition, actual)
  if (unmet !== undefined) throw unmet
}

function resultOf(outcome: Accepted | Unchanged): ChangeResult {
  const { replayed } = outcome
  const result =
    outcome.outcome === 'accepted'
      ? { changed: true, created: outcome.previous[0] === 0, revision: outcome.revision, replayed }
      : { changed: false, created: false, revision: outcome.revisions[0] as Revision, replayed }
  if (!outcome.replayed) return result
  const write = outcome.writes?.[0]
  return write?.op === 'put' ? { ...result, replayedData: write.data } : result
}

function reused(revision: Revision): CoordinatorError {
  return new CoordinatorError('COORD_IDEMPOTENCY_REUSED', {
    detail: `The key was used for another request, whose result is revision ${revision}.`,
    outcome: 'not_written',
    extra: { revision },
  })
}

/** A wait that ends in vain, as where the history is replaced meanwhile, ends a write that stored nothing. */
async function caughtUpTo(live: Live, revision: Revision): Promise<void> {
  try {
    await live.waitForRevision(revision)
  } catch (thrown) {
    throw toCoordinatorError(thrown).withOutcome('not_written')
  }
}
