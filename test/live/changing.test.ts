import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { change, type PlannedChange } from '../../src/live/change.ts'
import type { Live } from '../../src/live/live.ts'
import { RecordWriter } from '../../src/live/record-writer.ts'
import type { View } from '../../src/live/view.ts'
import { commitOf, put } from '../conformance/build.ts'
import { GrantedTime } from '../support/granted-time.ts'
import { withLive } from '../support/with-live.ts'

interface Counted {
  readonly n: number
  readonly revision: number
}

function request() {
  return { commitId: randomUUID(), actor: 'test' }
}

/** Adds one to a counter, from what the view shows. */
function increment(view: View): PlannedChange<Counted> {
  const now = view.get('service', 'counter')
  const n = (now === undefined ? 0 : JSON.parse(now.data).n) + 1
  return {
    writes: [put('counter', { n }, { expect: now?.revision ?? 0 })],
    answer: (outcome) => ({ n, revision: outcome.outcome === 'accepted' ? outcome.revision : 0 }),
  }
}

/** Says what the view does not know yet: somebody else writes between plan and commit. */
async function interfere(live: Live, times: number) {
  let left = times
  return (view: View): PlannedChange<Counted> => {
    const planned = increment(view)
    if (left === 0) return planned
    left -= 1
    // Sent first, so it is judged before the change in the same batch.
    void live.commit(commitOf(put('counter', { n: 100 * (left + 1) })))
    return planned
  }
}

describe('change', () => {
  it('L25: plans from the view, writes, and answers from what the store said', () =>
    withLive(async ({ live }) => {
      expect(await change(live, request(), increment)).toEqual({ n: 1, revision: 1 })
      expect(await change(live, request(), increment)).toEqual({ n: 2, revision: 2 })
      expect(live.view.get('service', 'counter')?.data).toBe('{"n":2}')
    }))

  it('L25: loses no step of many that run at once, here and on another coordinator', () =>
    withLive(async ({ live, another }) => {
      const other = await another()
      const count = async (at: Live) => {
        for (let n = 0; n < 10; ) {
          try {
            await change(at, request(), increment)
            n += 1
          } catch (thrown) {
            expect(thrown).toMatchObject({ code: 'COORD_COMMIT_CONTENDED', outcome: 'not_written' })
          }
        }
      }
      await Promise.all([count(live), count(live), count(other.live), count(other.live)])
      await live.catchUp()
      expect(live.view.get('service', 'counter')).toMatchObject({ data: '{"n":40}', revision: 40 })
    }))

  it.each([1, 4])('L25: plans anew when somebody was faster: %i times', (times) =>
    withLive(async ({ live }) => {
      const answer = await change(live, request(), await interfere(live, times))
      expect(answer).toEqual({ n: 101, revision: times + 1 })
    }),
  )

  it('L25: gives up after five attempts, and says that nothing was written', () =>
    withLive(async ({ live }) => {
      await expect(change(live, request(), await interfere(live, 5))).rejects.toMatchObject({
        code: 'COORD_COMMIT_CONTENDED',
        status: 409,
        outcome: 'not_written',
      })
      expect(live.view.get('service', 'counter')?.data).toBe('{"n":100}')
    }))

  it('L25: says that nothing was written, where the view never gets to what was faster', () =>
    withLive(
      async ({ live, store }) => {
        const conflict = { outcome: 'conflict', kind: 'service', id: 'counter', expected: 0, actual: 9 }
        store.next('commit', {
          does: 'answer',
          value: { status: 'ok', results: [conflict], entries: [], more: false },
        })
        await expect(change(live, request(), increment)).rejects.toMatchObject({
          code: 'COORD_REVISION_WAIT_TIMEOUT',
          outcome: 'not_written',
        })
      },
      { options: { revisionTimeoutMs: 30 } },
    ))

  it('L25: does not try again against the wish of the caller', () =>
    withLive(async ({ live }) => {
      await live.commit(commitOf(put('a')))
      let plans = 0
      const plan = () => {
        plans += 1
        return {
          writes: [put('a', { v: 2 }, { expect: 7 })],
          answer: () => 'written',
          callersPrecondition: true,
        }
      }
      await expect(change(live, request(), plan)).rejects.toMatchObject({
        code: 'COORD_PRECONDITION_FAILED',
        status: 412,
        outcome: 'not_written',
        extra: { expected: 7, actual: 1 },
      })
      expect(plans).toBe(1)
    }))

  it('L25: says that the record does not exist where that is the reason', () =>
    withLive(async ({ live }) => {
      const plan = () => ({
        writes: [put('a', {}, { expect: 3 })],
        answer: () => 'written',
        callersPrecondition: true,
      })
      await expect(change(live, request(), plan)).rejects.toMatchObject({
        detail: 'The record does not exist.',
      })
    }))

  it('L25: says that the record exists already where there should be none', () =>
    withLive(async ({ live }) => {
      await live.commit(commitOf(put('a')))
      const plan = () => ({
        writes: [put('a', {}, { expect: 0 })],
        answer: () => 'written',
        callersPrecondition: true,
      })
      await expect(change(live, request(), plan)).rejects.toMatchObject({
        detail: 'The record exists already, with revision 1.',
      })
    }))

  it('L25: refuses a commit id that belongs to another request, and repeats its own', () =>
    withLive(async ({ live }) => {
      const first = { ...request(), fingerprint: 'one' }
      const plan = (): PlannedChange<unknown> => ({ writes: [put('a')], answer: (outcome) => outcome })
      const answer = await change(live, first, plan)
      expect(answer).toMatchObject({ outcome: 'accepted', revision: 1, replayed: false })
      expect(await change(live, first, plan)).toMatchObject({ revision: 1, replayed: true })
      await expect(change(live, { ...first, fingerprint: 'two' }, plan)).rejects.toMatchObject({
        code: 'COORD_IDEMPOTENCY_REUSED',
        status: 422,
        outcome: 'not_written',
        extra: { revision: 1 },
      })
    }))

  it('L25: answers what was there already', () =>
    withLive(async ({ live }) => {
      await live.commit(commitOf(put('a')))
      const plan = (): PlannedChange<unknown> => ({ writes: [put('a')], answer: (outcome) => outcome })
      expect(await change(live, request(), plan)).toEqual({
        outcome: 'unchanged',
        revisions: [1],
        replayed: false,
      })
    }))

  it('L25: keeps its commit id over a lost reply, so that the change happens once', () =>
    withLive(async ({ live, store }) => {
      store.next('commit', { does: 'lose reply' })
      expect(await change(live, request(), increment)).toEqual({ n: 1, revision: 1 })
      expect(live.view.get('service', 'counter')?.data).toBe('{"n":1}')
    }))
})

describe('changes of one record', () => {
  const sixChanges = async (live: Live, conditions: { readonly ifMatch?: string }) => {
    const writer = new RecordWriter(live)
    const context = { actor: 'test', ...conditions }
    const changes = Array.from({ length: 6 }, () =>
      writer.change('counter', { request: request(), context }, ({ view }) => increment(view)),
    )
    return Promise.all(changes.map((each) => each.catch((thrown: unknown) => thrown)))
  }

  it('L8: wait for each other, and each of them no longer than it may take', () =>
    withLive(
      async ({ live, store }) => {
        store.always({ does: 'hang' }, 'commit')
        using time = new GrantedTime()
        const [first, ...others] = await sixChanges(live, {})
        expect(time.now).toBeLessThan(1_000)
        expect(first).toMatchObject({ code: 'COORD_STORE_TIMEOUT', outcome: 'unknown' })
        for (const other of others)
          expect(other).toMatchObject({ code: 'COORD_STORE_TIMEOUT', outcome: 'not_written' })
      },
      { options: { commitTimeoutMs: 200 } },
    ))

  it('L8: the same where the database is asked first whether the client has seen something newer', () =>
    withLive(
      async ({ live, store }) => {
        store.always({ does: 'delay', ms: 500 }, 'head')
        using time = new GrantedTime()
        const answers = await sixChanges(live, { ifMatch: `"${live.view.lineage.slice(0, 8)}-9"` })
        expect(time.now).toBeLessThan(1_000)
        for (const answer of answers)
          expect(answer).toMatchObject({ code: 'COORD_STORE_TIMEOUT', outcome: 'not_written' })
      },
      { options: { commitTimeoutMs: 200 } },
    ))
})
