import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { constants, setPriority } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { figures, spread } from '../compare.ts'
import { coordinator, registerMany } from '../coordinator-process.ts'
import type { HostileNews, HostileOrder } from '../load/hostile-clients.ts'
import type { LoadResult } from '../load/http-client.ts'
import { makeLoad } from '../load/make-load.ts'
import { registration } from '../load/requests.ts'
import type { BenchOptions, Row, Scenario } from '../scenario.ts'
import { startServer } from '../server-process.ts'

const services = 10_000
const versions = 3_000
const consumers = 1_000
const hostileClients = 50
/** How long they go on, in milliseconds. */
const hostileMs = 60_000

/** 64 readers beside clients that send what is large, wrong, slow, or wanted by nobody. The peer is the same without them. */
export const hostileNeighbours: Scenario = {
  name: 'hostile-neighbours',
  title: 'Reading beside hostile clients',
  note: `Each of 50 hostile clients repeats these requests in turn: lists of one MiB with wrong items, to every route that takes a body; ranges
with 4,000 alternatives; simulations over 3,000 versions; questions about the past and the journal, which the client abandons; answers,
streams and snapshots, which it does not read; bodies that it does not finish; requests from foreign web pages; and bytes that are not
HTTP. Readers, hostile clients and the coordinator share the cores of one machine. The process of the hostile clients has a low priority,
because it represents other machines.`,
  async run(options) {
    const server = await startServer(coordinator())
    try {
      options.progress(`registering ${services + versions + consumers} services`)
      const ids = await registerMany(
        server.port,
        Array.from({ length: services }, (_, number) => registration('hostile', number)),
      )
      await registerMany(server.port, [...hubAndConsumers()])
      const paths = ids.map((id) => `/services/${id}`)
      const read = (durationMs: number) =>
        makeLoad({
          port: server.port,
          connections: 64,
          durationMs,
          warmupMs: options.roundMs / 2,
          source: { kind: 'get', paths },
        })
      const quiet: LoadResult[] = []
      const beside: LoadResult[] = []
      const resident: number[] = []
      for (let round = 0; round < Math.min(3, options.rounds); round += 1) {
        quiet.push(await read(options.roundMs))
        resident.push(await residentMib(server.pid))
        const hostile = attack(server.port)
        // The load begins once the hostile clients are at work, and ends before they do.
        await sleep(1_000)
        beside.push(await read(hostileMs - 3_000 - options.roundMs / 2))
        report(options, await hostile)
      }
      quiet.push(await read(options.roundMs))
      await sleep(2_000)
      resident.push(await residentMib(server.pid))
      options.progress(`resident: ${resident.map((mib) => mib.toFixed(0)).join(', ')} MiB`)
      return rowsOf({ quiet, beside, resident })
    } finally {
      await server.stop()
    }
  },
}

/** One service in many versions, and many that need one of them each, with ranges as long as they may be. */
function* hubAndConsumers(): Generator<string> {
  const service = (serviceName: string, version: string, more: object) =>
    JSON.stringify({ serviceName, version, endpoint: `http://${serviceName}-${version}:80`, ...more })
  for (let number = 0; number < versions; number += 1) yield service('hub', `1.${number}.0`, {})
  for (let number = 0; number < consumers; number += 1) {
    const range = Array.from({ length: 15 }, (_, part) => `1.${(number * 17 + part) % versions}.x`).join('||')
    yield service(`consumer-${number}`, '1.0.0', { dependencies: [{ serviceName: 'hub', version: range }] })
  }
}

async function attack(port: number): Promise<HostileNews> {
  const child = fork(new URL('../load/hostile-clients.ts', import.meta.url))
  try {
    // They stand for other machines: they get the processor where coordinator and readers leave it.
    setPriority(child.pid as number, constants.priority.PRIORITY_LOW)
    child.send({ port, clients: hostileClients, durationMs: hostileMs } satisfies HostileOrder)
    const [news] = (await once(child, 'message', { signal: AbortSignal.timeout(hostileMs + 60_000) })) as [
      HostileNews,
    ]
    return news
  } finally {
    child.kill()
  }
}

function report({ progress }: BenchOptions, news: HostileNews): void {
  if ('error' in news) throw new Error(news.error)
  for (const [name, outcomes] of Object.entries(news.counts)) progress(`${name}: ${JSON.stringify(outcomes)}`)
}

interface Measured {
  readonly quiet: readonly LoadResult[]
  readonly beside: readonly LoadResult[]
  /** Memory before the hostile clients of each round, and after the last, in MiB. */
  readonly resident: readonly number[]
}

function rowsOf({ quiet, beside, resident }: Measured): Row[] {
  // Each round lies between two quiet ones: the machine may have become slower meanwhile.
  const ratios = beside.map(({ perSecond }, round) => {
    const around = [quiet[round], quiet[round + 1]].map((result) => (result as LoadResult).perSecond)
    return perSecond / spread(around).median
  })
  const p99Ms = spread(beside.map((result) => result.p99Ms))
  const ratio = spread(ratios)
  // The first hostile minute makes the engine compile, and pools grow to their size: what comes after tells.
  const grown = (resident.at(-1) as number) - (resident[1] as number)
  return [
    {
      what: `\`GET /services/:id\`, 64 connections, beside ${hostileClients} hostile clients`,
      comparison: {
        product: figures('beside hostile clients', beside),
        peer: figures('alone', quiet),
        ratio,
      },
      bar: '>= 0.5',
      aim: '0.7',
      reached: ratio.median >= 0.5,
    },
    {
      what: 'The slowest hundredth of these reads takes at least',
      measured: `${p99Ms.median.toFixed(0)} ms (${p99Ms.min.toFixed(0)} - ${p99Ms.max.toFixed(0)})`,
      bar: '<= 100 ms',
      aim: '25 ms',
      reached: p99Ms.median <= 100,
    },
    {
      what: 'Resident memory after the last hostile minute, against that after the first',
      measured: `${grown < 0 ? '' : '+'}${grown.toFixed(0)} MiB`,
      bar: '<= 40 MiB',
      aim: '0',
      reached: grown <= 40,
    },
  ]
}

async function residentMib(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1_024
}
