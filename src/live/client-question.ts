import { AsyncLocalStorage } from 'node:async_hooks'
import { CoordinatorError } from '../errors.ts'

/** How long a question may take from its arrival to the first byte of its answer, in milliseconds. */
export interface QuestionTimes {
  /** A question about the present. */
  readonly presentMs: number
  /** One that needs the store's past, or derives the whole graph anew. */
  readonly pastMs: number
}

export const QUESTION_TIMES: QuestionTimes = { presentMs: 10_000, pastMs: 60_000 }

/** The client behind a question: told when it goes, and when the first byte of its answer is on the way. */
export interface Asker {
  /** Whose share of what is scarce the question uses, such as an address. */
  readonly client: string
  /** What kind of question it is, such as the pattern of its route. */
  readonly topic: string
  readonly isAnswered: boolean
  readonly isGone: boolean
  /** Calls back once when the client goes before it has its answer. Returns how to stop listening. */
  onGone(left: () => void): () => void
}

/**
 * A question of a client: how long its answer may take, and whether anybody still waits for it. It travels with the call
 * that answers it, through every `await`, so that nothing on the way can forget to hand it on: see `currentQuestion`.
 */
export class ClientQuestion {
  readonly client: string
  readonly topic: string
  readonly #times: QuestionTimes
  #asker: Asker | undefined
  #deadline: number
  #limitMs: number
  #isPast = false
  /** Why it has ended without an answer. What still works on it must hear so at any later time. */
  #ended: CoordinatorError | undefined
  #end: { readonly aborting: AbortController; readonly stopListening: () => void } | undefined
  #timer: NodeJS.Timeout | undefined
  /** Waits that do not count, under way. */
  #uncounted = 0

  constructor(asker: Asker, times: QuestionTimes = QUESTION_TIMES) {
    this.client = asker.client
    this.topic = asker.topic
    this.#asker = asker
    this.#times = times
    this.#limitMs = times.presentMs
    this.#deadline = performance.now() + times.presentMs
  }

  /** Aborted with the error to throw when nobody waits for the answer any more, or its time is over. */
  get signal(): AbortSignal {
    this.#end ??= this.#watch()
    return this.#end.aborting.signal
  }

  /** Gives the question the time of those about the past. */
  lengthen(): void {
    if (this.#isPast) return
    this.#isPast = true
    const { pastMs } = this.#times
    if (pastMs <= this.#limitMs) return
    this.#deadline += pastMs - this.#limitMs
    this.#limitMs = pastMs
    this.#setTimer()
  }

  /**
   * Looks whether the answer is still wanted. Cheap: for every few milliseconds of work.
   *
   * @throws COORD_QUESTION_ABANDONED, COORD_QUESTION_TOO_LARGE
   */
  look(): void {
    const error = this.#fault()
    if (error !== undefined) throw error
  }

  /** Waits for something that is not work, such as the next change: its time does not count. */
  async uncounted<T>(waiting: Promise<T>): Promise<T> {
    const began = performance.now()
    this.#uncounted += 1
    clearTimeout(this.#timer)
    try {
      return await waiting
    } finally {
      this.#uncounted -= 1
      this.#deadline += performance.now() - began
      this.#setTimer()
    }
  }

  /**
   * Waits for work that may go on without this question, such as a call that is on its way or work that others share.
   *
   * @throws COORD_QUESTION_ABANDONED, COORD_QUESTION_TOO_LARGE; what the work throws
   */
  async orEnd<T>(work: Promise<T>): Promise<T> {
    const { signal } = this
    // Once the question has ended nobody hears of it.
    work.catch(() => undefined)
    signal.throwIfAborted()
    const ended = Promise.withResolvers<never>()
    const end = () => ended.reject(signal.reason)
    signal.addEventListener('abort', end, { once: true })
    try {
      return await Promise.race([work, ended.promise])
    } finally {
      signal.removeEventListener('abort', end)
    }
  }

  /** The question is answered, one way or the other: nothing is watched any more. */
  close(): void {
    clearTimeout(this.#timer)
    this.#end?.stopListening()
    // What was made meanwhile and goes on, such as a connection, must not keep the request in memory.
    this.#asker = undefined
  }

  #watch() {
    const aborting = new AbortController()
    const abort = () => {
      const error = this.#fault()
      if (error !== undefined) aborting.abort(error)
    }
    const stopListening = this.#asker?.onGone(abort)
    abort()
    queueMicrotask(() => this.#setTimer())
    return { aborting, stopListening: stopListening ?? (() => undefined) }
  }

  #setTimer(): void {
    clearTimeout(this.#timer)
    const { aborting } = this.#end ?? {}
    if (aborting === undefined || aborting.signal.aborted || this.#asker === undefined) return
    if (this.#uncounted > 0) return
    const wait = Math.max(0, this.#deadline - performance.now()) + 1
    this.#timer = setTimeout(() => {
      const error = this.#fault()
      if (error !== undefined) aborting.abort(error)
    }, wait).unref()
  }

  #fault(): CoordinatorError | undefined {
    const asker = this.#asker
    if (this.#ended !== undefined || asker === undefined) return this.#ended
    if (asker.isGone)
      this.#ended = new CoordinatorError('COORD_QUESTION_ABANDONED', { outcome: 'not_written' })
    else if (!asker.isAnswered && performance.now() > this.#deadline)
      this.#ended = new CoordinatorError('COORD_QUESTION_TOO_LARGE', {
        detail: `The answer was not ready within ${this.#limitMs} ms.`,
        outcome: 'not_written',
      })
    return this.#ended
  }
}

const questions = new AsyncLocalStorage<ClientQuestion | undefined>()

/** The question that the running code answers; `undefined` in a write, and in what the coordinator does for itself. */
export function currentQuestion(): ClientQuestion | undefined {
  return questions.getStore()
}

/** Runs what answers a question. */
export function answering<T>(question: ClientQuestion, work: () => T): T {
  return questions.run(question, work)
}

/** Runs what the coordinator does for itself, or for several questions together: the end of one must not end it. */
export function forNobody<T>(work: () => T): T {
  return questions.run(undefined, work)
}

/** Waits for something that is not work, such as the next change: a question's time does not count meanwhile. */
export function uncounted<T>(waiting: Promise<T>): Promise<T> {
  return currentQuestion()?.uncounted(waiting) ?? waiting
}
