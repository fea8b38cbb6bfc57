import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import { CoordinatorError } from '../../src/errors.ts'
import type { Domain } from '../../src/live/view/projection.ts'
import type { Commit } from '../../src/records/record.ts'
import { commitOf, idsOf, put } from '../conformance/build.ts'
import { loadAll } from '../conformance/caller.ts'
import { GrantedTime } from '../support/granted-time.ts'
import { MovedClock } from '../support/moved-clock.ts'
import { turns } from '../support/turns.ts'
import { type LiveScope, until, withLive } from '../support/with-live.ts'

function failureOf(work: Promise<unknown>): Promise<CoordinatorError> {
  return work.then(
    () => {
      throw new Error('It did not fail.')
    },
    (thrown: unknown) => {
      expect(thrown).toBeInstanceOf(CoordinatorError)
      return thrown as CoordinatorError
    },
  )
}

const refusing = {
  does: 'instead',
  run: async (store, [after, batch, call]) => {
    if ((batch as Commit[]).some(({ writes }) => writes.some(({ id }) => id.startsWith('poison'))))
      throw new CoordinatorError('COORD_COMMIT_REFUSED', { detail: 'No.', outcome: 'not_written' })
    return store.commit(after as never, batch as never, call as never)
  },
} as const satisfies import('../support/faulty-store.ts').Fault

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

describe('a refused batch', () => {
  it.each([
    ['the middle one of three', 3, [1]],
    ['one commit of many', 64, [37]],
    ['the first', 16, [0]],
    ['the last', 16, [15]],
    ['several', 33, [0, 7, 8, 32]],
    ['all', 5, [0, 1, 2, 3, 4]],
    ['the only one', 1, [0]],
  ])('L10: is halved until the culprit is alone: %s', (_, count, culprits) =>
    withLive(async ({ live, store }) => {
      store.always(refusing, 'commit')
      const outcomes = await Promise.all(
        idsOf('r', count).map((id, index) =>
          live
            .commit(commitOf(put(culprits.includes(index) ? `poison${id}` : id)))
            .catch((error: unknown) => error),
        ),
      )
      const failed = outcomes.flatMap((outcome, index) =>
        outcome instanceof CoordinatorError ? [index] : [],
      )
      expect(failed).toEqual(culprits)
      for (const index of culprits)
        expect(outcomes[index]).toMatchObject({ code: 'COORD_COMMIT_REFUSED', outcome: 'not_written' })
      const attempts = 1 + culprits.length * 2 * Math.ceil(Math.log2(count) + 1)
      expect(store.batches.length).toBeLessThanOrEqual(attempts)
      const stored = (await loadAll(store.inner)).records.map(({ id }) => id)
      expect(stored).toEqual(idsOf('r', count).filter((_, index) => !culprits.includes(index)))
      expect(live.status.state).toBe('ready')
    }),
  )

  it.each([
    ['what was stored', put('a'), { outcome: 'accepted', revision: 1 }, 2],
    ['a conflict, where nothing was stored', put('a', {}, { expect: 7 }), { outcome: 'conflict' }, 1],
  ])(
    'L10: answers %s before the history changed between two parts, and sends the rest to the new one',
    (_, write, answer, last) =>
      withLive(async ({ live, store, contradictions }) => {
        const forking = {
          does: 'instead',
          run: async (inner, args) => {
            const reply = await refusing.run(inner, args)
            if (contradictions.length === 0) await inner.fork((await inner.head()).position)
            return reply
          },
        } as const satisfies import('../support/faulty-store.ts').Fault
        store.always(forking, 'commit')
        const [first, poison, rest] = await Promise.all([
          live.commit(commitOf(write)),
          failureOf(live.commit(commitOf(put('poison')))),
          live.commit(commitOf(put('b'))),
        ])
        expect(first).toMatchObject(answer)
        expect(poison).toMatchObject({ code: 'COORD_COMMIT_REFUSED', outcome: 'not_written' })
        expect(rest).toMatchObject({ outcome: 'accepted', revision: last })
        expect((await store.inner.head()).position.revision).toBe(last)
      }),
  )

  it('L10: keeps the order of the commits around the culprit', () =>
    withLive(async ({ live, store }) => {
      store.always(refusing, 'commit')
      const ids = [...idsOf('a', 9), 'poison', ...idsOf('b', 9)]
      const outcomes = await Promise.allSettled(ids.map((id) => live.commit(commitOf(put(id)))))
      const revisions = outcomes.flatMap((outcome) =>
        outcome.status === 'fulfilled' && outcome.value.outcome === 'accepted'
          ? [outcome.value.revision]
          : [],
      )
      expect(revisions).toEqual(Array.from({ length: 18 }, (_, index) => index + 1))
    }))
})

describe('an outage', () => {
  it('L11: refuses writes at once when they have failed for as long as one may wait, and probes with an empty batch', () =>
    withLive(
      async ({ live, store }) => {
        store.outage()
        using clock = new MovedClock()
        await failureOf(live.commit(commitOf(put('a'))))
        clock.advance(50)
        using time = new GrantedTime()
        const refused = await failureOf(live.commit(commitOf(put('b'))))
        expect(time.now).toBeLessThan(30)
        expect(refused).toMatchObject({ code: 'COORD_STORE_UNAVAILABLE', outcome: 'not_written' })
        const before = store.batches.length
        await until(() => store.batches.length > before)
        expect(store.batches.slice(before).flat()).toEqual([])
        expect(store.mostAtOnce.get('commit')).toBe(1)
      },
      { options: { commitTimeoutMs: 150 } },
    ))

  it('L11: takes writes again when the database is back, without a restart and without a write to find out', () =>
    withLive(
      async ({ live, store }) => {
        store.outage()
        using clock = new MovedClock()
        await failureOf(live.commit(commitOf(put('a'))))
        clock.advance(50)
        store.heal()
        await until(() => live.status.state === 'ready')
        expect(await live.commit(commitOf(put('b')))).toMatchObject({ outcome: 'accepted' })
        expect(store.callsOf('open')).toHaveLength(1)
      },
      { options: { commitTimeoutMs: 150 } },
    ))

  it('L11: stores what waited through a short outage, in order', () =>
    withLive(
      async ({ live, store }) => {
        store.outage()
        const waiting = idsOf('r', 20).map((id) => live.commit(commitOf(put(id))))
        await until(() => live.status.state === 'degraded')
        store.heal()
        const outcomes = await Promise.all(waiting)
        expect(outcomes).toMatchObject(outcomes.map((_, index) => ({ revision: index + 1 })))
      },
      { options: { commitTimeoutMs: 5_000 } },
    ))

  it('L11: asks a database that is down no more than one question of a kind at a time, and not in a hurry', () =>
    withLive(
      async ({ live, store }) => {
        store.outage()
        const waiting = idsOf('r', 50).map((id) => live.commit(commitOf(put(id))).catch(() => undefined))
        const polls = Array.from({ length: 50 }, () => live.waitForRevision(99).catch(() => undefined))
        const before = store.calls.length
        await sleep(500)
        expect(store.mostAtOnce.get('commit')).toBe(1)
        expect(store.mostAtOnce.get('changes')).toBe(1)
        expect(store.calls.length - before).toBeLessThan(100)
        await Promise.all([...waiting, ...polls])
      },
      { options: { commitTimeoutMs: 600 } },
    ))

  it('L11: is asked ever more seldom, and at once when it has answered somebody else', () =>
    withLive(async ({ live, store }) => {
      vi.spyOn(Math, 'random').mockReturnValue(0.999)
      const asked: number[] = []
      const failing = {
        does: 'instead',
        run: async () => {
          asked.push(performance.now())
          throw new CoordinatorError('COORD_STORE_UNAVAILABLE')
        },
      } as const satisfies import('../support/faulty-store.ts').Fault
      store.always(failing, 'changes')
      await until(() => asked.length === 5)
      const waits = asked.slice(1).map((time, index) => time - (asked[index] as number))
      // Twice as long each time, from 50 ms on.
      expect(waits[3]).toBeGreaterThan(350)
      store.heal()
      await live.history('service', 'a')
      // By itself it would be asked in 800 ms.
      await until(() => live.status.state === 'ready', 500)
    }))

  it('L11: is not asked more often because many wait for a revision', () =>
    withLive(async ({ live, store }) => {
      store.outage()
      await until(() => live.status.state === 'degraded')
      const before = store.callsOf('changes').length
      const waits = []
      for (; waits.length < 100; await sleep(2)) waits.push(live.waitForRevision(99).catch(() => undefined))
      expect(store.callsOf('changes').length - before).toBeLessThan(50)
      await Promise.all(waits)
    }))
})
