import { setTimeout as sleep } from 'node:timers/promises'

export interface BackoffOptions {
  /** Upper bound of the first wait. @default 50 (milliseconds) */
  readonly firstMs?: number
  /** Upper bound of every wait. @default 1_000 (milliseconds): writes must flow soon after the database is back. */
  readonly maxMs?: number
}

/**
 * Waits between attempts, with full jitter: a random time from 0 to a bound that doubles. Many coordinators that lost the same database
 * therefore do not return at the same moment.
 */
export class Backoff {
  readonly #firstMs: number
  readonly #maxMs: number
  #attempt = 0

  constructor({ firstMs = 50, maxMs = 1_000 }: BackoffOptions = {}) {
    this.#firstMs = firstMs
    this.#maxMs = maxMs
  }

  reset(): void {
    this.#attempt = 0
  }

  /** The next wait, in milliseconds. */
  next(): number {
    const bound = Math.min(this.#maxMs, this.#firstMs * 2 ** this.#attempt)
    this.#attempt += 1
    return Math.random() * bound
  }

  /** Waits; resolves at once when `signal` is aborted. */
  async wait(signal: AbortSignal): Promise<void> {
    await pause(this.next(), signal)
  }
}

/** Waits for some time, or until `signal` is aborted, whichever comes first. Never rejects. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal })
  } catch {
    // The signal was aborted, so this wait is over.
  }
}

/** Runs some work again and again, with a jitter of a tenth, until `stop` is aborted. */
export async function repeat(
  work: () => Promise<void>,
  { firstMs, intervalMs }: { readonly firstMs: number; readonly intervalMs: number },
  stop: AbortSignal,
): Promise<void> {
  for (let waitMs = firstMs; ; waitMs = intervalMs * (0.95 + Math.random() / 10)) {
    await pause(waitMs, stop)
    if (stop.aborted) return
    await work()
  }
}

/**
 * Waits for work, but no longer than a time. A result or an error that comes later is ignored.
 *
 * @returns whether the work ended in time
 */
export async function within(ms: number, work: Promise<unknown> | undefined): Promise<boolean> {
  const timer = new AbortController()
  const ended = async () => {
    await work
    return true
  }
  try {
    return await Promise.race([ended(), pause(Math.max(0, ms), timer.signal).then(() => false)])
  } finally {
    timer.abort()
  }
}
