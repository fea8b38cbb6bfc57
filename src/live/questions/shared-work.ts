import {
  answering,
  ClientQuestion,
  currentQuestion,
  forNobody,
  type QuestionTimes,
} from '../../scheduling/client-question.ts'

/**
 * Work that several questions wait for. It ends when the last of these questions has ended. If the coordinator itself waits for it, it runs
 * to its end.
 */
export class SharedWork<T> {
  readonly result: Promise<T>
  readonly #askers = new Set<symbol>()
  readonly #left = new Set<() => void>()
  #joined = false
  #isSettled = false

  /** @param topic the kind of question, for its share of scarce resources @param times how long the work may take */
  constructor(topic: string, work: () => Promise<T>, times?: QuestionTimes) {
    const asker = currentQuestion()
    if (asker === undefined) this.result = forNobody(work)
    else {
      const question = new ClientQuestion(this.#together(asker.client, topic), times)
      question.lengthen()
      this.result = answering(question, work).finally(() => question.close())
    }
    const settle = () => {
      this.#isSettled = true
    }
    this.result.then(settle, settle)
  }

  /** Whether all questions that waited have ended, so that no result will come. */
  get isAbandoned(): boolean {
    return !this.#isSettled && this.#joined && this.#askers.size === 0
  }

  /** Waits for the result as one more question. @throws what the work throws, COORD_QUESTION_* */
  async join(): Promise<T> {
    const question = currentQuestion()
    this.#joined = true
    const me = Symbol('asker')
    this.#askers.add(me)
    // The coordinator's own work has no question, and waits to the end.
    if (question === undefined) return this.result
    question.lengthen()
    try {
      return await question.orEnd(this.result)
    } finally {
      this.#askers.delete(me)
      if (this.#askers.size === 0) for (const left of this.#left) left()
    }
  }

  #together(client: string, topic: string) {
    const isGone = () => this.isAbandoned
    const left = this.#left
    return {
      client,
      topic,
      isAnswered: false,
      get isGone() {
        return isGone()
      },
      onGone(callback: () => void) {
        left.add(callback)
        return () => void left.delete(callback)
      },
    }
  }
}
