import { describe, expect, it } from 'vitest'
import { commitOf, idsOf, put } from '../conformance/build.ts'
import { GrantedTime } from '../support/granted-time.ts'
import { MovedClock } from '../support/moved-clock.ts'
import { turns } from '../support/turns.ts'
import { until, withLive } from '../support/with-live.ts'
import { failureOf } from './failure-of.ts'

describe('committing', () => {
  it('L5: answers when the view has the commit, not before', () =>
    withLive(async ({ live }) => {
      const outcome = await live.commit(commitOf(put('a')))
      expect(outcome).toMatchObject({ outcome: 'accepted', revision: 1, replayed: false })
      expect(live.view.get('service', 'a')).toMatchObject({ revision: 1, data: '{"v":1}' })
    }))

  it('L5: fetches the rest of the journal before it answers, where the reply did not carry it all', () =>
    withLive(async ({ live, store, another }) => {
      store.always({ does: 'fail' }, 'changes')
      const other = await another()
      for (let n = 0; n < 5; n += 1) await other.live.commit(commitOf(put('b', { n })))
      store.heal()
      store.next('commit', {
        does: 'instead',
        run: async (inner, [after, batch, call]) => {
          const reply = await inner.commit(after as never, batch as never, call as never)
          return reply.status === 'ok' ? { ...reply, entries: reply.entries.slice(0, 2), more: true } : reply
        },
      })
      const outcome = await live.commit(commitOf(put('a')))
      expect(outcome).toMatchObject({ revision: 6 })
      expect(live.view.revision).toBe(6)
    }))

  it('L5: asks once more where the rest of the journal does not reach the commit', () =>
    withLive(async ({ live, store }) => {
      // As after a reload that began before the commit, or from a copy that stands still.
      const stale = { status: 'ok', entries: [], more: false } as const
      store.always({ does: 'instead', run: async () => stale }, 'changes')
      store.next('commit', {
        does: 'instead',
        run: async (inner, [after, batch, call]) => {
          const reply = await inner.commit(after as never, batch as never, call as never)
          return reply.status === 'ok' ? { ...reply, entries: [], more: true } : reply
        },
      })
      const outcome = await live.commit(commitOf(put('a')))
      expect(live.view.revision).toBe(1)
      expect(outcome).toMatchObject({ outcome: 'accepted', revision: 1, replayed: true })
    }))

  it('L5: asks anew for the rest where a question from before the commit is still under way', () =>
    withLive(async ({ live, store }) => {
      const asked = Promise.withResolvers<void>()
      const released = Promise.withResolvers<void>()
      store.next('changes', {
        does: 'instead',
        run: async (inner, [after, limit]) => {
          const reply = await inner.changes(after as never, limit as never)
          asked.resolve()
          await released.promise
          return reply
        },
      })
      await asked.promise
      store.next('commit', {
        does: 'instead',
        run: async (inner, [after, batch, call]) => {
          const reply = await inner.commit(after as never, batch as never, call as never)
          void turns().then(released.resolve)
          return { ...reply, entries: [], more: true }
        },
      })
      expect(await live.commit(commitOf(put('a')))).toMatchObject({ revision: 1, replayed: false })
      expect(live.view.revision).toBe(1)
    }))

  it('L6: gathers what comes while a batch is under way, and sends one batch at a time', () =>
    withLive(async ({ live, store }) => {
      const gathered = Promise.withResolvers<void>()
      store.next('commit', { does: 'wait', for: gathered.promise })
      const first = live.commit(commitOf(put('first')))
      await until(() => store.callsOf('commit').length === 1)
      const rest = idsOf('r', 50).map((id) => live.commit(commitOf(put(id))))
      await until(() => live.figures.queueDepth === 51)
      gathered.resolve()
      await Promise.all([first, ...rest])
      expect(store.batches.map(({ length }) => length)).toEqual([1, 50])
      expect(store.mostAtOnce.get('commit')).toBe(1)
    }))

  it.each([
    ['brings clients that write one after the other into one batch', 400, [1, 2, 2, 2, 1]],
    ['lets them write in turns, without a wait', 0, [1, 1, 1, 1, 1, 1, 1, 1]],
  ])('L6: %s, where a call takes %i ms', (_, callMs, batches) =>
    withLive(
      async ({ live, store }) => {
        using clock = new MovedClock({ still: true })
        const both = Promise.withResolvers<void>()
        const slow = {
          does: 'instead',
          run: async (inner, [after, batch, call]) => {
            await both.promise
            clock.advance(callMs)
            return inner.commit(after as never, batch as never, call as never)
          },
        } as const satisfies import('../support/faulty-store.ts').Fault
        store.always(slow, 'commit')
        const client = async (name: string) => {
          for (let n = 0; n < 4; n += 1) await live.commit(commitOf(put(`${name}${n}`)))
        }
        const clients = [client('a')]
        await until(() => store.callsOf('commit').length === 1)
        // The second one comes while the first batch is under way: in turns they would never meet.
        clients.push(client('b'))
        await until(() => live.figures.queueDepth === 2)
        both.resolve()
        await Promise.all(clients)
        expect(store.batches.map(({ length }) => length)).toEqual(batches)
      },
      { options: { commitTimeoutMs: 5_000 } },
    ),
  )

  it.each([
    [80, 'a quarter of it'],
    [800, 'a tenth of a second'],
  ])(
    'L6: waits for clients that may write more, where a call of %i ms held others up, but only for %s',
    (callMs) =>
      withLive(
        async ({ live, store }) => {
          using clock = new MovedClock()
          using time = new GrantedTime()
          const both = Promise.withResolvers<void>()
          const calls: { readonly from: number; readonly to: number; readonly tookMs: number }[] = []
          const slow = {
            does: 'instead',
            run: async (inner, [after, batch, call]) => {
              const [from, startedAt] = [time.now, performance.now()]
              await both.promise
              clock.advance(callMs)
              calls.push({ from, to: time.now, tookMs: performance.now() - startedAt })
              return inner.commit(after as never, batch as never, call as never)
            },
          } as const satisfies import('../support/faulty-store.ts').Fault
          store.always(slow, 'commit')
          const first = live.commit(commitOf(put('a')))
          await until(() => store.callsOf('commit').length === 1)
          const second = live.commit(commitOf(put('b')))
          await until(() => live.figures.queueDepth === 2)
          both.resolve()
          await Promise.all([first, second])
          expect(store.batches.map(({ length }) => length)).toEqual([1, 1])
          const [one, two] = calls as [(typeof calls)[0], (typeof calls)[0]]
          // What is waited for, and two ticks of the clock.
          expect(two.from - one.to).toBeLessThan(Math.min(one.tookMs / 4, 100) + 25)
          expect(live.view.revision).toBe(2)
        },
        { options: { commitTimeoutMs: 10_000 } },
      ),
  )

  it('L6: does not wait where nobody waited during a slow call: what comes next leaves at once', () =>
    withLive(
      async ({ live, store }) => {
        using clock = new MovedClock()
        const slow = {
          does: 'instead',
          run: async (inner, [after, batch, call]) => {
            clock.advance(300)
            return inner.commit(after as never, batch as never, call as never)
          },
        } as const satisfies import('../support/faulty-store.ts').Fault
        store.always(slow, 'commit')
        // Together they are one batch: if anybody were waited for, it would be both of them.
        await Promise.all([live.commit(commitOf(put('a'))), live.commit(commitOf(put('b')))])
        expect(store.batches.map(({ length }) => length)).toEqual([2])
        const next = live.commit(commitOf(put('c')))
        let turns = 0
        for (; store.callsOf('commit').length === 1; turns += 1)
          await new Promise((resolve) => setImmediate(resolve))
        // Waiting for 75 ms takes thousands.
        expect(turns).toBeLessThan(10)
        expect(await next).toMatchObject({ revision: 3 })
      },
      { options: { commitTimeoutMs: 10_000 } },
    ))

  it('L6: does not keep waiting what has already waited for a call of seconds', () =>
    withLive(
      async ({ live, store }) => {
        using clock = new MovedClock()
        const waiting = Promise.withResolvers<void>()
        const answers: number[] = []
        const slow = {
          does: 'instead',
          run: async (inner, [after, batch, call]) => {
            await waiting.promise
            clock.advance(2_000)
            answers.push(performance.now())
            return inner.commit(after as never, batch as never, call as never)
          },
        } as const satisfies import('../support/faulty-store.ts').Fault
        store.next('commit', slow)
        const first = live.commit(commitOf(put('a')))
        await until(() => store.callsOf('commit').length === 1)
        const second = live.commit(commitOf(put('b')))
        await until(() => live.figures.queueDepth === 2)
        waiting.resolve()
        await Promise.all([first, second])
        // A quarter of the call would be 500 ms.
        expect(performance.now() - (answers[0] as number)).toBeLessThan(400)
      },
      { options: { commitTimeoutMs: 10_000 } },
    ))

  it('L6: puts together what arrives in one turn, in order, up to the largest batch', () =>
    withLive(
      async ({ live, store }) => {
        const outcomes = await Promise.all(idsOf('r', 25).map((id) => live.commit(commitOf(put(id)))))
        expect(store.batches.map(({ length }) => length)).toEqual([10, 10, 5])
        expect(outcomes).toMatchObject(idsOf('', 25).map((_, index) => ({ revision: index + 1 })))
      },
      { options: { batchMaxCommits: 10 } },
    ))

  it('L6: limits batches by size too, and sends a larger commit alone', () =>
    withLive(
      async ({ live, store }) => {
        const sizes = [400, 400, 400, 5_000, 10, 10]
        await Promise.all(
          sizes.map((size, index) => live.commit(commitOf(put(`r${index}`, { text: 'x'.repeat(size) })))),
        )
        expect(store.batches.map(({ length }) => length)).toEqual([2, 1, 1, 2])
      },
      { options: { batchMaxSize: 1_000 } },
    ))

  it('L7: sends a batch again under the same ids when its reply was lost: one result, stored once', () =>
    withLive(async ({ live, store }) => {
      store.next('commit', { does: 'lose reply' })
      const commits = [commitOf(put('a')), commitOf(put('b'))]
      const outcomes = await Promise.all(commits.map((commit) => live.commit(commit)))
      expect(outcomes).toMatchObject([
        { outcome: 'accepted', revision: 1, previous: [0] },
        { outcome: 'accepted', revision: 2, previous: [0] },
      ])
      expect(store.batches).toEqual([0, 1].map(() => commits.map(({ commitId }) => commitId)))
      expect((await store.inner.head()).position.revision).toBe(2)
    }))

  it('L7: goes on through several kinds of failure until it has an answer', () =>
    withLive(
      async ({ live, store }) => {
        store.next(
          'commit',
          { does: 'fail', outcome: 'not_written' },
          { does: 'lose reply' },
          { does: 'fail', code: 'COORD_STORE_BUSY' },
          { does: 'lose reply' },
        )
        expect(await live.commit(commitOf(put('a')))).toMatchObject({ revision: 1, replayed: true })
        expect((await store.inner.head()).position.revision).toBe(1)
        expect(live.status.state).toBe('ready')
      },
      { options: { commitTimeoutMs: 10_000 } },
    ))

  it('L7: answers each of a batch as the store did: unchanged, conflict, reused, refused', () =>
    withLive(async ({ live }) => {
      const first = { ...commitOf(put('a')), fingerprint: 'one' }
      await live.commit(first)
      const [unchanged, conflict, reused, refused, accepted] = await Promise.all([
        live.commit(commitOf(put('a'))),
        live.commit(commitOf(put('a', {}, { expect: 9 }))),
        live.commit({ ...first, fingerprint: 'two' }),
        failureOf(live.commit(commitOf(put('nul\0')))),
        live.commit(commitOf(put('b'))),
      ])
      expect(unchanged).toEqual({ outcome: 'unchanged', revisions: [1], replayed: false })
      expect(conflict).toMatchObject({ outcome: 'conflict', expected: 9, actual: 1 })
      expect(reused).toEqual({ outcome: 'reused', revision: 1 })
      expect(refused).toMatchObject({ code: 'COORD_COMMIT_REFUSED', outcome: 'not_written' })
      expect(accepted).toMatchObject({ outcome: 'accepted', revision: 2 })
    }))
})

describe('a full queue', () => {
  it('L9: refuses at once what finds it full, and stores what was in it', () =>
    withLive(
      async ({ live, store }) => {
        const refused = Promise.withResolvers<void>()
        store.next('commit', { does: 'wait', for: refused.promise })
        const taken = idsOf('r', 10).map((id) => live.commit(commitOf(put(id))))
        expect(live.figures.queueDepth).toBe(10)
        using time = new GrantedTime()
        const error = await failureOf(live.commit(commitOf(put('late'))))
        expect(time.now).toBeLessThan(30)
        expect(error).toMatchObject({
          code: 'COORD_COMMIT_QUEUE_FULL',
          outcome: 'not_written',
          retryAfterSeconds: 1,
        })
        refused.resolve()
        await Promise.all(taken)
        expect(live.figures.queueDepth).toBe(0)
        expect(await live.commit(commitOf(put('later')))).toMatchObject({ revision: 11 })
      },
      { options: { queueMax: 10 } },
    ))
})
