import { setTimeout as sleep } from 'node:timers/promises'
import { GrantedTime } from '../support/granted-time.ts'
import type { CoordinatorClient } from './coordinator-client.ts'
import type { ModelledService } from './modelled-service.ts'

export interface ReadFigures {
  readonly reads: number
  readonly perSecond: number
  /** Reads in the slowest whole second. */
  readonly slowestSecond: number
  /** The same of the slowest five seconds, per second; of all, where there were not so many. */
  readonly slowestFiveSeconds: number
  readonly longestMs: number
  /** What was wrong: reads that failed, or showed what they must not. */
  readonly faults: readonly string[]
}

const readers = 4
const readsPerSecondEach = 70

/**
 * Reads services one by one and in lists, all the time, and compares each answer with the model: a read never fails, and
 * never shows less than what this coordinator had acknowledged or shown before.
 */
export class WatchingReader {
  readonly #client: Pick<CoordinatorClient, 'get'>
  readonly #owners: readonly (readonly ModelledService[])[]
  readonly #seconds: number[] = []
  readonly #faults: string[] = []
  /** Seconds in which the machine had no time for this process are not held against the coordinator. */
  readonly #time = new GrantedTime()
  #running: Promise<unknown> | undefined
  #stopping = false
  #longestMs = 0

  constructor(client: Pick<CoordinatorClient, 'get'>, owners: readonly (readonly ModelledService[])[]) {
    this.#client = client
    this.#owners = owners
  }

  /** What was wrong so far. */
  get faults(): readonly string[] {
    return this.#faults
  }

  /** How many reads were answered so far. */
  get reads(): number {
    return sum(this.#seconds)
  }

  start(): void {
    this.#running = Promise.all(Array.from({ length: readers }, (_, index) => this.#readOn(index)))
  }

  async stop(): Promise<ReadFigures> {
    this.#stopping = true
    await this.#running
    const seconds = this.#time.now / 1_000
    this.#time[Symbol.dispose]()
    // The last second has not been a whole one.
    const whole = this.#seconds.slice(0, -1)
    const reads = this.#seconds.reduce((sum, count) => sum + count, 0)
    const span = Math.min(5, whole.length)
    const fives = whole.slice(span - 1).map((_, start) => sum(whole.slice(start, start + span)) / span)
    return {
      reads,
      perSecond: Math.round(reads / seconds),
      slowestSecond: Math.min(...whole),
      slowestFiveSeconds: Math.min(...fives),
      longestMs: Math.round(this.#longestMs),
      faults: this.#faults,
    }
  }

  async #readOn(index: number): Promise<void> {
    for (let count = index; !this.#stopping; count += 1) {
      const startedAt = performance.now()
      try {
        const own = pick(this.#owners)
        await (count % 2 === 0 ? this.#readOne(pick(own)) : this.#readList(own))
      } catch (thrown) {
        this.#faults.push(`A read got no answer: ${String(thrown)}`)
      }
      const now = performance.now()
      const second = Math.floor(this.#time.now / 1_000)
      for (let missing = this.#seconds.length; missing <= second; missing += 1) this.#seconds[missing] = 0
      this.#seconds[second] = (this.#seconds[second] ?? 0) + 1
      this.#longestMs = Math.max(this.#longestMs, now - startedAt)
      await sleep(Math.max(0, 1_000 / readsPerSecondEach - (now - startedAt)))
    }
  }

  async #readOne(service: ModelledService): Promise<void> {
    const { floor } = service
    const { status, body, text } = await this.#client.get(`/services/${service.serviceId}`)
    if (status === 200) this.#note(service.judge(body.service.metadata.step, floor))
    else if (status === 404) this.#note(service.judge(undefined, floor))
    else this.#note(`A read of one was answered with ${status}: ${text}`)
  }

  async #readList(own: readonly ModelledService[]): Promise<void> {
    const floors = own.map(({ floor }) => floor)
    const tag = own[0]?.owner
    const { status, body, text } = await this.#client.get(`/services?tag=${tag}&limit=1000`)
    if (status !== 200) return this.#note(`A list was answered with ${status}: ${text}`)
    const steps = new Map<string, number>()
    for (const { serviceId, metadata } of body.services) steps.set(serviceId, metadata.step)
    if (steps.size !== body.total) this.#note(`A list of ${steps.size} says that they are ${body.total}.`)
    for (const [index, service] of own.entries()) {
      this.#note(service.judge(steps.get(service.serviceId), floors[index] as number))
      steps.delete(service.serviceId)
    }
    if (steps.size > 0) this.#note(`A list has services of others: ${text}`)
  }

  #note(fault: string | undefined): void {
    if (fault !== undefined) this.#faults.push(fault)
  }
}

function pick<T>(all: readonly T[]): T {
  return all[Math.floor(Math.random() * all.length)] as T
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0)
}
