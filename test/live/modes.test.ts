import { Writable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { MemoryStore } from '../../src/database/memory/store.ts'
import { reportLive } from '../../src/live/report-live.ts'
import { LocalLeases } from '../../src/registry/leases/local-leases.ts'
import { domain, Registry } from '../../src/registry/registry.ts'
import { createLogger } from '../../src/telemetry/logging.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import { commitOf, put, tokenOf } from '../conformance/build.ts'
import { Caller } from '../conformance/caller.ts'
import { cart, someone } from '../registry/with-registry.ts'
import { asksOn, servedIds, until, withLive } from '../support/with-live.ts'

/** A store with one record, in mode `copy`, and the store that it is a copy of. */
async function copied(...ids: readonly string[]) {
  const [from, to] = [new MemoryStore(), new MemoryStore()]
  const caller = await Caller.at(from)
  for (const id of ids) await caller.write(put(id))
  await to.setMode('open', 'copy')
  await bring(from, to)
  return { from, to }
}

/** Replays what the copy lacks; an empty one is seeded first. */
async function bring(from: MemoryStore, to: MemoryStore): Promise<void> {
  const { position } = await to.head()
  const { position: newest, at, ancestors } = await from.head()
  if (position.lineage !== newest.lineage) {
    await to.setMode('copy', 'seeding')
    for await (const page of from.asOf({ revision: 0 }))
      await to.seed({ position: page.position, at, ancestors }, page.records)
    await to.setMode('seeding', 'copy')
  }
  const after = (await to.head()).position
  const reply = await from.changes(after, 1_000)
  if (reply.status !== 'ok') throw new Error(reply.status)
  if (reply.entries.length > 0) expect(await to.replay(after, reply.entries)).toMatchObject({ status: 'ok' })
}

const frozen = { code: 'COORD_STORE_FROZEN', outcome: 'not_written', retryable: true, status: 503 }

describe('a store in mode frozen', () => {
  it('L30: is served, and refuses writes; it takes the next one as soon as it is open', () =>
    withLive(async ({ live, store, states }) => {
      await live.commit(commitOf(put('a')))
      await store.inner.setMode('open', 'frozen')
      await until(() => live.status.state === 'frozen')
      expect(live.status).toMatchObject({ mode: 'frozen', takesWrites: false, code: 'COORD_STORE_FROZEN' })
      await expect(live.commit(commitOf(put('b')))).rejects.toMatchObject(frozen)
      expect(servedIds(live.view)).toEqual(['a'])
      expect((await live.history('service', 'a')).entries).toHaveLength(1)
      await live.catchUp()
      await store.inner.setMode('frozen', 'open')
      expect(await live.commit(commitOf(put('c')))).toMatchObject({ revision: 2 })
      await until(() => live.status.state === 'ready')
      expect(live.status).toMatchObject({ mode: 'open', takesWrites: true })
      expect(states).toEqual(['loading', 'ready', 'frozen', 'ready'])
    }))

  it('L30: is noticed by the first write that it refuses, and the first one that it takes', () =>
    withLive(
      async ({ live, store }) => {
        await live.commit(commitOf(put('a')))
        await store.inner.setMode('open', 'frozen')
        await expect(live.commit(commitOf(put('b')))).rejects.toMatchObject(frozen)
        await until(() => live.status.state === 'frozen')
        await store.inner.setMode('frozen', 'open')
        await live.commit(commitOf(put('c')))
        await until(() => live.status.state === 'ready')
      },
      { options: { pollMinMs: 60_000, pollMaxMs: 60_000, confirmationMarginMs: 60_000 } },
    ))

  it('L30: gives known commits their first result, in a batch with others, too', () =>
    withLive(async ({ live, store }) => {
      const known = { ...commitOf(put('a')), fingerprint: 'print' }
      await live.commit(known)
      await store.inner.setMode('open', 'frozen')
      const told = await Promise.allSettled([
        live.commit(known),
        live.commit(commitOf(put('b'))),
        live.commit({ ...known, fingerprint: 'other' }),
      ])
      expect(told).toMatchObject([
        { value: { outcome: 'accepted', replayed: true, revision: 1 } },
        { reason: frozen },
        { value: { outcome: 'reused' } },
      ])
    }))

  it('L30: that came out of an outage is not asked again and again whether it takes writes', () =>
    withLive(async (scope) => {
      const { live, store } = scope
      store.always({ does: 'fail', outcome: 'not_written' }, 'commit')
      await expect(live.commit(commitOf(put('a')))).rejects.toMatchObject({ code: 'COORD_STORE_UNAVAILABLE' })
      await store.inner.setMode('open', 'frozen')
      store.heal()
      await until(() => live.status.state === 'frozen')
      const calls = store.callsOf('commit').length
      await asksOn(scope, 10)
      expect(store.callsOf('commit').length).toBe(calls)
    }))

  it('L30: that was forked before it opened is followed into its new lineage, and gets no other one', () =>
    withLive(async ({ live, store }) => {
      await live.commit(commitOf(put('a')))
      const { lineage, position } = live.view
      await store.inner.setMode('open', 'frozen')
      await until(() => live.status.state === 'frozen')
      const forked = await store.inner.fork(position)
      await store.inner.setMode('frozen', 'open')
      await until(() => live.view.lineage !== lineage)
      expect(await live.commit(commitOf(put('b')))).toMatchObject({ revision: 2 })
      expect(live.view.lineage).toBe(forked.position.lineage)
      expect((await store.inner.head()).ancestors).toEqual([lineage])
      expect(store.callsOf('fork')).toEqual([])
    }))

  it('L30: is logged once, however many writes it refuses, and forgets no history', async () => {
    const lines: string[] = []
    const destination = new Writable({
      write: (chunk: Buffer, _, done) => {
        lines.push(...String(chunk).trimEnd().split('\n'))
        done()
      },
    })
    const logger = await createLogger({ level: 'info', format: 'json', destination })
    await withLive(
      async (scope) => {
        const { live, store } = scope
        live.observe(reportLive(logger, createMetrics({ backend: 'memory', process: false }).live))
        for (const id of ['a', 'b', 'c']) await live.commit(commitOf(put(id)))
        await store.inner.setMode('open', 'frozen')
        await until(() => live.status.state === 'frozen')
        const { floor } = await store.inner.head()
        const refused = Array.from({ length: 100 }, () => live.commit(commitOf(put('d'))))
        expect((await Promise.allSettled(refused)).every(({ status }) => status === 'rejected')).toBe(true)
        await asksOn(scope, 10)
        expect((await store.inner.head()).floor).toBe(floor)
        await store.inner.setMode('frozen', 'open')
        await until(() => live.status.state === 'ready')
      },
      { options: { keepHours: 0, keepRevisions: 1, retentionIntervalMs: 5 } },
    )
    const told = lines.filter((line) => !line.includes('old history')).map((line) => JSON.parse(line))
    expect(told).toMatchObject([
      { level: 'warn', state: 'frozen', code: 'COORD_STORE_FROZEN' },
      { level: 'info', msg: 'the database takes writes' },
    ])
  })
})

describe('a store in mode copy', () => {
  it('L31: is served and followed, and refuses writes, until it is opened', async () => {
    const { from, to } = await copied('a')
    await withLive(
      async ({ live, states }) => {
        expect(live.status).toMatchObject({ state: 'copy', mode: 'copy', takesWrites: false })
        await expect(live.commit(commitOf(put('b')))).rejects.toMatchObject(frozen)
        await (await Caller.at(from)).write(put('later'))
        await bring(from, to)
        await live.waitForRevision(2)
        expect(servedIds(live.view).sort()).toEqual(['a', 'later'])
        await to.setMode('copy', 'open')
        expect(await live.commit(commitOf(put('own')))).toMatchObject({ revision: 3 })
        await until(() => live.status.state === 'ready')
        expect(states).toEqual(['connecting', 'loading', 'copy', 'ready'])
      },
      { inner: to },
    )
  })

  it('L31: that is made anew keeps being served as it was, is never forked, and is loaded when it is whole', async () => {
    const { from, to } = await copied('a', 'b', 'c')
    await withLive(
      async (scope) => {
        const { live, store } = scope
        const { lineage } = live.view
        await to.setMode('copy', 'seeding')
        for await (const { position, records } of from.asOf({ revision: 1 }))
          await to.seed({ position, at: 0, ancestors: [] }, records)
        await until(() => live.status.state === 'degraded')
        await asksOn(scope, 5)
        expect(servedIds(live.view).sort()).toEqual(['a', 'b', 'c'])
        expect(store.callsOf('fork').length).toBe(0)
        await bring(from, to)
        await to.setMode('seeding', 'copy')
        await until(() => live.status.state === 'copy')
        expect(servedIds(live.view).sort()).toEqual(['a', 'b', 'c'])
        expect(live.view.lineage).toBe(lineage)
      },
      { inner: to },
    )
  })

  it('L31: takes the place of an empty history that was served before, without a fork', async () => {
    const inner = new MemoryStore()
    await withLive(
      async ({ live, store, contradictions }) => {
        expect(live.status.state).toBe('ready')
        const { from, to } = await copied('a', 'b')
        store.inner = to
        await until(() => live.status.state === 'copy')
        expect(live.view.lineage).toBe((await from.head()).position.lineage)
        expect(servedIds(live.view).sort()).toEqual(['a', 'b'])
        expect(contradictions).toEqual([])
        expect(store.callsOf('fork').length + store.callsOf('adopt').length).toBe(0)
      },
      { inner },
    )
  })

  it('L31: lets nobody expire, and gives every service its full time when it opens', async () => {
    const { from, to } = await copied()
    await withLive(
      async ({ live: source }) => {
        const { serviceId } = await new Registry(source).register({ ...cart, ttlSeconds: 30 }, someone)
        await bring(from, to)
        await withLive(
          async ({ live }) => {
            let ms = Date.now()
            const leases = new LocalLeases({ monotonicMs: () => ms, now: () => ms })
            const registry = new Registry(live, { leases })
            const health = () => (JSON.parse(registry.get(serviceId).json) as { health: string }).health
            await live.waitForRevision(1)
            ms += 3_600_000
            expect(health()).toBe('unknown')
            registry.heartbeat(serviceId, { status: 'up' })
            ms += 3_600_000
            expect(health()).toBe('up')
            await to.setMode('copy', 'open')
            await until(() => live.status.state === 'ready')
            ms += 29_000
            expect(health()).toBe('up')
            ms += 2_000
            expect(health()).toBe('expired')
          },
          { inner: to, domain },
        )
      },
      { inner: from, domain },
    )
  })
})

describe('a store in mode seeding', () => {
  it('L32: is not loaded: the start waits, and says why, until the store is whole', async () => {
    const [from, to] = [new MemoryStore(), new MemoryStore()]
    const caller = await Caller.at(from)
    for (const id of ['a', 'b']) await caller.write(put(id))
    await to.setMode('open', 'seeding')
    await withLive(
      async ({ live, store }) => {
        const starting = live.start()
        await until(() => live.status.code === 'COORD_STORE_FROZEN')
        expect(live.loaded).toBe(false)
        expect(() => live.view).toThrow(expect.objectContaining({ code: 'COORD_NOT_LOADED' }))
        expect(live.status.reason).toContain('mode seeding')
        for await (const { position, records } of from.asOf({ revision: 2 }))
          await to.seed({ position, at: 0, ancestors: [] }, records)
        const asked = store.callsOf('head').length
        await until(() => store.callsOf('head').length > asked + 1)
        expect(live.loaded).toBe(false)
        await to.setMode('seeding', 'open')
        await starting
        expect(servedIds(live.view).sort()).toEqual(['a', 'b'])
      },
      { inner: to, started: false },
    )
  })
})

describe('tokens of a store that takes no writes', () => {
  it('are told of again when it opens, so that what it refused can be recorded', () =>
    withLive(async ({ live, store }) => {
      const versions: string[] = []
      live.observe({ access: (version) => void versions.push(version) })
      await store.inner.access.put(tokenOf('one'))
      await until(() => versions.length === 1)
      await store.inner.setMode('open', 'frozen')
      await until(() => live.status.state === 'frozen')
      await store.inner.setMode('frozen', 'open')
      await until(() => versions.length === 2)
      expect(versions[1]).toBe(versions[0])
    }))
})
