import { AsyncLocalStorage } from 'node:async_hooks'
import { CoordinatorError } from '../errors.ts'

/** How long a question may take from its arrival to the first byte of its answer, in milliseconds. */
export interface QuestionTimes {
  /** A question about the present. */
  readonly presentMs: number
  /** A question that needs the past from the store, or derives the whole graph again. */
  readonly pastMs: number
}

export const QUESTION_TIMES: QuestionTimes = { presentMs: 10_000, pastMs: 60_000 }

/** The client behind a question: whether it is still there, and whether the first byte of its answer was sent. */
export interface Asker {
  /** The client whose share of scarce resources the question uses, such as an address. */
  readonly client: string
  /** The kind of the question, such as the pattern of its route. */
  readonly topic: string
  readonly isAnswered: boolean
  readonly isGone: boolean
  /** Calls `left` once if the client disconnects before its answer. Returns a function that stops listening. */
  onGone(left: () => void): () => void
}

/**
 * A question of a client: how long its answer may take, and whether the client still waits for it. Async context carries it through every
 * `await` of the call that answers it, so no function has to pass it on: see `currentQuestion`.
 */
export class ClientQuestion {
  readonly client: string
  readonly topic: string
  readonly #times: QuestionTimes
  #asker: Asker | undefined
  #deadline: number
  #limitMs: number
  #isPast = false
  /** The reason why the question ended without an answer. It stays set, so that all remaining work on the question stops. */
  #ended: CoordinatorError | undefined
  #aborting: AbortController | undefined
  #stopListening: (() => void) | undefined
  #timer: NodeJS.Timeout | undefined
  /** How many waits are in progress that do not count against the time limit. */
  #uncounted = 0

  constructor(asker: Asker, times: QuestionTimes = QUESTION_TIMES) {
    this.client = asker.client
    this.topic = asker.topic
    this.#asker = asker
    this.#times = times
    this.#limitMs = times.presentMs
    this.#deadline = performance.now() + times.presentMs
  }

  /** Aborted with the error to throw, when nobody waits for the answer any more or its time is over. */
  get signal(): AbortSignal {
    if (this.#aborting === undefined) {
      this.#aborting = new AbortController()
      this.#stopListening = this.#asker?.onGone(() => this.#abortIfEnded())
      this.#abortIfEnded()
      queueMicrotask(() => this.#setTimer())
    }
    return this.#aborting.signal
  }

  /** Extends the time to that of questions about the past. */
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
   * Throws if nobody wants the answer any more. It is cheap: call it every few milliseconds of work.
   *
   * @throws COORD_QUESTION_ABANDONED, COORD_QUESTION_TOO_LARGE
   */
  look(): void {
    const error = this.#fault()
    if (error !== undefined) throw error
  }

  /** Ends the question without an answer, for a reason that its client does not cause. */
  end(error: CoordinatorError): void {
    this.#ended ??= error
    this.#aborting?.abort(this.#ended)
  }

  /** Waits for something that is not work, such as the next change. The wait does not count against the time limit. */
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
   * Waits for work that may continue without this question, such as a call of the store or work that other questions share.
   *
   * @throws COORD_QUESTION_ABANDONED, COORD_QUESTION_TOO_LARGE; what the work throws
   */
  async orEnd<T>(work: Promise<T>): Promise<T> {
    const { signal } = this
    // After the end of the question, nobody else handles an error of the work.
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

  /** Stops watching the question, because it has its answer or an error. */
  close(): void {
    clearTimeout(this.#timer)
    this.#stopListening?.()
    // Objects that live longer, such as a new connection, must not keep the request in memory.
    this.#asker = undefined
  }

  #abortIfEnded(): void {
    const error = this.#fault()
    if (error !== undefined) this.#aborting?.abort(error)
  }

  #setTimer(): void {
    clearTimeout(this.#timer)
    if (this.#aborting?.signal.aborted !== false || this.#asker === undefined || this.#uncounted > 0) return
    const wait = Math.max(0, this.#deadline - performance.now()) + 1
    this.#timer = setTimeout(() => {
      this.#abortIfEnded()
      // A timer counts whole milliseconds, so it may come before the deadline.
      if (this.#asker?.isAnswered === false) this.#setTimer()
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

/** The question that the running code answers, or the client for which it works otherwise. */
const contexts = new AsyncLocalStorage<ClientQuestion | string | undefined>()

/** The question that the running code answers; `undefined` in a write, and in the coordinator's own work. */
export function currentQuestion(): ClientQuestion | undefined {
  const context = contexts.getStore()
  return typeof context === 'string' ? undefined : context
}

/** The client whose share of scarce resources the running code uses; `undefined` in the coordinator's own work. */
export function currentClient(): string | undefined {
  const context = contexts.getStore()
  return typeof context === 'string' ? context : context?.client
}

/** Runs work that answers a question. */
export function answering<T>(question: ClientQuestion, work: () => T): T {
  return contexts.run(question, work)
}

/** Runs work for a client that is no question, such as a write. */
export function workingFor<T>(client: string, work: () => T): T {
  return contexts.run(client, work)
}

/** Runs the coordinator's own work, or work for several questions: the end of one question must not end it. */
export function forNobody<T>(work: () => T): T {
  return contexts.run(undefined, work)
}

/** Waits for something that is not work, such as the next change. The wait does not count against the question's time limit. */
export function uncounted<T>(waiting: Promise<T>): Promise<T> {
  return currentQuestion()?.uncounted(waiting) ?? waiting
}
