import type { Env } from '../main/coordinator-process.ts'
import { DataApi } from '../support/data-api.ts'
import { FaultProxy } from '../support/fault-proxy.ts'
import type { PostgresServer, StoppedSessions } from '../support/postgres.ts'
import type { SupabaseProject } from '../support/supabase.ts'

/** The way of some coordinators to their database, which can keep what they commit next and deliver it later. */
export interface DelayedPath extends AsyncDisposable {
  /** Settings of the coordinator with a number, from 0 on. */
  env(index: number): Env
  /** Keeps the next commit of every coordinator on this path. What is sent again gets through. */
  hold(): Promise<void>
  /** How many calls are kept. */
  readonly kept: number
  /** Delivers what was kept; resolves when the database has done with it. */
  deliver(): Promise<void>
}

/** Where the database of a test is. */
export type Place = PostgresServer | SupabaseProject

export type MakePath = (coordinators: number) => Promise<DelayedPath>

/** Every coordinator has a line of its own, which stalls and delivers later. */
export function stallingLines(place: Place): MakePath {
  const isServer = !('api' in place)
  const port = isServer ? place.port : place.api.port
  // Packets of the PostgreSQL protocol name the function in SQL, requests to the Data API in their path.
  const matching = isServer ? '."commit"' : '/rpc/coordinator_commit'
  return async (coordinators) => {
    const lines = await Promise.all(Array.from({ length: coordinators }, () => FaultProxy.start(port)))
    return {
      env: (index) => {
        const line = lines[index] as FaultProxy
        return isServer
          ? { DATABASE_URL: place.url().replace(`:${port}`, `:${line.port}`) }
          : { SUPABASE_URL: line.url, SUPABASE_SECRET_KEY: place.keys.secretKey }
      },
      hold: async () => {
        for (const line of lines) line.add({ matching, times: 1, fault: { do: 'stall' } })
      },
      get kept() {
        return lines.reduce((sum, line) => sum + line.stalled, 0)
      },
      deliver: async () => {
        await Promise.all(lines.map((line) => line.deliver()))
        for (const line of lines) line.heal()
      },
      async [Symbol.asyncDispose]() {
        await Promise.all(lines.map((line) => line.refuse()))
      },
    }
  }
}

/** The sessions in which the coordinators commit are stopped, and go on later; every other one works. */
export function stoppedSessions(place: Place): MakePath {
  return (coordinators) => ('api' in place ? behindAnApi(place, coordinators) : byWire(place))
}

let roles = 0

async function byWire(server: PostgresServer): Promise<DelayedPath> {
  const role = `delayed_${++roles}`
  await server.query(`create role ${role} superuser login`)
  return pathOf({
    server,
    sessions: `usename = '${role}' and query like '%"commit"%'`,
    env: () => ({ DATABASE_URL: server.url('postgres', role) }),
    end: async () => undefined,
  })
}

/** A Data API of their own: whoever else uses the project has sessions that work. */
async function behindAnApi({ server, keys }: SupabaseProject, coordinators: number): Promise<DelayedPath> {
  const role = `delayed_${++roles}`
  await server.query(
    `create role ${role} login noinherit; grant anon, authenticated, service_role to ${role}`,
  )
  const api = await DataApi.start({
    databaseUrl: server.url('postgres', role),
    probe: 'coordinator_head',
    // What is sent again needs sessions that are not there when the others are stopped.
    poolMax: 10 + 4 * coordinators,
    ...keys,
  })
  return pathOf({
    server,
    sessions: `usename = '${role}'`,
    env: () => ({ SUPABASE_URL: api.url, SUPABASE_SECRET_KEY: keys.secretKey }),
    end: () => api.stop(),
  })
}

interface SessionPath {
  readonly server: PostgresServer
  /** A condition on `pg_stat_activity`. */
  readonly sessions: string
  readonly env: (index: number) => Env
  readonly end: () => Promise<void>
}

function pathOf({ server, sessions, env, end }: SessionPath): DelayedPath {
  let stopped: StoppedSessions | undefined
  const deliver = async () => {
    await stopped?.resume()
    stopped = undefined
  }
  return {
    env,
    hold: async () => {
      stopped = await server.stopSessions(`state = 'idle' and ${sessions}`)
    },
    get kept() {
      return stopped?.asked ?? 0
    },
    deliver,
    async [Symbol.asyncDispose]() {
      await deliver()
      await end()
    },
  }
}
