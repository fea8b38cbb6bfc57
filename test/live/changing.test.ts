import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { CoordinatorError } from '../../src/errors.ts'
import type { Live } from '../../src/live/live.ts'
import type { Projection, ProjectionDefinition } from '../../src/live/view/projection.ts'
import type { ChangeRequest, Plan, PlanState } from '../../src/live/writing/change.ts'
import { RecordWriter } from '../../src/live/writing/record-writer.ts'
import { canonicalJson } from '../../src/records/canonical-json.ts'
import { commitOf, put, remove } from '../conformance/build.ts'
import { conditional } from '../support/conditional.ts'
import { GrantedTime } from '../support/granted-time.ts'
import { withLive } from '../support/with-live.ts'

interface Counted {
  readonly n: number
  readonly revision: number
}

function request() {
  return { commitId: randomUUID(), actor: 'test' }
}

/** A change by a writer of its own, which does not know of any other. */
function change<T>(
  live: Live,
  asked: ChangeRequest,
  {
    id = 'counter',
    plan,
    ifMatch,
  }: { readonly id?: string; readonly plan: Plan<T>; readonly ifMatch?: string },
): Promise<T> {
  const context = { actor: 'test', ...conditional(ifMatch === undefined ? {} : { ifMatch }) }
  return new RecordWriter(live).change({ kind: 'service', id }, { request: asked, context }, plan)
}

/** Adds one to a counter, from what the view shows. */
const increment: Plan<Counted> = (state) => {
  const now = state.read()
  const n = (now === undefined ? 0 : JSON.parse(now.data).n) + 1
  return { op: 'put', data: canonicalJson({ n }), answer: ({ revision }) => ({ n, revision }) }
}

/** Says what the view does not know yet: somebody else writes between plan and commit. */
function interfere(live: Live, times: number): Plan<Counted> {
  let left = times
  return (state) => {
    const planned = increment(state)
    if (left === 0) return planned
    left -= 1
    // Sent first, so it is judged before the change in the same batch.
    void live.commit(commitOf(put('counter', { n: 100 * (left + 1) })))
    return planned
  }
}

class Count implements Projection {
  size = 0

  put(): void {
    this.size += 1
  }

  remove(): void {
    this.size -= 1
  }
}

const counting: ProjectionDefinition<Count> = { name: 'count', kinds: ['service'], create: () => new Count() }

const putA: Plan<unknown> = () => ({ op: 'put', data: canonicalJson({ v: 1 }), answer: (result) => result })

describe('change', () => {
  it('L25: plans from the view, writes, and answers from what the store said', () =>
    withLive(async ({ live }) => {
      expect(await change(live, request(), { plan: increment })).toEqual({ n: 1, revision: 1 })
      expect(await change(live, request(), { plan: increment })).toEqual({ n: 2, revision: 2 })
      expect(live.view.get('service', 'counter')?.data).toBe('{"n":2}')
    }))

  it('L25: loses no step of many that run at once, here and on another coordinator', () =>
    withLive(async ({ live, another }) => {
      const other = await another()
      const count = async (at: Live) => {
        for (let n = 0; n < 10; ) {
          try {
            await change(at, request(), { plan: increment })
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
      const answer = await change(live, request(), { plan: interfere(live, times) })
      expect(answer).toEqual({ n: 101, revision: times + 1 })
    }),
  )

  it('L25: gives up after five attempts, and says that nothing was written', () =>
    withLive(async ({ live }) => {
      await expect(change(live, request(), { plan: interfere(live, 5) })).rejects.toMatchObject({
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
        await expect(change(live, request(), { plan: increment })).rejects.toMatchObject({
          code: 'COORD_REVISION_WAIT_TIMEOUT',
          outcome: 'not_written',
        })
      },
      { options: { revisionTimeoutMs: 30 } },
    ))

  it.each([
    ['an ETag of something else', '-7"', 1, { expected: 7, actual: 1 }],
    ['an ETag of what is gone', '-1"', 0, { expected: 1, actual: 0 }],
  ])('L25: does not try again against the wish of the caller: %s', (_name, end, actual, extra) =>
    withLive(async ({ live }) => {
      await live.commit(commitOf(put('a')))
      await live.commit(commitOf(put('b')))
      if (actual === 0) await live.commit(commitOf(remove('a')))
      let plans = 0
      const plan: Plan<unknown> = (state: PlanState) => {
        plans += 1
        return putA(state)
      }
      const ifMatch = `"${live.view.lineage.slice(0, 8)}${end}`
      await expect(change(live, request(), { id: 'a', plan, ifMatch })).rejects.toMatchObject({
        code: 'COORD_PRECONDITION_FAILED',
        status: 412,
        outcome: 'not_written',
        detail: actual === 0 ? 'The record does not exist.' : 'The record has revision 1, not 7.',
        extra,
      })
      expect(plans).toBe(1)
    }),
  )

  it('L25: refuses only after the store was asked, and once', () =>
    withLive(async ({ live, store }) => {
      const plan: Plan<unknown> = () => ({
        op: 'refuse',
        why: () => new CoordinatorError('COORD_SERVICE_NOT_FOUND'),
        answer: (result) => result,
      })
      await expect(change(live, request(), { plan })).rejects.toMatchObject({
        code: 'COORD_SERVICE_NOT_FOUND',
      })
      expect(store.callsOf('commit')).toHaveLength(1)
      expect(live.view.revision).toBe(0)
    }))

  it('L25: shows what is kept over all records only when the view was brought up to date', () =>
    withLive(
      async ({ live }) => {
        await live.commit(commitOf(put('b')))
        const seen: unknown[] = []
        const plan: Plan<unknown> = (state) => {
          const index = state.projection(counting)
          seen.push(index?.size)
          return index === undefined
            ? { op: 'refuse', why: () => new CoordinatorError('COORD_INTERNAL'), answer: (result) => result }
            : putA(state)
        }
        expect(await change(live, request(), { plan })).toMatchObject({ changed: true })
        expect(seen).toEqual([undefined, 1])
      },
      { domain: { kinds: {}, projections: [counting] } },
    ))

  it('L25: refuses a commit id that belongs to another request, and repeats its own', () =>
    withLive(async ({ live }) => {
      const first = { ...request(), fingerprint: 'one' }
      const answer = await change(live, first, { id: 'a', plan: putA })
      expect(answer).toEqual({ changed: true, created: true, revision: 1, replayed: false })
      expect(await change(live, first, { id: 'a', plan: putA })).toEqual({
        changed: true,
        created: true,
        revision: 1,
        replayed: true,
        replayedData: '{"v":1}',
      })
      await expect(
        change(live, { ...first, fingerprint: 'two' }, { id: 'a', plan: putA }),
      ).rejects.toMatchObject({
        code: 'COORD_IDEMPOTENCY_REUSED',
        status: 422,
        outcome: 'not_written',
        extra: { revision: 1 },
      })
    }))

  it('L25: answers what was there already', () =>
    withLive(async ({ live }) => {
      await live.commit(commitOf(put('a')))
      expect(await change(live, request(), { id: 'a', plan: putA })).toEqual({
        changed: false,
        created: false,
        revision: 1,
        replayed: false,
      })
    }))

  it('L25: keeps its commit id over a lost reply, so that the change happens once', () =>
    withLive(async ({ live, store }) => {
      store.next('commit', { does: 'lose reply' })
      expect(await change(live, request(), { plan: increment })).toEqual({ n: 1, revision: 1 })
      expect(live.view.get('service', 'counter')?.data).toBe('{"n":1}')
    }))
})

describe('changes of one record', () => {
  const sixChanges = async (live: Live, conditions: { readonly ifMatch?: string }) => {
    const writer = new RecordWriter(live)
    const context = { actor: 'test', ...conditional(conditions) }
    const changes = Array.from({ length: 6 }, () =>
      writer.change({ kind: 'service', id: 'counter' }, { request: request(), context }, increment),
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
