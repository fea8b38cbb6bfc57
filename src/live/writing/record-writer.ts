import { toCoordinatorError } from '../../errors.ts'
import type { RecordKey } from '../../records/record.ts'
import { toPromise } from '../../scheduling/to-promise.ts'
import type { Live } from '../live.ts'
import { type ChangeRequest, change, type Plan } from './change.ts'
import { checkHistory } from './preconditions.ts'
import type { WriteContext } from './write-context.ts'

/** Changes records one after the other where they are the same, and side by side where they are not. */
export class RecordWriter {
  readonly #live: Live
  /** The last change of each record that has one under way. */
  readonly #tails = new Map<string, Promise<unknown>>()

  constructor(live: Live) {
    this.#live = live
  }

  /**
   * Refuses a write before the first load: nothing was written.
   *
   * @throws COORD_NOT_LOADED
   */
  requireLoaded(): void {
    this.#lineage()
  }

  /**
   * Plans a change of one record from the view, and stores it.
   *
   * @throws COORD_PRECONDITION_FAILED, COORD_IDEMPOTENCY_REUSED, COORD_COMMIT_CONTENDED, what the
   * plan throws or refuses with, and what `Live.commit` throws
   */
  change<T>(
    key: RecordKey,
    { request, context }: { readonly request: ChangeRequest; readonly context: WriteContext },
    plan: Plan<T>,
  ): Promise<T> {
    const askedAt = performance.now()
    // Changes of one record that travel together would find each other in the way, and be planned again in vain.
    return this.#inTurn(`${key.kind} ${key.id}`, () => {
      const { precondition } = context
      checkHistory(precondition, this.#lineage())
      const subject = { key, precondition }
      const changed = () => change(this.#live, { subject, request: { ...request, askedAt } }, plan)
      // A plan is made from what the view has: that must not be older than what the client has seen.
      return precondition?.kind === 'revision' && precondition.revision > this.#live.view.revision
        ? this.#catchUp(askedAt).then(changed)
        : changed()
    })
  }

  #lineage(): string {
    try {
      return this.#live.view.lineage
    } catch (thrown) {
      throw toCoordinatorError(thrown).withOutcome('not_written')
    }
  }

  async #catchUp(askedAt: number): Promise<void> {
    try {
      await this.#live.catchUpInTime(askedAt)
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
