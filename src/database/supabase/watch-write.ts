import { setTimeout as sleep } from 'node:timers/promises'

export interface WriteWatch {
  /** How long the call may be silent before anybody looks, in milliseconds. */
  readonly afterMs: number
  /** Whether nobody is writing at this moment; `undefined` where nobody can say. Never throws. */
  readonly isAtRest: () => Promise<boolean | undefined>
  /** Ends the call. */
  readonly giveUp: () => void
}

const BETWEEN_QUESTIONS_MS = 200

/**
 * Runs a writing call, and gives it up where the database turns out not to work on it: over a connection that broke without
 * a word, the request or its answer is lost, and waiting for the deadline would keep every write waiting. Where it was wrong
 * to give up, nothing is lost: the same commits go again with the same ids.
 */
export async function watchWrite<T>(watch: WriteWatch, call: () => Promise<T>): Promise<T> {
  const done = new AbortController()
  void watchUntil(done.signal, watch)
  try {
    return await call()
  } finally {
    done.abort()
  }
}

async function watchUntil(done: AbortSignal, { afterMs, isAtRest, giveUp }: WriteWatch): Promise<void> {
  let strikes = 0
  for (let waitMs = afterMs; ; waitMs = strikes > 0 ? BETWEEN_QUESTIONS_MS : afterMs) {
    await pause(waitMs, done)
    if (done.aborted) return
    const atRest = await isAtRest()
    if (done.aborted) return
    // Between two commits of others nobody holds the head either: once may be chance.
    strikes = atRest === true ? strikes + 1 : 0
    if (strikes === 2) return giveUp()
  }
}

async function pause(ms: number, done: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal: done })
  } catch {
    // The call has ended: that is one of the two ways this wait ends.
  }
}
