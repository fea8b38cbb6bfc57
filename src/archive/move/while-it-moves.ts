import { CoordinatorError } from '../../errors.ts'
import { Backoff } from '../../scheduling/backoff.ts'
import type { Patience } from '../restore/with-patience.ts'

/**
 * Does long work of many steps, and begins it again after a failure that may pass. Unlike in `withPatience`, the patience begins anew with
 * every step that succeeds: a failure after an hour is not the end.
 *
 * @param work calls its argument after each step
 * @throws what the work throws, if that does not pass, or nothing succeeded for as long as the patience lasts
 */
export async function whileItMoves<T>(
  { patienceMs, signal }: Patience,
  work: (moved: () => void) => Promise<T>,
): Promise<T> {
  const backoff = new Backoff({ firstMs: 100, maxMs: 5_000 })
  let movedAt = performance.now()
  const moved = () => {
    movedAt = performance.now()
    backoff.reset()
  }
  for (;;) {
    signal.throwIfAborted()
    try {
      return await work(moved)
    } catch (thrown) {
      const mayPass = thrown instanceof CoordinatorError && thrown.retryable
      if (!mayPass || performance.now() - movedAt >= patienceMs) throw thrown
      await backoff.wait(signal)
    }
  }
}
