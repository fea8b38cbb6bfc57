import { describe, expect, it } from 'vitest'
import type { CommitCall } from '../../src/database/store.ts'
import { CoordinatorError } from '../../src/errors.ts'
import { commitOf, put } from '../conformance/build.ts'
import { loadAll } from '../conformance/caller.ts'
import type { FaultyStore } from '../support/faulty-store.ts'
import { withLive } from '../support/with-live.ts'

function callsOf(store: FaultyStore): readonly CommitCall[] {
  return store.callsOf('commit').map(({ args }) => args[2] as CommitCall)
}

/** The next commit is given up before it reaches the store. Returns what delivers it later. */
function giveUpNext(store: FaultyStore): { deliver: () => Promise<unknown> } {
  const late = { deliver: async (): Promise<unknown> => undefined }
  store.next('commit', {
    does: 'instead',
    run: async (inner, [after, batch, call]) => {
      late.deliver = () => inner.commit(after as never, batch as never, call as never)
      throw new CoordinatorError('COORD_STORE_TIMEOUT', { outcome: 'unknown' })
    },
  })
  return late
}

describe('attempts of a committer', () => {
  it('counts every call, one that is sent again too, under one name; another committer has another name', () =>
    withLive(async ({ live, store, another }) => {
      store.next('commit', { does: 'lose reply' }, { does: 'fail', outcome: 'not_written' })
      await live.commit(commitOf(put('a')))
      await live.commit(commitOf(put('b')))
      const calls = callsOf(store)
      expect(calls.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4])
      expect(new Set(calls.map(({ writer }) => writer)).size).toBe(1)
      const other = await another()
      await other.live.commit(commitOf(put('c')))
      expect(callsOf(other.store)).toMatchObject([{ attempt: 1 }])
      expect(callsOf(other.store)[0]?.writer).not.toBe(calls[0]?.writer)
    }))

  it.each([
    ['a conflict', commitOf(put('a', { v: 9 }, { expect: 0 })), { outcome: 'conflict', actual: 1 }],
    ['unchanged', commitOf(put('a', { v: 1 })), { outcome: 'unchanged', revisions: [1] }],
  ])('what was given up stores nothing once the answer was %s', (_, commit, answer) =>
    withLive(async ({ live, store }) => {
      await live.commit(commitOf(put('a', { v: 1 })))
      const late = giveUpNext(store)
      expect(await live.commit(commit)).toMatchObject(answer)
      await live.commit(commitOf({ op: 'delete', kind: 'service', id: 'a' }))
      expect(await late.deliver()).toEqual({ status: 'superseded' })
      expect((await loadAll(store.inner)).records).toEqual([])
    }),
  )

  it('sends again, as a new attempt, what was delivered twice, and answers what the first delivery stored', () =>
    withLive(async ({ live, store }) => {
      store.next('commit', {
        does: 'instead',
        run: async (inner, [after, batch, call]) => {
          await inner.commit(after as never, batch as never, call as never)
          return inner.commit(after as never, batch as never, call as never)
        },
      })
      expect(await live.commit(commitOf(put('a')))).toMatchObject({ revision: 1, replayed: true })
      expect(callsOf(store).map(({ attempt }) => attempt)).toEqual([1, 2])
      expect(live.view.revision).toBe(1)
    }))

  it('cannot say whether it was stored while the store says that it was overtaken', () =>
    withLive(
      async ({ live, store }) => {
        store.always({ does: 'answer', value: { status: 'superseded' } }, 'commit')
        await expect(live.commit(commitOf(put('a')))).rejects.toMatchObject({
          status: 503,
          outcome: 'unknown',
        })
      },
      { options: { commitTimeoutMs: 300 } },
    ))

  it('says that nothing was written where no attempt ever left', () =>
    withLive(
      async ({ live, store }) => {
        store.always({ does: 'fail', outcome: 'not_written' }, 'commit')
        await expect(live.commit(commitOf(put('a')))).rejects.toMatchObject({ outcome: 'not_written' })
      },
      { options: { commitTimeoutMs: 300 } },
    ))
})
