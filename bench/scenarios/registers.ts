import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compare, type Side } from '../compare.ts'
import { coordinator } from '../coordinator-process.ts'
import { makeLoad } from '../load/make-load.ts'
import type { RequestSource } from '../load/protocol.ts'
import { startEtcd } from '../peers/etcd.ts'
import { type BenchOptions, ratioRow, type Scenario } from '../scenario.ts'
import { type ServerProcess, startServer } from '../server-process.ts'
import { bareServer } from './bare-server.ts'

/** A new service with each request, in memory, against node:http that only parses the JSON. */
export const registersMemory: Scenario = {
  name: 'registers-memory',
  title: 'Registering, in memory',
  note: `A registration takes 34 µs of one core, at 25,900 a second (\`node --cpu-prof\`, November 2026): 32 % in HTTP and sockets of Node.js,
3 % in Fastify and the routes, 20 % in the store, 9 % in the graph, 8 % in the live view, 8 % in schema and canonical JSON, 6 % in the
index, 9 % in garbage collection, and the rest in smaller parts. node:http alone takes 14 µs. The largest single function took 9 %: it
keeps each commit in the store by revision, by id and by record. The store now keeps its journal in blocks, and this function takes
about two thirds of that time. No other function stands out: to reach the bar, each registration has to do less.`,
  async run(options) {
    const comparison = await compare(
      writeSide({ name: 'coordinator, memory', kind: 'register', options }, () => startServer(coordinator())),
      writeSide({ name: 'node:http, parses the JSON', kind: 'register', options }, () =>
        startServer(bareServer('bare-post')),
      ),
      options.rounds,
    )
    return [ratioRow('`POST /register`, memory, 64 connections', comparison, { bar: 0.4, aim: 0.55 })]
  },
}

/** A new service with each request, flushed to disk before the answer, against etcd that does the same. */
export const registersSqlite: Scenario = {
  name: 'registers-sqlite',
  title: 'Registering, durable in one SQLite file',
  async run(options) {
    const comparison = await compare(
      writeSide({ name: 'coordinator, SQLite', kind: 'register', options }, () => startSqlite()),
      writeSide({ name: 'etcd, put by its JSON gateway', kind: 'etcd-put', options }, startEtcd),
      options.rounds,
    )
    return [ratioRow('`POST /register`, SQLite, 64 connections', comparison, { bar: 1, aim: 1.5 })]
  },
}

/** Starts the product on a SQLite file that goes when the server does. */
export async function startSqlite(checkout?: string): Promise<ServerProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-sqlite-'))
  const server = await startServer(
    coordinator({ DATABASE_URL: `sqlite:${join(folder, 'bench.db')}` }, { checkout }),
  )
  return {
    ...server,
    stop: async () => {
      await server.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

interface WriteSide {
  readonly name: string
  readonly kind: Extract<RequestSource['kind'], 'register' | 'etcd-put'>
  readonly options: BenchOptions
  /** @default 64 */
  readonly connections?: number
  /** How many times as long as a round the load runs before it. @default 1.5 */
  readonly warmupRounds?: number
}

/** Measures writes on a server that is new in each round, so that no side pays for what earlier rounds stored. */
export function writeSide(
  { name, kind, options, connections = 64, warmupRounds = 1.5 }: WriteSide,
  start: () => Promise<ServerProcess>,
): Side {
  return {
    name,
    async measure(round) {
      const server = await start()
      try {
        return await makeLoad({
          port: server.port,
          connections,
          durationMs: options.roundMs,
          // Until the engine has compiled what runs here, which is more on one side than on the other.
          warmupMs: options.roundMs * warmupRounds,
          source: { kind, run: `r${round}` },
        })
      } finally {
        await server.stop()
      }
    },
  }
}
