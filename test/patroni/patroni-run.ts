import { expect } from 'vitest'
import { RandomSource } from '../consistency/random-source.ts'
import { settled } from '../faults/fault-run.ts'
import { checkAcknowledged, checkView, readHistory, type Told } from '../faults/stored-history.ts'
import { type FaultKind, faultKinds } from './faults.ts'
import type { PatroniCluster } from './patroni-cluster.ts'
import { counterId } from './rival-counter.ts'
import { WatchedCoordinator } from './watched-coordinator.ts'

/** A write must succeed so soon after the moment in which the primary has its standby, in milliseconds that the machine grants. */
const RESUME_LIMIT_MS = 5_000

export interface PatroniRun {
  /** What the coordinators are given. */
  readonly databaseUrl: string
  readonly faults: number
  readonly seed: number
  /** Only the kinds whose name has this in it. @default all */
  readonly only?: string | undefined
}

/** What one coordinator and its clients saw of a fault. */
interface Sight {
  readonly name: string
  /** The longest time without an acknowledged write, in milliseconds. */
  readonly gapMs: number
  /** From the moment in which writing was possible until a write succeeded, in milliseconds. */
  readonly resumedMs: number
  readonly longestWriteMs: number
  /** How often each refusal was met. */
  readonly refusals: Readonly<Record<string, number>>
  readonly reads: number
}

/**
 * Two coordinators under load, and faults of the cluster below them, one after the other. After each one everything that was acknowledged is
 * in the new primary, once, and in the views of both coordinators.
 */
export async function runPatroniFaults(cluster: PatroniCluster, run: PatroniRun): Promise<void> {
  const env = { DATABASE_URL: run.databaseUrl }
  await using patient = await WatchedCoordinator.start('patient', { ...env, COMMIT_TIMEOUT_MS: '60000' })
  await using usual = await WatchedCoordinator.start('usual', env)
  const both = [patient, usual] as const
  const lineage = (await patient.client.get('/health')).body.lineage
  for (const each of both) each.startWriting()
  await Promise.all(both.map(({ load }) => load.reached(100)))
  for (const each of both) each.startReading()
  for (const [index, kind] of order(run).entries()) {
    const sights = await suffer(cluster, kind, both)
    console.log(rows(`${index + 1}. ${kind.name}`, sights))
    await Promise.all(both.map((each) => each.pauseWriting()))
    await check(cluster, both)
    for (const { name, resumedMs } of sights)
      expect(resumedMs, `${kind.name}: ${name}`).toBeLessThan(RESUME_LIMIT_MS)
    for (const each of both) each.startWriting()
  }
  await Promise.all(both.map((each) => each.pauseWriting()))
  if (cluster.restarts > 0) console.log(`Patroni had to be started again ${cluster.restarts} times`)
  for (const each of both) {
    const { reads, perSecond, longestMs } = await each.stopReading()
    console.log(
      `${each.name}: ${each.load.acknowledged.length + each.counter.acknowledged.length} writes acknowledged, ${each.load.replayed} of them when they came again; ` +
        `${each.counter.lost} lost races; ${reads} reads, ${perSecond}/s, longest ${longestMs} ms`,
    )
    expect(each.readFaults).toEqual([])
    expect(reads).toBeGreaterThan(100)
    await settled(each.client)
    expect(await each.metric('coordinator_history_forks_total')).toBe(0)
    expect((await each.client.get('/health')).body.lineage).toBe(lineage)
    expect(each.counter.acknowledged.length).toBeGreaterThan(0)
    // The same process from beginning to end: one that ended fails the test by itself.
    expect(each.log.match(/listening on /g)).toHaveLength(1)
  }
}

/** Every kind once before any comes a second time; a seed repeats the order. */
function order({ faults, seed, only = '' }: PatroniRun): readonly FaultKind[] {
  const random = new RandomSource(seed)
  const kinds: FaultKind[] = []
  while (kinds.length < faults) {
    const left = faultKinds.filter(({ name }) => name.includes(only))
    if (left.length === 0) throw new Error(`No fault has "${only}" in its name.`)
    while (left.length > 0) kinds.push(...left.splice(random.below(left.length), 1))
  }
  return kinds.slice(0, faults)
}

async function suffer(
  cluster: PatroniCluster,
  kind: FaultKind,
  both: readonly WatchedCoordinator[],
): Promise<readonly Sight[]> {
  const roles = await cluster.roles()
  await Promise.all(both.map(({ load }) => load.flowsAgain()))
  const startedAt = performance.now()
  const before = both.map(({ reads }) => reads)
  const repair = await kind.strike(cluster, roles, () => allTold(both).acknowledged.length)
  if (!kind.failsOver && !kind.takesStandby) {
    await pause(kind.lastsMs ?? 0)
    await repair()
  }
  await cluster.primaryWithStandby({
    ...(kind.failsOver ? { asPrimary: roles.leader } : {}),
    ...(kind.takesStandby ? { asStandby: roles.syncStandby } : {}),
  })
  const resumed = await Promise.all(both.map(({ load }) => load.flowsAgain(60_000)))
  const endedAt = performance.now()
  if (kind.failsOver || kind.takesStandby) await repair()
  // What the return of the old primary does to clients belongs to the fault.
  await cluster.roles()
  await Promise.all(both.map(({ load }) => load.flowsAgain(60_000)))
  return both.map((each, index) => ({
    name: each.name,
    ...figures(each, { startedAt, endedAt }),
    resumedMs: resumed[index] as number,
    reads: each.reads - (before[index] as number),
  }))
}

function figures(
  { seen }: WatchedCoordinator,
  { startedAt, endedAt }: { readonly startedAt: number; readonly endedAt: number },
): Pick<Sight, 'gapMs' | 'longestWriteMs' | 'refusals'> {
  const during = seen.filter(({ at }) => at >= startedAt)
  const successes = during.filter(({ status, at }) => status < 300 && at <= endedAt).map(({ at }) => at)
  const gaps = [...successes, endedAt].map((at, index) => at - (successes[index - 1] ?? startedAt))
  const refusals: Record<string, number> = {}
  for (const { refusal } of during)
    if (refusal !== undefined) refusals[refusal] = (refusals[refusal] ?? 0) + 1
  return {
    gapMs: Math.max(...gaps),
    longestWriteMs: Math.max(0, ...during.map(({ durationMs }) => durationMs)),
    refusals,
  }
}

/** Compares the tables of the primary, and the views of both coordinators, with what clients were told. */
async function check(cluster: PatroniCluster, both: readonly WatchedCoordinator[]): Promise<void> {
  const history = await readHistory(cluster)
  checkAcknowledged(history, allTold(both))
  const views = await Promise.all(both.map(({ client }) => checkView(client, history)))
  expect(views[0]).toBe(views[1])
  for (const each of both) {
    expect(each.readFaults).toEqual([])
    expect(each.contradictions).toEqual([])
  }
}

function allTold(both: readonly WatchedCoordinator[]): Told {
  const counts = both.flatMap(({ counter }) => counter.acknowledged)
  // The number in the counter is how often it was raised, so no change overwrote another one.
  const counter = { serviceId: counterId, present: true, sent: counts.length }
  return {
    acknowledged: [...both.flatMap(({ load }) => load.acknowledged), ...counts],
    ruledOut: new Set(both.flatMap(({ load, counter }) => [...load.ruledOut, ...counter.ruledOut])),
    services: [...both.flatMap(({ load }) => load.services), [counter]],
  }
}

function rows(title: string, sights: readonly Sight[]): string {
  const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`
  const lines = sights.map(({ name, gapMs, resumedMs, longestWriteMs, refusals, reads }) => {
    const met = Object.entries(refusals).map(([refusal, count]) => `${count} x 503 ${refusal}`)
    return `  ${name}: ${seconds(gapMs)} without a write, ${seconds(resumedMs)} after the primary had its standby; longest write ${seconds(longestWriteMs)}; ${met.join(', ') || 'no refusal'}; ${reads} reads`
  })
  return [title, ...lines].join('\n')
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
