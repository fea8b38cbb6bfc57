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
  note: `In November 2026 a registration took 34 µs of one core (a ratio of 0.35), and node:http alone 14 µs. Three changes then saved 11 to 15 %
of that, and 11 to 17 % with the threads that collect garbage (medians of 40 to 70 pairs of rounds, on a busy machine): a body that comes
with the head of its request is read at once, a record in the store and its place in the history are one object, and ids are made as one
piece of text. In processor time for each request, node:http then needed 0.43 of what the coordinator needs, and 0.36 before. Where the
time goes (\`node --cpu-prof\`, before these changes): 17 % to write the answer to the socket, which is half of the time of node:http; 15
% in the rest of HTTP and streams of Node.js; 9 % in garbage collection; 12 % in the routes, 10 % in the live view, 10 % in graph and
index, 7 % in the store, 7 % in schema and canonical JSON. No other function takes more than 5 %. A sixth of the work behind HTTP is to
look up ids and names in large maps.

Later, smaller changes followed. Servers before and after them took turns in rounds of 320 requests, on a busy machine. Four changes saved
7 % of the processor time: the median of six starts, which saved 12, 9, 9, 5 and 5 %, and once took 15 % more. The engine compiles a
program differently at each start, so that single comparisons say little. The four: the ends of all bodies of a turn are read at once; the
view does not check again what this process has made; a change of a record makes fewer short-lived objects; paths for warnings about names
are made only if there is a warning. A fifth change was measured without HTTP, where two runs saved 2 and 10 %: commits are found by a
hash of their id, because a map of texts reads old ids from memory only to compare them.

Tried, and not kept, because each gained less than half a percent: another decoder for bodies, async contexts that are made once for each
client, and lists of edges that are compared in place. A shorter way to add to the end of a sorted list made no difference that could be
measured.

On 1 December 2026, with these changes, two runs of five rounds of 2 s found a ratio of 0.48 (0.45 - 0.56; 14,488 a second against 30,375)
and of 0.45 (0.41 - 0.53), alone on a slower machine. Commit b24d75c, from before these changes and before callers had to prove who they
are, took turns with it there. It needs 16 and 18 % more processor time for each registration (two runs), and 2, 3 and 13 % less for \`GET
/services/:id\` (three runs).`,
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
