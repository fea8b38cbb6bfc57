import { CoordinatorError } from '../../errors.ts'
import type { Revision } from '../../records/record.ts'

interface Waiter {
  readonly revision: Revision
  readonly timer: NodeJS.Timeout
  readonly resolve: () => void
  readonly reject: (error: CoordinatorError) => void
}

/** How many waiters continue before others get their turn. Each of them may then read much. */
const WOKEN_AT_ONCE = 50

/** The callers that wait until the view reaches a revision. */
export class RevisionWaiters {
  readonly #waiters = new Set<Waiter>()

  /** @throws COORD_REVISION_WAIT_TIMEOUT after `timeoutMs`, COORD_SHUTTING_DOWN after `end` */
  wait(revision: Revision, timeoutMs: number, current: () => Revision): Promise<void> {
    return new Promise((resolve, reject) => {
      const timeOut = () => this.#end(waiter, timedOut(revision, timeoutMs, current()))
      const waiter: Waiter = { revision, timer: setTimeout(timeOut, timeoutMs), resolve, reject }
      this.#waiters.add(waiter)
    })
  }

  reached(revision: Revision): void {
    let woken = 0
    for (const waiter of this.#waiters) {
      if (waiter.revision > revision) continue
      this.#end(waiter)
      woken += 1
      if (woken < WOKEN_AT_ONCE) continue
      setImmediate(() => this.reached(revision))
      return
    }
  }

  /** Ends all waits, because nothing more will arrive. */
  end(): void {
    for (const waiter of this.#waiters)
      this.#end(waiter, new CoordinatorError('COORD_SHUTTING_DOWN', { retryAfterSeconds: 1 }))
  }

  #end(waiter: Waiter, error?: CoordinatorError): void {
    clearTimeout(waiter.timer)
    this.#waiters.delete(waiter)
    if (error === undefined) waiter.resolve()
    else waiter.reject(error)
  }
}

function timedOut(revision: Revision, timeoutMs: number, viewRevision: Revision): CoordinatorError {
  return new CoordinatorError('COORD_REVISION_WAIT_TIMEOUT', {
    detail: `Revision ${revision} did not arrive within ${timeoutMs} ms; this coordinator is at ${viewRevision}.`,
    retryAfterSeconds: 1,
    extra: { viewRevision },
  })
}
