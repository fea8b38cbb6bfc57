import { PostgresServer } from '../../test/support/postgres.ts'
import { SupabaseProject } from '../../test/support/supabase.ts'
import { type Comparison, compare } from '../compare.ts'
import { coordinator, registerMany } from '../coordinator-process.ts'
import { registration } from '../load/requests.ts'
import type { BenchOptions, Row, Scenario } from '../scenario.ts'
import { startServer } from '../server-process.ts'
import { getSide } from './reads.ts'
import { startSqlite, writeSide } from './registers.ts'
import { durable, warmupRounds } from './registers-remote.ts'

const services = 10_000

/**
 * This checkout against another one, such as the commit before a change, in turn in one run: requests per second by requests
 * per second. 1 is "as fast as before".
 */
export function against(checkout: string): readonly Scenario[] {
  return [
    scenario('reads', async (options) => [await reads(checkout, options)]),
    scenario('registers-memory', async (options) => [
      row(
        '`POST /register`, memory, 64 connections',
        await registers({ checkout, options }, async () => ({})),
      ),
    ]),
    scenario('registers-sqlite', async (options) => [
      row(
        '`POST /register`, SQLite, 64 connections',
        await compare(
          writeSide({ name: 'this checkout', kind: 'register', options }, () => startSqlite()),
          writeSide({ name: 'the other one', kind: 'register', options }, () => startSqlite(checkout)),
          options.rounds,
        ),
      ),
    ]),
    scenario('registers-postgres', async (options) => {
      await using server = await PostgresServer.start({ config: durable })
      let count = 0
      const database = async () => {
        count += 1
        await server.query(`create database side_${count}`)
        return { DATABASE_URL: server.url(`side_${count}`) }
      }
      const rows: Row[] = []
      for (const connections of [64, 1])
        rows.push(
          row(
            `\`POST /register\`, PostgreSQL, ${connections} connections`,
            await registers({ checkout, options, connections, warmupRounds }, database),
          ),
        )
      return rows
    }),
    scenario('registers-supabase', async (options) => {
      await using one = await SupabaseProject.start({ config: durable })
      await using other = await SupabaseProject.start({ config: durable })
      const rows: Row[] = []
      for (const connections of [64, 256]) {
        const projects = [one, other]
        const project = async () => {
          const { api, keys } = projects.shift() as SupabaseProject
          return { SUPABASE_URL: api.url, SUPABASE_SERVICE_ROLE_KEY: keys.secretKey }
        }
        rows.push(
          row(
            `\`POST /register\`, Supabase, ${connections} connections`,
            await registers({ checkout, options, connections, warmupRounds }, project),
          ),
        )
      }
      return rows
    }),
  ]
}

function scenario(name: string, run: Scenario['run']): Scenario {
  return { name, title: `This checkout against another: ${name}`, run }
}

function row(what: string, comparison: Comparison): Row {
  return { what, comparison, bar: '', aim: '1', reached: true }
}

interface Registers {
  readonly checkout: string
  readonly options: BenchOptions
  readonly connections?: number
  readonly warmupRounds?: number
}

/** @param env gives each side a database of its own */
async function registers(
  { checkout, options, ...side }: Registers,
  env: () => Promise<Readonly<Record<string, string>>>,
): Promise<Comparison> {
  const [mine, its] = [await env(), await env()]
  return compare(
    writeSide({ ...side, name: 'this checkout', kind: 'register', options }, () =>
      startServer(coordinator(mine)),
    ),
    writeSide({ ...side, name: 'the other one', kind: 'register', options }, () =>
      startServer(coordinator(its, { checkout })),
    ),
    options.rounds,
  )
}

async function reads(checkout: string, options: BenchOptions): Promise<Row> {
  const mine = await startServer(coordinator())
  const its = await startServer(coordinator({}, { checkout }))
  try {
    const bodies = Array.from({ length: services }, (_, number) => registration('reads', number))
    const paths = (await registerMany(mine.port, bodies)).map((id) => `/services/${id}`)
    await registerMany(its.port, bodies)
    return row(
      '`GET /services/:id`, memory, 64 connections',
      await compare(
        getSide('this checkout', mine, { paths, options }),
        getSide('the other one', its, { paths, options }),
        options.rounds,
      ),
    )
  } finally {
    await Promise.all([mine.stop(), its.stop()])
  }
}
