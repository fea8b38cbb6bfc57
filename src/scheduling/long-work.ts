import { currentClient } from './client-question.ts'
import { TurnQueue } from './turn-queue.ts'

/** Other work may take this many times as long as the previous piece of long work. */
const REST_TIMES = 2
/** A turn of the event loop up to this length had no other work, in milliseconds. */
const QUIET_TURN_MS = 0.1

/**
 * Shares the event loop between long work and all other work. Only one piece of long work runs in a turn of the loop. Afterwards the loop
 * is free for other work for twice that time, unless there is none. All long work together therefore takes at most a third of the
 * time, and other work waits for one piece at most. Clients take turns, so that the work of one does not wait for all the work of another.
 */
export class LongWork {
  readonly #waiting = new TurnQueue<() => void>()
  /** The time at which the current piece of work began, if it has not been measured yet. */
  #resumedAt: number | undefined
  #lookedAt = 0
  #restUntil = 0
  #looking = false
  #hurries = 0

  /** How many pieces of work wait for their turn. */
  get depth(): number {
    return this.#waiting.length
  }

  /**
   * Resolves when the caller may work for some milliseconds without a pause. The caller must start at once.
   *
   * @param client for whom it works. @default the client of the running code, or nobody
   */
  turn(client = currentClient() ?? ''): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(client, resolve)
      if (this.#looking) return
      this.#looking = true
      this.#lookedAt = performance.now()
      setImmediate(this.#look)
    })
  }

  /** While this work runs, long work takes its next piece in every turn of the event loop. */
  async withoutRest<T>(work: () => Promise<T>): Promise<T> {
    this.#hurries += 1
    try {
      return await work()
    } finally {
      this.#hurries -= 1
    }
  }

  readonly #look = (): void => {
    const now = performance.now()
    if (this.#resumedAt !== undefined) {
      // The measured time includes other work of the same turn, so others get a little more than two thirds.
      this.#restUntil = now + REST_TIMES * (now - this.#resumedAt)
      this.#resumedAt = undefined
    } else if (this.#hurries > 0 || now >= this.#restUntil || now - this.#lookedAt <= QUIET_TURN_MS) {
      this.#resumedAt = now
      this.#waiting.take()?.()
    }
    this.#lookedAt = now
    this.#looking = this.#waiting.length > 0 || this.#resumedAt !== undefined
    if (this.#looking) setImmediate(this.#look)
  }
}

/** One object for the process, because the process has one event loop. */
const longWork = new LongWork()

/** Waits until this piece of long work may continue; see `LongWork`. */
export function longTurn(client?: string): Promise<void> {
  return longWork.turn(client)
}

/**
 * Runs work during which long work does not rest. Only while nothing is served: otherwise others would wait.
 */
export function withoutRest<T>(work: () => Promise<T>): Promise<T> {
  return longWork.withoutRest(work)
}
