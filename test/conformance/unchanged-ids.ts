import { describe, expect, it } from 'vitest'
import type { Commit, Write } from '../../src/records/record.ts'
import type { ConformanceBackend } from './backend.ts'
import { commitOf, farFuture, put, remove } from './build.ts'
import { accepted, conflict, loadAll, reused, unchanged } from './caller.ts'
import { scoped } from './scope.ts'

const dayMs = 24 * 60 * 60 * 1_000

function named(...writes: readonly Write[]): Commit {
  return { ...commitOf(...writes), fingerprint: 'one' }
}

/** Ids of commits with a fingerprint that changed nothing: when they come again they change nothing either. */
export function unchangedIds(backend: ConformanceBackend): void {
  describe(`${backend.name}: ids of what changed nothing`, () => {
    it(
      'answers the first result when others have changed the record meanwhile, and leaves what they wrote',
      scoped(backend, async ({ store, caller }) => {
        await caller.write(put('a', { v: 1 }))
        const commit = named(put('a', { v: 1 }))
        expect((await caller.send(commit))[0]).toEqual({
          outcome: 'unchanged',
          revisions: [1],
          replayed: false,
        })
        await caller.write(put('a', { v: 2 }))
        const first = { outcome: 'unchanged', revisions: [1], replayed: true, writes: [put('a', { v: 1 })] }
        expect((await caller.send(commit))[0]).toEqual(first)
        // What is sent now may have been planned from what is there now.
        expect((await caller.send({ ...commit, writes: [put('b', { v: 3 })] }))[0]).toEqual(first)
        expect((await loadAll(store)).records.map(({ id, data }) => [id, data])).toEqual([['a', '{"v":2}']])
        expect(caller.position.revision).toBe(2)
      }),
    )

    it(
      'answers it before it judges what the commit expects',
      scoped(backend, async ({ caller }) => {
        await caller.write(put('a', { v: 1 }))
        const commit = named(put('a', { v: 1 }, { expect: 1 }))
        await caller.send(commit)
        await caller.write(put('a', { v: 2 }))
        expect(unchanged((await caller.send(commit))[0])).toMatchObject({ revisions: [1], replayed: true })
        expect(conflict((await caller.send(named(put('a', { v: 1 }, { expect: 1 }))))[0]).actual).toBe(2)
      }),
    )

    it(
      'does not delete later what was absent when it was deleted first',
      scoped(backend, async ({ store, caller }) => {
        const commit = named(remove('a'), put('b', { v: 1 }))
        await caller.write(put('b', { v: 1 }))
        expect(unchanged((await caller.send(commit))[0]).revisions).toEqual([0, 1])
        await caller.write(put('a'))
        expect((await caller.send(commit))[0]).toEqual({
          outcome: 'unchanged',
          revisions: [0, 1],
          replayed: true,
          writes: [remove('a'), put('b', { v: 1 })],
        })
        expect((await loadAll(store)).records).toHaveLength(2)
      }),
    )

    it(
      'answers reused when the fingerprint is another one',
      scoped(backend, async ({ caller }) => {
        await caller.send(commitOf(put('z')), commitOf(put('a')))
        const commit = named(put('z'), put('a'))
        await caller.send(commit)
        const [result, next] = await caller.send(
          { ...commit, fingerprint: 'two', writes: [put('b')] },
          commitOf(put('c')),
        )
        expect(reused(result)).toEqual({ outcome: 'reused', revision: 2 })
        expect(accepted(next).revision).toBe(3)
        const absent = named(remove('none'))
        await caller.send(absent)
        expect(reused((await caller.send({ ...absent, fingerprint: 'two' }))[0]).revision).toBe(0)
      }),
    )

    it(
      'remembers nothing of a commit without a fingerprint, of a conflict, or of what was accepted',
      scoped(backend, async ({ caller }) => {
        await caller.write(put('a', { v: 1 }))
        const plain = commitOf(put('a', { v: 1 }))
        const refused = named(put('a', { v: 3 }, { expect: 7 }))
        unchanged((await caller.send(plain))[0])
        conflict((await caller.send(refused))[0])
        await caller.write(put('a', { v: 2 }))
        expect(accepted((await caller.send(plain))[0])).toMatchObject({ revision: 3, replayed: false })
        expect(accepted((await caller.send({ ...refused, writes: [put('a', { v: 3 })] }))[0]).replayed).toBe(
          false,
        )
      }),
    )

    it(
      'answers the second of two equal commits in a batch with the result of the first',
      scoped(backend, async ({ caller }) => {
        await caller.write(put('a', { v: 1 }))
        const commit = named(put('a', { v: 1 }))
        const other = commitOf(put('a', { v: 2 }))
        const results = await caller.send(commit, other, commit, named(put('a', { v: 2 })))
        expect(results).toMatchObject([
          { outcome: 'unchanged', revisions: [1], replayed: false },
          { outcome: 'accepted', revision: 2 },
          { outcome: 'unchanged', revisions: [1], replayed: true, writes: [put('a', { v: 1 })] },
          { outcome: 'unchanged', revisions: [2], replayed: false },
        ])
      }),
    )

    it(
      'says no more what the record was once the journal has forgotten it',
      scoped(backend, async ({ store, caller }) => {
        await caller.send(commitOf(put('a', { v: 1 })), commitOf(put('b', { v: 1 })))
        const commit = named(put('a', { v: 1 }))
        const kept = named(put('b', { v: 1 }))
        await caller.send(commit, kept)
        await caller.send(commitOf(put('a', { v: 2 })), commitOf(put('z')))
        await store.compact(4)
        const results = await caller.send(commit, kept)
        expect(results[0]).toEqual({ outcome: 'unchanged', revisions: [1], replayed: true })
        expect(results[1]).toMatchObject({ revisions: [2], replayed: true, writes: [put('b', { v: 1 })] })
      }),
    )

    it(
      'knows the id after a restart, where the store is durable',
      scoped(backend, async (scope) => {
        await scope.caller.write(put('a'))
        const commit = named(put('a'))
        await scope.caller.send(commit)
        await scope.reopen()
        const [again] = await scope.caller.send(commit)
        if (backend.durable) expect(unchanged(again)).toMatchObject({ revisions: [1], replayed: true })
        else expect(accepted(again)).toMatchObject({ revision: 1, replayed: false })
      }),
    )

    it(
      'knows the id for a day, also when others come, and forgets it after that',
      scoped(backend, async ({ caller, subject }) => {
        await caller.write(put('a', { v: 1 }))
        const commit = named(put('a', { v: 1 }))
        await subject.setClock(farFuture)
        await caller.send(commit)
        await caller.write(put('a', { v: 2 }))
        await subject.setClock(farFuture + dayMs - 1_000)
        await caller.send(named(put('a', { v: 2 })))
        expect(unchanged((await caller.send(commit))[0]).replayed).toBe(true)
        await subject.setClock(farFuture + dayMs + 1_000)
        await caller.send(named(put('a', { v: 2 })))
        expect(accepted((await caller.send(commit))[0]).replayed).toBe(false)
      }),
    )
  })
}
