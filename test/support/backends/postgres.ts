import { Findings } from '../../../src/config/findings.ts'
import { type PostgresTarget, parsePostgresUrl } from '../../../src/config/postgres/postgres-url.ts'
import type { PostgresOptions } from '../../../src/database/postgres/options.ts'
import { PostgresStore } from '../../../src/database/postgres/store.ts'
import type { ConformanceBackend } from '../../conformance/backend.ts'
import { PostgresServer, type PostgresVersion } from '../postgres.ts'
import { SchemaSubject } from './schema-subject.ts'

/** The role that the suite works as: it owns what it makes, and has no other right. */
const role = 'owner_of_records'

/** The PostgreSQL backend on a real server of a version, started for the first case that needs it. */
export function postgresBackend(version: PostgresVersion): ConformanceBackend {
  let server: Promise<PostgresServer> | undefined
  let made = 0
  // Emptying a schema takes a tenth of the time of making one.
  const free: string[] = []
  return {
    name: `postgres ${version}`,
    backend: 'postgres',
    durable: true,
    secondStore: 'shared',
    parts: ['migrator', 'inspector', 'pool'],
    create: async (options) => {
      server ??= startServer(version)
      const used = await server
      const schema = free.pop() ?? (await makeSchema(used, `case_${++made}`))
      return SchemaSubject.create({
        ...options,
        server: used,
        schema,
        makeStore: () => new PostgresStore(storeOptions(used, { role, schema, pageSize: options.pageSize })),
        release: () => free.push(schema),
      })
    },
  }
}

/** The PostgreSQL backend that reads from a standby wherever it can. Nothing else differs. */
export function replicatedBackend(): ConformanceBackend & { readAnswers(): number } {
  const stores: PostgresStore[] = []
  let servers: Promise<readonly [PostgresServer, PostgresServer]> | undefined
  let made = 0
  const free: string[] = []
  const start = async () => {
    const primary = await startServer(18)
    return [primary, await primary.standby({ hot_standby_feedback: 'on' })] as const
  }
  return {
    name: 'postgres 18 with a replica',
    backend: 'postgres',
    durable: true,
    secondStore: 'shared',
    parts: ['migrator', 'inspector', 'pool'],
    propertyRuns: 10,
    create: async ({ pageSize, ...options }) => {
      servers ??= start()
      const [server, standby] = await servers
      const schema = free.pop() ?? (await makeSchema(server, `case_${++made}`))
      const replicas = [targetOf(standby.url('postgres', role))]
      return SchemaSubject.create({
        ...{ ...options, pageSize, server, schema },
        makeStore: () => {
          const store = new PostgresStore(storeOptions(server, { role, schema, pageSize, replicas }))
          stores.push(store)
          return store
        },
        release: () => free.push(schema),
      })
    },
    /** How many reads the replica answered. */
    readAnswers: () =>
      stores
        .flatMap((store) => Object.values(store.replicas?.().reads ?? {}))
        .reduce((sum, { answered }) => sum + answered, 0),
  }
}

async function startServer(version: PostgresVersion): Promise<PostgresServer> {
  const server = await PostgresServer.start({ version })
  await server.query(`create role ${role} login; grant create on database postgres to ${role}`)
  return server
}

async function makeSchema(server: PostgresServer, schema: string): Promise<string> {
  const store = new PostgresStore(storeOptions(server, { role, schema }))
  await store.migrator.migrate()
  await store.close()
  return schema
}

/** Options of a store on a test server. */
export function storeOptions(
  server: PostgresServer,
  options: Partial<PostgresOptions> & { readonly role?: string; readonly database?: string } = {},
): PostgresOptions {
  const { role: as, database, ...rest } = options
  return { target: targetOf(server.url(database, as)), refusalPauseMs: 10, ...rest }
}

/** What the configuration makes of a URL. */
export function targetOf(url: string): PostgresTarget {
  const target = parsePostgresUrl(url, new Findings())
  if (target === undefined) throw new Error('The URL of the test server cannot be read.')
  return target
}
