import { currentQuestion } from '../../scheduling/client-question.ts'
import { longTurn } from '../../scheduling/long-work.ts'

/** How long handlers may work in one turn of the event loop before costly handlers wait for a later turn, in milliseconds. */
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
 * Spreads costly handlers over several turns of the event loop. Node gives hundreds of requests that arrive together to their handlers in
 * one turn, so that everything else would wait for all of them.
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
    // Its client may have left meanwhile, or its time may be over.
    currentQuestion()?.look()
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
