import { describe, expect, it } from 'vitest'
import { commitOf, put, remove } from '../conformance/build.ts'
import { loadAll } from '../conformance/caller.ts'
import { until, withLive } from '../support/with-live.ts'

describe('commits that wait while the history is forked', () => {
  it('L16: meet what is stored then: a record that is not to exist, and no revision of the old history', () =>
    withLive(
      async ({ live, store }) => {
        await live.commit(commitOf(put('a')))
        const forked = Promise.withResolvers<void>()
        store.next('commit', {
          does: 'instead',
          run: async (inner, [after, batch, call]) => {
            await forked.promise
            return inner.commit(after as never, batch as never, call as never)
          },
        })
        const first = live.commit(commitOf(put('first')))
        await until(() => store.callsOf('commit').length === 2)
        const waiting = [
          live.commit(commitOf(put('new', { v: 1 }, { expect: 0 }))),
          live.commit(commitOf(put('a', { v: 2 }, { expect: 0 }))),
          live.commit(commitOf(put('a', { v: 3 }, { expect: 1 }))),
          live.commit(commitOf(remove('a', { expect: 7 }), put('b'))),
        ]
        await store.inner.fork(live.view.position)
        forked.resolve()
        expect(await first).toMatchObject({ outcome: 'accepted', revision: 2 })
        const [created, exists, planned, other] = await Promise.all(waiting)
        expect(created).toMatchObject({ outcome: 'accepted', revision: 3 })
        expect(exists).toEqual({ outcome: 'conflict', kind: 'service', id: 'a', expected: 0, actual: 1 })
        // In the words of who asked: revision 1 of the old history is not this one.
        expect(planned).toEqual({ outcome: 'conflict', kind: 'service', id: 'a', expected: 1, actual: 1 })
        expect(other).toEqual({ outcome: 'conflict', kind: 'service', id: 'a', expected: 7, actual: 1 })
        expect((await loadAll(store.inner)).records.map(({ id }) => id)).toEqual(['a', 'first', 'new'])
      },
      { options: { commitTimeoutMs: 10_000 } },
    ))
})

describe('the size of a batch', () => {
  it('L6: counts all that a commit writes, and what it deletes as nothing', () =>
    withLive(
      async ({ live, store }) => {
        const text = 'x'.repeat(300)
        const three = (name: string) => [1, 2, 3].map((n) => put(`${name}${n}`, { text }))
        await Promise.all([
          live.commit(commitOf(...three('a'))),
          live.commit(commitOf(...three('b'))),
          live.commit(commitOf(remove('a1'), remove('a2'))),
          live.commit(commitOf(put('c', { text: 'x'.repeat(2_000) }))),
          live.commit(commitOf(put('d'))),
        ])
        expect(store.batches.map(({ length }) => length)).toEqual([1, 2, 1, 1])
      },
      { options: { batchMaxSize: 1_000, commitTimeoutMs: 10_000 } },
    ))
})
