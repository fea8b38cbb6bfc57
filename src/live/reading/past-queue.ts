import { CoordinatorError } from '../../errors.ts'
import { currentQuestion } from '../../scheduling/client-question.ts'

export interface PastQueueOptions {
  /** How many reads may run at the same time. */
  readonly maxReading: () => number
  /** Reads that may wait, of all clients together. @default 1_000 */
  readonly maxWaiting?: number
  /** How long one may wait, in milliseconds. @default 10_000 */
  readonly maxWaitMs?: number
}

/** Figures for metrics. */
export interface PastQueueFigures {
  readonly reading: number
  readonly waiting: number
  /** Reads that were refused since the start, because too many waited, or for too long. */
  readonly refused: number
}

interface Waiting {
  readonly enter: () => void
}

/** The reads of one client. */
interface Client {
  reading: number
  waiting: number
  /** The waiting reads by kind of question. The kind whose turn is next comes first. */
  readonly topics: Map<string, Set<Waiting>>
}

/**
 * One queue for all reads of the past, in front of the few connections that answer them. Clients take turns, and so do the kinds of
 * questions of one client: many questions of one kind do not delay the others. A read occupies a connection for one call of the store, and
 * leaves the queue when its question ends.
 */
export class PastQueue {
  readonly #maxReading: () => number
  readonly #maxWaiting: number
  readonly #maxWaitMs: number
  /** The client whose turn is next comes first. */
  readonly #clients = new Map<string, Client>()
  #reading = 0
  #waiting = 0
  #refused = 0

  constructor({ maxReading, maxWaiting = 1_000, maxWaitMs = 10_000 }: PastQueueOptions) {
    this.#maxReading = maxReading
    this.#maxWaiting = maxWaiting
    this.#maxWaitMs = maxWaitMs
  }

  get figures(): PastQueueFigures {
    return { reading: this.#reading, waiting: this.#waiting, refused: this.#refused }
  }

  /**
   * Makes one call of the store when its turn comes.
   *
   * @throws COORD_PAST_BUSY if too many reads wait, or this one too long; COORD_QUESTION_* if the question ends; what the call throws
   */
  async run<T>(call: () => Promise<T>): Promise<T> {
    const question = currentQuestion()
    question?.lengthen()
    question?.look()
    const name = question?.client ?? ''
    const client = this.#clientOf(name)
    try {
      if (this.#mayRead(client)) this.#begin(client)
      else await this.#turn(client, question?.topic ?? '', question?.signal)
    } catch (thrown) {
      this.#dropIdle(name, client)
      throw thrown
    }
    // A call that nobody waits for any more runs to its end, because its connection is only free then.
    const result = this.#call(call, { name, client })
    return question === undefined ? result : question.orEnd(result)
  }

  async #call<T>(call: () => Promise<T>, { name, client }: { name: string; client: Client }): Promise<T> {
    try {
      return await call()
    } finally {
      client.reading -= 1
      this.#reading -= 1
      this.#dropIdle(name, client)
      this.#callNext()
    }
  }

  #clientOf(name: string): Client {
    const known = this.#clients.get(name)
    if (known !== undefined) return known
    const client: Client = { reading: 0, waiting: 0, topics: new Map() }
    this.#clients.set(name, client)
    return client
  }

  #dropIdle(name: string, client: Client): void {
    const isIdle = client.reading === 0 && client.waiting === 0
    if (isIdle && this.#clients.get(name) === client) this.#clients.delete(name)
  }

  #mayRead({ reading }: Client): boolean {
    const max = this.#maxReading()
    // One client uses at most half of the connections, so that other clients always find a free one.
    return this.#reading < max && reading < Math.max(1, Math.floor(max / 2))
  }

  #begin(client: Client): void {
    client.reading += 1
    this.#reading += 1
  }

  #turn(client: Client, topic: string, signal: AbortSignal | undefined): Promise<void> {
    const alike = client.topics.get(topic) ?? new Set()
    // One client may take half of the queue, and one kind of its questions a quarter.
    if (
      this.#waiting >= this.#maxWaiting ||
      client.waiting >= this.#maxWaiting / 2 ||
      alike.size >= this.#maxWaiting / 4
    )
      throw this.#refuse(
        `${this.#waiting} questions about the past are waiting already, ${client.waiting} of them from this client, and ${alike.size} of these of this kind.`,
      )
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const leave = (error: unknown) => {
      stopWaiting()
      reject(error)
    }
    const timer = setTimeout(
      () => leave(this.#refuse(`The question waited ${this.#maxWaitMs} ms and its turn did not come.`)),
      this.#maxWaitMs,
    )
    const end = () => leave(signal?.reason)
    const waiting: Waiting = {
      enter: () => {
        stopWaiting()
        this.#begin(client)
        resolve()
      },
    }
    const stopWaiting = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', end)
      alike.delete(waiting)
      if (alike.size === 0) client.topics.delete(topic)
      client.waiting -= 1
      this.#waiting -= 1
    }
    alike.add(waiting)
    client.topics.set(topic, alike)
    client.waiting += 1
    this.#waiting += 1
    signal?.addEventListener('abort', end, { once: true })
    return promise
  }

  #refuse(detail: string): CoordinatorError {
    this.#refused += 1
    return new CoordinatorError('COORD_PAST_BUSY', { detail, retryAfterSeconds: 2 })
  }

  #callNext(): void {
    for (const [name, client] of this.#clients) {
      if (this.#reading >= this.#maxReading()) return
      const [topic] = client.topics
      if (topic === undefined || !this.#mayRead(client)) continue
      // The client moves to the end of the clients, and the kind of question to the end of its kinds.
      this.#clients.delete(name)
      this.#clients.set(name, client)
      const [kind, alike] = topic
      client.topics.delete(kind)
      client.topics.set(kind, alike)
      const [next] = alike
      next?.enter()
    }
  }
}
