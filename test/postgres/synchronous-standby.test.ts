import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import type { PostgresOptions } from '../../src/database/postgres/options.ts'
import { PostgresStore } from '../../src/database/postgres/store.ts'
import type { CoordinatorError } from '../../src/errors.ts'
import { commitOf, newCall, put, tokenOf } from '../conformance/build.ts'
import { accepted, Caller } from '../conformance/caller.ts'
import { ask, registration, serving } from '../main/coordinator-process.ts'
import { storeOptions } from '../support/backends/postgres.ts'
import { itWith } from '../support/it-with.ts'
import { PgBouncer } from '../support/pgbouncer.ts'
import { PostgresServer } from '../support/postgres.ts'

let primary: PostgresServer
let standby: PostgresServer
/** Each test has a schema of its own. */
let schema = ''
let made = 0

beforeAll(async () => {
  primary = await PostgresServer.start()
  standby = await primary.standby()
  // What is acknowledged can be read on the standby at once.
  primary.configure({ synchronous_standby_names: 'standby', synchronous_commit: 'remote_apply' })
  primary.reload()
  await vi.waitFor(async () => expect(await syncStates()).toEqual(['sync']), { timeout: 30_000 })
})
afterAll(async () => {
  await standby.dispose()
  await primary.dispose()
})
beforeEach(() => {
  made += 1
  schema = `case_${made}`
})

const stores: PostgresStore[] = []
afterEach(async () => {
  standby.resume()
  await Promise.all(stores.splice(0).map((store) => store.close()))
})

async function syncStates(): Promise<string[]> {
  const rows = await primary.query<{ state: string }>('select sync_state as state from pg_stat_replication')
  return rows.map(({ state }) => state)
}

async function openStore(options: Partial<PostgresOptions> = {}): Promise<PostgresStore> {
  const store = new PostgresStore(storeOptions(primary, { schema, ...options }))
  stores.push(store)
  await store.open()
  return store
}

/** Waits until a session waits for the standby, and cancels its wait. */
async function cancelWait(): Promise<void> {
  await expect.poll(() => primary.sessionsWaiting('SyncRep')).toHaveLength(1)
  const [pid] = await primary.sessionsWaiting('SyncRep')
  await primary.query(`select pg_cancel_backend(${pid})`)
  await expect.poll(() => primary.sessionsWaiting('SyncRep')).not.toContain(pid)
}

/** A way to a server on which each byte of its answers arrives alone. */
async function byteByByte({ port }: PostgresServer) {
  const relay = createServer({ noDelay: true }, (client) => {
    const server = connect(port, '127.0.0.1')
    client.on('error', () => server.destroy()).on('close', () => server.destroy())
    client.pipe(server)
    server.on('error', () => client.destroy())
    void (async () => {
      for await (const bytes of server)
        for (const byte of bytes as Buffer) {
          if (!client.writable) return
          client.write(Buffer.of(byte))
          await new Promise((resolve) => setImmediate(resolve))
        }
      client.end()
    })().catch(() => client.destroy())
  })
  relay.listen(0, '127.0.0.1')
  await once(relay, 'listening')
  return {
    port: (relay.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => void relay.close(),
  }
}

function failure(work: Promise<unknown>): Promise<CoordinatorError> {
  return work.then(
    () => expect.fail('It succeeded.'),
    (error: CoordinatorError) => error,
  )
}

const unreplicated = { code: 'COORD_STORE_UNREPLICATED', retryable: true, outcome: 'unknown' }

async function revisionOf(server: PostgresServer): Promise<string | undefined> {
  const [head] = await server.query<{ revision: string }>(`select revision from ${schema}.head`)
  return head?.revision
}

describe('a coordinator whose database waits for a standby', () => {
  it('acknowledges a registration when the standby has it, however often somebody cancels the wait', async () => {
    await using coordinator = await serving({
      env: { DATABASE_URL: primary.url(), DATABASE_SCHEMA: schema, COMMIT_TIMEOUT_MS: '60000' },
    })
    standby.freeze()
    let answered = false
    const asked = ask(`${coordinator.url}/register`, 'POST', registration('cart')).finally(() => {
      answered = true
    })
    for (let time = 0; time < 3; time += 1) await cancelWait()
    await expect.poll(() => primary.sessionsWaiting('SyncRep')).toHaveLength(1)
    // The registration is in the primary since the first cancel, and its wait was cancelled three times: it could have been answered.
    expect(answered).toBe(false)
    const { body: metrics } = await ask(`${coordinator.url}/metrics`)
    const counted = /^coordinator_database_errors_total\{.*class="unreplicated",code="01000"\} 3$/m
    expect(counted.exec(metrics)).not.toBeNull()
    standby.resume()
    const { status, body } = await asked
    expect({ status, revision: body.revision }).toEqual({ status: 201, revision: 1 })
    expect(await revisionOf(standby)).toBe('1')
    expect(await standby.query(`select service_name from ${schema}.services`)).toEqual([
      { service_name: 'cart' },
    ])
  })

  it('acknowledges a registration once, though its own calls gave up again and again before', async () => {
    await using coordinator = await serving({
      env: {
        DATABASE_URL: primary.url(),
        DATABASE_SCHEMA: schema,
        DATABASE_STATEMENT_TIMEOUT_MS: '500',
        COMMIT_TIMEOUT_MS: '60000',
      },
    })
    standby.freeze()
    const asked = ask(`${coordinator.url}/register`, 'POST', registration('cart'))
    const failures = async () => {
      const { body } = await ask(`${coordinator.url}/metrics`)
      const counted = /^coordinator_database_errors_total\{.*operation="commit",class="timeout".*\} (\d+)$/m
      return Number(counted.exec(body)?.[1] ?? 0)
    }
    await expect.poll(failures).toBeGreaterThanOrEqual(3)
    expect(await primary.sessionsWaiting('SyncRep')).toHaveLength(1)
    // Calls that were given up end by themselves: those that wait for the head after 5 seconds.
    expect((await primary.sessionsWaiting('Lock')).length).toBeLessThan(15)
    expect(await revisionOf(primary)).toBe('0')
    standby.resume()
    const { status, body } = await asked
    expect({ status, revision: body.revision }).toEqual({ status: 201, revision: 1 })
    expect(await revisionOf(standby)).toBe('1')
  })

  it('tells the client why a registration is not acknowledged, and that its outcome is unknown', async () => {
    await using coordinator = await serving({
      env: { DATABASE_URL: primary.url(), DATABASE_SCHEMA: schema, COMMIT_TIMEOUT_MS: '3000' },
    })
    standby.freeze()
    const asked = ask(`${coordinator.url}/register`, 'POST', registration('cart'), {
      'idempotency-key': 'one',
    })
    await cancelWait()
    expect(await asked).toMatchObject({
      status: 503,
      body: { code: 'COORD_STORE_UNREPLICATED', outcome: 'unknown', retryable: true },
    })
    standby.resume()
    const again = await ask(`${coordinator.url}/register`, 'POST', registration('cart'), {
      'idempotency-key': 'one',
    })
    expect(again.body).toMatchObject({ revision: 1 })
  })
})

describe('a store whose database waits for a standby', () => {
  it.each([
    ['commit', (_: PostgresStore, caller: Caller) => caller.send(commitOf(put('b')))],
    ['compaction', (store: PostgresStore) => store.compact(1)],
    ['fork', (store: PostgresStore, { position }: Caller) => store.fork(position)],
    ['token', (store: PostgresStore) => store.access.put(tokenOf('reader'))],
    ['mode', (store: PostgresStore) => store.setMode('open', 'frozen')],
  ])('does not take a %s for stored whose wait was cancelled, and works on', async (_, write) => {
    const store = await openStore()
    const caller = await Caller.at(store)
    accepted(await caller.write(put('a')))
    standby.freeze()
    const [error] = await Promise.all([failure(write(store, caller)), cancelWait()])
    expect(error).toMatchObject(unreplicated)
    standby.resume()
    // Only the answer was not believed. The write is there, and what follows works as ever.
    await store.setMode('frozen', 'open')
    const { position } = await store.head()
    expect((await store.commit(position, [], newCall())).status).toBe('ok')
  })

  it('does not take a migration for done whose wait was cancelled', async () => {
    const store = new PostgresStore(storeOptions(primary, { schema }))
    stores.push(store)
    standby.freeze()
    const [error] = await Promise.all([failure(store.migrator.migrate()), cancelWait()])
    expect(error).toMatchObject(unreplicated)
    standby.resume()
    expect((await store.open()).position.revision).toBe(0)
  })

  it('hears of a cancelled wait though the role hides warnings', async () => {
    await primary.query('create role quiet superuser login')
    await primary.query(`alter role quiet set client_min_messages = 'error'`)
    const store = new PostgresStore(storeOptions(primary, { role: 'quiet', schema }))
    stores.push(store)
    const caller = new Caller(store, (await store.open()).position)
    standby.freeze()
    const [error] = await Promise.all([failure(caller.write(put('a'))), cancelWait()])
    expect(error).toMatchObject(unreplicated)
  })

  it.each(['cancel', 'terminate'])('hears of it byte by byte if somebody uses pg_%s_backend', async (way) => {
    await openStore()
    await using slow = await byteByByte(primary)
    // Some answers have thousands of bytes, each of which is a turn of two processes.
    const { target, ...rest } = storeOptions(primary, { schema, callTimeoutMs: 40_000 })
    const store = new PostgresStore({
      ...rest,
      target: { ...target, hosts: [{ host: '127.0.0.1', port: slow.port }] },
    })
    stores.push(store)
    const caller = new Caller(store, (await store.open()).position)
    await expect(store.history('service', 'a\0')).rejects.toMatchObject({ code: 'COORD_COMMIT_REFUSED' })
    standby.freeze()
    const sent = failure(caller.write(put('a')))
    await expect.poll(() => primary.sessionsWaiting('SyncRep')).toHaveLength(1)
    await primary.query(`select pg_${way}_backend(pid) from pg_stat_activity where wait_event = 'SyncRep'`)
    expect(await sent).toMatchObject(unreplicated)
    standby.resume()
    accepted((await caller.send(commitOf(put('b'))))[0])
  })

  it('does not know the outcome if the server ends the session that waits', async () => {
    const store = await openStore()
    const caller = await Caller.at(store)
    standby.freeze()
    const sent = failure(caller.write(put('a')))
    await expect.poll(() => primary.sessionsWaiting('SyncRep')).toHaveLength(1)
    await primary.query(`select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'SyncRep'`)
    expect(await sent).toMatchObject(unreplicated)
    standby.resume()
    accepted((await caller.send(commitOf(put('b'))))[0])
  })

  it('shows nobody a commit that only its own deadline has ended, and says what it waited for', async () => {
    const store = await openStore({ callTimeoutMs: 2_000, watchAfterMs: 200 })
    const caller = await Caller.at(store)
    standby.freeze()
    expect(await failure(caller.write(put('a')))).toMatchObject({
      ...unreplicated,
      detail: expect.stringContaining('within 2000 ms'),
    })
    // Cancelled at the server, it would be there for all readers of the primary, and lost by a failover.
    expect(await primary.sessionsWaiting('SyncRep')).toHaveLength(1)
    expect((await store.head()).position.revision).toBe(0)
    // The commit holds the head while it waits. Whoever ended it would do harm, so nobody is told to.
    const other = await openStore()
    const behind = await failure(other.commit(caller.position, [commitOf(put('b'))], newCall()))
    expect(behind).toMatchObject({ ...unreplicated, outcome: 'not_written' })
    expect(behind.repair).not.toContain('pg_terminate_backend')
    standby.resume()
    await expect.poll(async () => (await store.head()).position.revision).toBe(1)
  })

  it('answers a commit that comes again only when the standby has it, though the primary had it before', async () => {
    const store = await openStore()
    const caller = await Caller.at(store)
    const commit = commitOf(put('a'))
    standby.freeze()
    const [error] = await Promise.all([
      failure(store.commit(caller.position, [commit], caller.nextCall())),
      cancelWait(),
    ])
    expect(error).toMatchObject(unreplicated)
    // Everybody who asks the primary sees it now.
    expect((await store.head()).position.revision).toBe(1)
    let answered = false
    const again = store.commit(caller.position, [commit], caller.nextCall()).finally(() => {
      answered = true
    })
    await expect.poll(() => primary.sessionsWaiting('SyncRep')).toHaveLength(1)
    expect(answered).toBe(false)
    standby.resume()
    expect(await again).toMatchObject({
      status: 'ok',
      results: [{ outcome: 'accepted', revision: 1, replayed: true }],
    })
    expect(await revisionOf(standby)).toBe('1')
  })
})

describe('through PgBouncer', () => {
  itWith('pgbouncer')(
    'a store hears of a cancelled wait, and its own deadline shows nobody a commit',
    async () => {
      const bouncer = await PgBouncer.before(primary.port)
      onTestFinished(() => bouncer.dispose())
      await bouncer.start()
      const { target } = storeOptions(primary)
      const store = await openStore({
        target: { ...target, hosts: [{ host: '127.0.0.1', port: bouncer.port }] },
        callTimeoutMs: 2_000,
      })
      const caller = await Caller.at(store)
      standby.freeze()
      const [error] = await Promise.all([failure(caller.write(put('a'))), cancelWait()])
      expect(error).toMatchObject(unreplicated)
      expect((await store.inspector.inspect()).details['pooled']).toBe(true)
      // The first commit is there for everybody now. The second one ends by its own deadline, and is not.
      const { position } = await store.head()
      expect(position.revision).toBe(1)
      const second = failure(store.commit(position, [commitOf(put('b'))], newCall()))
      expect(await second).toMatchObject({ code: 'COORD_STORE_TIMEOUT', outcome: 'unknown' })
      expect(await primary.sessionsWaiting('SyncRep')).toHaveLength(1)
      expect((await store.head()).position.revision).toBe(1)
      standby.resume()
      await expect.poll(async () => (await store.head()).position.revision).toBe(2)
    },
  )
})
