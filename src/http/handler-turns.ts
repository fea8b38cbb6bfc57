import { longTurn } from '../live/long-work.ts'

/** How long handlers may work in one turn of the event loop, in milliseconds, before costly ones wait for a later one. */
const TURN_MS = 10
/** A route whose handler works for longer than this on average, in milliseconds, is costly. */
const COSTLY_MS = 0.2
/** The share of the newest request in the average of its route. */
const NEWEST_SHARE = 0.25

/** What a route costs. */
export class RouteCost {
  /** How long its handler works without a pause, in milliseconds, on average. */
  averageMs = 0

  add(ms: number): void {
    this.averageMs += (ms - this.averageMs) * NEWEST_SHARE
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
  mustWait({ averageMs }: RouteCost): boolean {
    return averageMs > COSTLY_MS && (this.#workedMs > TURN_MS || this.#waiting > 0)
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
