import { describe, expect, it } from 'vitest'
import type { CoordinatorError } from '../../src/errors.ts'
import type { Domain } from '../../src/live/view/projection.ts'
import { commitOf, put } from '../conformance/build.ts'
import { loadAll } from '../conformance/caller.ts'
import { GrantedTime } from '../support/granted-time.ts'
import { MovedClock } from '../support/moved-clock.ts'
import { type LiveScope, until, withLive } from '../support/with-live.ts'
import { failureOf } from './failure-of.ts'

/** Whose records of a kind make the view fail. */
const breaking: Domain = {
  kinds: {
    service: (data) => {
      if ((data as { breaks?: unknown }).breaks === true) throw new Error('The test breaks the view.')
      return undefined
    },
  },
  projections: [],
}

describe('deadlines', () => {
  const timed = { options: { commitTimeoutMs: 200 } }

  it('L8: says not_written where every attempt failed before anything was written', () =>
    withLive(async ({ live, store }) => {
      store.always({ does: 'fail', outcome: 'not_written' }, 'commit')
      const error = await failureOf(live.commit(commitOf(put('a'))))
      expect(error).toMatchObject({
        status: 503,
        code: 'COORD_STORE_UNAVAILABLE',
        outcome: 'not_written',
        retryAfterSeconds: 2,
      })
      expect((await loadAll(store.inner)).records).toEqual([])
    }, timed))

  it('L8: says unknown where an attempt may have written it', () =>
    withLive(async ({ live, store }) => {
      store.next('commit', { does: 'lose reply' })
      store.always({ does: 'fail', outcome: 'not_written' }, 'commit')
      const error = await failureOf(live.commit(commitOf(put('a'))))
      expect(error).toMatchObject({ status: 503, outcome: 'unknown' })
      expect((await loadAll(store.inner)).records).toHaveLength(1)
    }, timed))

  it('L8: says unknown where an attempt failed without saying', () =>
    withLive(async ({ live, store }) => {
      store.always({ does: 'fail' }, 'commit')
      expect(await failureOf(live.commit(commitOf(put('a'))))).toMatchObject({ outcome: 'unknown' })
    }, timed))

  it('L8: says unknown where the store hangs with it, and not_written of what waits behind', () =>
    withLive(async ({ live, store }) => {
      store.next('commit', { does: 'hang' })
      const sent = failureOf(live.commit(commitOf(put('a'))))
      await until(() => store.callsOf('commit').length === 1)
      const waiting = failureOf(live.commit(commitOf(put('b'))))
      expect(await sent).toMatchObject({ code: 'COORD_STORE_TIMEOUT', outcome: 'unknown' })
      expect(await waiting).toMatchObject({ code: 'COORD_STORE_TIMEOUT', outcome: 'not_written' })
      store.release()
      expect(await live.commit(commitOf(put('c')))).toMatchObject({ revision: 1 })
    }, timed))

  it('L8: says not_written where the batch was never judged, because the view could not be built anew', () =>
    withLive(async ({ live, store }) => {
      const { position } = await store.inner.head()
      await store.inner.fork(position)
      store.always({ does: 'fail' }, 'load')
      expect(await failureOf(live.commit(commitOf(put('a'))))).toMatchObject({ outcome: 'not_written' })
      expect((await loadAll(store.inner)).records).toEqual([])
    }, timed))

  it('L8: says unknown where it was stored, but the view cannot be brought up to it', () =>
    withLive(async ({ live, store }) => {
      store.always({ does: 'fail' }, 'changes')
      store.always(
        {
          does: 'instead',
          run: async (inner, [after, batch, call]) => ({
            ...(await inner.commit(after as never, batch as never, call as never)),
            entries: [],
            more: true,
          }),
        },
        'commit',
      )
      expect(await failureOf(live.commit(commitOf(put('a'))))).toMatchObject({ outcome: 'unknown' })
      expect((await loadAll(store.inner)).records).toHaveLength(1)
    }, timed))

  /** Commits two, the second one while the store judges the first, whose entry the view cannot take. */
  async function afterOneThatCannotBeTaken({ live, store }: LiveScope, whileJudged: () => void) {
    let second: Promise<CoordinatorError> | undefined
    store.always({ does: 'hang' }, 'load')
    store.next('commit', {
      does: 'instead',
      run: async (inner, [after, batch, call]) => {
        second = failureOf(live.commit(commitOf(put('b'))))
        whileJudged()
        return inner.commit(after as never, batch as never, call as never)
      },
    })
    // The view cannot take it, and waits for a load that hangs.
    const first = failureOf(live.commit(commitOf(put('a', { breaks: true }))))
    return { first, second: () => second as Promise<CoordinatorError> }
  }

  it('L8: says unknown where its batch was stored while the view could not take the one before', () =>
    withLive(
      async (scope) => {
        // The clock stands still until the second one is sent ahead: on a busy machine the first call would look slow.
        const clock = new MovedClock({ still: true })
        const { first, second } = await afterOneThatCannotBeTaken(scope, () => undefined)
        await until(() => scope.store.callsOf('commit').length === 2)
        clock[Symbol.dispose]()
        expect(await first).toMatchObject({ outcome: 'unknown' })
        expect(await second()).toMatchObject({ outcome: 'unknown' })
        expect((await loadAll(scope.store.inner)).records.map(({ id }) => id)).toEqual(['a', 'b'])
      },
      { ...timed, domain: breaking },
    ))

  it('L8: says not_written of what waits while the view cannot take what a slow call brought', () =>
    withLive(
      async (scope) => {
        using clock = new MovedClock()
        const { first, second } = await afterOneThatCannotBeTaken(scope, () => clock.advance(20))
        expect(await first).toMatchObject({ outcome: 'unknown' })
        expect(await second()).toMatchObject({ outcome: 'not_written' })
        expect((await loadAll(scope.store.inner)).records.map(({ id }) => id)).toEqual(['a'])
      },
      { ...timed, domain: breaking },
    ))

  it('L7: sends a batch again whose answer has a gap in the journal, and gets the first result', () =>
    withLive(async ({ live, store, heard }) => {
      store.next('commit', {
        does: 'instead',
        run: async (inner, [after, batch, call]) => {
          const reply = await inner.commit(after as never, batch as never, call as never)
          const moved =
            reply.status === 'ok' ? reply.entries.map((e) => ({ ...e, revision: e.revision + 5 })) : []
          return { ...reply, entries: moved }
        },
      })
      expect(await live.commit(commitOf(put('a')))).toMatchObject({
        outcome: 'accepted',
        revision: 1,
        replayed: true,
      })
      expect(heard.map(({ revision }) => revision)).toEqual([1])
    }))

  it('L8: answers at once what no later attempt can change, with the word on each commit', () =>
    withLive(async ({ live, store }) => {
      store.always({ does: 'fail', code: 'COORD_STORE_READ_ONLY', outcome: 'not_written' }, 'commit')
      using time = new GrantedTime()
      const error = await failureOf(live.commit(commitOf(put('a'))))
      expect(error).toMatchObject({ code: 'COORD_STORE_READ_ONLY', outcome: 'not_written' })
      expect(time.now).toBeLessThan(150)
    }, timed))

  it('L8: does not send again what was answered', () =>
    withLive(async ({ live, store }) => {
      store.always({ does: 'fail', outcome: 'not_written' }, 'commit')
      const { commitId, ...rest } = commitOf(put('a'))
      await failureOf(live.commit({ commitId, ...rest }))
      const before = store.batches.length
      store.heal()
      await until(() => live.status.state === 'ready')
      await live.commit(commitOf(put('b')))
      expect(store.batches.slice(before).flat()).not.toContain(commitId)
      expect((await loadAll(store.inner)).records.map(({ id }) => id)).toEqual(['b'])
    }, timed))
})
