import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import { CoordinatorError } from '../../src/errors.ts'
import type { Commit } from '../../src/records/record.ts'
import { commitOf, idsOf, put } from '../conformance/build.ts'
import { loadAll } from '../conformance/caller.ts'
import { GrantedTime } from '../support/granted-time.ts'
import { MovedClock } from '../support/moved-clock.ts'
import { until, withLive } from '../support/with-live.ts'
import { failureOf } from './failure-of.ts'

const refusing = {
  does: 'instead',
  run: async (store, [after, batch, call]) => {
    if ((batch as Commit[]).some(({ writes }) => writes.some(({ id }) => id.startsWith('poison'))))
      throw new CoordinatorError('COORD_COMMIT_REFUSED', { detail: 'No.', outcome: 'not_written' })
    return store.commit(after as never, batch as never, call as never)
  },
} as const satisfies import('../support/faulty-store.ts').Fault

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

  it('L11: does not send again what is certainly not written when its time is nearly over, and says so', () =>
    withLive(
      async ({ live, store }) => {
        using clock = new MovedClock()
        const busy = new CoordinatorError('COORD_STORE_BUSY', { hint: 'End it.', outcome: 'not_written' })
        store.next('commit', {
          does: 'instead',
          run: async () => {
            clock.advance(9_000)
            throw busy
          },
        })
        store.always({ does: 'hang' }, 'commit')
        expect(await failureOf(live.commit(commitOf(put('a'))))).toMatchObject({
          code: 'COORD_STORE_BUSY',
          outcome: 'not_written',
          hint: 'End it.',
        })
        expect(store.batches.filter((batch) => batch.length > 0)).toHaveLength(1)
      },
      { options: { commitTimeoutMs: 10_000 } },
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
