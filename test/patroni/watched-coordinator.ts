import { type Answer, type Call, CoordinatorClient, type Sender } from '../faults/coordinator-client.ts'
import { metric } from '../faults/fault-run.ts'
import { type ReadFigures, WatchingReader } from '../faults/watching-reader.ts'
import { WriteLoad } from '../faults/write-load.ts'
import { type Env, type Serving, serving } from '../main/coordinator-process.ts'
import { RivalCounter } from './rival-counter.ts'

/** An answer to a write, as its client saw it. */
export interface SeenWrite {
  readonly at: number
  readonly durationMs: number
  readonly status: number
  /** Code and outcome of a refusal. */
  readonly refusal: string | undefined
}

/** A coordinator with clients that write, clients that change what others change too, and clients that read, all the time. */
export class WatchedCoordinator implements AsyncDisposable {
  readonly name: string
  readonly load: WriteLoad
  readonly counter: RivalCounter
  readonly seen: SeenWrite[] = []
  /** What no client may meet, by its text. */
  readonly faults: string[] = []
  readonly #serving: Serving
  readonly #reads: CoordinatorClient
  readonly #writes: CoordinatorClient
  readonly #reader: WatchingReader
  #newestShown = 0

  private constructor(name: string, serving: Serving) {
    this.name = name
    this.#serving = serving
    this.#writes = new CoordinatorClient(serving.url, 16, 120_000)
    this.#reads = new CoordinatorClient(serving.url, 8)
    const writes: Sender = { send: (call) => this.#write(call) }
    this.load = new WriteLoad(writes, { clients: 6, servicesEach: 8, pauseMs: 60, name: `${name}-` })
    this.counter = new RivalCounter(writes)
    const reads: Pick<CoordinatorClient, 'get'> = { get: (path) => this.#read(path) }
    this.#reader = new WatchingReader(reads, this.load.services)
  }

  static async start(name: string, env: Env): Promise<WatchedCoordinator> {
    return new WatchedCoordinator(name, await serving({ env }))
  }

  /** For questions of the test itself. */
  get client(): CoordinatorClient {
    return this.#reads
  }

  get log(): string {
    return this.#serving.process.output
  }

  /** What the log says of commits that it had seen and that are gone. */
  get contradictions(): readonly string[] {
    return this.log.split('\n').filter((line) => line.includes('the database contradicts'))
  }

  startReading(): void {
    this.#reader.start()
  }

  stopReading(): Promise<ReadFigures> {
    return this.#reader.stop()
  }

  get readFaults(): readonly string[] {
    return [...this.#reader.faults, ...this.faults]
  }

  get reads(): number {
    return this.#reader.reads
  }

  startWriting(): void {
    this.load.start()
    this.counter.start()
  }

  async pauseWriting(): Promise<void> {
    await Promise.all([this.load.pause(), this.counter.pause()])
  }

  /** The value of a metric now. */
  async metric(name: string): Promise<number> {
    return metric((await this.client.get('/metrics')).text, name)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writes[Symbol.asyncDispose]()
    await this.#reads[Symbol.asyncDispose]()
    await this.#serving[Symbol.asyncDispose]()
  }

  async #write(call: Call): Promise<Answer> {
    const startedAt = performance.now()
    const answer = await this.#writes.send(call)
    const now = performance.now()
    if (call.method !== 'GET')
      this.seen.push({
        at: now,
        durationMs: now - startedAt,
        status: answer.status,
        refusal: answer.status === 503 ? `${answer.body.code} ${answer.body.outcome}` : undefined,
      })
    return answer
  }

  /** The view of a coordinator never goes back, whatever a read asks for. */
  async #read(path: string): Promise<Answer> {
    const floor = this.#newestShown
    const answer = await this.#reads.get(path)
    const shown = answer.shownRevision
    if (shown === undefined) this.faults.push(`${path} does not tell its revision: ${answer.text}`)
    else if (shown < floor) this.faults.push(`${path} shows revision ${shown}; ${floor} was shown before`)
    else this.#newestShown = Math.max(this.#newestShown, shown)
    return answer
  }
}
