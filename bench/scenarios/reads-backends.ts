import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SupabaseProject } from '../../test/support/supabase.ts'
import { compare } from '../compare.ts'
import { coordinator, registerMany } from '../coordinator-process.ts'
import { registration } from '../load/requests.ts'
import { type BenchOptions, type Row, ratioRow, type Scenario } from '../scenario.ts'
import { type ServerProcess, startServer } from '../server-process.ts'
import { getSide } from './reads.ts'

const services = 2_000

/** `GET /services/:id` on every backend against the same in memory, with its database there and away. */
export const readsBackends: Scenario = {
  name: 'reads-backends',
  title: 'Reading one service, by backend',
  async run(options) {
    await using project = await SupabaseProject.start()
    await project.server.query('create database wire')
    const folder = await mkdtemp(join(tmpdir(), 'bench-reads-'))
    const memory = await startServer(coordinator())
    try {
      const paths = await fill(memory)
      const against = { memory, paths, options }
      const rows: Row[] = []
      rows.push(...(await measure('SQLite', { DATABASE_URL: `sqlite:${join(folder, 'bench.db')}` }, against)))
      const wire = { DATABASE_URL: project.server.url('wire') }
      const api = {
        SUPABASE_URL: project.api.url,
        SUPABASE_SERVICE_ROLE_KEY: project.keys.secretKey,
      }
      rows.push(...(await measure('PostgreSQL', wire, { ...against, stop: () => project.server.stop() })))
      await project.server.start()
      rows.push(...(await measure('Supabase', api, { ...against, stop: () => project.server.stop() })))
      return rows
    } finally {
      await memory.stop()
      await rm(folder, { recursive: true, force: true })
    }
  },
}

interface Against {
  readonly memory: ServerProcess
  readonly paths: readonly string[]
  readonly options: BenchOptions
  /** Takes the database away; absent where there is no server to stop. */
  readonly stop?: () => Promise<void>
}

async function measure(
  name: string,
  env: Readonly<Record<string, string>>,
  against: Against,
): Promise<Row[]> {
  const { memory, paths, options, stop } = against
  const server = await startServer(coordinator(env))
  const side = (what: string, process: ServerProcess) => getSide(what, process, { paths, options })
  const goal = { bar: 0.9, aim: 1 }
  try {
    await fill(server)
    const there = await compare(side(name, server), side('memory', memory), options.rounds)
    const rows = [ratioRow(`\`GET /services/:id\`, ${name} against memory`, there, goal)]
    if (stop === undefined) return rows
    await stop()
    const away = await compare(side(`${name}, database down`, server), side('memory', memory), options.rounds)
    return [...rows, ratioRow(`The same while the database is down`, away, goal)]
  } finally {
    await server.stop()
  }
}

async function fill({ port }: ServerProcess): Promise<string[]> {
  const bodies = Array.from({ length: services }, (_, number) => registration('reads', number))
  return (await registerMany(port, bodies)).map((id) => `/services/${id}`)
}
