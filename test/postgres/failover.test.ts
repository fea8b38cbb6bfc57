import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { PostgresOptions } from '../../src/database/postgres/options.ts'
import { PostgresStore } from '../../src/database/postgres/store.ts'
import { CoordinatorError } from '../../src/errors.ts'
import type { Commit } from '../../src/records/record.ts'
import { commitOf, newCall, put } from '../conformance/build.ts'
import { accepted, Caller, loadAll } from '../conformance/caller.ts'
import { storeOptions } from '../support/backends/postgres.ts'
import { dearness } from '../support/dearness.ts'
import { PostgresServer } from '../support/postgres.ts'

describe('several hosts', () => {
  let primary: PostgresServer
  let standby: PostgresServer

  beforeEach(async () => {
    primary = await PostgresServer.start()
    standby = await primary.standby()
    return async () => {
      await primary.dispose()
      await standby.dispose()
    }
  })

  const stores: PostgresStore[] = []
  afterEach(async () => {
    await Promise.all(stores.splice(0).map((store) => store.close()))
  })

  /** A store that knows both servers, the standby first. */
  function storeOnBoth(
    options: Partial<PostgresOptions> = {},
    ports: readonly number[] = [standby.port, primary.port],
  ): PostgresStore {
    const { target, ...rest } = storeOptions(primary, { connectTimeoutMs: 1_000, ...options })
    const hosts = ports.map((port) => ({ host: '127.0.0.1', port }))
    const store = new PostgresStore({ ...rest, target: { ...target, hosts } })
    stores.push(store)
    return store
  }

  /** Sends a commit until it is answered. */
  async function settle(caller: Caller, commit: Commit): Promise<void> {
    for (const until = performance.now() + 30_000; ; ) {
      try {
        accepted((await caller.send(commit))[0])
        return
      } catch (thrown) {
        if (!(thrown instanceof CoordinatorError && thrown.retryable) || performance.now() > until)
          throw thrown
        await sleep(50)
      }
    }
  }

  it('are asked which of them takes writes', async () => {
    const store = storeOnBoth()
    const caller = new Caller(store, (await store.open()).position)
    accepted(await caller.write(put('a')))
    expect((await store.inspector.inspect()).details['host']).toBe(`127.0.0.1:${primary.port}`)
  })

  it('of which one hangs cost a quarter of a second, not the time for connecting', async () => {
    const store = storeOnBoth({ connectTimeoutMs: 20_000 })
    const caller = new Caller(store, (await store.open()).position)
    accepted(await caller.write(put('a')))
    standby.freeze()
    try {
      const other = storeOnBoth({ connectTimeoutMs: 20_000 })
      const started = performance.now()
      await other.open()
      expect(performance.now() - started).toBeLessThan(15_000)
    } finally {
      standby.resume()
    }
  })

  it('of which none takes writes are said to be standbys', async () => {
    const store = storeOnBoth()
    await store.open()
    await primary.stop()
    await expect(store.head()).rejects.toMatchObject({ retryable: true })
    // A busy machine may take longer than the time for connecting.
    await waitFor(async () => {
      const thrown = await store.head().catch((error: unknown) => error)
      return (thrown as CoordinatorError).code === 'COORD_STORE_STANDBY'
    })
  })

  it('keep every acknowledged commit through a failover to a synchronous standby', async () => {
    primary.configure({ synchronous_standby_names: 'standby' })
    primary.reload()
    await waitFor(async () => {
      const rows = await primary.query(`select 1 from pg_stat_replication where sync_state = 'sync'`)
      return rows.length === 1
    })
    const store = storeOnBoth()
    const caller = new Caller(store, (await store.open()).position)
    const acknowledged: string[] = []
    let enough = false
    const writing = (async () => {
      for (let step = 0; !enough; step += 1) {
        await settle(caller, commitOf(put(`r${step}`)))
        acknowledged.push(`r${step}`)
      }
    })()
    await waitFor(async () => acknowledged.length >= 20)
    await primary.kill()
    const beforePromotion = acknowledged.length
    await standby.promote()
    await waitFor(async () => acknowledged.length > beforePromotion + 20)
    enough = true
    await writing
    const { records } = await eventually(() => loadAll(store))
    expect(records.map(({ id }) => id).sort()).toEqual([...acknowledged].sort())
    expect((await eventually(() => store.head())).position.revision).toBe(acknowledged.length)
    expect((await eventually(() => store.inspector.inspect())).details['host']).toBe(
      `127.0.0.1:${standby.port}`,
    )
  })

  it('are asked again while a commit waits for the standby of a primary that was replaced without noticing', async () => {
    primary.configure({ synchronous_standby_names: 'standby' })
    primary.reload()
    const store = storeOnBoth()
    const caller = new Caller(store, (await store.open()).position)
    accepted(await caller.write(put('before')))
    // Nobody tells the old primary. It takes writes, and waits for a standby that has left it.
    await standby.promote()
    const startedAt = performance.now()
    await settle(caller, commitOf(put('after')))
    expect(performance.now() - startedAt).toBeLessThan(5_000 * dearness())
    expect((await store.inspector.inspect()).details['host']).toBe(`127.0.0.1:${standby.port}`)
    const rows = await standby.query<{ id: string }>('select id from coordinator.records order by revision')
    expect(rows.map(({ id }) => id)).toEqual(['before', 'after'])
  })

  it('are not left for an old primary while the new one hangs', async () => {
    const store = storeOnBoth({ callTimeoutMs: 2_000 })
    const caller = new Caller(store, (await store.open()).position)
    accepted(await caller.write(put('before')))
    await standby.promote()
    await waitFor(async () => {
      await eventually(() => store.head())
      return (await store.inspector.inspect()).details['host'] === `127.0.0.1:${standby.port}`
    })
    await settle(caller, commitOf(put('after')))
    standby.freeze()
    try {
      for (let time = 0; time < 4; time += 1)
        await expect(store.head()).rejects.toMatchObject({ retryable: true })
    } finally {
      standby.resume()
    }
    expect((await eventually(() => store.head())).position.revision).toBe(2)
  })

  it('are asked every few seconds, so that a store that writes nothing leaves a primary that was replaced', async () => {
    const store = storeOnBoth()
    await store.open()
    await standby.promote()
    // As the follower does all the time.
    await waitFor(async () => {
      await eventually(() => store.head())
      const { host } = (await store.inspector.inspect()).details
      return host === `127.0.0.1:${standby.port}`
    })
  })

  it('of which the new primary is far away, and the old one near and still there, are written through the new one', async () => {
    primary.configure({ synchronous_standby_names: 'standby' })
    primary.reload()
    await using far = await farFrom(standby)
    const store = storeOnBoth({}, [primary.port, far.port])
    const caller = new Caller(store, (await store.open()).position)
    accepted(await caller.write(put('before')))
    await standby.promote()
    far.delayMs = 60
    await settle(caller, commitOf(put('after')))
    await settle(caller, commitOf(put('later')))
    expect((await store.inspector.inspect()).details['host']).toBe(`127.0.0.1:${far.port}`)
    const rows = await standby.query<{ id: string }>('select id from coordinator.records order by revision')
    expect(rows.map(({ id }) => id)).toEqual(['before', 'after', 'later'])
  })

  it('keep their primary while a commit waits for a standby that hangs', async () => {
    primary.configure({ synchronous_standby_names: 'standby' })
    primary.reload()
    const store = storeOnBoth()
    const caller = new Caller(store, (await store.open()).position)
    accepted(await caller.write(put('before')))
    standby.freeze()
    const writing = caller.write(put('after'))
    await waitFor(async () => (await primary.sessionsWaiting('SyncRep')).length > 0)
    // Long enough for two looks at the other host.
    await sleep(2_500)
    expect(await primary.sessionsWaiting('SyncRep')).toHaveLength(1)
    standby.resume()
    accepted(await writing)
  })

  it('tell apart a history that lost its tail on an asynchronous standby', async () => {
    const store = storeOnBoth()
    const caller = new Caller(store, (await store.open()).position)
    accepted(await caller.write(put('kept')))
    await waitFor(async () => (await revisionAt(standby)) === '1')
    await standby.stop()
    accepted(await caller.write(put('lost')))
    await primary.kill()
    await standby.start()
    await standby.promote()
    const reply = await eventually(() => store.commit(caller.position, [commitOf(put('c'))], newCall()))
    expect(reply).toMatchObject({ status: 'ahead', head: { position: { revision: 1 } } })
    const { records } = await eventually(() => loadAll(store))
    expect(records.map(({ id }) => id)).toEqual(['kept'])
  })

  it('leave a primary that became a standby', async () => {
    const store = storeOnBoth()
    const caller = new Caller(store, (await store.open()).position)
    accepted(await caller.write(put('a')))
    await waitFor(async () => (await revisionAt(standby)) === '1')
    // As an operator does who switches over: the old primary goes on answering, and takes no more writes.
    await primary.query('alter system set default_transaction_read_only = on')
    await primary.query('select pg_reload_conf()')
    // A new session that has it means that those which are there were told.
    await waitFor(async () => {
      const [row] = await primary.query<{ on: string }>(
        `select current_setting('default_transaction_read_only') as on`,
      )
      return row?.on === 'on'
    })
    await standby.promote()
    await settle(caller, commitOf(put('b')))
    expect((await eventually(() => store.inspector.inspect())).details['host']).toBe(
      `127.0.0.1:${standby.port}`,
    )
    const { records } = await eventually(() => loadAll(store))
    expect(records.map(({ id }) => id)).toEqual(['a', 'b'])
  })
})

/** The head that a standby has; `undefined` as long as the schema has not come to it. */
async function revisionAt(standby: PostgresServer): Promise<string | undefined> {
  const [{ there }] = (await standby.query(
    `select to_regclass('coordinator.head') is not null as there`,
  )) as [{ there: boolean }]
  if (!there) return undefined
  const [row] = await standby.query<{ revision: string }>('select revision from coordinator.head')
  return row?.revision
}

async function waitFor(condition: () => Promise<boolean>): Promise<void> {
  for (const until = performance.now() + 30_000; performance.now() < until; await sleep(20))
    if (await condition()) return
  throw new Error('It did not come about within 30 seconds.')
}

/** The answer of a call that may fail for a while. */
async function eventually<T>(call: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await call()
    } catch (thrown) {
      if (attempt === 100) throw thrown
      await sleep(50)
    }
  }
}

/** A way to a server over which every packet takes some time. */
async function farFrom({ port }: PostgresServer) {
  const way = { delayMs: 0, port: 0, [Symbol.asyncDispose]: async () => void relay.close() }
  const relay = createServer((client) => {
    const server = connect(port, '127.0.0.1')
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      from.on('error', () => to.destroy()).on('close', () => to.destroy())
      from.on('data', (bytes) => setTimeout(() => to.writable && to.write(bytes), way.delayMs))
    }
  })
  relay.listen(0, '127.0.0.1')
  await once(relay, 'listening')
  way.port = (relay.address() as AddressInfo).port
  return way
}
