import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { REPLICA_PATIENCE_MS } from '../../src/database/replicas.ts'
import { NOW } from '../../src/database/store.ts'
import { commitOf, idsOf, put } from '../conformance/build.ts'
import { loadAll } from '../conformance/caller.ts'
import { dearness } from '../support/dearness.ts'
import { caughtUp, pauseReplay, readsOf, recordsAt, replicaServers, waitFor } from './with-replica.ts'

describe('a read that the replay of a standby needs to end', () => {
  // The strictest standby: it ends every read that holds it up, at once.
  const servers = replicaServers({
    config: { hot_standby_feedback: 'off', max_standby_streaming_delay: '0' },
  })

  it('is answered whole by the primary, and the standby does not rest', async () => {
    const { store, caller } = await servers.open({ callTimeoutMs: 40_000 })
    const ids = idsOf('r', 50)
    await caller.send(...ids.map((id) => commitOf(put(id))))
    const { revision } = caller.position
    const { schema } = servers
    // A read that has its snapshot, and takes its time.
    await servers.primary.query(
      `set search_path = ${schema}; alter function as_of(jsonb) rename to quick_as_of;
       create function as_of(p jsonb) returns jsonb language plpgsql stable as $$
       begin
         perform from ${schema}.records limit 1;
         if p ? 'kind' then perform pg_sleep(5); end if;
         return ${schema}.quick_as_of(p);
       end $$;`,
    )
    await caughtUp(servers.primary, servers.standby)
    const reading = recordsAt(store, { revision }, { kind: 'service' })
    await waitFor(async () => (await servers.standby.sessionsWaiting('PgSleep')).length === 1)
    await caller.send(...ids.map((id) => commitOf(put(id, { v: 2 }))))
    await servers.primary.query(`vacuum ${schema}.records, ${schema}.journal`)
    const records = await reading
    expect(records.map(({ id, data }) => [id, data])).toEqual(ids.map((id) => [id, '{"v":1}']))
    expect(readsOf(store, 'as_of')).toEqual({ failed: 1, primary: 1 })
    expect(store.replicas?.().replicas[0]).toMatchObject({
      state: 'failed',
      failure: { code: 'COORD_STORE_BUSY', detail: expect.stringContaining('conflict with recovery') },
    })
    expect(await recordsAt(store, NOW)).toHaveLength(50)
    expect(readsOf(store, 'as_of')).toEqual({ failed: 1, primary: 1, answered: 1 })
  })

  it('and a question that the database refuses, do not make a standby rest', async () => {
    const { store, caller } = await servers.open()
    await caller.write(put('a'))
    await caughtUp(servers.primary, servers.standby)
    await expect(store.history('service', 'a\0')).rejects.toMatchObject({ code: 'COORD_COMMIT_REFUSED' })
    expect(await store.history('service', 'a')).toMatchObject({ entries: [{ revision: 1 }] })
    expect(readsOf(store, 'history')).toEqual({ failed: 1, primary: 1, answered: 1 })
  })
})

describe('many questions at once', () => {
  const servers = replicaServers()

  it('to a standby that hangs are all answered by the primary, within the time of one call', async () => {
    const callTimeoutMs = 8_000
    const { store, caller } = await servers.open({ callTimeoutMs })
    await caller.write(put('a'))
    await caughtUp(servers.primary, servers.standby)
    await recordsAt(store, NOW)
    servers.standby.freeze()
    try {
      const startedAt = performance.now()
      const answers = await Promise.all(Array.from({ length: 50 }, () => recordsAt(store, NOW)))
      expect(performance.now() - startedAt).toBeLessThan(callTimeoutMs)
      expect(answers.every(([record]) => record?.id === 'a')).toBe(true)
      expect(readsOf(store, 'as_of')).toMatchObject({ answered: 1, primary: 50 })
    } finally {
      servers.standby.resume()
    }
  })

  it('wait for a standby that is behind side by side, not one after the other', async () => {
    const { store, caller } = await servers.open({ poolMax: 10 })
    await caller.write(put('a'))
    await caughtUp(servers.primary, servers.standby)
    await using _ = await pauseReplay(servers.standby)
    await caller.write(put('b'))
    const answers = await Promise.all(Array.from({ length: 8 }, () => recordsAt(store, NOW)))
    expect(answers.map((records) => records.length)).toEqual(Array.from({ length: 8 }, () => 2))
    expect(readsOf(store, 'as_of')).toEqual({ behind: 8, primary: 8 })
    // Nobody waits for it again within a second.
    const waits: number[] = []
    for (let time = 0; time < 5; time += 1) {
      const startedAt = performance.now()
      await recordsAt(store, NOW)
      waits.push(performance.now() - startedAt)
    }
    // The machine may be late for others.
    expect(Math.min(...waits)).toBeLessThan(REPLICA_PATIENCE_MS)
  })

  it('end with the store: a question that waits goes to the primary, which is closed', async () => {
    const { store, caller } = await servers.open()
    await caller.write(put('a'))
    await caughtUp(servers.primary, servers.standby)
    await using _ = await pauseReplay(servers.standby)
    await caller.write(put('b'))
    const reading = recordsAt(store, NOW).catch((thrown: unknown) => thrown)
    await waitFor(() => store.replicas?.().replicas[0]?.state === 'behind')
    const startedAt = performance.now()
    await store.close()
    expect(performance.now() - startedAt).toBeLessThan(2_000 * dearness())
    expect(await reading).toMatchObject({ code: 'COORD_STORE_UNAVAILABLE' })
    await expect(recordsAt(store, NOW)).rejects.toMatchObject({ code: 'COORD_STORE_UNAVAILABLE' })
  })

  it('do not hold up the end of the store, though the standby hangs', async () => {
    const { store, caller } = await servers.open({ callTimeoutMs: 60_000, replicaCheckMs: 100 })
    await caller.write(put('a'))
    await caughtUp(servers.primary, servers.standby)
    await recordsAt(store, NOW)
    servers.standby.freeze()
    try {
      const reading = recordsAt(store, NOW).catch((thrown: unknown) => thrown)
      await waitFor(() => store.replicas?.().replicas[0]?.connections?.used === 2)
      const startedAt = performance.now()
      await store.close()
      expect(performance.now() - startedAt).toBeLessThan(10_000)
      expect(await reading).toMatchObject({ code: 'COORD_STORE_UNAVAILABLE' })
    } finally {
      servers.standby.resume()
    }
  })

  it('and the first load wait for one replica that takes no login, not for each of many', async () => {
    let connections = 0
    const silent = await Promise.all(
      Array.from({ length: 16 }, async () => {
        const server = createServer((socket) => {
          connections += 1
          socket.on('error', () => undefined).resume()
        })
        server.listen(0, '127.0.0.1')
        await once(server, 'listening')
        return server
      }),
    )
    try {
      const urls = silent.map((server) => {
        const { port } = server.address() as AddressInfo
        return `postgres://postgres@127.0.0.1:${port}/postgres?sslmode=disable`
      })
      const { store, caller } = await servers.open({ callTimeoutMs: 60_000 }, urls)
      await caller.write(put('a'))
      const startedAt = performance.now()
      expect((await loadAll(store)).records).toHaveLength(1)
      expect(performance.now() - startedAt).toBeLessThan(10_000)
      // One by the check of each, and one or two by the load.
      expect(connections).toBeLessThanOrEqual(18)
    } finally {
      for (const server of silent) server.close()
    }
  })
})
