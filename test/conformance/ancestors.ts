import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { ANCESTORS_MAX } from '../../src/database/ancestors.ts'
import type { ConformanceBackend } from './backend.ts'
import { commitOf, put } from './build.ts'
import { accepted, offTrack } from './caller.ts'
import { scoped } from './scope.ts'

/** The lineages that a history descends from: what forks leave behind, and what is adopted. */
export function ancestors(backend: ConformanceBackend): void {
  describe(`${backend.name}: ancestors`, () => {
    it(
      'are none at first, and then the lineages that were forked, the oldest first',
      scoped(backend, async ({ store, caller }) => {
        await caller.write(put('a'))
        const first = await store.head()
        expect(first.ancestors).toEqual([])
        const second = await store.fork(first.position)
        const third = await store.fork(second.position)
        expect(second.ancestors).toEqual([first.position.lineage])
        expect(third.ancestors).toEqual([first.position.lineage, second.position.lineage])
        expect(await store.head()).toEqual(third)
      }),
    )

    it(
      'are told to callers of another history, and stay as they are when commits and compaction follow',
      scoped(backend, async ({ store, caller }) => {
        await caller.send(commitOf(put('a')), commitOf(put('b')))
        const { ancestors: known, position } = await store.fork(caller.position)
        expect(offTrack(await store.changes(caller.position, 10), 'diverged').head.ancestors).toEqual(known)
        await store.commit(position, [commitOf(put('c'))], { writer: randomUUID(), attempt: 1 })
        expect((await store.compact(2)).ancestors).toEqual(known)
        expect((await store.head()).ancestors).toEqual(known)
      }),
    )

    it(
      'are changed by a fork only if its caller knows the head',
      scoped(backend, async ({ store, caller }) => {
        await caller.write(put('a'))
        expect((await store.fork({ ...caller.position, revision: 0 })).ancestors).toEqual([])
        expect((await store.head()).ancestors).toEqual([])
      }),
    )

    it(
      'take in a lineage that is adopted, and nothing else changes',
      scoped(backend, async ({ store, caller }) => {
        await caller.write(put('a'))
        const before = await store.head()
        const [one, two] = [randomUUID(), randomUUID()]
        expect(await store.adopt(one)).toEqual({ ...before, ancestors: [one] })
        expect(await store.adopt(two)).toEqual({ ...before, ancestors: [one, two] })
        expect(accepted(await caller.write(put('b'))).revision).toBe(2)
        expect((await store.head()).ancestors).toEqual([one, two])
      }),
    )

    it(
      'never have a lineage twice, nor the present one',
      scoped(backend, async ({ store, caller }) => {
        const [one, two] = [randomUUID(), randomUUID()]
        for (const lineage of [one, two, one]) await store.adopt(lineage)
        const { ancestors: known } = await store.adopt(caller.position.lineage)
        expect(known).toEqual([two, one])
      }),
    )

    it(
      `are at most ${ANCESTORS_MAX}: the oldest are forgotten`,
      scoped(backend, async ({ store, caller }) => {
        const lineages = Array.from({ length: ANCESTORS_MAX + 2 }, () => randomUUID())
        for (const lineage of lineages) await store.adopt(lineage)
        expect((await store.head()).ancestors).toEqual(lineages.slice(2))
        const { ancestors: known } = await store.fork(caller.position)
        expect(known).toEqual([...lineages.slice(3), caller.position.lineage])
      }),
    )

    it(
      'are still there after a restart, where the store is durable',
      scoped(backend, async (scope) => {
        await scope.caller.write(put('a'))
        await scope.store.adopt(randomUUID())
        const forked = await scope.store.fork(scope.caller.position)
        const head = await scope.reopen()
        expect(head.ancestors).toEqual(backend.durable ? forked.ancestors : [])
      }),
    )
  })
}
