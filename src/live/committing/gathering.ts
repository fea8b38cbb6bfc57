import { pause } from '../../scheduling/backoff.ts'

/**
 * Round trips slower than this, in milliseconds, wait briefly for clients that were just answered, and for this part of the round trip.
 * Through the Data API, or to a database far away, a call costs far more than what it carries. Clients that write one after
 * the other would otherwise fall into two halves, each of which waits for the other's round trip.
 */
const slowRoundTripMs = 8
const gatherPart = 1 / 4
/** The longest such wait, in milliseconds. A call that took seconds was a fault, and waiting commits have deadlines. */
const gatherMaxMs = 100

/** Whether the next batch is better sent after the answer to the last one, and not ahead of it. */
export function isSlow(roundTripMs: number): boolean {
  return roundTripMs >= slowRoundTripMs
}

/** Waits for more commits before a batch leaves. */
export class Gathering {
  #wanted = 0
  #enough: AbortController | undefined

  /** Waits until as many commits wait as are wanted, for at most a part of the last round trip, or until `stop` is aborted. */
  async wait(
    { waiting, wanted, roundTripMs }: { waiting: number; wanted: number; roundTripMs: number },
    stop: AbortSignal,
  ): Promise<void> {
    if (waiting >= wanted) return
    const enough = new AbortController()
    this.#wanted = wanted
    this.#enough = enough
    await pause(Math.min(roundTripMs * gatherPart, gatherMaxMs), AbortSignal.any([enough.signal, stop]))
    this.#enough = undefined
  }

  /** A commit has come. */
  arrived(waiting: number): void {
    if (this.#enough !== undefined && waiting >= this.#wanted) this.#enough.abort()
  }
}
