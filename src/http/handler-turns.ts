import { longTurn } from '../live/long-work.ts'

/** How long handlers may work in one turn of the event loop before costly handlers wait for a later turn, in milliseconds. */
const TURN_MS = 10
/** A route is costly if its handler works longer than this on average, in milliseconds. */
const COSTLY_MS = 0.2
/** The weight of the newest request in the average of its route. */
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
 * Spreads costly handlers over several turns of the event loop. Node gives hundreds of requests that arrive together to their handlers in
 * one turn, so that everything else would wait for all of them.
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

  /** Records how long a handler has worked. */
  worked(ms: number): void {
    this.#workedMs += ms
    // Nothing reports the end of a turn. It is enough to check after some work: at most the work just before is counted too much.
    if (this.#workedMs <= TURN_MS || this.#renewing) return
    this.#renewing = true
    setImmediate(() => {
      this.#renewing = false
      this.#workedMs = 0
    })
  }
}
