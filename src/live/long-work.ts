/** A turn of the event loop that took no longer than this, in milliseconds, had nothing else to do. */
const QUIET_TURN_MS = 0.1

/**
 * Shares the event loop between work that is long and everything else. However many long works there are, one of them goes on
 * in a turn of the loop, and afterwards the loop is left to the others for as long as that took, unless they have nothing
 * to do. So long work together takes no more than half of the time that others could use, and keeps them waiting for
 * one piece of it at most.
 */
export class LongWork {
  /** In the order in which they came. */
  #waiting: (() => void)[] = []
  /** When a piece of work was let go on that has not been measured yet. */
  #resumedAt: number | undefined
  #lookedAt = 0
  #restUntil = 0
  #looking = false

  /** How many pieces of work wait for their turn. */
  get depth(): number {
    return this.#waiting.length
  }

  /** Resolves when the caller may work for some milliseconds, in one piece, from the moment of this on. */
  turn(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
      if (this.#looking) return
      this.#looking = true
      this.#lookedAt = performance.now()
      setImmediate(this.#look)
    })
  }

  readonly #look = (): void => {
    const now = performance.now()
    if (this.#resumedAt !== undefined) {
      // What others did in the same turn is in it, too: they are left a little more than their half.
      this.#restUntil = now + (now - this.#resumedAt)
      this.#resumedAt = undefined
    } else if (now >= this.#restUntil || now - this.#lookedAt <= QUIET_TURN_MS) {
      this.#resumedAt = now
      this.#waiting.shift()?.()
    }
    this.#lookedAt = now
    this.#looking = this.#waiting.length > 0 || this.#resumedAt !== undefined
    if (this.#looking) setImmediate(this.#look)
  }
}

/** There is one event loop. */
const longWork = new LongWork()

/** Waits until this piece of long work may go on; see `LongWork`. */
export function longTurn(): Promise<void> {
  return longWork.turn()
}
