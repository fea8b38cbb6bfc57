import { describe, expect, it } from 'vitest'
import { withDefaults } from '../../src/database/postgres/options.ts'
import { ReplicaHosts } from '../../src/database/postgres/replica-hosts.ts'
import { NOW } from '../../src/database/store.ts'
import { commitOf, put, remove } from '../conformance/build.ts'
import { loadAll } from '../conformance/caller.ts'
import { storeOptions, targetOf } from '../support/backends/postgres.ts'
import {
  caughtUp,
  pauseReplay,
  readsOf,
  recordsAt,
  replicaServers,
  resumeReplay,
  waitFor,
} from './with-replica.ts'

const idsOf = (records: readonly { readonly id: string }[]) => records.map(({ id }) => id)

describe('a replica', () => {
  const servers = replicaServers()
  it('answers loads, questions about the past and histories, and is counted for each page', async () => {
    const { store, caller } = await servers.open({ pageSize: 2 })
    for (const id of ['a', 'b', 'c', 'd', 'e']) await caller.write(put(id))
    const { revision } = caller.position
    await caller.write(remove('a'))
    await caughtUp(servers.primary, servers.standby)
    expect(idsOf((await loadAll(store)).records)).toEqual(['b', 'c', 'd', 'e'])
    expect(idsOf(await recordsAt(store, { revision }))).toEqual(['a', 'b', 'c', 'd', 'e'])
    expect(idsOf(await recordsAt(store, NOW))).toEqual(['b', 'c', 'd', 'e'])
    expect((await store.history('service', 'a')).entries.map((entry) => entry.revision)).toEqual([6, 1])
    expect(readsOf(store, 'load')).toEqual({ answered: 3 })
    expect(readsOf(store, 'as_of')).toEqual({ answered: 6 })
    expect(readsOf(store, 'history')).toEqual({ answered: 1 })
    expect(store.replicas?.().replicas).toMatchObject([
      { host: `127.0.0.1:${servers.standby.port}`, state: 'answered', revision: 6, lagRevisions: 0 },
    ])
  })

  it('answers only the reads that the settings name', async () => {
    const { store, caller } = await servers.open({ replicaReads: ['history'] })
    await caller.write(put('a'))
    await caughtUp(servers.primary, servers.standby)
    await loadAll(store)
    await recordsAt(store, NOW)
    await store.history('service', 'a')
    expect(['load', 'as_of', 'history'].map((read) => readsOf(store, read as 'load'))).toEqual([
      {},
      {},
      { answered: 1 },
    ])
  })

  it('that lags is waited for, and passed over if it does not catch up: the answer is right', async () => {
    const { store, caller } = await servers.open()
    await caller.write(put('a'))
    await caughtUp(servers.primary, servers.standby)
    await pauseReplay(servers.standby)
    const before = caller.position.revision
    const [sent] = await caller.send(commitOf(put('b')))
    expect(sent).toMatchObject({ revision: 2 })
    const startedAt = performance.now()
    expect(idsOf(await recordsAt(store, NOW))).toEqual(['a', 'b'])
    const waitedMs = performance.now() - startedAt
    expect(waitedMs).toBeGreaterThanOrEqual(250)
    expect(idsOf((await loadAll(store)).records)).toEqual(['a', 'b'])
    expect((await store.history('service', 'b')).entries).toHaveLength(1)
    // What it has, it answers, however far behind it is.
    expect(idsOf(await recordsAt(store, { revision: before }))).toEqual(['a'])
    expect(readsOf(store, 'as_of')).toEqual({ behind: 1, primary: 1, answered: 1 })
    expect(readsOf(store, 'load')).toEqual({ behind: 1, primary: 1 })
    expect(readsOf(store, 'history')).toEqual({ behind: 1, primary: 1 })
    expect(store.replicas?.().replicas[0]).toMatchObject({ revision: 1, lagRevisions: 1 })
    await resumeReplay(servers.standby)
    await caughtUp(servers.primary, servers.standby)
    await recordsAt(store, NOW)
    expect(readsOf(store, 'as_of')).toEqual({ behind: 1, primary: 1, answered: 2 })
  })

  it('that catches up within a moment answers', async () => {
    const { store, caller } = await servers.open()
    await caller.write(put('a'))
    await caughtUp(servers.primary, servers.standby)
    await pauseReplay(servers.standby)
    await caller.write(put('b'))
    const reading = recordsAt(store, NOW)
    await waitFor(() => store.replicas?.().replicas[0]?.state === 'behind')
    await resumeReplay(servers.standby)
    expect(idsOf(await reading)).toEqual(['a', 'b'])
    // On a machine that is busy, the replay may take longer than the question waits.
    const { answered = 0, primary = 0 } = readsOf(store, 'as_of')
    expect(answered + primary).toBe(1)
  })

  it('is not asked for a revision that the primary has not told, and never refuses a moment', async () => {
    const { store, caller } = await servers.open()
    for (const id of ['a', 'b', 'c']) await caller.write(put(id))
    await store.compact(2)
    await caughtUp(servers.primary, servers.standby)
    await expect(recordsAt(store, { revision: 1 })).rejects.toMatchObject({
      code: 'COORD_REVISION_COMPACTED',
    })
    await expect(recordsAt(store, { revision: 99 })).rejects.toMatchObject({ code: 'COORD_REVISION_FUTURE' })
    expect(readsOf(store, 'as_of')).toEqual({ primary: 2 })
  })

  it('of another database is passed over, and rests', async () => {
    await servers.primary.query('create database other')
    const { store: foreign, caller: stranger } = await servers.openOn(servers.primary, 'other')
    await stranger.write(put('stranger'))
    const { store, caller } = await servers.open({}, [servers.primary.url('other')])
    await caller.write(put('a'))
    // The first look at it happens when the store is opened.
    await waitFor(() => store.replicas?.().replicas[0]?.state === 'other_history')
    expect(idsOf(await recordsAt(store, NOW))).toEqual(['a'])
    expect(idsOf(await recordsAt(store, { revision: 1 }))).toEqual(['a'])
    expect(readsOf(store, 'as_of')).toEqual({ primary: 2 })
    expect((await foreign.head()).position.lineage).not.toBe((await store.head()).position.lineage)
  })

  it('that is gone changes nothing but where reads go, and rests', async () => {
    const { store, caller } = await servers.open({ replicaRestMs: 1_000 })
    for (const id of ['a', 'b']) await caller.write(put(id))
    await caughtUp(servers.primary, servers.standby)
    const read = async () => [
      await loadAll(store),
      await recordsAt(store, { revision: 1 }),
      await recordsAt(store, NOW),
      await store.history('service', 'a'),
    ]
    const whole = await read()
    await servers.standby.kill()
    expect(await read()).toEqual(whole)
    expect(readsOf(store, 'as_of')).toEqual({ answered: 2, failed: 1, primary: 2 })
    expect(readsOf(store, 'history')).toEqual({ answered: 1, primary: 1 })
    const [figures] = store.replicas?.().replicas ?? []
    expect(figures).toMatchObject({ state: 'failed', failure: { retryable: true } })
    await servers.standby.start()
    await waitFor(async () => {
      await recordsAt(store, NOW)
      return (readsOf(store, 'as_of').answered ?? 0) > 2
    })
    expect(store.replicas?.().replicas[0]).not.toHaveProperty('failure')
  })

  it('that breaks off in the middle is replaced where it stopped', async () => {
    const { store, caller } = await servers.open({ pageSize: 2 })
    for (const id of ['a', 'b', 'c', 'd', 'e']) await caller.write(put(id))
    await caughtUp(servers.primary, servers.standby)
    await using _ = { [Symbol.asyncDispose]: () => servers.standby.start() }
    const loaded: string[] = []
    for await (const { records } of store.load()) {
      loaded.push(...idsOf(records))
      if (loaded.length === 2) await servers.standby.kill()
    }
    expect(loaded).toEqual(['a', 'b', 'c', 'd', 'e'])
    expect(readsOf(store, 'load')).toEqual({ answered: 1, failed: 1, primary: 2 })
  })

  it('that hangs delays one question by a quarter of its time, and rests', async () => {
    const { store, caller } = await servers.open({ callTimeoutMs: 4_000 })
    await caller.write(put('a'))
    await caughtUp(servers.primary, servers.standby)
    await recordsAt(store, NOW)
    servers.standby.freeze()
    try {
      const startedAt = performance.now()
      expect(idsOf(await recordsAt(store, NOW))).toEqual(['a'])
      expect(performance.now() - startedAt).toBeGreaterThanOrEqual(900)
      expect(performance.now() - startedAt).toBeLessThan(4_000)
      expect(readsOf(store, 'as_of')).toEqual({ answered: 1, failed: 1, primary: 1 })
      for (let count = 0; count < 5; count += 1) await recordsAt(store, NOW)
      expect(readsOf(store, 'as_of')).toEqual({ answered: 1, failed: 1, primary: 6 })
    } finally {
      servers.standby.resume()
    }
  })

  it('shares the reads with the others', async () => {
    const { store, caller } = await servers.open({}, [servers.standby, servers.primary])
    await caller.write(put('a'))
    await caughtUp(servers.primary, servers.standby)
    const answered = new Set<number>()
    for (let count = 0; count < 4; count += 1) {
      const before = store.replicas?.().replicas.map(({ answeredAt }) => answeredAt) ?? []
      await waitFor(() => Date.now() > Math.max(...before))
      await recordsAt(store, NOW)
      store.replicas?.().replicas.forEach(({ answeredAt }, index) => {
        if (answeredAt !== before[index]) answered.add(index)
      })
    }
    expect([...answered].sort()).toEqual([0, 1])
    expect(readsOf(store, 'as_of')).toEqual({ answered: 4 })
  })

  it('with several hosts is the standby among them', async () => {
    const hosts = `127.0.0.1:${servers.primary.port},127.0.0.1:${servers.standby.port}`
    const { store, caller } = await servers.open({}, [
      `postgres://postgres@${hosts}/postgres?sslmode=disable`,
    ])
    await caller.write(put('a'))
    await caughtUp(servers.primary, servers.standby)
    await recordsAt(store, NOW)
    expect(store.replicas?.().replicas[0]?.host).toBe(`127.0.0.1:${servers.standby.port}`)
    await servers.standby.kill()
    await using _ = { [Symbol.asyncDispose]: () => servers.standby.start() }
    await recordsAt(store, NOW)
    const { store: other } = await servers.open({}, [`postgres://postgres@${hosts}/postgres?sslmode=disable`])
    await recordsAt(other, NOW)
    expect(other.replicas?.().replicas[0]).toMatchObject({ host: `127.0.0.1:${servers.primary.port}` })
    expect(readsOf(other, 'as_of')).toEqual({ answered: 1 })
  })

  it('with several standbys is one of them: the role that it is asked for is that of the server that answers reads', async () => {
    const { port } = servers.standby
    const target = targetOf(
      `postgres://postgres@127.0.0.1:${port},localhost:${port}/postgres?sslmode=disable`,
    )
    const settings = withDefaults({ ...storeOptions(servers.primary), target })
    for (let round = 0; round < 15; round += 1) {
      const hosts = new ReplicaHosts(settings)
      const connections = await Promise.all([hosts.connect(), hosts.connect(), hosts.connect()])
      const names = new Set(connections.map(({ host }) => host))
      await Promise.all(connections.map((connection) => connection.close()))
      expect(names.size).toBe(1)
    }
  })

  it('whose schema is older is passed over, until it has replayed the migration', async () => {
    const { store, caller } = await servers.open()
    await caller.write(put('a'))
    // Before schema 13, `as_of` answered without the head.
    await servers.primary.query(
      `set search_path = ${servers.schema}; alter function as_of(jsonb) rename to newer_as_of;
       create function as_of(p jsonb) returns jsonb language sql stable
       as $$ select ${servers.schema}.newer_as_of(p) - 'head' $$;`,
    )
    await caughtUp(servers.primary, servers.standby)
    expect(idsOf(await recordsAt(store, NOW))).toEqual(['a'])
    expect(readsOf(store, 'as_of')).toEqual({ behind: 1, primary: 1 })
    await servers.primary.query(
      `set search_path = ${servers.schema}; drop function as_of(jsonb); alter function newer_as_of(jsonb) rename to as_of;`,
    )
    await caughtUp(servers.primary, servers.standby)
    expect(idsOf(await recordsAt(store, NOW))).toEqual(['a'])
    expect(readsOf(store, 'as_of')).toEqual({ behind: 1, primary: 1, answered: 1 })
  })

  it('does not answer a second load within a minute: the first one was of no use', async () => {
    const { store, caller } = await servers.open()
    await caller.write(put('a'))
    await caughtUp(servers.primary, servers.standby)
    await loadAll(store)
    await loadAll(store)
    expect(readsOf(store, 'load')).toEqual({ answered: 1, primary: 1 })
  })

  it('tells about itself when it is asked', async () => {
    const { store, caller } = await servers.open({}, [servers.standby, servers.primary])
    await caller.write(put('a'))
    await caughtUp(servers.primary, servers.standby)
    const shared = { position: caller.position, sameHistory: true, lagRevisions: 0, longestReadMs: 30_000 }
    expect(await store.inspector.inspectReplicas?.()).toEqual([
      { host: `127.0.0.1:${servers.standby.port}`, standby: true, keepsOldVersions: true, ...shared },
      { host: `127.0.0.1:${servers.primary.port}`, standby: false, keepsOldVersions: false, ...shared },
    ])
    await servers.standby.kill()
    await using _ = { [Symbol.asyncDispose]: () => servers.standby.start() }
    expect(await store.inspector.inspectReplicas?.()).toMatchObject([
      { failure: { code: 'COORD_STORE_UNAVAILABLE' } },
      { standby: false },
    ])
  })

  it('is nothing to a store without replicas', async () => {
    const { store } = await servers.open({}, [])
    expect(store.replicas).toBeUndefined()
    expect(store.inspector.inspectReplicas).toBeUndefined()
  })
})

describe('a replica of its own', () => {
  const servers = replicaServers({ of: 'test' })

  it('on a dead timeline, with the same lineage and other commits, is passed over', async () => {
    const { store, caller } = await servers.open()
    await caller.write(put('a'))
    await caughtUp(servers.primary, servers.standby)
    await servers.standby.promote()
    const { store: dead, caller: lost } = await servers.openOn(servers.standby)
    for (const id of ['x', 'y', 'z']) await lost.write(put(id))
    for (const id of ['b', 'c']) await caller.write(put(id))
    expect((await dead.head()).position.lineage).toBe((await store.head()).position.lineage)
    expect(idsOf(await recordsAt(store, NOW))).toEqual(['a', 'b', 'c'])
    expect(idsOf(await recordsAt(store, { revision: 2 }))).toEqual(['a', 'b'])
    // It rests after the first question.
    expect(readsOf(store, 'as_of')).toEqual({ other_history: 1, primary: 2 })
    for (const id of ['d', 'e']) await caller.write(put(id))
    const { store: fresh } = await servers.open()
    expect(idsOf((await loadAll(fresh)).records)).toEqual(['a', 'b', 'c', 'd', 'e'])
    expect(readsOf(fresh, 'load').answered).toBeUndefined()
    await waitFor(() => fresh.replicas?.().replicas[0]?.state === 'other_history')
    expect(await fresh.inspector.inspectReplicas?.()).toMatchObject([{ standby: false, sameHistory: false }])
    expect((await store.head()).position).toEqual(caller.position)
  })

  it('that was promoted is noticed, and answers as long as its history is right', async () => {
    const { store, caller } = await servers.open({ replicaCheckMs: 50 })
    await caller.write(put('a'))
    await caughtUp(servers.primary, servers.standby)
    const role = () => store.replicas?.().replicas[0]?.role
    await waitFor(() => role() === 'standby')
    await servers.standby.promote()
    await waitFor(() => role() === 'primary')
    expect(idsOf(await recordsAt(store, NOW))).toEqual(['a'])
    expect(readsOf(store, 'as_of')).toEqual({ answered: 1 })
  })

  it('is not to blame for a primary that is gone: what the primary told before is enough to read, and nothing else', async () => {
    const { store, caller } = await servers.open()
    await caller.write(put('a'))
    await caughtUp(servers.primary, servers.standby)
    const { caller: other } = await servers.openOn(servers.primary)
    expect(await recordsAt(store, { revision: 1 })).toHaveLength(1)
    await other.write(put('b'))
    await caughtUp(servers.primary, servers.standby)
    await servers.primary.kill()
    // The standby has a revision that nobody can confirm.
    await expect(recordsAt(store, { revision: 1 })).rejects.toMatchObject({ retryable: true })
    expect(readsOf(store, 'as_of')).toEqual({ answered: 1 })
    expect(store.replicas?.().replicas[0]).toMatchObject({ state: 'answered' })
  })

  it('that shows a commit before the primary does is passed over, and does not rest', async () => {
    const { store, caller } = await servers.open({ callTimeoutMs: 60_000 })
    await caller.write(put('a'))
    await caughtUp(servers.primary, servers.standby)
    // The commit waits for a standby that never comes. The other standby has it.
    servers.primary.configure({ synchronous_standby_names: 'nobody' })
    servers.primary.reload()
    await waitFor(async () => {
      const [row] = await servers.primary.query<{ names: string }>('show synchronous_standby_names')
      return row !== undefined && Object.values(row)[0] === 'nobody'
    })
    const committing = caller.write(put('b'))
    await waitFor(async () => {
      const [row] = await servers.standby.query<{ revision: string }>(
        `select revision from ${servers.schema}.head`,
      )
      return row?.revision === '2'
    })
    expect(idsOf(await recordsAt(store, NOW))).toEqual(['a'])
    expect(readsOf(store, 'as_of')).toEqual({ behind: 1, primary: 1 })
    expect(await store.inspector.inspectReplicas?.()).toMatchObject([{ sameHistory: true, lagRevisions: 0 }])
    servers.primary.configure({ synchronous_standby_names: '' })
    servers.primary.reload()
    expect(await committing).toMatchObject({ outcome: 'accepted', revision: 2 })
    expect(idsOf(await recordsAt(store, NOW))).toEqual(['a', 'b'])
    expect(readsOf(store, 'as_of')).toEqual({ behind: 1, primary: 1, answered: 1 })
  })
})
