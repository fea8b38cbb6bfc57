import fc from 'fast-check'
import { expect, it } from 'vitest'
import { MemoryStore } from '../../src/database/memory/store.ts'
import { commitOf, put, remove } from '../conformance/build.ts'
import { Caller, loadAll, recordsAsOf } from '../conformance/caller.ts'

/** Which record, and how large it becomes; 0 deletes it. */
const change = fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.integer({ min: 0, max: 2_000 }))

async function storeAfter(commits: readonly (readonly (readonly [string, number])[])[]) {
  const store = new MemoryStore()
  const caller = await Caller.at(store)
  for (const [n, changes] of commits.entries()) {
    const writes = new Map(
      changes.map(([id, size]) => [id, size === 0 ? remove(id) : put(id, { n, text: 'x'.repeat(size) })]),
    )
    await caller.send(commitOf(...writes.values()))
  }
  return store
}

it('brings history below a size by the lowest floor that does, and leaves every moment from there on exact', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(change, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 40 }),
      fc.integer({ min: 0, max: 60_000 }),
      async (commits, wanted) => {
        const store = await storeAfter(commits)
        const { historyInMemory: history } = store
        const { revision: head } = (await store.head()).position
        const before = []
        for (let revision = 0; revision <= head; revision += 1)
          before.push(await recordsAsOf(store, { revision }))
        const present = await loadAll(store)
        const floor = history.floorWithin(wanted)
        if (floor > 1) {
          await store.compact(floor - 1)
          expect(history.bytes()).toBeGreaterThan(wanted)
        }
        await store.compact(floor)
        expect(history.bytes()).toBeLessThanOrEqual(wanted)
        for (let revision = floor; revision <= head; revision += 1)
          expect(await recordsAsOf(store, { revision })).toEqual(before[revision])
        expect((await loadAll(store)).records).toEqual(present.records)
        await store.compact(head)
        expect(history.bytes()).toBe(0)
      },
    ),
    { numRuns: 60 },
  ))
