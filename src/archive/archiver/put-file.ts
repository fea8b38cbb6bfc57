import { toCoordinatorError } from '../../errors.ts'
import { Backoff } from '../../scheduling/backoff.ts'
import type { Destination } from '../destination/destination.ts'
import type { NewFile } from '../format/archive-format.ts'

/** How often one file of a base is tried. What is done already would be lost with the first failure otherwise. */
const ATTEMPTS = 6

/** Writes a file, and tries again after faults that may pass. @throws what the destination throws at the last attempt */
export async function putFile(
  destination: Destination,
  { name, content }: NewFile,
  { signal, retryMaxMs = 15_000 }: { readonly signal: AbortSignal; readonly retryMaxMs?: number },
): Promise<void> {
  const backoff = new Backoff({ firstMs: Math.min(500, retryMaxMs), maxMs: retryMaxMs })
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await destination.write(name, content, signal)
    } catch (thrown) {
      if (signal.aborted || attempt === ATTEMPTS || !toCoordinatorError(thrown).retryable) throw thrown
      await backoff.wait(signal)
      signal.throwIfAborted()
    }
  }
}
