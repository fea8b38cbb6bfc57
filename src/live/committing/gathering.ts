import { pause } from '../../scheduling/backoff.ts'

/**
 * A round trip that is slower than this, in milliseconds, is followed by a short wait for the clients that were just answered: a part of
 * the round trip. Through the Data API, or to a distant database, a call costs far more than its content. Otherwise, clients that write one
 * change after the other would split into two halves, and each half would wait for the round trip of the other.
 */
const slowRoundTripMs = 8
const gatherPart = 1 / 4
/** The longest such wait, in milliseconds. A call that took seconds was a fault, and waiting commits have deadlines. */
const gatherMaxMs = 100

/** Whether the next batch should be sent after the answer to the last one, and not ahead of it. */
export function isSlow(roundTripMs: number): boolean {
  return roundTripMs >= slowRoundTripMs
}

/** Waits for more commits before a batch leaves. */
export class Gathering {
  #wanted = 0
  #enough: AbortController | undefined

  /** Waits until the wanted number of commits wait, for at most a part of the last round trip, or until `stop` is aborted. */
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
