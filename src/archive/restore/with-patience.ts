import { CoordinatorError } from '../../errors.ts'
import { Backoff } from '../../scheduling/backoff.ts'

export interface Patience {
  /** How long failures that may pass are tried again, without a success in between. Milliseconds. */
  readonly patienceMs: number
  /** Ends every wait. The work then fails with the reason of the signal. */
  readonly signal: AbortSignal
}

/**
 * Does some work, and does it again after a failure that may pass: a database that restarts, a network that is away. The work must be
 * one that may be repeated.
 *
 * @throws what the work throws, if that does not pass, or the patience ends
 */
export async function withPatience<T>({ patienceMs, signal }: Patience, work: () => Promise<T>): Promise<T> {
  const since = performance.now()
  const backoff = new Backoff({ firstMs: 100, maxMs: 5_000 })
  for (;;) {
    signal.throwIfAborted()
    try {
      return await work()
    } catch (thrown) {
      const mayPass = thrown instanceof CoordinatorError && thrown.retryable
      if (!mayPass || performance.now() - since >= patienceMs) throw thrown
      await backoff.wait(signal)
    }
  }
}
