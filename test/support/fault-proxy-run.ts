import { setTimeout as sleep } from 'node:timers/promises'
import { ask, registration } from '../main/coordinator-process.ts'

export interface FaultRunOptions {
  /** The coordinator under test. */
  readonly url: string
  /** How many services are registered at least, each by a name of its own. */
  readonly writes: number
  /** How many faults there are at least: registering goes on until then. @default one of each kind */
  readonly leastFaults?: number
  /** @default 64 */
  readonly clients?: number
  /** What happens to the database, in turn: each does its damage, and resolves at the moment when it has mended it. */
  readonly faults: Readonly<Record<string, () => Promise<void>>>
  /** How long it is left in peace after each fault. @default 300 (milliseconds) */
  readonly peaceMs?: number
}

export interface FaultRunReport {
  /** Registrations that were answered with 2xx, by service name. */
  readonly acknowledged: ReadonlyMap<string, { readonly serviceId: string; readonly revision: number }>
  /** Writes that were answered with 503, by outcome. */
  readonly refused: { not_written: number; unknown: number }
  readonly reads: number
  /** What was wrong with reads; none should be. */
  readonly wrongReads: readonly string[]
  readonly readsPerSecond: number
  /** How long after each fault's end the next write was acknowledged, in milliseconds. */
  readonly recoveries: readonly (readonly [fault: string, ms: number])[]
}

/** Registers services through a coordinator while its database is damaged again and again, and reads all the time. */
export async function runUnderFaults(options: FaultRunOptions): Promise<FaultRunReport> {
  const run = new FaultRun(options)
  return run.run()
}

class FaultRun {
  readonly #options: FaultRunOptions
  readonly #acknowledged = new Map<string, { serviceId: string; revision: number }>()
  readonly #names: string[] = []
  readonly #refused = { not_written: 0, unknown: 0 }
  readonly #wrongReads: string[] = []
  readonly #recoveries: [string, number][] = []
  #next = 0
  #reads = 0
  #lastAcknowledged = 0

  constructor(options: FaultRunOptions) {
    this.#options = options
  }

  async run(): Promise<FaultRunReport> {
    const { clients = 64 } = this.#options
    const started = performance.now()
    const over = new AbortController()
    const reading = [1, 2].flatMap(() => [this.#readOne(over.signal), this.#readList(over.signal)])
    const writing = Promise.all(Array.from({ length: clients }, () => this.#write()))
    const damaging = this.#damage(over.signal)
    await writing
    over.abort()
    await Promise.all([...reading, damaging])
    return {
      acknowledged: this.#acknowledged,
      refused: this.#refused,
      reads: this.#reads,
      wrongReads: this.#wrongReads,
      readsPerSecond: (this.#reads / (performance.now() - started)) * 1_000,
      recoveries: this.#recoveries,
    }
  }

  /** One client: registers the next service until it is acknowledged, however often that takes. */
  async #write(): Promise<void> {
    const { writes, faults, leastFaults = Object.keys(faults).length } = this.#options
    while (this.#next < writes || this.#recoveries.length < leastFaults) {
      const serviceName = `service-${this.#next}`
      this.#next += 1
      while (!(await this.#register(serviceName))) await sleep(20 + Math.random() * 30)
    }
  }

  async #register(serviceName: string): Promise<boolean> {
    const { status, body, headers } = await ask(
      `${this.#options.url}/register`,
      'POST',
      registration(serviceName),
    )
    if (status === 200 || status === 201) {
      this.#acknowledged.set(serviceName, body)
      this.#names.push(serviceName)
      this.#lastAcknowledged = performance.now()
      return true
    }
    const honest = body.outcome === 'not_written' || body.outcome === 'unknown'
    if (status !== 503 || !honest || headers.get('retry-after') === null)
      throw new Error(`A write was answered ${status}: ${JSON.stringify(body)}`)
    this.#refused[body.outcome as 'not_written' | 'unknown'] += 1
    return false
  }

  async #readOne(over: AbortSignal): Promise<void> {
    while (!over.aborted) {
      await sleep(8)
      const name = this.#names[Math.floor(Math.random() * this.#names.length)]
      if (name === undefined) continue
      const known = this.#acknowledged.get(name)
      const { status, body } = await ask(`${this.#options.url}/services/${known?.serviceId}`)
      this.#reads += 1
      if (status !== 200 || body.service.serviceName !== name || body.service.revision !== known?.revision)
        this.#wrongReads.push(`${name}: ${status} ${JSON.stringify(body)}`)
    }
  }

  async #readList(over: AbortSignal): Promise<void> {
    while (!over.aborted) {
      await sleep(8)
      const atLeast = this.#acknowledged.size
      const { status, body } = await ask(`${this.#options.url}/services?limit=5`)
      this.#reads += 1
      if (status !== 200 || body.total < atLeast)
        this.#wrongReads.push(`list of ${body.total} where ${atLeast} are known: ${status}`)
    }
  }

  async #damage(over: AbortSignal): Promise<void> {
    const faults = Object.entries(this.#options.faults)
    for (let turn = 0; !over.aborted; turn += 1) {
      const [name, fault] = faults[turn % faults.length] as (typeof faults)[number]
      await fault()
      const mended = performance.now()
      if (process.env['FR_WRITES']) console.log(name, this.#acknowledged.size, JSON.stringify(this.#refused))
      while (this.#lastAcknowledged < mended && !over.aborted) await sleep(5)
      if (!over.aborted) this.#recoveries.push([name, performance.now() - mended])
      await sleep(this.#options.peaceMs ?? 300)
    }
  }
}
