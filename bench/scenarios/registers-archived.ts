import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { compare, spread } from '../compare.ts'
import { coordinator } from '../coordinator-process.ts'
import { registration } from '../load/requests.ts'
import { type Row, ratioRow, type Scenario } from '../scenario.ts'
import { type ServerProcess, startServer } from '../server-process.ts'
import { startSqlite, writeSide } from './registers.ts'

/** Registrations in a second, in the row with a bar. */
const PER_SECOND = 1_000
/** How often a tick sends its share of them, in milliseconds. */
const TICK_MS = 10

/** Registering while everything is archived into a folder, against the same without backups. */
export const registersArchived: Scenario = {
  name: 'registers-archived',
  title: 'Registering with backups',
  async run(options) {
    const full = await compare(
      writeSide({ name: 'SQLite, archived', kind: 'register', options }, () => startArchived()),
      writeSide({ name: 'SQLite, not archived', kind: 'register', options }, () => startSqlite()),
      options.rounds,
    )
    const steady: Steady[] = []
    for (let round = 0; round < options.rounds; round += 1)
      steady.push(await measureSteady(round, options.roundMs * 3))
    return [
      steadyRow(steady),
      {
        ...ratioRow('`POST /register`, SQLite, 64 connections, full rate', full, { bar: 0, aim: 1 }),
        bar: 'stated',
      },
    ]
  },
}

interface Steady {
  readonly archived: SteadyResult
  readonly plain: SteadyResult
}

interface SteadyResult {
  readonly meanMs: number
  readonly p99Ms: number
  readonly perSecond: number
  /** Of one core. */
  readonly cpu: number
}

function steadyRow(rounds: readonly Steady[]): Row {
  const median = (of: (round: Steady) => number) => spread(rounds.map(of)).median
  const rate = median(({ archived, plain }) => archived.perSecond / plain.perSecond)
  const time = median(({ archived, plain }) => archived.meanMs / plain.meanMs)
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`
  return {
    what: `\`POST /register\`, SQLite, ${PER_SECOND.toLocaleString('en')} a second`,
    measured: `${rate.toFixed(3)} of the rate, ${time.toFixed(3)} of the mean time (${median(({ archived }) => archived.meanMs).toFixed(2)} ms; the slowest hundredth ${median(({ archived }) => archived.p99Ms).toFixed(2)} ms, without ${median(({ plain }) => plain.p99Ms).toFixed(2)} ms); ${percent(median(({ archived }) => archived.cpu))} of a core, without ${percent(median(({ plain }) => plain.cpu))}`,
    bar: '>= 0.97 of the rate, <= 1.03 of the time',
    aim: '1',
    reached: rate >= 0.97 && time <= 1.03,
  }
}

async function measureSteady(round: number, durationMs: number): Promise<Steady> {
  const measure = async (start: () => Promise<ServerProcess>) => {
    const server = await start()
    try {
      await registerSteadily(server.port, `w${round}`, durationMs / 3)
      const before = await cpuSeconds(server.port)
      const result = await registerSteadily(server.port, `m${round}`, durationMs)
      return { ...result, cpu: ((await cpuSeconds(server.port)) - before) / (durationMs / 1_000) }
    } finally {
      await server.stop()
    }
  }
  const isFirst = round % 2 === 0
  const one = await measure(isFirst ? startArchived : startSqlite)
  const other = await measure(isFirst ? startSqlite : startArchived)
  return isFirst ? { archived: one, plain: other } : { archived: other, plain: one }
}

/** Sends what is due at each tick, whether or not the earlier requests are answered. */
async function registerSteadily(
  port: number,
  run: string,
  durationMs: number,
): Promise<Omit<SteadyResult, 'cpu'>> {
  const times: number[] = []
  const requests: Promise<void>[] = []
  const began = performance.now()
  let sent = 0
  for (let elapsed = 0; elapsed < durationMs; elapsed = performance.now() - began) {
    for (; sent < (elapsed * PER_SECOND) / 1_000; sent += 1)
      requests.push(register(port, registration(run, sent), times))
    await sleep(TICK_MS)
  }
  await Promise.all(requests)
  const seconds = (performance.now() - began) / 1_000
  const sorted = times.toSorted((left, right) => left - right)
  return {
    meanMs: times.reduce((sum, time) => sum + time, 0) / times.length,
    p99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN,
    perSecond: times.length / seconds,
  }
}

async function register(port: number, body: string, times: number[]): Promise<void> {
  const began = performance.now()
  const reply = await fetch(`http://127.0.0.1:${port}/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  })
  await reply.arrayBuffer()
  if (!reply.ok) throw new Error(`Registering failed with ${reply.status}.`)
  times.push(performance.now() - began)
}

async function cpuSeconds(port: number): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  return Number(/^process_cpu_seconds_total (\S+)/m.exec(text)?.[1])
}

/** A coordinator on a SQLite file that archives every two seconds. More often than by default, so that each round has several. */
async function startArchived(): Promise<ServerProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-archived-'))
  const server = await startServer(
    coordinator({
      DATABASE_URL: `sqlite:${join(folder, 'bench.db')}`,
      BACKUP_URL: `file://${join(folder, 'backup')}`,
      BACKUP_INTERVAL_MS: '2000',
    }),
  )
  return {
    ...server,
    stop: async () => {
      await server.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
