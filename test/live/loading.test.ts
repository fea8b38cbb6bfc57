import { describe, expect, it } from 'vitest'
import { MemoryStore } from '../../src/database/memory/store.ts'
import type { Head, LoadPage, Store } from '../../src/database/store.ts'
import { loadView } from '../../src/live/view/load-view.ts'
import type { Position } from '../../src/records/record.ts'
import { commitOf, idsOf, put, remove } from '../conformance/build.ts'
import { byKey, Caller, loadAll } from '../conformance/caller.ts'
import { asksOn, plainDomain, until, withLive } from '../support/with-live.ts'

/** A store whose loads give other work a turn after each page. */
function interrupted(store: Store, between: (page: number) => Promise<void>): Store {
  return Object.assign(Object.create(store) as Store, {
    head: () => store.head(),
    changes: (after: Position, limit: number) => store.changes(after, limit),
    async *load(): AsyncGenerator<LoadPage> {
      let number = 0
      for await (const page of store.load()) {
        yield page
        await between(number)
        number += 1
      }
    },
  })
}

async function storeOf(count: number): Promise<{ store: MemoryStore; caller: Caller }> {
  const store = new MemoryStore({ pageSize: 5 })
  const caller = await Caller.at(store)
  await caller.send(...idsOf('r', count).map((id) => commitOf(put(id))))
  return { store, caller }
}

describe('loading', () => {
  it('L18: gives one moment, though records come, change and go between the pages', async () => {
    const { store, caller } = await storeOf(30)
    const loading = interrupted(store, async (page) => {
      await caller.send(
        commitOf(remove(`r${29 - page}`)),
        commitOf(remove(`r0${page}`)),
        commitOf(put(`r1${page}`, { page }), put(`z${page}`)),
        ...(page > 2 ? [commitOf(put('r00', { back: page }))] : []),
      )
    })
    const { view, head } = await loadView(loading, plainDomain, { arrived: () => undefined })
    const { records } = await loadAll(store)
    expect([...view.records.of('service')].sort(byKey)).toEqual(records)
    expect(view.position).toEqual((await store.head()).position)
    expect(head.position).toEqual(view.position)
    expect(view.deletedAt('service', 'r29')).toBe(31)
  })

  it('L18: is refused, to be begun again, when the history is forked or compacted beyond its beginning', async () => {
    for (const disturb of [
      async (store: MemoryStore) => void (await store.fork((await store.head()).position)),
      async (store: MemoryStore) => {
        await (await Caller.at(store)).send(commitOf(put('x')), commitOf(put('y')))
        await store.compact((await store.head()).position.revision)
      },
    ]) {
      const { store } = await storeOf(12)
      const loading = interrupted(store, () => disturb(store))
      await expect(loadView(loading, plainDomain, { arrived: () => undefined })).rejects.toMatchObject({
        code: 'COORD_STORE_BUSY',
      })
    }
  })

  it('L18: counts what has arrived', async () => {
    const { store } = await storeOf(12)
    const progress: number[] = []
    await loadView(store, plainDomain, { arrived: (records) => progress.push(records) })
    expect(progress).toEqual([5, 10, 12])
  })

  it('L18: forgets deletions that compaction has passed while they were loaded', async () => {
    const { store, caller } = await storeOf(12)
    await caller.send(commitOf(remove('r00')), commitOf(remove('r01')), commitOf(put('z')))
    const { deletedAt } = await loadView(store, plainDomain, { arrived: () => undefined }).then(
      ({ view }) => ({
        deletedAt: ['r00', 'r01'].map((id) => view.deletedAt('service', id)),
      }),
    )
    expect(deletedAt).toEqual([13, 14])
    // They have arrived in the first page by then.
    const compacting = interrupted(store, async (page) => {
      if (page === 0) await store.compact(13)
    })
    const { view, head } = await loadView(compacting, plainDomain, { arrived: () => undefined })
    expect(head.floor).toBe(13)
    expect(['r00', 'r01'].map((id) => view.deletedAt('service', id))).toEqual([undefined, 14])
  })

  it('L18: knows the floor of what it loaded', async () => {
    const inner = new MemoryStore()
    await (await Caller.at(inner)).send(
      ...idsOf('r', 9).map((id) => commitOf(put(id))),
      commitOf(remove('r0')),
    )
    await inner.compact(10)
    await withLive(
      async ({ live }) => {
        expect(live.figures).toMatchObject({
          floor: 10,
          viewRevision: 10,
          headRevision: 10,
          loadedRecords: 8,
        })
        expect(live.view.deletedAt('service', 'r0')).toBeUndefined()
      },
      { inner },
    )
  })
})

describe('building the view anew', () => {
  it('L19: happens when the journal behind it was compacted, and the old view is served, as stale, until then', () =>
    withLive(async ({ live, store, another, reasons, states }) => {
      await live.commit(commitOf(put('a')))
      store.always({ does: 'fail' }, 'changes')
      const other = await another()
      for (const id of ['b', 'c', 'd']) await other.live.commit(commitOf(put(id)))
      await store.inner.compact(3)
      await until(() => live.status.state === 'degraded')
      store.heal()
      const looked = Promise.withResolvers<void>()
      store.next('load', { does: 'wait', for: looked.promise })
      await until(() => store.callsOf('load').length === 2)
      expect(live.status.state).toBe('degraded')
      expect(live.status.reason).toContain('after revision 1 is gone')
      expect(live.view.revision).toBe(1)
      looked.resolve()
      await until(() => live.view.revision === 4)
      // First the fault, then the reason to load anew.
      expect(states.slice(states.indexOf('degraded'))).toEqual(['degraded', 'degraded', 'ready'])
      expect(live.view.lineage).toBe(other.live.view.lineage)
      expect(reasons).toHaveLength(2)
      expect(store.callsOf('fork')).toEqual([])
    }))

  it('L19: is done once for the writes and the questions that find it necessary together', () =>
    withLive(async ({ live, store, another }) => {
      store.always({ does: 'fail' }, 'changes')
      const other = await another()
      for (const id of ['b', 'c', 'd']) await other.live.commit(commitOf(put(id)))
      await store.inner.compact(3)
      store.heal()
      const all = Promise.withResolvers<void>()
      store.next('load', { does: 'wait', for: all.promise })
      const works = idsOf('r', 5).map((id) => live.commit(commitOf(put(id))))
      await until(() => store.callsOf('load').length === 2)
      await asksOn(other)
      all.resolve()
      const outcomes = await Promise.all(works)
      expect(outcomes).toMatchObject(outcomes.map((_, index) => ({ revision: index + 4 })))
      expect(store.callsOf('load')).toHaveLength(2)
    }))

  it('L20: never takes the view back behind what was acknowledged meanwhile', () =>
    withLive(async ({ live, store, another, reasons }) => {
      const other = await another()
      store.always({ does: 'answer', value: { status: 'ok', entries: [], more: false } }, 'changes')
      await other.live.commit(commitOf(put('a')))
      let own = 0
      store.always(
        {
          does: 'instead',
          run: async (inner) => {
            const head = await inner.head()
            if (store.callsOf('load').length < 2 || own > 0) return head
            // The new view has read the last head that it needs; the old one, which still serves, goes on.
            store.heal()
            for (own = 1; own <= 3; own += 1) await live.commit(commitOf(put(`own${own}`)))
            expect(live.view.revision).toBe(4)
            return head
          },
        },
        'head',
      )
      let lowest = 0
      live.observe({
        replaced: (view) => {
          lowest = view.revision
        },
      })
      await until(() => reasons.length === 2)
      expect(own).toBe(4)
      expect(lowest).toBe(4)
      expect(live.view.get('service', 'own3')?.revision).toBe(4)
    }))
})

describe('a history that changes while it is loaded', () => {
  /** A store that says something else of its head from the second question on. */
  function changing(store: MemoryStore, change: (head: Head) => Head): Store {
    let asked = 0
    return Object.assign(Object.create(store) as Store, {
      head: async () => {
        asked += 1
        const head = await store.head()
        return asked === 1 ? head : change(head)
      },
      load: () => store.load(),
      changes: (after: Position, limit: number) => store.changes(after, limit),
    })
  }
  const load = async (change: (head: Head) => Head) =>
    loadView(changing((await storeOf(3)).store, change), plainDomain, { arrived: () => undefined })
  const busy = { code: 'COORD_STORE_BUSY', retryable: true }

  it('L18: to the same revision with another digest is refused, to be begun again', async () => {
    await expect(
      load((head) => ({ ...head, position: { ...head.position, digest: 'f'.repeat(64) } })),
    ).rejects.toMatchObject(busy)
  })

  it('L18: to another lineage at the same revision and digest is refused too', async () => {
    const lineage = '00000000-0000-4000-8000-000000000000'
    await expect(
      load((head) => ({ ...head, position: { ...head.position, lineage } })),
    ).rejects.toMatchObject(busy)
  })

  it('L18: not at all is what it was asked for', async () => {
    const { view, head } = await load((head) => head)
    expect([view.revision, head.position]).toEqual([3, view.position])
  })

  it('L18: with a page of another lineage is refused at that page', async () => {
    const { store } = await storeOf(12)
    const pages: number[] = []
    const mixed = Object.assign(Object.create(store) as Store, {
      head: () => store.head(),
      async *load(): AsyncGenerator<LoadPage> {
        for await (const page of store.load())
          yield pages.length === 0 ? page : { ...page, lineage: '00000000-0000-4000-8000-000000000000' }
      },
    })
    await expect(
      loadView(mixed, plainDomain, { arrived: (count) => void pages.push(count) }),
    ).rejects.toMatchObject(busy)
    expect(pages).toEqual([5])
  })
})
