import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { PostgresOptions } from '../../src/database/postgres/options.ts'
import { PostgresStore } from '../../src/database/postgres/store.ts'
import type { CommitReply } from '../../src/database/store.ts'
import { CoordinatorError } from '../../src/errors.ts'
import { commitOf, newCall, put } from '../conformance/build.ts'
import { accepted, Caller, loadAll } from '../conformance/caller.ts'
import { storeOptions } from '../support/backends/postgres.ts'
import { dearness } from '../support/dearness.ts'
import { FaultProxy } from '../support/fault-proxy.ts'
import { PostgresServer } from '../support/postgres.ts'

let server: PostgresServer
let proxy: FaultProxy
let schema: string
let made = 0

beforeAll(async () => {
  server = await PostgresServer.start()
  proxy = await FaultProxy.start(server.port)
})
afterAll(async () => {
  await proxy.refuse()
  await server.dispose()
})

beforeEach(() => {
  made += 1
  schema = `outage_${made}`
})

/** Runs `body` with an open store whose line to the server goes through the proxy. */
async function withStore(
  options: Partial<PostgresOptions>,
  body: (store: PostgresStore, caller: Caller) => Promise<void>,
): Promise<void> {
  const { target, ...rest } = storeOptions(server, { schema, ...options })
  const store = new PostgresStore({
    ...rest,
    target: { ...target, hosts: [{ host: '127.0.0.1', port: proxy.port }] },
  })
  try {
    const { position } = await store.open()
    await body(store, new Caller(store, position))
  } finally {
    await proxy.listen()
    proxy.heal()
    await store.close()
  }
}

/** What a call throws, and how long it took to. */
async function failure(work: Promise<unknown>): Promise<{ error: CoordinatorError; ms: number }> {
  const started = performance.now()
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(CoordinatorError)
  return { error: error as CoordinatorError, ms: performance.now() - started }
}

describe('a lost line', () => {
  it('after the commit leaves its outcome unknown, and the same commit again gets its first result', () =>
    withStore({}, async (store, caller) => {
      const commit = commitOf(put('a'))
      proxy.add({ matching: 'commit', times: 1, fault: { do: 'lose reply' } })
      const { error } = await failure(store.commit(caller.position, [commit], newCall()))
      expect(error).toMatchObject({ code: 'COORD_STORE_UNAVAILABLE', outcome: 'unknown', retryable: true })
      const [result] = await caller.send(commit)
      expect(accepted(result)).toMatchObject({ revision: 1, replayed: true })
    }))

  it('in the middle of a reply is no shorter reply', () =>
    withStore({}, async (store, caller) => {
      await caller.send(
        ...Array.from({ length: 50 }, (_, index) => commitOf(put(`r${index}`, { text: 'x'.repeat(500) }))),
      )
      proxy.add({ matching: 'load', times: 1, fault: { do: 'cut reply', afterBytes: 5_000 } })
      expect((await failure(loadAll(store))).error.code).toBe('COORD_STORE_UNAVAILABLE')
      expect((await loadAll(store)).records).toHaveLength(50)
    }))

  it('that neither side was told of costs 2 seconds, not the whole deadline', () =>
    withStore({}, async (store, caller) => {
      proxy.add({ matching: 'commit', times: 1, fault: { do: 'hang' } })
      const { error, ms } = await failure(store.commit(caller.position, [commitOf(put('a'))], newCall()))
      expect(error).toMatchObject({ outcome: 'unknown', retryable: true })
      expect(ms).toBeGreaterThan(900)
      expect(ms).toBeLessThan(9_000)
      expect(accepted(await caller.write(put('a')))).toMatchObject({ revision: 1, replayed: false })
    }))

  it('of all connections at rest costs one question, not one for each', () =>
    withStore({ validateAfterMs: 0, poolMax: 10 }, async (store) => {
      await Promise.all(Array.from({ length: 8 }, () => store.history('service', 'a')))
      expect(store.pool().reader.idle).toBe(8)
      proxy.strand()
      const started = performance.now()
      await store.history('service', 'a')
      // Asking all of them would take 8 seconds.
      expect(performance.now() - started).toBeLessThan(6_000)
    }))

  it('is not seen in a slow one', () =>
    withStore({ watchAfterMs: 200 }, async (store, caller) => {
      await caller.send(
        ...Array.from({ length: 40 }, (_, index) => commitOf(put(`r${index}`, { text: 'x'.repeat(500) }))),
      )
      proxy.add({ matching: 'load', times: 1, fault: { do: 'slow reply', bytesPerSecond: 15_000 } })
      expect((await loadAll(store)).records).toHaveLength(40)
    }))
})

describe('a server that is away', () => {
  it('is refused at once, and used again as soon as it is back', () =>
    withStore({}, async (store, caller) => {
      accepted(await caller.write(put('a')))
      await server.kill()
      expect((await failure(store.head())).error).toMatchObject({
        code: 'COORD_STORE_UNAVAILABLE',
        retryable: true,
      })
      const { error, ms } = await failure(store.commit(caller.position, [commitOf(put('b'))], newCall()))
      expect(error.retryable).toBe(true)
      expect(ms).toBeLessThan(4_500 * dearness())
      // Without a connection nothing is asked, so nothing is written.
      expect(
        (await failure(store.commit(caller.position, [commitOf(put('b'))], newCall()))).error,
      ).toMatchObject({
        code: 'COORD_STORE_UNAVAILABLE',
        outcome: 'not_written',
      })
      await server.start()
      accepted(await caller.write(put('b')))
      expect((await loadAll(store)).records.map(({ id }) => id)).toEqual(['a', 'b'])
    }))

  it('that restarted in a quiet moment is not noticed at all', () =>
    withStore({ validateAfterMs: 0 }, async (store, caller) => {
      accepted(await caller.write(put('a')))
      await server.stop()
      await expect.poll(() => store.pool().writer.idle).toBe(0)
      await server.start()
      accepted(await caller.write(put('b')))
    }))

  it('that hangs is given up at the deadline, and its connection with it', () =>
    withStore({ callTimeoutMs: 1_000, connectTimeoutMs: 1_000 }, async (store, caller) => {
      accepted(await caller.write(put('a')))
      server.freeze()
      try {
        const { error, ms } = await failure(store.commit(caller.position, [commitOf(put('b'))], newCall()))
        expect(error).toMatchObject({ code: 'COORD_STORE_TIMEOUT', outcome: 'unknown' })
        expect(ms).toBeLessThan(9_000)
        expect(store.pool().writer).toMatchObject({ idle: 0, used: 0 })
      } finally {
        server.resume()
      }
      const reply = await settles(() => store.commit(caller.position, [], newCall()))
      expect(reply.status).toBe('ok')
    }))
})

describe('a call that takes too long', () => {
  it('is stopped at the server too, if it reads', () =>
    withStore({ callTimeoutMs: 1_000 }, async (store, caller) => {
      accepted(await caller.write(put('a')))
      const hand = await server.leaveOpen(`lock table ${schema}.journal`)
      expect((await failure(store.history('service', 'a'))).error.code).toBe('COORD_STORE_TIMEOUT')
      // A read waits for a table without end.
      await expect.poll(() => server.sessionsWaiting('Lock')).toEqual([])
      await hand[Symbol.asyncDispose]()
      expect((await store.history('service', 'a')).entries).toHaveLength(1)
    }))

  it('is over for the caller, and takes no effect later, if it writes', () =>
    withStore({ callTimeoutMs: 1_000 }, async (store, caller) => {
      const hand = await server.leaveOpen(
        `insert into ${schema}.records (kind, id, data) values ('x', 'a', '{}')`,
      )
      expect((await failure(caller.write(put('b')))).error).toMatchObject({
        code: 'COORD_STORE_TIMEOUT',
        outcome: 'unknown',
      })
      await expect.poll(() => server.sessionsWaiting('Lock')).toEqual([])
      await hand[Symbol.asyncDispose]()
      accepted(await caller.write(put('b')))
      expect((await loadAll(store)).records.map(({ id }) => id)).toEqual(['b'])
    }))

  it('keeps others waiting for a connection no longer than they may, and the coordinator itself not at all', () =>
    withStore({ poolMax: 3, acquireTimeoutMs: 200, watchAfterMs: 60_000 }, async (store, caller) => {
      proxy.add({ matching: 'history', times: 1, fault: { do: 'hang' } })
      const hanging = failure(store.history('service', 'a'))
      await expect.poll(() => store.pool().reader.used).toBe(1)
      await Promise.all([store.head(), store.changes(caller.position, 1), caller.write(put('a'))])
      const { error, ms } = await failure(store.changes(caller.position, 1, 'client'))
      expect(error).toMatchObject({ code: 'COORD_STORE_TIMEOUT', retryable: true })
      expect(error.detail).toContain('connection')
      expect(ms).toBeLessThan(9_000)
      expect(store.pool().reader).toMatchObject({ used: 1, waiting: 0, max: 1 })
      proxy.cut()
      await hanging
      await store.head()
    }))
})

describe('connections', () => {
  it('are no more than allowed, however many calls come, and each call is answered', () =>
    withStore({ poolMax: 4 }, async (store) => {
      const calls = Array.from({ length: 60 }, () => [store.head(), store.history('service', 'a')]).flat()
      await expect.poll(() => store.pool().reader.used).toBe(2)
      const { reader, follower } = store.pool()
      expect(reader.used).toBeLessThanOrEqual(2)
      expect(reader.max).toBe(2)
      expect(follower.used).toBeLessThanOrEqual(1)
      await Promise.all(calls)
      const [sessions] = await server.query<{ count: string }>(
        `select count(*) from pg_stat_activity where application_name = 'coordinator' and query like '%${schema}%'`,
      )
      expect(Number(sessions?.count)).toBeLessThanOrEqual(4)
      const atRest = { used: 0, waiting: 0 }
      expect(store.pool()).toMatchObject({ writer: atRest, follower: atRest, reader: atRest })
    }))

  it('that the server has ended while they rested are not counted', () =>
    withStore({ poolMax: 5 }, async (store) => {
      await Promise.all(Array.from({ length: 3 }, () => store.history('service', 'a')))
      expect(store.pool().reader.idle).toBe(3)
      await server.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'coordinator'
         and query like '%"${schema}"."history"%' order by query_start limit 2`,
      )
      await expect.poll(() => store.pool().reader.idle).toBe(1)
    }))

  it('are told of: who got one, who had to wait, who gave up', () =>
    withStore({ poolMax: 3, acquireTimeoutMs: 1_000, watchAfterMs: 60_000 }, async (store, caller) => {
      const told: string[] = []
      store.observePool({
        acquired: (role, { waited, waitMs }) => told.push(`${role} ${waited ? waitMs > 0 : 'free'}`),
        acquireTimedOut: (role) => told.push(`${role} gave up`),
      })
      await store.head()
      await caller.write(put('a'))
      await Promise.all([store.head(), store.head()])
      proxy.add({ matching: 'history', times: 1, fault: { do: 'hang' } })
      const hanging = failure(store.history('service', 'a'))
      await failure(store.history('service', 'a'))
      proxy.cut()
      await hanging
      expect(told).toEqual([
        'follower free',
        'writer free',
        'follower free',
        'follower true',
        // It had to be made first.
        'reader true',
        'reader gave up',
      ])
    }))

  it('are replaced at the end of their lifetime', () =>
    withStore({ maxLifetimeMs: 100 }, async (store) => {
      await store.head()
      const before = await sessions()
      const replaced = async () => {
        await store.head()
        return (await sessions()).some((session) => !before.includes(session))
      }
      await expect.poll(replaced).toBe(true)
    }))

  it('are all gone when the store is closed', async () => {
    await withStore({}, async (store) => {
      await Promise.all([store.head(), store.head(), store.head()])
      expect((await sessions()).length).toBeGreaterThan(0)
    })
    await expect.poll(sessions).toEqual([])
  })

  async function sessions(): Promise<number[]> {
    const rows = await server.query<{ pid: number }>(
      `select pid from pg_stat_activity where application_name = 'coordinator'`,
    )
    return rows.map(({ pid }) => pid)
  }
})

/** The answer of a call that is repeated until it has one. */
async function settles(call: () => Promise<CommitReply>): Promise<CommitReply> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await call()
    } catch (thrown) {
      if (attempt === 100 || !(thrown instanceof CoordinatorError && thrown.retryable)) throw thrown
      await sleep(50)
    }
  }
}
