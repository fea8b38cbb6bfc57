import { currentQuestion } from './client-question.ts'
import { longTurn } from './long-work.ts'

/** How long work may continue before others get their turn, in milliseconds. */
const TURN_MS = 5

/** Tells when work has run for so long that others should get their turn. */
export class Pace {
  #until = performance.now() + TURN_MS

  get due(): boolean {
    return performance.now() > this.#until
  }

  /** Starts counting again, because others have had their turn. */
  renew(): void {
    this.#until = performance.now() + TURN_MS
  }

  /**
   * Lets other work run, including other long work.
   *
   * @throws COORD_QUESTION_* when nobody wants the answer any more
   */
  async turn(): Promise<void> {
    await longTurn()
    this.renew()
    currentQuestion()?.look()
  }
}

/** Work that can pause at each `yield` and continue later. Its return value is its result. */
export type Steps<T> = Generator<undefined, T>

/** Runs work to its end. Gives others their turn whenever the work has run for long enough. */
export async function inTurns<T>(steps: Steps<T>): Promise<T> {
  const pace = new Pace()
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
    if (pace.due) await pace.turn()
  }
}

/** Runs work to its end at once. Only for work that nobody else waits for. */
export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
  }
}
