import { longTurn } from '../live/long-work.ts'

/** How long handlers may work in one turn of the event loop, in milliseconds, before costly ones wait for a later one. */
const TURN_MS = 10
/** A route whose handler mostly works for longer than this, in milliseconds, is costly. */
const COSTLY_MS = 0.2
/** So many requests of the other kind in a row change the judgement of a route for good. */
const MAX_SCORE = 8

/** What a route costs, judged by most of its requests: on a busy machine any of them may seem long, because it was held up. */
export class RouteCost {
  #score = 0

  /** Whether its handler mostly works for long without a pause. */
  get isHigh(): boolean {
    return this.#score > 0
  }

  add(ms: number): void {
    const next = this.#score + (ms > COSTLY_MS ? 1 : -1)
    this.#score = Math.max(-MAX_SCORE, Math.min(MAX_SCORE, next))
  }
}

/**
 * Lets costly handlers work in turns. Hundreds of requests that arrive together are given to their handlers in one turn of the
 * event loop, which would keep everybody else waiting for all of them.
 */
export class HandlerTurns {
  #workedMs = 0
  #waiting = 0
  #renewing = false

  /** Whether a handler of this route has to wait for a later turn. */
  mustWait({ isHigh }: RouteCost): boolean {
    return isHigh && (this.#workedMs > TURN_MS || this.#waiting > 0)
  }

  /** Runs a handler in a later turn, as the long work that it is. */
  async later<T>(handler: () => T): Promise<Awaited<T>> {
    this.#waiting += 1
    try {
      await longTurn()
    } finally {
      this.#waiting -= 1
    }
    return await handler()
  }

  /** A handler has worked for so long. */
  worked(ms: number): void {
    this.#workedMs += ms
    // Turns end without telling. It is enough to look after some work: counted is at most what others did just before.
    if (this.#workedMs <= TURN_MS || this.#renewing) return
    this.#renewing = true
    setImmediate(() => {
      this.#renewing = false
      this.#workedMs = 0
    })
  }
}
