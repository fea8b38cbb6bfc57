import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { MemoryStore } from '../../src/database/memory/store.ts'
import { commitOf, farFuture, idsOf, put, remove } from '../conformance/build.ts'
import { Caller, loadAll, recordsAsOf } from '../conformance/caller.ts'

describe('the store in memory', () => {
  it('begins with the lineage that it is given, so that a copy agrees with its original', async () => {
    const original = new MemoryStore()
    const caller = await Caller.at(original)
    await caller.send(commitOf(put('a')), commitOf(put('b'), remove('a')))
    const copy = new MemoryStore({ lineage: caller.position.lineage })
    const second = await Caller.at(copy)
    for (const { commitId, actor, writes } of caller.entries) await second.send({ commitId, actor, writes })
    expect((await copy.head()).position).toEqual((await original.head()).position)
  })

  it('gives pages of 1,000 unless it is told otherwise', async () => {
    const store = new MemoryStore()
    const caller = await Caller.at(store)
    await caller.write(...idsOf('r', 2_500).map((id) => put(id)))
    expect((await loadAll(store)).pages.map(({ records }) => records.length)).toEqual([1_000, 1_000, 500])
    const { pages } = await recordsAsOf(store, { revision: 1 })
    expect(pages.map(({ records }) => records.length)).toEqual([1_000, 1_000, 500])
  })

  it('takes the wall clock unless it is told otherwise, and cuts fractions off', async () => {
    const before = Date.now()
    const { at } = await new MemoryStore().open()
    expect(at).toBeGreaterThanOrEqual(before)
    expect(at).toBeLessThanOrEqual(Date.now())
    const store = new MemoryStore({ now: () => farFuture + 0.9 })
    await (await Caller.at(store)).write(put('a'))
    expect((await store.head()).at).toBe(farFuture)
  })

  it('keeps what it answered as it was, whatever comes later', async () => {
    const store = new MemoryStore()
    const caller = await Caller.at(store)
    await caller.send(commitOf(put('a')), commitOf(put('b')))
    const answers = {
      head: await store.head(),
      all: await loadAll(store),
      past: await recordsAsOf(store, { revision: 2 }),
    }
    const copy = structuredClone(answers)
    await caller.send(commitOf(put('a', { v: 2 }), remove('b')), commitOf(put('c')))
    await store.compact(4)
    await store.fork(caller.position)
    expect(answers).toEqual(copy)
  })

  it('forgets commit ids with their entries, so that it does not grow with what came and went', async () => {
    const store = new MemoryStore()
    const caller = await Caller.at(store)
    const ids = Array.from({ length: 2_000 }, () => randomUUID())
    for (const [index, commitId] of ids.entries()) {
      await caller.send({
        commitId,
        actor: 'test',
        writes: [index % 2 === 0 ? put('a', { index }) : remove('a')],
      })
      if (index % 100 === 99) await store.compact(index - 50)
    }
    await store.compact(2_000)
    const known = []
    for (const [index, commitId] of ids.entries()) {
      const [result] = await caller.send({ commitId, actor: 'test', writes: [remove('never')] })
      if (result?.outcome === 'accepted') known.push(index)
    }
    expect(known).toEqual([1_999])
  })
})
