import { describe, expect, it, vi } from 'vitest'
import { MemoryStore } from '../../src/database/memory/store.ts'
import { Live } from '../../src/live/live.ts'
import { retain } from '../../src/live/view/retention.ts'
import { commitOf, put, remove } from '../conformance/build.ts'
import { Caller, recordsAsOf } from '../conformance/caller.ts'
import { plainDomain, quick, until, withLive } from '../support/with-live.ts'

const hourMs = 3_600_000

/** One commit an hour, from hour 1 on. */
async function storeOf(count: number): Promise<MemoryStore> {
  let now = 0
  const store = new MemoryStore({ now: () => now })
  const caller = await Caller.at(store)
  for (let hour = 1; hour <= count; hour += 1) {
    now = hour * hourMs
    await caller.write(put('a', { hour }))
  }
  return store
}

describe('retention', () => {
  it.each([
    ['what is younger than so many hours, and more than the newest revisions', 10, 5, 100, 90],
    ['the newest revisions, though they are older', 10, 40, 100, 60],
    ['everything, while it is younger', 200, 5, 100, 0],
    ['everything, while it is little', 1, 100, 100, 0],
    ['the newest revisions alone, where there is no rule by age', 0, 5, 100, 95],
    ['nothing but the head, where nothing is to be kept', 0, 0, 100, 100],
  ])('L23: keeps %s', async (_, keepHours, keepRevisions, now, floor) => {
    const store = await storeOf(100)
    expect((await retain(store, { keepHours, keepRevisions }, now * hourMs)).floor).toBe(floor)
    expect((await store.head()).floor).toBe(floor)
    expect((await recordsAsOf(store, { revision: Math.max(1, floor) })).records).toHaveLength(1)
  })

  it('L23: never lowers the floor, and keeps what is left where its rule by age reaches behind it', async () => {
    const store = await storeOf(100)
    await store.compact(80)
    expect((await retain(store, { keepHours: 50, keepRevisions: 5 }, 100 * hourMs)).floor).toBe(80)
    expect((await retain(store, { keepHours: 10, keepRevisions: 5 }, 100 * hourMs)).floor).toBe(90)
  })

  it('L23: keeps what is young by the clock of the store, where the one of this coordinator is ahead by a year', async () => {
    const store = await storeOf(100)
    const aYearOn = (100 + 365 * 24) * hourMs
    expect((await retain(store, { keepHours: 24, keepRevisions: 5 }, aYearOn)).floor).toBe(76)
  })

  it('L23: forgets from time to time, and forgets deletions with it', () =>
    withLive(
      async ({ live }) => {
        const floors: number[] = []
        live.observe({ compacted: ({ floor }) => floors.push(floor) })
        await live.commit(commitOf(put('a')))
        await live.commit(commitOf(remove('a')))
        expect(live.view.deletedAt('service', 'a')).toBe(2)
        for (let n = 0; n < 5; n += 1) {
          // The age counts from the newest entry on.
          const now = Date.now()
          if (n === 3) await until(() => Date.now() > now + 2)
          await live.commit(commitOf(put('b', { n })))
        }
        await until(() => live.figures.floor === 5)
        expect(live.view.deletedAt('service', 'a')).toBeUndefined()
        expect(floors.at(-1)).toBe(5)
        await expect(Array.fromAsync(live.asOf({ revision: 4 }))).rejects.toMatchObject({
          code: 'COORD_REVISION_COMPACTED',
        })
      },
      // An age of a few milliseconds.
      { options: { keepHours: 1 / hourMs, keepRevisions: 2, retentionIntervalMs: 30 } },
    ))

  it('L23: comes for the first time anywhere within the interval, so that restarts within it do not prevent it', async () => {
    const inner = await storeOf(100)
    vi.spyOn(Math, 'random').mockReturnValue(1e-6)
    await withLive(({ live }) => until(() => live.figures.floor === 76), {
      inner,
      options: { keepHours: 24, keepRevisions: 5, retentionIntervalMs: 3_600_000 },
    })
  })

  it('L23: keeps a journal without a rule by age near its limit, however fast it grows', () =>
    withLive(
      async ({ live }) => {
        let most = 0
        for (let n = 1; n <= 400; n += 1) {
          await live.commit(commitOf(put('a', { n })))
          most = Math.max(most, live.view.revision - live.figures.floor)
        }
        expect(most).toBeLessThanOrEqual(130)
        expect(live.view.revision - live.figures.floor).toBeGreaterThanOrEqual(100)
      },
      { options: { keepHours: 0, keepRevisions: 100 } },
    ))

  it('L23: reports a failure, serves on, and does not try again with every commit', () =>
    withLive(
      async ({ live, store }) => {
        const failures: string[] = []
        live.observe({ backgroundFailure: (task, { code }) => failures.push(`${task} ${code}`) })
        store.always({ does: 'fail', code: 'COORD_STORE_READ_ONLY' }, 'compact')
        for (let n = 1; n <= 200; n += 1) await live.commit(commitOf(put('a', { n })))
        expect(failures).toEqual(['retention COORD_STORE_READ_ONLY'])
        expect(live.status.state).toBe('ready')
      },
      { options: { keepHours: 0, keepRevisions: 10 } },
    ))

  it('L23: may be done by several coordinators on one store', () =>
    withLive(
      async ({ live, another }) => {
        const other = await another()
        for (let n = 1; n <= 200; n += 1)
          await (n % 2 === 0 ? live : other.live).commit(commitOf(put('a', { n })))
        await until(() => other.live.view.revision === 200)
        expect((await live.store.head()).floor).toBeGreaterThan(150)
        expect(live.status.state).toBe('ready')
        expect(other.live.status.state).toBe('ready')
      },
      { options: { keepHours: 0, keepRevisions: 20 } },
    ))

  it('L23: keeps history in memory near its size, however large its entries are, and every moment from the floor on', async () => {
    const store = new MemoryStore()
    const keepBytes = 100_000
    const live = new Live(store, plainDomain, { ...quick, keepHours: 720, keepBytes })
    await live.start()
    try {
      let most = 0
      for (let n = 1; n <= 300; n += 1) {
        await live.commit(commitOf(put('a', { n, text: 'x'.repeat(5_000) })))
        most = Math.max(most, store.historyInMemory.bytes())
      }
      expect(most).toBeLessThanOrEqual(keepBytes * 1.5)
      const { floor } = live.figures
      expect(floor).toBeGreaterThan(280)
      for (let revision = floor; revision <= 300; revision += 1)
        expect((await recordsAsOf(store, { revision })).records).toMatchObject([{ revision }])
      await expect(recordsAsOf(store, { revision: floor - 1 })).rejects.toMatchObject({
        code: 'COORD_REVISION_COMPACTED',
      })
    } finally {
      await live.stop(100)
    }
  })
})
