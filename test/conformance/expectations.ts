import { describe, expect, it } from 'vitest'
import { MAX_REVISION } from '../../src/records/record.ts'
import type { ConformanceBackend } from './backend.ts'
import { commitOf, put, remove } from './build.ts'
import { accepted, conflict, loadAll, replayOf, unchanged } from './caller.ts'
import { scoped } from './scope.ts'

/** `expect`: the revision a record must have. */
export function expectations(backend: ConformanceBackend): void {
  describe(`${backend.name}: expect`, () => {
    it(
      'accepts a put that expects nothing to be there, once',
      scoped(backend, async ({ caller }) => {
        expect(accepted(await caller.write(put('a', { v: 1 }, { expect: 0 }))).revision).toBe(1)
        expect(await caller.write(put('a', { v: 2 }, { expect: 0 }))).toEqual({
          outcome: 'conflict',
          kind: 'service',
          id: 'a',
          expected: 0,
          actual: 1,
        })
      }),
    )

    it(
      'accepts the revision that the record has, and no other',
      scoped(backend, async ({ caller }) => {
        await caller.send(commitOf(put('b')), commitOf(put('a')), commitOf(put('b', { v: 2 })))
        for (const wrong of [0, 1, 3, 4, MAX_REVISION])
          expect(conflict(await caller.write(put('a', { v: 9 }, { expect: wrong })))).toMatchObject({
            expected: wrong,
            actual: 2,
          })
        expect(accepted(await caller.write(put('a', { v: 9 }, { expect: 2 }))).revision).toBe(4)
      }),
    )

    it(
      'deletes only the expected revision',
      scoped(backend, async ({ caller }) => {
        await caller.send(commitOf(put('a')), commitOf(put('a', { v: 2 })))
        expect(conflict(await caller.write(remove('a', { expect: 1 })))).toMatchObject({ actual: 2 })
        expect(conflict(await caller.write(remove('a', { expect: 0 })))).toMatchObject({ actual: 2 })
        expect(accepted(await caller.write(remove('a', { expect: 2 }))).previous).toEqual([2])
      }),
    )

    it(
      'says 0 for the revision of a record that is absent or deleted',
      scoped(backend, async ({ caller }) => {
        await caller.send(commitOf(put('a')), commitOf(remove('a')))
        for (const id of ['a', 'never'])
          for (const write of [put(id, { v: 1 }, { expect: 1 }), remove(id, { expect: 1 })])
            expect(conflict(await caller.write(write))).toMatchObject({ id, expected: 1, actual: 0 })
        expect(accepted(await caller.write(put('a', { v: 1 }, { expect: 0 }))).previous).toEqual([0])
      }),
    )

    it(
      'is judged before equality: the same content under a wrong revision is a conflict',
      scoped(backend, async ({ caller }) => {
        await caller.send(commitOf(put('b')), commitOf(put('a')))
        expect(conflict(await caller.write(put('a', { v: 1 }, { expect: 1 })))).toMatchObject({ actual: 2 })
        expect(unchanged(await caller.write(put('a', { v: 1 }, { expect: 2 }))).revisions).toEqual([2])
      }),
    )

    it(
      'is not judged where the commit id is known: the first result comes again',
      scoped(backend, async ({ caller }) => {
        const commit = commitOf(put('a', { v: 1 }, { expect: 0 }))
        const first = accepted((await caller.send(commit))[0])
        await caller.write(put('a', { v: 2 }))
        expect((await caller.send(commit))[0]).toEqual(replayOf(first, commit))
      }),
    )

    it(
      'stores nothing of a commit with a conflict, and leaves its id unused',
      scoped(backend, async ({ store, caller }) => {
        await caller.write(put('a'))
        const commit = commitOf(put('new'), put('a', { v: 2 }, { expect: 7 }), remove('c'))
        expect(conflict((await caller.send(commit))[0])).toMatchObject({ id: 'a' })
        expect((await loadAll(store)).records).toMatchObject([{ id: 'a', revision: 1 }])
        const [retried] = await caller.send({ ...commit, writes: [put('a', { v: 2 }, { expect: 1 })] })
        expect(accepted(retried)).toMatchObject({ revision: 2, replayed: false })
      }),
    )

    it(
      'names the first write that does not hold',
      scoped(backend, async ({ caller }) => {
        await caller.send(commitOf(put('a')), commitOf(put('b', {}, { kind: 'node' })))
        const result = await caller.write(
          put('fine', {}, { expect: 0 }),
          put('b', {}, { kind: 'node', expect: 5 }),
          put('a', {}, { expect: 6 }),
        )
        expect(result).toEqual({ outcome: 'conflict', kind: 'node', id: 'b', expected: 5, actual: 2 })
      }),
    )

    it(
      'sees what earlier commits of the same batch did',
      scoped(backend, async ({ caller }) => {
        const results = await caller.send(
          commitOf(put('a', { v: 1 }, { expect: 0 })),
          commitOf(put('a', { v: 2 }, { expect: 1 })),
          commitOf(put('a', { v: 3 }, { expect: 1 })),
          commitOf(remove('a', { expect: 2 })),
          commitOf(put('a', { v: 4 }, { expect: 0 })),
        )
        expect(results.map(({ outcome }) => outcome)).toEqual([
          'accepted',
          'accepted',
          'conflict',
          'accepted',
          'accepted',
        ])
        expect(conflict(results[2])).toMatchObject({ expected: 1, actual: 2 })
        expect(accepted(results[4])).toMatchObject({ revision: 4, previous: [0] })
      }),
    )

    it(
      'does not let a conflict stop the commits around it',
      scoped(backend, async ({ store, caller }) => {
        const results = await caller.send(
          commitOf(put('a')),
          commitOf(put('x', {}, { expect: 3 })),
          commitOf(put('b')),
        )
        expect(results.map(({ outcome }) => outcome)).toEqual(['accepted', 'conflict', 'accepted'])
        expect((await loadAll(store)).records.map(({ id, revision }) => [id, revision])).toEqual([
          ['a', 1],
          ['b', 2],
        ])
      }),
    )

    it(
      'holds for every write of a commit',
      scoped(backend, async ({ caller }) => {
        await caller.send(commitOf(put('a')), commitOf(put('b')))
        const writes = [
          put('a', { v: 2 }, { expect: 1 }),
          remove('b', { expect: 2 }),
          put('c', {}, { expect: 0 }),
        ]
        expect(accepted(await caller.write(...writes)).previous).toEqual([1, 2, 0])
        expect(conflict(await caller.write(...writes))).toMatchObject({ id: 'a', expected: 1, actual: 3 })
      }),
    )
  })
}
