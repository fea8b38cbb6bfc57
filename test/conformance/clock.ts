import { describe, expect, it } from 'vitest'
import type { ConformanceBackend } from './backend.ts'
import { commitOf, farFuture, newCall, put, remove } from './build.ts'
import { accepted, loadAll, recordsAsOf } from './caller.ts'
import { scoped } from './scope.ts'

/** Times: whole milliseconds, from the store, never before the entry before. */
export function clock(backend: ConformanceBackend): void {
  describe(`${backend.name}: clock`, () => {
    it(
      'stamps commits with the time of the store',
      scoped(backend, async ({ store, subject, caller }) => {
        for (const offset of [0, 1, 1, 250, 86_400_000]) {
          await subject.setClock(farFuture + offset)
          expect(accepted(await caller.write(put('a', { v: Math.random() }))).at).toBe(farFuture + offset)
        }
        expect((await store.head()).at).toBe(farFuture + 86_400_000)
      }),
    )

    it(
      'never goes back when the clock does',
      scoped(backend, async ({ store, subject, caller }) => {
        const times: number[] = []
        for (const offset of [5_000, 4_000, 4_999, 5_001, 1, 5_002]) {
          await subject.setClock(farFuture + offset)
          times.push(accepted(await caller.write(put('a', { offset }))).at - farFuture)
        }
        expect(times).toEqual([5_000, 5_000, 5_000, 5_001, 5_001, 5_002])
        expect(await loadAll(store)).toMatchObject({
          records: [{ createdAt: farFuture + 5_000, updatedAt: farFuture + 5_002 }],
        })
      }),
    )

    it(
      'does not go back over a restart, where the store is durable',
      scoped(backend, async (scope) => {
        await scope.subject.setClock(farFuture + 5_000)
        await scope.caller.write(put('a'))
        await scope.reopen()
        await scope.subject.setClock(farFuture)
        const { at } = accepted(await scope.caller.write(put('b')))
        expect(at).toBe(farFuture + (backend.durable ? 5_000 : 0))
      }),
    )

    it(
      'never goes back behind the entry before a fork, or the one at the floor',
      scoped(backend, async (scope) => {
        const { store, subject, caller } = scope
        await subject.setClock(farFuture + 5_000)
        await caller.send(commitOf(put('a')), commitOf(put('a', { v: 2 })))
        await store.compact(2)
        const forked = await store.fork(caller.position)
        await subject.setClock(farFuture)
        expect((await store.head()).at).toBe(farFuture + 5_000)
        const reply = await store.commit(forked.position, [commitOf(put('b'))], newCall())
        expect(reply).toMatchObject({ results: [{ outcome: 'accepted', at: farFuture + 5_000 }] })
      }),
    )

    it(
      'takes whole milliseconds of any clock',
      scoped(backend, async ({ store, subject, caller }) => {
        await subject.setClock(farFuture + 0.9)
        const { at } = accepted(await caller.write(put('a')))
        expect(at).toSatisfy(Number.isSafeInteger)
        const [record] = (await loadAll(store)).records
        expect([record?.createdAt, record?.updatedAt]).toEqual([at, at])
        expect((await recordsAsOf(store, { at })).position.revision).toBe(1)
      }),
    )

    it(
      'stays where it was when nothing is accepted',
      scoped(backend, async ({ store, subject, caller }) => {
        await subject.setClock(farFuture)
        const commit = commitOf(put('a'))
        const first = accepted((await caller.send(commit))[0])
        await subject.setClock(farFuture + 9_000)
        await caller.send(commitOf(put('a')), commitOf(put('b', {}, { expect: 5 })), commitOf(put('\0')))
        expect(accepted((await caller.send(commit))[0]).at).toBe(first.at)
        expect((await recordsAsOf(store, { at: farFuture + 8_000 })).position.revision).toBe(1)
        expect((await loadAll(store)).records).toMatchObject([{ createdAt: farFuture, updatedAt: farFuture }])
      }),
    )

    it(
      'gives a moment the last entry at or before it, also where the clock stood still',
      scoped(backend, async ({ store, subject, caller }) => {
        await subject.setClock(farFuture + 1_000)
        await caller.write(put('a'))
        await subject.setClock(farFuture)
        await caller.send(commitOf(put('b')), commitOf(remove('a')))
        await subject.setClock(farFuture + 1_001)
        await caller.write(put('c'))
        const then = await recordsAsOf(store, { at: farFuture + 1_000 })
        expect(then.position.revision).toBe(3)
        expect(then.records.map(({ id }) => id)).toEqual(['b'])
        expect((await recordsAsOf(store, { at: farFuture + 999 })).position.revision).toBe(0)
      }),
    )
  })
}
