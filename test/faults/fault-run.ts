import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { type Env, serving } from '../main/coordinator-process.ts'
import type { FaultProxy, FaultRule } from '../support/fault-proxy.ts'
import type { PostgresServer } from '../support/postgres.ts'
import { CoordinatorClient } from './coordinator-client.ts'
import { checkAcknowledged, checkView, readHistory, type StoredHistory } from './stored-history.ts'
import { type ReadFigures, WatchingReader } from './watching-reader.ts'
import { WriteLoad } from './write-load.ts'

/** What the script of a run works with. */
export interface FaultScript {
  readonly load: WriteLoad
  /**
   * Notes that what was away is back, and waits until writes flow again.
   *
   * @param kind groups the figures
   */
  back(kind: string): Promise<void>
}

export interface FaultRunOptions {
  /** Settings of the coordinator. */
  readonly env: Env
  /** What keeps the records at the end, asked by SQL. */
  readonly database: () => PostgresServer
  /** The run goes on after its script until so many writes are acknowledged. @default 10_000 */
  readonly writes?: number
}

export interface FaultRun {
  readonly history: StoredHistory
  readonly reads: ReadFigures
  /** How long it took until writes flowed again, in milliseconds, by kind of fault. */
  readonly recoveries: ReadonlyMap<string, readonly number[]>
  readonly log: string
  readonly metrics: string
}

const readsPerSecond = 100

/**
 * Runs a coordinator, a load of writes and a reader that watches, while a script damages what is between the coordinator and
 * its records, or these; and checks afterwards that no client was told anything wrong.
 */
export async function runFaults(
  options: FaultRunOptions,
  script: (scope: FaultScript) => Promise<void>,
): Promise<FaultRun> {
  await using coordinator = await serving({ env: options.env })
  await using writes = new CoordinatorClient(coordinator.url)
  await using readings = new CoordinatorClient(coordinator.url, 8)
  const load = new WriteLoad(writes, { clients: 32, servicesEach: 16, pauseMs: 25 })
  const reader = new WatchingReader(readings, load.services)
  const recoveries = new Map<string, number[]>()
  load.start()
  reader.start()
  await load.reached(500)
  await script({
    load,
    async back(kind) {
      const ms = await load.flowsAgain()
      recoveries.set(kind, [...(recoveries.get(kind) ?? []), Math.round(ms)])
    },
  })
  await load.reached(options.writes ?? 10_000)
  await load.stop()
  const reads = await reader.stop()
  const history = await readHistory(options.database())
  report({ load, reads, recoveries })
  checkAcknowledged(history, load)
  await checkView(readings, history)
  expect(reads.faults).toEqual([])
  // A single second may hold a collection of garbage: five are looked at together.
  expect(reads.slowestFiveSeconds).toBeGreaterThanOrEqual(readsPerSecond)
  await settled(readings)
  const metrics = (await readings.get('/metrics')).text
  // The same process from beginning to end.
  expect(coordinator.process.child.exitCode).toBeNull()
  return { history, reads, recoveries, metrics, log: coordinator.process.output }
}

/** Resolves when the coordinator says that all is well. */
export async function settled(client: CoordinatorClient): Promise<void> {
  await expect.poll(async () => (await client.get('/health')).body.status, { interval: 20 }).toBe('ok')
}

/** The value of a metric, all its labels together, from the text of `GET /metrics`. */
export function metric(text: string, name: string): number {
  const lines = text.split('\n').filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
  if (lines.length === 0) throw new Error(`There is no metric ${name}.`)
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
}

/** Does something again and again, with a pause after each time. */
export async function times(count: number, pauseMs: number, body: () => Promise<void> | void): Promise<void> {
  for (let time = 0; time < count; time += 1) {
    await body()
    await sleep(pauseMs)
  }
}

/** Makes what damages single requests on a proxy, one after the other, each after the load has got over the one before. */
export function damageOn(proxy: FaultProxy, back: FaultScript['back']) {
  return async (count: number, rule: FaultRule): Promise<void> => {
    await times(count, 20, async () => {
      const { faults } = proxy
      proxy.add({ ...rule, times: 1 })
      await until('the fault is met', async () => proxy.faults > faults)
      await back(rule.fault.do)
    })
  }
}

/** Waits until something holds. */
export async function until(
  what: string | (() => string),
  holds: () => Promise<boolean>,
  limitMs = 30_000,
): Promise<void> {
  for (const end = performance.now() + limitMs; performance.now() < end; await sleep(2))
    if (await holds()) return
  throw new Error(`Not within ${limitMs} ms: ${typeof what === 'string' ? what : what()}.`)
}

function report({ load, reads, recoveries }: Pick<FaultRun, 'reads' | 'recoveries'> & { load: WriteLoad }) {
  const { reads: count, perSecond, slowestSecond, slowestFiveSeconds, longestMs, faults } = reads
  const { unknown, not_written } = load.unavailable
  console.log(
    [
      `${load.acknowledged.length} writes acknowledged, ${load.replayed} of them when they came again`,
      `503: ${unknown} unknown, ${not_written} not written`,
      `${count} reads, ${faults.length} wrong; ${perSecond}/s, slowest second ${slowestSecond}, slowest five ${slowestFiveSeconds}/s; longest ${longestMs} ms`,
      ...[...recoveries].map(([kind, all]) => `${kind}: ${all.length}x, writes after ${all.join(', ')} ms`),
    ].join('\n'),
  )
}
