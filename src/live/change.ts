import type { Accepted, Conflict, Unchanged } from '../database/store.ts'
import { CoordinatorError, toCoordinatorError } from '../errors.ts'
import type { CanonicalJson, JsonObject } from '../records/canonical-json.ts'
import {
  MAX_REVISION,
  type RecordKey,
  type Revision,
  type StoredRecord,
  type Write,
} from '../records/record.ts'
import type { Live } from './live.ts'
import { expectedRevision, failedPrecondition, type Precondition } from './preconditions.ts'
import type { Projection, ProjectionDefinition } from './projection.ts'
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

/**
 * All that a plan knows of what is stored. Another coordinator may have gone on since: what the plan reads here, the store is
 * asked to expect, so that nothing is stored which was computed from something that is over.
 */
export interface PlanState {
  /** The record that is changed; `undefined` where there is none, or where it is not served. */
  read(): StoredRecord | undefined
  /**
   * Something that is kept over all records. The records of others cannot be expected: so it is there only once the view has
   * been brought up to date within this change. Before, a plan that needs it refuses, and is asked again.
   */
  projection<P extends Projection>(definition: ProjectionDefinition<P>): P | undefined
}

/** What became of a change. Of a request that was sent before: what became of it the first time. */
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
   * Of a request that was sent before, the data that it stored: not what was planned this time, from what may have changed
   * since. Absent otherwise, and where it stored no data.
   */
  readonly replayedData?: CanonicalJson
}

/** What a change wants to do to its record. */
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
      /** Nothing can be done. Thrown only where the store does not know the request, and the view is up to date. */
      readonly op: 'refuse'
      readonly why: (view: View) => CoordinatorError
    }

/** Plans a change of one record. Called again where somebody else was faster. */
export type Plan<T> = (state: PlanState) => PlannedChange<T>

export interface ChangeSubject {
  readonly key: RecordKey
  /** What the client asks of the record, in the history that the view is of. @throws COORD_PRECONDITION_FAILED */
  readonly preconditionIn: (lineage: string) => Precondition
}

/**
 * Changes a record whose new content may depend on what is stored: plans it from the view, expects what was read, and plans it
 * again where somebody else was faster.
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
  for (let attempt = 1; ; attempt += 1) {
    const { view } = live
    // Where the history has changed meanwhile, an ETag is not about this one.
    const precondition = subject.preconditionIn(view.lineage)
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
  /** The revision that the record has in the view; 0 where there is none. One that is not served has one too. */
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

  /** The revision that the plan depends on; `undefined` where it did not look. */
  get needed(): Revision | undefined {
    return this.#hasRead ? this.current : undefined
  }
}

function writeOf(planned: PlannedChange<unknown>, reading: Reading, precondition: Precondition): Write {
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

function throwIfUnmet(precondition: Precondition, { actual }: Conflict): void {
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
