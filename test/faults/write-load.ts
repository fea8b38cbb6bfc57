import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { EVERYBODY } from '../../src/access/principal.ts'
import { identifyCommit } from '../../src/live/writing/idempotency.ts'
import { GrantedTime } from '../support/granted-time.ts'
import { type Answer, NoAnswer, type Sender } from './coordinator-client.ts'
import { ModelledService, type Wish } from './modelled-service.ts'

export interface AcknowledgedWrite {
  readonly commitId: string
  readonly revision: number
  readonly serviceId: string
  readonly wish: Wish
  readonly step: number
}

export interface LoadSize {
  readonly clients: number
  readonly servicesEach: number
  /** Pause of a client between two writes: on average this many milliseconds. */
  readonly pauseMs: number
  /** Whether coordinators end meanwhile, so that requests may stay without an answer. @default false */
  readonly mayLose?: boolean
  /** Keeps the services of several loads apart. @default '' */
  readonly name?: string
}

/**
 * Clients that register, change and deregister services, each its own ones. A write that was answered with 503 is sent
 * again until it succeeds: with the same `Idempotency-Key` once its outcome may be unknown, and with a new one where the
 * coordinator says that nothing was written, which is then held against it.
 */
export class WriteLoad {
  readonly acknowledged: AcknowledgedWrite[] = []
  /** Commit ids of which the coordinator said that they were not written. */
  readonly ruledOut = new Set<string>()
  readonly services: readonly (readonly ModelledService[])[]
  /** Answers 503, by their `outcome`. */
  readonly unavailable = { unknown: 0, not_written: 0 }
  /** Requests that got no answer, where the sender may lose some. */
  unanswered = 0
  replayed = 0
  /** When the newest acknowledgement came. */
  #lastAcknowledgedAt = 0
  /** The clock of this load: it does not count what the machine did for others. */
  readonly #time = new GrantedTime()
  readonly #client: Sender
  readonly #pauseMs: number
  readonly #mayLose: boolean
  #running: Promise<unknown> | undefined
  #stopping = false

  constructor(client: Sender, { clients, servicesEach, pauseMs, mayLose = false, name = '' }: LoadSize) {
    this.#client = client
    this.#pauseMs = pauseMs
    this.#mayLose = mayLose
    this.services = Array.from({ length: clients }, (_client, owner) =>
      Array.from(
        { length: servicesEach },
        (_service, index) => new ModelledService(`owner-${name}${owner}`, `service-${name}${owner}-${index}`),
      ),
    )
  }

  /** Begins, or goes on after a pause. */
  start(): void {
    this.#stopping = false
    this.#running = Promise.all(this.services.map((own) => this.#write(own)))
    // Whoever stops the load hears of it; until then it must not end the process.
    this.#running.catch(() => undefined)
  }

  /** Resolves when every write that was begun is acknowledged; none is begun until `start`. */
  async pause(): Promise<void> {
    this.#stopping = true
    await this.#running
  }

  /** Resolves when every write that was begun is acknowledged. */
  async stop(): Promise<void> {
    await this.pause()
    this.#time[Symbol.dispose]()
  }

  /** Waits until so many writes are acknowledged. */
  async reached(count: number): Promise<void> {
    while (this.acknowledged.length < count) await this.#alive(20)
  }

  /** How long it takes from now on until a write is acknowledged, in milliseconds. */
  async flowsAgain(limitMs = 20_000): Promise<number> {
    const moment = this.#time.now
    while (this.#lastAcknowledgedAt <= moment) {
      if (this.#time.now - moment > limitMs) throw new Error(`No write succeeded within ${limitMs} ms.`)
      await this.#alive(2)
    }
    return this.#lastAcknowledgedAt - moment
  }

  /** Waits; a client that has met what it must not meet ends the wait. */
  async #alive(ms: number): Promise<void> {
    if (this.#running === undefined) throw new Error('The load was not started.')
    await Promise.race([sleep(ms), this.#running])
  }

  async #write(own: readonly ModelledService[]): Promise<void> {
    for (let count = 0; !this.#stopping; count += 1) {
      const service = own[count % own.length] as ModelledService
      // Every eighth write of a service takes it away, and the next one brings it back.
      const wish = service.present && service.sent % 8 === 7 ? 'delete' : 'put'
      await this.#writeOnce(service, wish)
      await sleep(Math.random() * 2 * this.#pauseMs)
    }
  }

  async #writeOnce(service: ModelledService, wish: Wish): Promise<void> {
    const step = service.begin(wish)
    let key = randomUUID()
    for (let uncertain = false; ; ) {
      const answer = await this.#send(service, { wish, step, key })
      if (answer === undefined) {
        this.unanswered += 1
        uncertain = true
        continue
      }
      const { status, body } = answer
      const commitId = commitIdOf(key)
      if (status === 200 || status === 201) {
        if (body.changed !== true) throw new Error(`A write was answered as none: ${answer.text}`)
        const { revision } = body
        this.acknowledged.push({ commitId, revision, serviceId: service.serviceId, wish, step })
        if (body.replayed === true) this.replayed += 1
        service.acknowledge(step)
        this.#lastAcknowledgedAt = this.#time.now
        return
      }
      if (status !== 503) throw new Error(`A write was answered with ${status}: ${answer.text}`)
      const outcome = outcomeOf(answer)
      this.unavailable[outcome] += 1
      uncertain ||= outcome === 'unknown'
      if (!uncertain) {
        this.ruledOut.add(commitId)
        key = randomUUID()
      }
      await sleep(50 + Math.random() * 100)
    }
  }

  /** `undefined` where nobody answers. */
  async #send(
    service: ModelledService,
    { wish, step, key }: { readonly wish: Wish; readonly step: number; readonly key: string },
  ): Promise<Answer | undefined> {
    const headers = { 'idempotency-key': key }
    try {
      return wish === 'put'
        ? await this.#client.send({
            method: 'POST',
            path: '/register',
            body: service.registration(step),
            headers,
          })
        : await this.#client.send({ method: 'DELETE', path: `/services/${service.serviceId}`, headers })
    } catch (thrown) {
      if (thrown instanceof NoAnswer && this.#mayLose) return undefined
      throw thrown
    }
  }
}

/** The id of the commit that a write with an `Idempotency-Key` makes. */
export function commitIdOf(key: string): string {
  return identifyCommit({ idempotencyKey: key, principal: EVERYBODY }, { route: '' }).commitId
}

/** What a refused write says of itself. @throws Error where it says nothing */
export function outcomeOf({ body, text }: Answer): 'unknown' | 'not_written' {
  const { outcome } = body
  if (outcome !== 'unknown' && outcome !== 'not_written')
    throw new Error(`A write failed without an outcome: ${text}`)
  return outcome
}
