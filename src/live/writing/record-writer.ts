import type { Accepted, Unchanged } from '../../database/store.ts'
import { CoordinatorError, toCoordinatorError } from '../../errors.ts'
import {
  type Commit,
  MAX_REVISION,
  type RecordKey,
  type Revision,
  type StoredRecord,
  type Write,
} from '../../records/record.ts'
import type { Live } from '../live.ts'
import type { Projection, ProjectionDefinition } from '../view/projection.ts'
import type { View } from '../view/view.ts'
import type { ChangeRequest, ChangeResult, Plan, PlannedChange, PlanState } from './change.ts'
import {
  expectedRevision,
  failedPrecondition,
  inHistory,
  newestNamed,
  type Precondition,
} from './preconditions.ts'
import type { WriteContext } from './write-context.ts'

/** The most times that one change is planned. It is planned again if another writer was faster. */
const MAX_ATTEMPTS = 5

/** Changes of the same record run one after the other. Changes of different records run at the same time. */
export class RecordWriter {
  readonly #live: Live
  /**
   * For each id with a change in progress, the changes that wait for it. Records of two kinds may have the same id and take turns, too, which
   * does no harm. A text of kind and id would be made, and hashed, for every change.
   */
  readonly #waiting = new Map<string, (() => void)[] | undefined>()

  constructor(live: Live) {
    this.#live = live
  }

  /**
   * Refuses a write before the first load: nothing was written.
   *
   * @returns the present view
   * @throws COORD_NOT_LOADED
   */
  requireLoaded(): View {
    return this.#view()
  }

  /**
   * Changes a record whose new content may depend on the stored state. It plans the change from the view, lets the store expect what the
   * plan has read, and plans again if another change came first.
   *
   * @throws COORD_PRECONDITION_FAILED, COORD_IDEMPOTENCY_REUSED, COORD_COMMIT_CONTENDED, what the plan throws or refuses with, and what
   * `Live.commit` throws
   */
  async change<T>(
    key: RecordKey,
    {
      request,
      context,
    }: { readonly request: ChangeRequest; readonly context: Pick<WriteContext, 'precondition'> },
    plan: Plan<T>,
  ): Promise<T> {
    const askedAt = performance.now()
    const turn = this.#turn(key.id)
    if (turn !== undefined) await turn
    try {
      if (context.precondition !== undefined) await this.#seeWhatClientSaw(context.precondition, askedAt)
      for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
        const view = this.#view()
        // The history may have changed since the last attempt.
        const precondition = inHistory(context.precondition, view.lineage)
        const reading = new Reading(view, key, { upToDate: attempt > 1 })
        const planned = plan(reading)
        if (planned.op === 'refuse' && attempt > 1) throw planned.why(view)
        const commit = commitOf(request, writeOf(planned, reading, precondition))
        const values = planned.op === 'put' && planned.value !== undefined ? [planned.value] : undefined
        const outcome = await this.#live.commit(commit, values, askedAt)
        if (outcome.outcome === 'reused') throw reused(outcome.revision)
        if (outcome.outcome !== 'conflict') return planned.answer(resultOf(outcome), this.#live.view)
        const unmet = planned.op === 'refuse' ? undefined : failedPrecondition(precondition, outcome.actual)
        if (unmet !== undefined) throw unmet
        // The view has followed up to the batch with the conflict. It only has to wait if it is still behind.
        if (attempt < MAX_ATTEMPTS) await this.#caughtUp(this.#live.waitForRevision(outcome.actual))
      }
      throw new CoordinatorError('COORD_COMMIT_CONTENDED', { outcome: 'not_written', retryAfterSeconds: 1 })
    } finally {
      this.#endTurn(key.id)
    }
  }

  /** @throws COORD_NOT_LOADED with `not_written` */
  #view(): View {
    try {
      return this.#live.view
    } catch (thrown) {
      throw toCoordinatorError(thrown).withOutcome('not_written')
    }
  }

  /** A plan is made from the view, so the view must not be older than what the client has seen. */
  async #seeWhatClientSaw(precondition: Precondition, askedAt: number): Promise<void> {
    const view = this.#view()
    if (newestNamed(inHistory(precondition, view.lineage)) > view.revision)
      await this.#caughtUp(this.#live.catchUpInTime(askedAt))
  }

  /** If the wait fails, for example because the history is replaced in the meantime, the write has stored nothing. */
  async #caughtUp(waiting: Promise<void>): Promise<void> {
    try {
      await waiting
    } catch (thrown) {
      throw toCoordinatorError(thrown).withOutcome('not_written')
    }
  }

  /**
   * Changes of one record take turns: in the same batch they would conflict with each other, and would have to be planned again.
   *
   * @returns `undefined` if no other change of the record is in progress
   */
  #turn(id: string): Promise<void> | undefined {
    if (!this.#waiting.has(id)) {
      this.#waiting.set(id, undefined)
      return undefined
    }
    const waiting = this.#waiting.get(id) ?? []
    this.#waiting.set(id, waiting)
    return new Promise((resolve) => waiting.push(resolve))
  }

  #endTurn(id: string): void {
    const next = this.#waiting.get(id)?.shift()
    if (next === undefined) this.#waiting.delete(id)
    else next()
  }
}

/** The part of a view that one attempt sees. It notes whether the attempt read the record. */
class Reading implements PlanState {
  readonly key: RecordKey
  /** The revision of the record in the view; 0 if it does not exist. A record that is not served has a revision, too. */
  readonly current: Revision
  readonly #record: StoredRecord | undefined
  readonly #view: View
  readonly #upToDate: boolean
  #hasRead = false

  constructor(view: View, key: RecordKey, { upToDate }: { readonly upToDate: boolean }) {
    this.key = key
    this.#record = view.get(key.kind, key.id)
    this.current = this.#record?.revision ?? view.refusedRevisionOf(key.kind, key.id)
    this.#view = view
    this.#upToDate = upToDate
  }

  read(): StoredRecord | undefined {
    this.#hasRead = true
    return this.#record
  }

  derived<P extends Projection, T>(
    definition: ProjectionDefinition<P>,
    tell: (projection: P, number: number) => T,
  ): T | undefined {
    this.#hasRead = true
    const number = this.#view.records.find(this.key.kind, this.key.id)
    return number === -1 ? undefined : tell(this.#view.projection(definition), number)
  }

  projection<P extends Projection>(definition: ProjectionDefinition<P>): P | undefined {
    return this.#upToDate ? this.#view.projection(definition) : undefined
  }

  /** The revision that the plan depends on; `undefined` if it did not read the record. */
  get needed(): Revision | undefined {
    return this.#hasRead ? this.current : undefined
  }
}

function commitOf({ commitId, actor, fingerprint }: ChangeRequest, write: Write): Commit {
  const writes = [write]
  return fingerprint === undefined ? { commitId, actor, writes } : { commitId, actor, fingerprint, writes }
}

function writeOf(
  planned: PlannedChange<unknown>,
  { key: { kind, id }, current, needed }: Reading,
  precondition: Precondition | undefined,
): Write {
  const { op } = planned
  // The store answers with the first result if it knows the commit id, and with a conflict if it does not.
  if (op === 'refuse') return { op: 'delete', kind, id, expect: MAX_REVISION }
  const write: Write = op === 'put' ? { op, kind, id, data: planned.data } : { op, kind, id }
  const expect = expectedRevision(precondition, { op, current, needed })
  return expect === undefined ? write : { ...write, expect }
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
