import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { Position } from '../../src/records/record.ts'
import { commitOf, idsOf, put, remove } from '../conformance/build.ts'
import { Caller } from '../conformance/caller.ts'
import { dearness } from '../support/dearness.ts'
import { GrantedTime } from '../support/granted-time.ts'
import { MovedClock } from '../support/moved-clock.ts'
import { shortened } from '../support/shortened-store.ts'
import { asksOn, quick, until, withLive } from '../support/with-live.ts'

describe('following', () => {
  it('L12: takes in what another coordinator commits, without being told', () =>
    withLive(async ({ live, another }) => {
      const other = await another()
      await other.live.commit(commitOf(put('a')))
      await until(() => live.view.revision === 1)
      expect(live.view.get('service', 'a')).toEqual(other.live.view.get('service', 'a'))
      await other.live.commit(commitOf(remove('a')))
      await until(() => live.view.deletedAt('service', 'a') === 2)
      expect(live.view.get('service', 'a')).toBeUndefined()
    }))

  it('L12: shows both of two busy coordinators the same journal, each entry once and in order', () =>
    withLive(async (one) => {
      const two = await one.another()
      const ids = idsOf('r', 60)
      await Promise.all(
        ids.flatMap((id, n) => [
          one.live.commit(commitOf(put(id, { by: 1 }))),
          sleep(n / 4).then(() => two.live.commit(commitOf(put(id, { by: 2 })))),
        ]),
      )
      const { position } = await one.store.inner.head()
      await until(() => [one, two].every(({ live }) => live.view.revision === position.revision))
      const journal = await Caller.at(one.store.inner)
      journal.position = { ...position, revision: 0, digest: position.lineage }
      const entries = await journal.follow()
      for (const { live, heard } of [one, two]) {
        expect(heard).toEqual(entries)
        expect(live.view.position).toEqual(position)
        expect(live.view.records.count('service')).toBe(60)
      }
    }))

  it('L12: hears each entry also where an answer had a gap, and the view could not be built anew', () =>
    withLive(async ({ live, store, heard }) => {
      store.always({ does: 'fail' }, 'load')
      store.next('changes', {
        does: 'instead',
        run: async (inner, [after]) => {
          const other = await Caller.at(inner)
          for (const id of ['a', 'b', 'c']) await other.write(put(id))
          const reply = await inner.changes(after as Position, 10)
          return reply.status === 'ok'
            ? { ...reply, entries: reply.entries.filter((_, at) => at !== 1) }
            : reply
        },
      })
      await until(() => live.view.revision === 3)
      expect(heard.map(({ revision }) => revision)).toEqual([1, 2, 3])
    }))

  it('L12: asks often while the journal moves, and seldom while it rests', () =>
    withLive(
      async ({ store, another, live }) => {
        await sleep(400)
        const resting = store.callsOf('changes').length
        await sleep(300)
        expect(store.callsOf('changes').length - resting).toBeLessThanOrEqual(4)
        const other = await another()
        const before = store.callsOf('changes').length
        using time = new GrantedTime()
        for (let n = 0; n < 10; n += 1) {
          await other.live.commit(commitOf(put('a', { n })))
          await until(() => live.view.revision === n + 1)
        }
        // The first one may have waited for a question at rest.
        expect(time.now).toBeLessThan(800)
        expect(store.callsOf('changes').length - before).toBeGreaterThanOrEqual(8)
      },
      { options: { pollMinMs: 5, pollMaxMs: 150, stallTimeoutMs: 60_000 } },
    ))

  it('L12: reads a long journal in parts', () =>
    withLive(
      async ({ live, store, another }) => {
        store.always({ does: 'fail' }, 'changes')
        const other = await another()
        await Promise.all(idsOf('r', 1_300).map((id) => other.live.commit(commitOf(put(id)))))
        store.heal()
        await until(() => live.view.revision === 1_300)
        expect(live.view.records.count('service')).toBe(1_300)
      },
      { options: { queueMax: 2_000, commitTimeoutMs: 10_000 } },
    ))
})

describe('waiting for a revision', () => {
  it('L13: returns at once where the view has it, and asks nobody', () =>
    withLive(
      async ({ live, store }) => {
        await live.commit(commitOf(put('a')))
        const before = store.calls.length
        for (const revision of [1, 0]) {
          const turn = new Promise((resolve) => setImmediate(() => resolve('in a later turn')))
          const wait = live.waitForRevision(revision).then(() => 'at once')
          expect(await Promise.race([wait, turn])).toBe('at once')
        }
        expect(store.calls.length).toBe(before)
      },
      { options: { pollMinMs: 60_000, pollMaxMs: 60_000 } },
    ))

  it('L13: wakes those whose revision has come, and no others', () =>
    withLive(async ({ live }) => {
      const woken: number[] = []
      const waits = [1, 2, 3].map((revision) =>
        live.waitForRevision(revision).then(() => woken.push(revision)),
      )
      await live.commit(commitOf(put('a')))
      await live.commit(commitOf(put('b')))
      await Promise.all(waits.slice(0, 2))
      expect(woken).toEqual([1, 2])
      await live.commit(commitOf(put('c')))
      await Promise.all(waits)
    }))

  it('L13: waits for it, asking sooner than it would have', () =>
    withLive(
      async ({ live, store, another }) => {
        const other = await another({ options: {} })
        await until(() => store.callsOf('changes').length === 1)
        await other.live.commit(commitOf(put('a')))
        await live.waitForRevision(1)
        expect(live.view.revision).toBe(1)
      },
      // By itself it would ask after the wait has ended in vain.
      { options: { pollMinMs: 60_000, pollMaxMs: 60_000, revisionTimeoutMs: 10_000 } },
    ))

  it('L13: gives up in time, and says how far the view is', () =>
    withLive(async ({ live }) => {
      await live.commit(commitOf(put('a')))
      const started = performance.now()
      await expect(live.waitForRevision(7)).rejects.toMatchObject({
        code: 'COORD_REVISION_WAIT_TIMEOUT',
        status: 504,
        extra: { viewRevision: 1 },
      })
      const waited = performance.now() - started
      expect(waited).toBeGreaterThan(150)
      expect(waited).toBeLessThan(1_000 * dearness())
    }))
})

describe('catching up', () => {
  it('L14: has everything that was committed before the call', () =>
    withLive(
      async ({ live, another }) => {
        const other = await another({ options: {} })
        for (let n = 1; n <= 5; n += 1) {
          await other.live.commit(commitOf(put('a', { n })))
          await live.catchUp()
          expect(live.view.revision).toBeGreaterThanOrEqual(n)
        }
      },
      { options: { pollMinMs: 2_000, pollMaxMs: 2_000, revisionTimeoutMs: 3_000 } },
    ))

  it('L14: does not answer from a view that the store contradicts', () =>
    withLive(
      async ({ live, store }) => {
        await live.commit(commitOf(put('a')))
        await live.commit(commitOf(put('b')))
        store.inner = await shortened(store.inner, 1)
        await live.catchUp()
        expect(live.view.revision).toBe(1)
        expect(live.view.lineage).toBe((await store.inner.head()).position.lineage)
      },
      { options: { pollMinMs: 5_000, pollMaxMs: 5_000 } },
    ))

  it('L14: follows to another lineage', () =>
    withLive(
      async ({ live, store }) => {
        await live.commit(commitOf(put('a')))
        const { position } = await store.inner.fork(live.view.position)
        await new Caller(store.inner, position).write(put('b'))
        await live.catchUp()
        expect(live.view.position).toMatchObject({ lineage: position.lineage, revision: 2 })
      },
      { options: { pollMinMs: 5_000, pollMaxMs: 5_000 } },
    ))
})

describe('a view that stands still', () => {
  it('L15: is built anew when the store is ahead and its journal gives nothing', () =>
    withLive(async ({ live, store, another, reasons }) => {
      store.always(
        { does: 'answer', value: { status: 'ok', entries: [], more: false, mode: 'open' } },
        'changes',
      )
      const other = await another()
      await other.live.commit(commitOf(put('a')))
      await until(() => reasons.length === 2)
      expect(reasons[1]).toContain('stayed at revision 0 while the store was at 1')
      expect(live.view.revision).toBe(1)
      expect(live.status.state).toBe('ready')
    }))

  it('L15: is built anew when the journal says there is more, and gives nothing', () =>
    withLive(async ({ live, store, another, reasons }) => {
      store.always(
        { does: 'answer', value: { status: 'ok', entries: [], more: true, mode: 'open' } },
        'changes',
      )
      const other = await another()
      await other.live.commit(commitOf(put('a')))
      await until(() => live.status.state === 'degraded')
      expect(live.status.lastError?.code).toBe('COORD_STORE_FAULT')
      await until(() => reasons.length === 2)
      expect(live.view.revision).toBe(1)
      store.heal()
      await until(() => live.status.state === 'ready')
    }))

  it('L15: neither takes nor skips a gap in the journal, and says that the store is damaged', () =>
    withLive(async ({ live, store, another, heard, reasons }) => {
      const other = await another()
      store.always({ does: 'fail' }, 'changes')
      for (const id of ['a', 'b', 'c']) await other.live.commit(commitOf(put(id)))
      store.heal()
      store.always(
        {
          does: 'instead',
          run: async (inner, [after, limit]) => {
            const reply = await inner.changes(after as Position, limit as number)
            return reply.status === 'ok' ? { ...reply, entries: reply.entries.toSpliced(1, 1) } : reply
          },
        },
        'changes',
      )
      await until(() => live.status.code === 'COORD_STORE_DAMAGED')
      expect(live.status).toMatchObject({
        state: 'degraded',
        reason: expect.stringContaining('revision 3 after 1'),
        repair: expect.stringContaining('coordinator doctor'),
      })
      await expect(live.changes(live.view.position, 10)).rejects.toMatchObject({
        code: 'COORD_STORE_DAMAGED',
      })
      expect(live.view.revision).toBe(0)
      expect(heard).toEqual([])
      store.heal()
      await until(() => live.view.revision === 3)
      expect(live.view.records.count('service')).toBe(3)
      expect(reasons).toEqual(['start'])
      await until(() => live.status.state === 'ready')
    }))

  it('L15: is left alone while there is nothing new', () =>
    withLive(async (scope) => {
      using clock = new MovedClock()
      await scope.live.commit(commitOf(put('a')))
      for (let times = 0; times < 3; times += 1) {
        // Longer than a view may stay where it is while the store is ahead of it.
        clock.advance(quick.stallTimeoutMs * 2)
        await asksOn(scope)
      }
      expect(scope.reasons).toEqual(['start'])
    }))

  it('L15: is tried again when building it anew fails, and says degraded until then', () =>
    withLive(async ({ live, store, another }) => {
      store.always(
        { does: 'answer', value: { status: 'ok', entries: [], more: false, mode: 'open' } },
        'changes',
      )
      store.next('load', { does: 'fail' }, { does: 'fail' })
      const other = await another()
      await other.live.commit(commitOf(put('a')))
      await until(() => live.status.state === 'degraded')
      await until(() => live.view.revision === 1)
      expect(live.status.state).toBe('ready')
    }))

  it('L15: is ready again when the journal comes by itself after a failed attempt to build it anew', () =>
    withLive(async ({ live, store, another, reasons }) => {
      store.always(
        { does: 'answer', value: { status: 'ok', entries: [], more: false, mode: 'open' } },
        'changes',
      )
      store.always({ does: 'fail' }, 'load')
      const other = await another()
      await other.live.commit(commitOf(put('a')))
      await until(() => store.callsOf('load').length === 2)
      store.heal()
      await until(() => live.view.revision === 1)
      await until(() => live.status.state === 'ready')
      expect(reasons).toEqual(['start'])
    }))
})
