import { toCoordinatorError } from '../errors.ts'
import { MAX_REVISION, type RecordKey, type Write } from '../records/record.ts'
import { type ChangeRequest, change, type PlannedChange } from './change.ts'
import type { Live } from './live.ts'
import { type Precondition, readPrecondition } from './preconditions.ts'
import { toPromise } from './to-promise.ts'
import type { View } from './view.ts'
import type { WriteContext } from './write-context.ts'

/** What a plan may ask about. */
export interface PlanningState {
  readonly view: View
  readonly precondition: Precondition
  /** 1 for the first time the change is planned. */
  readonly attempt: number
}

/** Changes records one after the other where they are the same, and side by side where they are not. */
export class RecordWriter {
  readonly live: Live
  /** The last change of each record that has one under way. */
  readonly #tails = new Map<string, Promise<unknown>>()

  constructor(live: Live) {
    this.live = live
  }

  /** The view, for a write: where there is none, nothing was written. */
  get view(): View {
    try {
      return this.live.view
    } catch (thrown) {
      throw toCoordinatorError(thrown).withOutcome('not_written')
    }
  }

  /**
   * Plans a change of one record from the view, and stores it.
   *
   * @throws COORD_PRECONDITION_FAILED, COORD_HEADER_INVALID, COORD_IDEMPOTENCY_REUSED, COORD_COMMIT_CONTENDED, what the
   * plan throws, and what `Live.commit` throws
   */
  change<T>(
    key: string,
    { request, context }: { readonly request: ChangeRequest; readonly context: WriteContext },
    plan: (state: PlanningState) => PlannedChange<T>,
  ): Promise<T> {
    const askedAt = performance.now()
    // Changes of one record that travel together would find each other in the way, and be planned again in vain.
    return this.#inTurn(key, () => {
      const { lineage } = this.view
      const precondition = readPrecondition(context, lineage)
      let attempt = 0
      const planned = () =>
        change(this.live, { ...request, askedAt }, (view) => {
          attempt += 1
          // Where the history has changed meanwhile, an ETag is not about this one.
          if (view.lineage !== lineage) readPrecondition(context, view.lineage)
          return plan({ view, precondition, attempt })
        })
      // A plan is made from what the view has: that must not be older than what the client has seen.
      return precondition.kind === 'revision' && precondition.revision > this.view.revision
        ? this.#catchUp(askedAt).then(planned)
        : planned()
    })
  }

  async #catchUp(askedAt: number): Promise<void> {
    try {
      await this.live.catchUpInTime(askedAt)
    } catch (thrown) {
      throw toCoordinatorError(thrown).withOutcome('not_written')
    }
  }

  #inTurn<T>(key: string, task: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key)
    const result = before === undefined ? toPromise(task) : before.then(task, task)
    this.#tails.set(key, result)
    const done = () => {
      if (this.#tails.get(key) === result) this.#tails.delete(key)
    }
    result.then(done, done)
    return result
  }
}

/** A write that changes nothing: the store answers its first result if it knows the commit id, and a conflict if not. */
export function probe({ kind, id }: RecordKey): Write {
  return { op: 'delete', kind, id, expect: MAX_REVISION }
}
