import { describe, expect, it } from 'vitest'
import { ERRORS } from '../../src/errors.ts'
import { commitOf, put } from '../conformance/build.ts'
import { recordsAsOf } from '../conformance/caller.ts'
import { MovedClock } from '../support/moved-clock.ts'
import { asksOn, until, withLive } from '../support/with-live.ts'

describe('status', () => {
  it('L1: says memory while it serves from a store that is not durable', () =>
    withLive(
      async ({ live, states }) => {
        expect(live.status).toMatchObject({ state: 'memory' })
        expect(live.status).not.toHaveProperty('reason')
        expect(states).toEqual(['loading', 'memory'])
      },
      { durable: false },
    ))

  it('L1: goes from connecting over loading to ready', () =>
    withLive(
      async ({ live, store, states }) => {
        const seen = Promise.withResolvers<void>()
        store.next('load', { does: 'wait', for: seen.promise })
        expect(live.status.state).toBe('connecting')
        const starting = live.start()
        await until(() => live.status.state === 'loading')
        seen.resolve()
        await starting
        expect(states).toEqual(['loading', 'ready'])
      },
      { started: false },
    ))

  it('L1: is degraded while the database fails, with reason and code, and ready again without a restart', () =>
    withLive(async ({ live, store, states }) => {
      store.outage()
      await until(() => live.status.state === 'degraded')
      expect(live.status.reason).toContain('cut the connection')
      expect(live.status.lastError).toMatchObject({ code: 'COORD_STORE_UNAVAILABLE' })
      expect(Date.now() - live.status.since).toBeLessThan(2_000)
      store.heal()
      await until(() => live.status.state === 'ready')
      expect(live.status).not.toHaveProperty('reason')
      expect(live.status.lastError).toMatchObject({ code: 'COORD_STORE_UNAVAILABLE' })
      expect(states).toEqual(['loading', 'ready', 'degraded', 'ready'])
    }))

  it('L1: stays degraded while writes fail, though reads work', () =>
    withLive(async ({ live, store }) => {
      store.always({ does: 'fail', code: 'COORD_STORE_FULL', outcome: 'not_written' }, 'commit')
      const failing = live.commit(commitOf(put('a'))).catch(({ code }) => code)
      await until(() => live.status.state === 'degraded')
      const reads = store.callsOf('changes').length
      await until(() => store.callsOf('changes').length > reads + 5)
      expect(live.status.state).toBe('degraded')
      expect(await failing).toBe('COORD_STORE_FULL')
      store.heal()
      await until(() => live.status.state === 'ready')
    }))

  it('L1: stays degraded by damage until a write succeeds: an empty probe, or an answer alone, proves nothing', () =>
    withLive(async (scope) => {
      using clock = new MovedClock()
      const { live, store, states } = scope
      await live.commit(commitOf(put('a')))
      store.next('commit', { does: 'fail', code: 'COORD_STORE_CORRUPT', outcome: 'not_written' })
      await expect(live.commit(commitOf(put('b')))).rejects.toMatchObject({ code: 'COORD_STORE_CORRUPT' })
      // Longer than a commit may take: what follows is tried all the same.
      clock.advance(600)
      await asksOn(scope)
      expect(live.status).toMatchObject({ state: 'degraded', code: 'COORD_STORE_CORRUPT' })
      expect(await live.commit(commitOf(put('a')))).toMatchObject({ outcome: 'unchanged' })
      expect(live.status.state).toBe('degraded')
      await live.commit(commitOf(put('b')))
      expect(live.status.state).toBe('ready')
      expect(states).toEqual(['loading', 'ready', 'degraded', 'ready'])
    }))

  it('L1: is ready again by a probe alone where that can prove it', () =>
    withLive(async ({ live, store }) => {
      store.next('commit', { does: 'fail', code: 'COORD_STORE_READ_ONLY', outcome: 'not_written' })
      await expect(live.commit(commitOf(put('a')))).rejects.toMatchObject({ code: 'COORD_STORE_READ_ONLY' })
      await until(() => live.status.state === 'ready')
      expect(store.batches.at(-1)).toEqual([])
    }))

  it('L1: stays degraded while only the journal cannot be read, though commits succeed', () =>
    withLive(async ({ live, store, states }) => {
      store.always({ does: 'fail' }, 'changes')
      await until(() => live.status.state === 'degraded')
      for (let n = 0; n < 20; n += 1) await live.commit(commitOf(put('a', { n })))
      expect(states).toEqual(['loading', 'ready', 'degraded'])
    }))

  it('L1: tells both causes where writing and reading fail for different ones', () =>
    withLive(async ({ live, store }) => {
      store.always({ does: 'fail', code: 'COORD_STORE_BUSY', outcome: 'not_written' }, 'commit')
      store.always({ does: 'fail', code: 'COORD_STORE_AUTH' }, 'changes')
      const failing = live.commit(commitOf(put('a'))).catch(({ code }) => code)
      const titles = [ERRORS.COORD_STORE_BUSY.title, ERRORS.COORD_STORE_AUTH.title]
      await until(() => titles.every((title) => live.status.reason?.includes(title)))
      // The one that does not pass by itself.
      expect(live.status.code).toBe('COORD_STORE_AUTH')
      expect(await failing).toBe('COORD_STORE_BUSY')
      store.heal()
      await until(() => live.status.state === 'ready')
      expect(live.status).not.toHaveProperty('reason')
    }))

  it('L1: keeps trying to connect for as long as it takes', () =>
    withLive(
      async ({ live, store }) => {
        store.next('open', { does: 'fail' }, { does: 'fail', code: 'COORD_STORE_TIMEOUT' })
        store.next('load', { does: 'fail', code: 'COORD_STORE_BUSY' })
        const starting = live.start()
        await until(() => live.status.lastError !== undefined)
        expect(live.status.state).toBe('connecting')
        await starting
        expect(live.status.state).toBe('ready')
        // A store is opened until that works, and then never again.
        expect(store.callsOf('open')).toHaveLength(3)
        expect(store.callsOf('load')).toHaveLength(2)
      },
      { started: false },
    ))

  it.each(['COORD_SCHEMA_NEWER', 'COORD_STORE_CORRUPT', 'COORD_STORE_LOCKED', 'COORD_STORE_FULL'] as const)(
    'L1: ends the start with a definite answer: %s',
    (code) =>
      withLive(
        async ({ live, store }) => {
          store.next('open', { does: 'fail', code })
          await expect(live.start()).rejects.toMatchObject({ code })
          expect(live.loaded).toBe(false)
        },
        { started: false },
      ),
  )
})

describe('reading', () => {
  it('L2: answers COORD_NOT_LOADED, and stores nothing, before the first load', () =>
    withLive(
      async ({ live, store }) => {
        store.next('load', { does: 'hang' })
        const starting = live.start()
        await until(() => live.status.state === 'loading')
        const notLoaded = { code: 'COORD_NOT_LOADED', retryAfterSeconds: 1 }
        expect(live.loaded).toBe(false)
        expect(() => live.view).toThrow(expect.objectContaining(notLoaded))
        await expect(live.waitForRevision(0)).rejects.toMatchObject(notLoaded)
        await expect(live.catchUp()).rejects.toMatchObject(notLoaded)
        await expect(live.history('service', 'a')).rejects.toMatchObject(notLoaded)
        await expect(Array.fromAsync(live.asOf({ revision: 0 }))).rejects.toMatchObject(notLoaded)
        await expect(live.commit(commitOf(put('a')))).rejects.toMatchObject({
          ...notLoaded,
          outcome: 'not_written',
        })
        store.release()
        await starting
        expect(live.view.revision).toBe(0)
        expect(store.callsOf('commit')).toEqual([])
      },
      { started: false },
    ))

  it('L3: are young again with every answer of the store, also while nothing happens', () =>
    withLive(async ({ live }) => {
      const { revision } = live.view
      let [age, falls] = [0, 0]
      await until(() => {
        if (live.figures.ageMs < age) falls += 1
        age = live.figures.ageMs
        return falls === 3
      })
      expect(live.view.revision).toBe(revision)
    }))

  it('L3: serves the view while the database is gone, at the revision it had', () =>
    withLive(async ({ live, store }) => {
      await live.commit(commitOf(put('a')))
      store.outage()
      await until(() => live.status.state === 'degraded')
      const calls = store.calls.length
      for (let n = 0; n < 1_000; n += 1) expect(live.view.get('service', 'a')?.revision).toBe(1)
      expect(store.calls.length).toBe(calls)
      const age = live.figures.ageMs
      await until(() => live.figures.ageMs > age)
    }))

  it('L3: serves the view while the database hangs', () =>
    withLive(async ({ live, store }) => {
      await live.commit(commitOf(put('a')))
      store.outage({ does: 'hang' })
      const polls = store.callsOf('changes').length
      await until(() => store.callsOf('changes').length > polls)
      expect(live.view.get('service', 'a')?.data).toBe('{"v":1}')
    }))

  it('L4: never answers the past from the view: without the store it fails, and says so', () =>
    withLive(async ({ live, store }) => {
      await live.commit(commitOf(put('a')))
      store.outage()
      const failed = { code: 'COORD_STORE_UNAVAILABLE' }
      await expect(Array.fromAsync(live.asOf({ revision: 1 }))).rejects.toMatchObject(failed)
      await expect(live.history('service', 'a')).rejects.toMatchObject(failed)
      await expect(live.catchUp()).rejects.toMatchObject(failed)
    }))

  it('L4: turns what a store should not throw into COORD_STORE_FAULT', () =>
    withLive(async ({ live, store }) => {
      const broken = {
        does: 'instead',
        run: async () => {
          throw new TypeError('a fault of the driver')
        },
      } as const
      store.always(broken, 'history', 'asOf', 'head')
      const fault = { code: 'COORD_STORE_FAULT' }
      await expect(live.history('service', 'a')).rejects.toMatchObject(fault)
      await expect(Array.fromAsync(live.asOf({ revision: 0 }))).rejects.toMatchObject(fault)
      await expect(live.catchUp()).rejects.toMatchObject(fault)
    }))

  it('L4: gives the past as the store has it', () =>
    withLive(async ({ live }) => {
      await live.commit(commitOf(put('a')))
      await live.commit(commitOf(put('a', { v: 2 })))
      const { entries } = await live.history('service', 'a', { limit: 1 })
      expect(entries.map(({ revision }) => revision)).toEqual([2])
      const then = await recordsAsOf(live.store, { revision: 1 })
      expect(await Array.fromAsync(live.asOf({ revision: 1 }))).toEqual(then.pages)
    }))
})
