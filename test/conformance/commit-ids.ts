import { describe, expect, it } from 'vitest'
import type { Commit } from '../../src/records/record.ts'
import type { ConformanceBackend } from './backend.ts'
import { commitOf, put, remove, renewed } from './build.ts'
import { accepted, Caller, refusal, replayOf, reused, unchanged } from './caller.ts'
import { scoped } from './scope.ts'

/** Commit ids: an accepted commit that comes again answers its first result, so that lost replies are harmless. */
export function commitIds(backend: ConformanceBackend): void {
  describe(`${backend.name}: commit ids`, () => {
    it(
      'answers the first results when the same batch comes again after its reply was lost',
      scoped(backend, async ({ store, caller }) => {
        const { position } = await store.head()
        const batch = [
          commitOf(put('a')),
          commitOf(put('b')),
          commitOf(put('a', { v: 2 })),
          commitOf(remove('b')),
        ]
        const lost = await store.commit(position, batch)
        if (lost.status !== 'ok') throw new Error(lost.status)
        const results = await caller.send(...batch)
        expect(results).toEqual(lost.results.map((result, index) => replayOf(result, batch[index] as Commit)))
        expect(caller.entries).toEqual(lost.entries)
        expect((await store.head()).position.revision).toBe(4)
      }),
    )

    it(
      'answers the first result much later, with the revisions that were before it then',
      scoped(backend, async ({ caller }) => {
        await caller.write(put('a'))
        const commit = commitOf(put('a', { v: 2 }), put('b'))
        const first = accepted((await caller.send(commit))[0])
        expect(first.previous).toEqual([1, 0])
        await caller.send(commitOf(remove('a')), commitOf(put('b', { v: 3 })), commitOf(put('a', { v: 4 })))
        expect((await caller.send(commit))[0]).toEqual(replayOf(first, commit))
        expect(caller.position.revision).toBe(5)
      }),
    )

    it(
      'answers the second of two equal commits in a batch with the result of the first',
      scoped(backend, async ({ caller }) => {
        const commit = commitOf(put('a'))
        const [first, second] = await caller.send(commit, commit)
        expect(second).toEqual(replayOf(accepted(first), commit))
        expect(caller.position.revision).toBe(1)
      }),
    )

    it(
      'knows the id after a restart, where the store is durable',
      scoped(backend, async (scope) => {
        const commit = commitOf(put('a'))
        const first = accepted((await scope.caller.send(commit))[0])
        await scope.reopen()
        const again = accepted((await scope.caller.send(commit))[0])
        if (backend.durable) expect(again).toEqual(replayOf(first, commit))
        else expect(again).toMatchObject({ revision: 1, replayed: false })
      }),
    )

    it(
      'judges a commit anew that was lost with the tail of the journal',
      scoped(backend, async (scope) => {
        const lost = commitOf(put('b'))
        await scope.caller.send(commitOf(put('a')), lost)
        await scope.loseTail(1)
        const caller = await Caller.at(scope.store)
        expect(accepted((await caller.send(lost))[0])).toMatchObject({ revision: 2, replayed: false })
      }),
    )

    it(
      'answers the first result, and what was written then, to other content under the same id, where there is no fingerprint',
      scoped(backend, async ({ caller }) => {
        const commit = commitOf(put('a'))
        const first = accepted((await caller.send(commit))[0])
        const [other] = await caller.send({ ...commit, actor: 'other', writes: [remove('a')] })
        expect(other).toEqual(replayOf(first, commit))
        expect(caller.position.revision).toBe(1)
      }),
    )

    it(
      'answers the first result when the fingerprint is the same',
      scoped(backend, async ({ caller }) => {
        const commit = { ...commitOf(put('a')), fingerprint: 'f'.repeat(64) }
        const first = accepted((await caller.send(commit))[0])
        expect((await caller.send(commit))[0]).toEqual(replayOf(first, commit))
      }),
    )

    it.each([
      ['another', 'one', 'two'],
      ['none any more', 'one', undefined],
      ['one at last', undefined, 'one'],
    ])('answers reused when the fingerprint is %s', (_, before, after) =>
      scoped(backend, async ({ caller }) => {
        const commit = commitOf(put('a'))
        await caller.write(put('z'))
        await caller.send(before === undefined ? commit : { ...commit, fingerprint: before })
        const changed = {
          ...commit,
          writes: [put('b')],
          ...(after === undefined ? {} : { fingerprint: after }),
        }
        const [result, next] = await caller.send(changed, commitOf(put('c')))
        expect(reused(result)).toEqual({ outcome: 'reused', revision: 2 })
        expect(accepted(next).revision).toBe(3)
      })(),
    )

    it(
      'remembers fingerprints as long as commits: after a restart too, where the store is durable',
      scoped(backend, async (scope) => {
        const commit = { ...commitOf(put('a')), fingerprint: 'one' }
        await scope.caller.send(commit)
        await scope.reopen()
        const [result] = await scope.caller.send({ ...commit, fingerprint: 'two', writes: [put('b')] })
        if (backend.durable) expect(reused(result).revision).toBe(1)
        else expect(accepted(result)).toMatchObject({ revision: 1, replayed: false })
      }),
    )

    it(
      'leaves the id of a refused commit unused',
      scoped(backend, async ({ caller }) => {
        const commit = commitOf(put('nul\0'))
        refusal((await caller.send(commit))[0])
        const [mended] = await caller.send({ ...commit, writes: [put('a')] })
        expect(accepted(mended)).toMatchObject({ revision: 1, replayed: false })
      }),
    )

    it(
      'leaves the ids of a batch unused that was not judged',
      scoped(backend, async ({ store, caller }) => {
        const { position } = await store.head()
        const commit = commitOf(put('a'))
        const reply = await store.commit({ ...position, revision: 1 }, [commit])
        expect(reply.status).toBe('ahead')
        expect(accepted((await caller.send(commit))[0])).toMatchObject({ revision: 1, replayed: false })
      }),
    )

    it(
      'tells commits apart by id alone: equal content under two ids is a second commit',
      scoped(backend, async ({ caller }) => {
        const commit = commitOf(put('a'))
        await caller.send(commit, commitOf(put('a', { v: 2 })))
        expect(accepted((await caller.send(renewed(commit)))[0]).revision).toBe(3)
        expect(unchanged((await caller.send(renewed(commit)))[0]).revisions).toEqual([3])
      }),
    )
  })
}
