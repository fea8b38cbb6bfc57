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

/** Waits for some work, but no longer than some time. Ignores what the work does later. */
export async function within(ms: number, work: Promise<unknown> | undefined): Promise<void> {
  const timer = new AbortController()
  try {
    await Promise.race([work, pause(Math.max(0, ms), timer.signal)])
  } finally {
    timer.abort()
  }
}
