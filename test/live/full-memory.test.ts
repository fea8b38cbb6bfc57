import { describe, expect, it } from 'vitest'
import { MemoryStore } from '../../src/database/memory/store.ts'
import { Live } from '../../src/live/live.ts'
import { MemoryBudget } from '../../src/live/memory/memory-budget.ts'
import { commitOf, idsOf, put, remove } from '../conformance/build.ts'
import { Caller } from '../conformance/caller.ts'
import { FakeHeap } from '../support/fake-heap.ts'
import { plainDomain, quick, servedIds, until, withLive } from '../support/with-live.ts'

const mebibyte = 1_048_576
const text = (size: number) => ({ text: 'x'.repeat(size) })

/** A heap of 100 MiB. */
function heapOf(neededMiB: number) {
  const { heap, budget } = FakeHeap.watched({ neededBytes: neededMiB * mebibyte }, 100 * mebibyte)
  return { heap, memory: budget }
}

describe('commits into a full memory', () => {
  it('L26: puts are refused, and told as not written; deletions and what is there already go on', () => {
    const { heap, memory } = heapOf(50)
    return withLive(
      async ({ live }) => {
        let refused = 0
        live.observe({ memoryRefused: () => (refused += 1) })
        await live.commit(commitOf(put('a', { v: 1 })))
        await live.commit(commitOf(put('b', { v: 1 })))
        heap.neededBytes = 86 * mebibyte
        await memory.collected()
        expect(live.status.state).toBe('ready')
        await expect(live.commit(commitOf(put('c')))).rejects.toMatchObject({
          code: 'COORD_MEMORY_FULL',
          status: 507,
          outcome: 'not_written',
        })
        await expect(live.commit(commitOf(put('a', { v: 2 }), remove('b')))).rejects.toMatchObject({
          code: 'COORD_MEMORY_FULL',
        })
        expect(refused).toBe(2)
        expect(await live.commit(commitOf(put('a', { v: 1 })))).toMatchObject({ outcome: 'unchanged' })
        expect(await live.commit(commitOf(remove('b')))).toMatchObject({ outcome: 'accepted' })
        expect(servedIds(live.view)).toEqual(['a'])
        heap.neededBytes = 70 * mebibyte
        await memory.collected()
        expect(await live.commit(commitOf(put('c')))).toMatchObject({ outcome: 'accepted' })
      },
      { options: { memory } },
    )
  })

  it('L26: large commits that waited for one collection cannot all take the room that it found', () => {
    const bytes = { neededBytes: 50 * mebibyte, garbageBytes: 40 * mebibyte }
    const { heap, budget: memory } = FakeHeap.watched(bytes, 100 * mebibyte)
    return withLive(
      async ({ live, store }) => {
        store.always({ does: 'hang' }, 'commit')
        // The budget believes that the garbage is in use, until a collection shows otherwise.
        memory.grew(bytes.garbageBytes)
        const sent = idsOf('r', 40).map((id) => live.commit(commitOf(put(id, text(mebibyte)))))
        const settled = Promise.allSettled(sent)
        await until(() => live.figures.queueDepth > 0)
        expect(heap.garbageBytes).toBe(0)
        expect(live.figures.queueDepth).toBe(11)
        store.heal()
        store.release()
        const stored = (await settled).filter(({ status }) => status === 'fulfilled')
        expect(stored).toHaveLength(11)
        expect(memory.state).toBe('free')
      },
      { options: { memory, commitTimeoutMs: 10_000 } },
    )
  })

  it('L26: large commits that are under way at the same time cannot jump over the limit', () => {
    const { memory } = heapOf(50)
    return withLive(
      async ({ live, store }) => {
        store.always({ does: 'hang' }, 'commit')
        // Each takes three times its text while it is under way: eleven fit into 35 MiB.
        const sent = idsOf('r', 40).map((id) => live.commit(commitOf(put(id, text(mebibyte)))))
        const settled = Promise.allSettled(sent)
        await until(() => live.figures.queueDepth > 0)
        expect(live.figures.queueDepth).toBe(11)
        store.heal()
        store.release()
        const codes = (await settled).map((result) =>
          result.status === 'fulfilled' ? 'stored' : (result.reason as { code: string }).code,
        )
        expect(codes.filter((code) => code === 'COORD_MEMORY_FULL')).toHaveLength(29)
        expect(memory.state).toBe('free')
      },
      { options: { memory } },
    )
  })
})

describe('following into a used-up memory', () => {
  it('L27: stops, and says so; goes on when there is room again', () => {
    const { heap, memory } = heapOf(50)
    return withLive(
      async ({ live, another }) => {
        const other = await another({ options: { memory: heapOf(50).memory } })
        await live.commit(commitOf(put('a')))
        heap.neededBytes = 96 * mebibyte
        await memory.collected()
        expect(live.status).toMatchObject({ state: 'degraded', code: 'COORD_MEMORY_EXCEEDED' })
        await other.live.commit(commitOf(put('b')))
        await until(() => live.figures.headRevision === 2)
        expect(servedIds(live.view)).toEqual(['a'])
        await expect(live.commit(commitOf(remove('a')))).rejects.toMatchObject({
          code: 'COORD_MEMORY_FULL',
          outcome: 'not_written',
        })
        const { ageMs } = live.figures
        await until(() => live.figures.ageMs > ageMs + quick.stallTimeoutMs)
        // It stays behind, and that is no reason to build the view anew.
        expect(live.status).toMatchObject({ state: 'degraded', code: 'COORD_MEMORY_EXCEEDED' })
        heap.neededBytes = 70 * mebibyte
        await memory.collected()
        await until(() => live.view.revision === 2)
        expect(live.status.state).toBe('ready')
      },
      { options: { memory } },
    )
  })

  it('L27: takes nothing that does not fit, though it was free before', () => {
    const { heap, memory } = heapOf(80)
    // Nothing of what comes is garbage.
    heap.garbageBytes = 1_000 * mebibyte
    heap.collect = async () => undefined
    memory.shrank = () => undefined
    return withLive(
      async ({ live, another }) => {
        const other = await another({ options: { memory: heapOf(0).memory } })
        for (let n = 0; n < 12; n += 1) await other.live.commit(commitOf(put(`b${n}`, text(mebibyte))))
        await until(() => live.status.code === 'COORD_MEMORY_EXCEEDED')
        await until(() => live.figures.headRevision === 12)
        expect(live.view.revision).toBeLessThanOrEqual(7)
        expect(servedIds(live.view)).toHaveLength(live.view.revision)
      },
      { options: { memory } },
    )
  })
})

describe('loading into too little memory', () => {
  async function storeOf(count: number): Promise<MemoryStore> {
    const store = new MemoryStore({ pageSize: 5 })
    const caller = await Caller.at(store)
    await caller.send(...idsOf('r', count).map((id) => commitOf(put(id, text(mebibyte)))))
    return store
  }

  it('L28: ends the start, and says how much heap all records need', async () => {
    const heap = new FakeHeap({ neededBytes: 20 * mebibyte }, 100 * mebibyte)
    const memory = new MemoryBudget(heap)
    // Nothing of what is loaded is garbage.
    heap.garbageBytes = 1_000 * mebibyte
    heap.collect = async () => undefined
    const live = new Live(await storeOf(60), plainDomain, { ...quick, memory })
    await expect(live.start()).rejects.toMatchObject({
      code: 'COORD_MEMORY_EXCEEDED',
      exitCode: 78,
      detail: expect.stringMatching(
        /^The database holds 60 records, of which 3\d fit into a heap of 100 MiB; all of them need about 256 MiB\.$/,
      ),
      extra: { heapMiB: 256 },
    })
    await live.stop(100)
  })

  it('L28: a view that is built anew takes the room of the old one, where both do not fit', () => {
    const { heap, memory } = heapOf(20)
    return withLive(
      async ({ live, store }) => {
        const before = live.view.lineage
        const dropped: string[] = []
        let loading = false
        live.observe({
          dropped: (reason) => {
            dropped.push(reason)
            loading = !live.loaded
            heap.neededBytes = 20 * mebibyte
          },
        })
        heap.neededBytes = 94.5 * mebibyte
        await memory.collected()
        heap.garbageBytes = 100 * mebibyte
        await store.inner.fork((await store.inner.head()).position)
        await until(() => dropped.length > 0)
        expect(loading).toBe(true)
        await until(() => live.loaded)
        expect(live.view.lineage).not.toBe(before)
        expect(servedIds(live.view)).toHaveLength(3)
        expect(await live.commit(commitOf(put('new')))).toMatchObject({ outcome: 'accepted' })
      },
      { options: { memory }, inner: smallStore() },
    )
  })

  function smallStore(): MemoryStore {
    const store = new MemoryStore()
    void Caller.at(store).then((caller) =>
      caller.send(...idsOf('r', 3).map((id) => commitOf(put(id, text(mebibyte))))),
    )
    return store
  }
})

describe('a commit that waits for memory', () => {
  it('L16: while the history is forked meets no revision of the old one', () => {
    const { heap, memory } = heapOf(50)
    return withLive(
      async ({ live, store }) => {
        await live.commit(commitOf(put('a', { v: 1 })))
        const [forked, collect] = [Promise.withResolvers<void>(), heap.collect.bind(heap)]
        heap.garbageBytes = 40 * mebibyte
        memory.grew(40 * mebibyte)
        heap.collect = async () => {
          await forked.promise
          await collect()
        }
        const waiting = live.commit(commitOf(put('a', { v: 2 }, { expect: 1 })))
        const { lineage } = live.view
        await store.inner.fork(live.view.position)
        await until(() => live.view.lineage !== lineage)
        forked.resolve()
        expect(await waiting).toEqual({
          outcome: 'conflict',
          kind: 'service',
          id: 'a',
          expected: 1,
          actual: 1,
        })
        expect(live.view.get('service', 'a')?.data).toBe('{"v":1}')
      },
      { options: { memory, commitTimeoutMs: 10_000 } },
    )
  })
})
