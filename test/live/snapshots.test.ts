import { describe, expect, it } from 'vitest'
import { RecordTable } from '../../src/live/view/record-table.ts'
import { commitOf, idsOf, put, remove } from '../conformance/build.ts'
import { loadAll } from '../conformance/caller.ts'
import { dearness } from '../support/dearness.ts'
import { until, withLive } from '../support/with-live.ts'

describe('a snapshot of the view', () => {
  it('has every record at its revision, whatever is committed afterwards', () =>
    withLive(async ({ live, store }) => {
      for (const id of idsOf('s', 5)) await live.commit(commitOf(put(id)))
      await live.commit(commitOf(remove('s1')))
      const { records: before } = await loadAll(store.inner)
      const { position } = live.view
      const snapshot = live.view.snapshot()
      await live.commit(commitOf(put('s0', { v: 2 }), remove('s2'), put('new')))
      expect(snapshot).toMatchObject({ position, at: expect.any(Number) })
      const kept = snapshot.records.filter((record) => record !== undefined)
      expect(kept.toSorted((left, right) => (left.id < right.id ? -1 : 1))).toEqual(before)
    }))

  it('has the records that are not served as they are stored, and the list of those without their data', () =>
    withLive(
      async ({ live, store }) => {
        await live.commit(commitOf(put('good'), put('bad', { v: 'secret' })))
        const { records } = await loadAll(store.inner)
        expect(new Set(live.view.snapshot().records)).toEqual(new Set(records))
        expect(JSON.stringify(live.view.refused)).not.toContain('secret')
        await live.commit(commitOf(put('bad', { v: 1 })))
        expect(live.view.snapshot().records.filter((record) => record !== undefined)).toHaveLength(2)
      },
      {
        domain: {
          kinds: { service: (data) => (typeof (data as { v: unknown }).v === 'number' ? undefined : 'no') },
          projections: [],
        },
      },
    ))

  it('of a million records takes less than 50 ms', () => {
    const table = new RecordTable()
    const at = { data: '{}' as never, revision: 1, createdAt: 0, updatedAt: 0 }
    for (let index = 0; index < 1_000_000; index += 1)
      table.put({ kind: 'service', id: `s${index}`, ...at }, -1)
    const times = Array.from({ length: 5 }, () => {
      const began = performance.now()
      expect(table.copy()).toHaveLength(1_000_000)
      return performance.now() - began
    })
    expect(Math.min(...times)).toBeLessThan(50 * dearness())
  })
})

describe('the work before the store closes', () => {
  it('begins when the last commits are stored, with the store still open', () =>
    withLive(async ({ live, store }) => {
      const seen: unknown[] = []
      live.beforeClose(async (leftMs) => {
        seen.push(leftMs > 0, (await store.inner.head()).position.revision, store.closed)
      })
      const last = live.commit(commitOf(put('last')))
      await live.stop(5_000)
      expect(await last).toMatchObject({ outcome: 'accepted' })
      expect(seen).toEqual([true, 1, false])
      expect(store.closed).toBe(true)
    }))

  it('is abandoned when the time is over', () =>
    withLive(async ({ live, store }) => {
      let begun = false
      live.beforeClose(() => {
        begun = true
        return new Promise(() => undefined)
      })
      const began = performance.now()
      await live.stop(200)
      await until(() => store.closed)
      expect(begun).toBe(true)
      expect(performance.now() - began).toBeLessThan(2_000 * dearness())
    }))
})
