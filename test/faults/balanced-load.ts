import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Answer, CoordinatorClient, NoAnswer } from './coordinator-client.ts'

/** What clients saw from one moment to another. */
export interface Seen {
  reads: number
  /** Reads that were not answered with 200, by what came in place of it. */
  readonly failedReads: Map<string, number>
  slowestReadMs: number
  writes: number
  /** Tries of writes that were not answered with success, by what came in place of it. */
  readonly failedTries: Map<string, number>
  /** The longest time from the first try of a write until it was acknowledged. */
  slowestWriteMs: number
  /** How often the stream of changes ended, and began again. */
  streamEnds: number
}

function nothingSeen(): Seen {
  return {
    ...{ reads: 0, failedReads: new Map(), slowestReadMs: 0, writes: 0, failedTries: new Map() },
    ...{ slowestWriteMs: 0, streamEnds: 0 },
  }
}

const readers = 4
const writers = 4
const pauseMs = 10

/**
 * Clients of a load balancer, as a careful program writes them: a read is sent once; a write is sent again, with the same
 * `Idempotency-Key`, until it succeeds; a stream continues with the last id that it has.
 */
export class BalancedLoad implements AsyncDisposable {
  /** The revision of each acknowledged write, by the name of its service. */
  readonly acknowledged = new Map<string, number>()
  /** The revisions that the stream has shown, in their order. */
  readonly streamed: number[] = []
  readonly #url: string
  readonly #client: CoordinatorClient
  readonly #serviceId: string
  readonly #closing = new AbortController()
  readonly #running: Promise<unknown>
  #seen = nothingSeen()
  #count = 0

  /** @param serviceId a service that is registered, which is read all the time */
  constructor(url: string, serviceId: string) {
    this.#url = url
    this.#client = new CoordinatorClient(url)
    this.#serviceId = serviceId
    this.#running = Promise.all([
      ...Array.from({ length: readers }, () => this.#repeat(() => this.#read())),
      ...Array.from({ length: writers }, () => this.#repeat(() => this.#write())),
      this.#follow(),
    ])
    // Whoever disposes of the load hears of it; until then it must not end the process.
    this.#running.catch(() => undefined)
  }

  /** What clients have seen since the last call. */
  takeSeen(): Seen {
    const seen = this.#seen
    this.#seen = nothingSeen()
    return seen
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort()
    await this.#running
    await this.#client[Symbol.asyncDispose]()
  }

  async #repeat(step: () => Promise<void>): Promise<void> {
    while (!this.#closing.signal.aborted) {
      await step()
      await sleep(pauseMs)
    }
  }

  async #read(): Promise<void> {
    const startedAt = performance.now()
    const failure = failureOf(await this.#ask({ path: `/services/${this.#serviceId}` }))
    if (failure !== undefined) count(this.#seen.failedReads, failure)
    this.#seen.reads += 1
    this.#seen.slowestReadMs = Math.max(this.#seen.slowestReadMs, performance.now() - startedAt)
  }

  async #write(): Promise<void> {
    this.#count += 1
    const serviceName = `written-${this.#count}`
    const body = { serviceName, version: '1.0.0', endpoint: `http://${serviceName}:8080` }
    const headers = { 'idempotency-key': randomUUID() }
    const startedAt = performance.now()
    for (;;) {
      const answer = await this.#ask({ method: 'POST', path: '/register', body, headers })
      const failure = failureOf(answer)
      if (failure === undefined) {
        this.acknowledged.set(serviceName, answer?.body.revision)
        break
      }
      count(this.#seen.failedTries, failure)
      await sleep(100)
    }
    this.#seen.writes += 1
    this.#seen.slowestWriteMs = Math.max(this.#seen.slowestWriteMs, performance.now() - startedAt)
  }

  /** `undefined` where nobody answers. */
  async #ask(call: Parameters<CoordinatorClient['send']>[0]): Promise<Answer | undefined> {
    try {
      return await this.#client.send(call)
    } catch (thrown) {
      if (thrown instanceof NoAnswer) return undefined
      throw thrown
    }
  }

  /** Keeps one stream of changes open, from the first revision on. */
  async #follow(): Promise<void> {
    let lastId = ''
    while (!this.#closing.signal.aborted) {
      try {
        const headers = { accept: 'text/event-stream', ...(lastId === '' ? {} : { 'last-event-id': lastId }) }
        const response = await fetch(`${this.#url}/changes?after=0`, {
          headers,
          signal: this.#closing.signal,
        })
        if (response.body === null || !response.ok)
          throw new Error(`The stream began with ${response.status}.`)
        let text = ''
        for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
          text += chunk
          const events = text.split('\n\n')
          text = events.pop() ?? ''
          for (const event of events) {
            const id = /^id: ?(.+)$/m.exec(event)?.[1]
            if (id === undefined) continue
            lastId = id
            const revision = /"revision":(\d+)/.exec(event)?.[1]
            if (revision !== undefined) this.streamed.push(Number(revision))
          }
        }
      } catch (thrown) {
        // A balancer that has no coordinator, or cut the connection. What the stream missed is checked at the end.
        if (this.#closing.signal.aborted) return
        if (!(thrown instanceof Error)) throw thrown
      }
      this.#seen.streamEnds += 1
      await sleep(100)
    }
  }
}

/** What came in place of success; `undefined` if nothing did. */
function failureOf(answer: Answer | undefined): string | undefined {
  if (answer === undefined) return 'no answer'
  if (answer.status < 300) return undefined
  // Not every answer is one of a coordinator: the balancer has its own.
  const { code, outcome } = answer.body ?? { code: 'of HAProxy' }
  return [answer.status, code, outcome].filter((part) => part !== undefined).join(' ')
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}
