import { currentQuestion } from './client-question.ts'
import { longTurn } from './long-work.ts'

/** How long work goes on before others get their turn, in milliseconds. */
const TURN_MS = 5

/** Tells when work has gone on for long enough. */
export class Pace {
  #until = performance.now() + TURN_MS

  get due(): boolean {
    return performance.now() > this.#until
  }

  /** Begins to count anew: others have had their turn. */
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

/** Work that can be left off at each `yield`, to be gone on with later. What it returns is its result. */
export type Steps<T> = Generator<undefined, T>

/** Does work to its end, and gives others their turn whenever it has gone on for long enough. */
export async function inTurns<T>(steps: Steps<T>): Promise<T> {
  const pace = new Pace()
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
    if (pace.due) await pace.turn()
  }
}

/** Does work to its end at once: for where nobody else waits. */
export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
  }
}
