import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Secret } from '../../src/config/secret.ts'
import type { PostgresOptions } from '../../src/database/postgres/options.ts'
import { PostgresStore } from '../../src/database/postgres/store.ts'
import { CoordinatorError } from '../../src/errors.ts'
import { commitOf, idsOf, put } from '../conformance/build.ts'
import { accepted, Caller, loadAll } from '../conformance/caller.ts'
import { describeStore } from '../conformance/index.ts'
import { storeOptions } from '../support/backends/postgres.ts'
import { SchemaSubject } from '../support/backends/schema-subject.ts'
import { PgBouncer } from '../support/pgbouncer.ts'
import { PostgresServer } from '../support/postgres.ts'

let server: PostgresServer
let bouncer: PgBouncer

async function startBoth(): Promise<void> {
  if (bouncer !== undefined) return
  server = await PostgresServer.start()
  bouncer = await PgBouncer.before(server.port)
  await bouncer.start()
}

beforeAll(startBoth)
afterAll(async () => {
  await bouncer.dispose()
  await server.dispose()
})

function throughBouncer(options: Partial<PostgresOptions>): PostgresStore {
  const { target, ...rest } = storeOptions(server, options)
  return new PostgresStore({
    ...rest,
    target: { ...target, hosts: [{ host: '127.0.0.1', port: bouncer.port }] },
  })
}

let made = 0
const free: string[] = []
describeStore({
  name: 'postgres behind PgBouncer',
  backend: 'postgres',
  durable: true,
  secondStore: 'shared',
  parts: ['migrator', 'inspector', 'pool'],
  create: async (options) => {
    await startBoth()
    let schema = free.pop()
    if (schema === undefined) {
      made += 1
      schema = `case_${made}`
      const store = throughBouncer({ schema })
      await store.migrator.migrate()
      await store.close()
    }
    const used = schema
    return SchemaSubject.create({
      ...options,
      server,
      schema: used,
      makeStore: () => throughBouncer({ schema: used, pageSize: options.pageSize }),
      release: () => free.push(used),
    })
  },
})

describe('behind PgBouncer in transaction mode', () => {
  it('many stores share two sessions, migrate together, and lose nothing', async () => {
    const stores = Array.from({ length: 6 }, () => throughBouncer({ schema: 'shared' }))
    try {
      await Promise.all(stores.map((store) => store.open()))
      await Promise.all(
        stores.map(async (store, index) => {
          for (let step = 0; step < 20; step += 1) {
            const caller = await Caller.at(store)
            accepted(await caller.write(put(`s${index}-${step}`)))
          }
        }),
      )
      const [store] = stores as [PostgresStore]
      expect((await loadAll(store)).records).toHaveLength(120)
      const [sessions] = await server.query<{ count: string }>(
        `select count(*) from pg_stat_activity where application_name = 'coordinator'`,
      )
      expect(Number(sessions?.count)).toBeLessThanOrEqual(2)
      expect((await store.inspector.inspect()).details['pooled']).toBe(true)
    } finally {
      await Promise.all(stores.map((store) => store.close()))
    }
  })

  it('leaves no state in the sessions that others get next', async () => {
    const store = throughBouncer({ schema: 'shared' })
    try {
      const caller = new Caller(store, (await store.open()).position)
      await caller.send(...idsOf('x', 30).map((id) => commitOf(put(id))))
      await store.compact(3)
      const { default: pg } = await import('pg')
      const client = new pg.Client({
        connectionString: `postgres://postgres@127.0.0.1:${bouncer.port}/postgres`,
      })
      await client.connect()
      for (let session = 0; session < 4; session += 1) {
        const { rows } = await client.query(
          `select coalesce(current_setting('shared.writer', true), '') as writer, current_setting('search_path') as path,
             current_setting('lock_timeout') as lock_timeout, (select count(*)::int from pg_prepared_statements where name <> '') as prepared`,
        )
        expect(rows).toEqual([{ writer: '', path: '"$user", public', lock_timeout: '0', prepared: 0 }])
      }
      await client.end()
    } finally {
      await store.close()
    }
  })

  it('a pooler that dies and comes back costs no commit', async () => {
    const store = throughBouncer({ schema: 'dying', connectTimeoutMs: 1_000 })
    try {
      const caller = new Caller(store, (await store.open()).position)
      const killing = (async () => {
        for (let round = 0; round < 3; round += 1) {
          await sleep(150)
          await bouncer.stop()
          await sleep(50)
          await bouncer.start()
        }
      })()
      for (let step = 0; step < 150; step += 1) {
        const commit = commitOf(put(`r${step}`))
        for (let attempt = 0; ; attempt += 1) {
          try {
            accepted((await caller.send(commit))[0])
            break
          } catch (thrown) {
            if (attempt === 200 || !(thrown instanceof CoordinatorError && thrown.retryable)) throw thrown
            await sleep(10)
          }
        }
      }
      await killing
      expect((await store.head()).position.revision).toBe(150)
    } finally {
      await store.close()
    }
  })
})

describe.each(['plain', 'md5', 'scram-sha-256'] as const)(
  'a PgBouncer that checks passwords by %s',
  (type) => {
    let own: PgBouncer
    beforeAll(async () => {
      own = await PgBouncer.before(server.port)
      await own.start({ type, password: 'right' })
    })
    afterAll(() => own.dispose())

    /** What opening a store there throws; `undefined` where it opens. */
    const opening = async (user: string, password: string, database = 'postgres') => {
      const { target, ...rest } = storeOptions(server, { schema: 'with_password' })
      const hosts = [{ host: '127.0.0.1', port: own.port }]
      const store = new PostgresStore({
        ...rest,
        // The pooler itself gives up after 5 seconds.
        connectTimeoutMs: 15_000,
        target: { ...target, hosts, user, password: new Secret(password), database },
      })
      try {
        await store.open()
        return undefined
      } catch (thrown) {
        return thrown
      } finally {
        await store.close()
      }
    }

    it('lets the right one in', async () => {
      expect(await opening('somebody', 'right')).toBeUndefined()
    })

    it.each([
      ['a wrong password', 'somebody', 'wrong', 'postgres', 'COORD_STORE_AUTH'],
      ['an unknown role', 'nobody', 'right', 'postgres', 'COORD_STORE_AUTH'],
      ['a database that it does not know', 'somebody', 'right', 'none', 'COORD_STORE_DATABASE_MISSING'],
    ])('ends the start with exit code 78 for %s', async (_what, user, password, database, code) => {
      expect(await opening(user, password, database)).toMatchObject({
        code,
        retryable: false,
        exitCode: 78,
        sourceCode: '08P01',
      })
    })

    it('may work later where its server is away, which it tells with the same SQLSTATE', async () => {
      expect(await opening('somebody', 'right', 'away')).toMatchObject({
        code: 'COORD_STORE_UNAVAILABLE',
        retryable: true,
      })
    })
  },
)
