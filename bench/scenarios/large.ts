import { randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compare, type Side } from '../compare.ts'
import { coordinator } from '../coordinator-process.ts'
import { makeLoad } from '../load/make-load.ts'
import { registration } from '../load/requests.ts'
import { type BenchOptions, type Row, ratioRow, type Scenario } from '../scenario.ts'
import { type ServerProcess, startServer } from '../server-process.ts'
import { fillSqlite } from './fill-sqlite.ts'
import { getSide } from './reads.ts'

/** Sizes from 1,000 to 1,000,000 services: how long a start takes, what it costs, and whether requests get slower. */
export const large: Scenario = {
  name: 'large',
  title: 'Many services, from one SQLite file',
  async run(options) {
    const rows: Row[] = []
    const small = await startFilled(1_000, options)
    try {
      for (const size of [10_000, 100_000, 1_000_000].filter((count) => count <= options.largest))
        rows.push(...(await measureSize(size, { small, options })))
    } finally {
      await small.stop()
    }
    return rows
  },
}

interface Filled extends ServerProcess {
  readonly ids: readonly string[]
}

async function measureSize(
  size: number,
  { small, options }: { small: Filled; options: BenchOptions },
): Promise<Row[]> {
  const filled = await startFilled(size, options)
  try {
    const memoryMib = await residentMib(filled.pid)
    const gets = await compare(getsOf(filled, size, options), getsOf(small, 1_000, options), options.rounds)
    const registers = await compare(
      registersOf(filled, size, options),
      registersOf(small, 1_000, options),
      options.rounds,
    )
    const count = size.toLocaleString('en')
    const isLargest = size === 1_000_000
    return [
      {
        what: `Start with ${count} services until ready`,
        measured: `${(filled.startMs / 1_000).toFixed(1)} s`,
        bar: isLargest ? '<= 15 s' : '',
        aim: isLargest ? '5 s' : '',
        reached: !isLargest || filled.startMs <= 15_000,
      },
      {
        what: `Resident memory with ${count} services`,
        measured: `${memoryMib.toFixed(0)} MiB`,
        bar: isLargest ? '<= 1536 MiB' : '',
        aim: isLargest ? '1024 MiB' : '',
        reached: !isLargest || memoryMib <= 1_536,
      },
      ratioRow(`\`GET /services/:id\` with ${count} services against 1,000`, gets, { bar: 0.8, aim: 0.95 }),
      ratioRow(`\`POST /register\` with ${count} services against 1,000`, registers, { bar: 0.8, aim: 0.95 }),
    ]
  } finally {
    await filled.stop()
  }
}

async function startFilled(size: number, { progress }: BenchOptions): Promise<Filled> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-large-'))
  const path = join(folder, 'bench.db')
  const ids = await fillSqlite(path, { size, bodyOf: (number) => registration('large', number), progress })
  const server = await startServer(coordinator({ DATABASE_URL: `sqlite:${path}` }))
  progress(`${size} services: ready after ${Math.round(server.startMs)} ms`)
  return {
    ...server,
    ids,
    stop: async () => {
      await server.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function getsOf(server: Filled, size: number, options: BenchOptions): Side {
  const step = Math.max(1, Math.floor(server.ids.length / 10_000))
  const paths = server.ids.filter((_, index) => index % step === 0).map((id) => `/services/${id}`)
  return getSide(`${size} services`, server, { paths, options })
}

function registersOf(server: Filled, size: number, options: BenchOptions): Side {
  return {
    name: `${size} services`,
    measure: () =>
      makeLoad({
        port: server.port,
        connections: 64,
        durationMs: options.roundMs,
        warmupMs: options.roundMs / 2,
        source: { kind: 'register', run: randomUUID() },
      }),
  }
}

async function residentMib(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1_024
}
