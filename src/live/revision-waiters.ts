import { CoordinatorError } from '../errors.ts'
import type { Revision } from '../records/record.ts'

interface Waiter {
  readonly revision: Revision
  readonly wake: () => void
}

/** Those who wait for the view to reach a revision. */
export class RevisionWaiters {
  readonly #waiters = new Set<Waiter>()

  /** @throws COORD_REVISION_WAIT_TIMEOUT after `timeoutMs` */
  wait(revision: Revision, timeoutMs: number, current: () => Revision): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = () => {
        clearTimeout(timer)
        this.#waiters.delete(waiter)
      }
      const waiter = {
        revision,
        wake: () => {
          done()
          resolve()
        },
      }
      const timer = setTimeout(() => {
        done()
        reject(
          new CoordinatorError('COORD_REVISION_WAIT_TIMEOUT', {
            detail: `Revision ${revision} did not arrive within ${timeoutMs} ms; this coordinator is at ${current()}.`,
            retryAfterSeconds: 1,
            extra: { viewRevision: current() },
          }),
        )
      }, timeoutMs)
      this.#waiters.add(waiter)
    })
  }

  reached(revision: Revision): void {
    for (const waiter of this.#waiters) if (waiter.revision <= revision) waiter.wake()
  }
}
