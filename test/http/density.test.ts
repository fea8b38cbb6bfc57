import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MemoryStore } from '../../src/database/memory/store.ts'
import type { AsOfFilter } from '../../src/database/store.ts'
import { commitOf, put } from '../conformance/build.ts'
import { Caller } from '../conformance/caller.ts'
import { cart, register, type ServerScope, withServer } from './with-server.ts'

const start = Date.UTC(2026, 0, 31, 12)
const timeText = (at: number) => new Date(at).toISOString()

interface Bucket {
  readonly from: string
  readonly changes: number
  readonly revision: number
}

/** A store with a change at each of these times, in milliseconds after the start. Later changes have their true time. */
async function storeWith(times: readonly number[]): Promise<MemoryStore> {
  let now: number | undefined = start
  const store = new MemoryStore({ now: () => now ?? Date.now() })
  await store.open()
  const caller = await Caller.at(store)
  for (const [at, ms] of times.entries()) {
    now = start + ms
    await caller.send(commitOf(put('node', { at }, { kind: 'node' })))
  }
  now = undefined
  return store
}

/** Changes of these times in a bucket; the last one has its end, too. */
function countIn(times: readonly number[], borders: readonly number[], bucket: number): number {
  const [from, to] = [borders[bucket] as number, borders[bucket + 1] as number]
  const isLast = bucket === borders.length - 2
  return times.filter((ms) => ms >= from && (ms < to || (isLast && ms === to))).length
}

async function density({ ask }: ServerScope, query: string) {
  const { status, body } = await ask(`/changes/density?${query}`)
  expect(status).toBe(200)
  return body as {
    readonly from: string
    readonly to: string
    readonly buckets: readonly Bucket[]
    readonly changes: number
    readonly keptFrom: string | null
    readonly floorRevision: number
    readonly revision: number
  }
}

describe('GET /changes/density', () => {
  it('counts the changes between two times, each in one bucket, and names the revision at the end of each', async () => {
    const inner = await storeWith([0, 10, 10, 25, 30, 90, 100])
    await withServer(
      async (scope) => {
        const found = await density(scope, `from=${timeText(start)}&to=${timeText(start + 100)}&buckets=4`)
        expect(found).toEqual({
          success: true,
          from: timeText(start),
          to: timeText(start + 100),
          buckets: [
            { from: timeText(start), changes: 3, revision: 3 },
            { from: timeText(start + 25), changes: 2, revision: 5 },
            { from: timeText(start + 50), changes: 0, revision: 5 },
            { from: timeText(start + 75), changes: 2, revision: 7 },
          ],
          changes: 7,
          keptFrom: timeText(start),
          floorRevision: 0,
          revision: 7,
        })
        const later = await density(
          scope,
          `from=${timeText(start + 11)}&to=${timeText(start + 89)}&buckets=1`,
        )
        expect(later.buckets).toEqual([{ from: timeText(start + 11), changes: 2, revision: 5 }])
      },
      { inner },
    )
  })

  it('begins with the first change that is kept, and ends now', async () => {
    const inner = await storeWith([0, 10, 20, 30])
    await withServer(
      async (scope) => {
        const found = await density(scope, '')
        expect([found.buckets.length, found.from, found.changes]).toEqual([100, timeText(start), 4])
        expect(Math.abs(Date.parse(found.to) - Date.now())).toBeLessThan(60_000)
      },
      { inner },
    )
  })

  it('counts what is kept where old history was deleted, also by another coordinator', async () => {
    const inner = await storeWith([0, 10, 20, 30])
    await withServer(
      async (scope) => {
        await inner.compact(2)
        const found = await density(scope, `from=${timeText(start)}&to=${timeText(start + 100)}&buckets=10`)
        expect(found).toMatchObject({ changes: 2, keptFrom: timeText(start + 20), floorRevision: 2 })
        expect(found.buckets.map(({ changes }) => changes)).toEqual([0, 0, 1, 1, 0, 0, 0, 0, 0, 0])
      },
      { inner },
    )
  })

  it('counts only what is kept, also where it counted before the old history was deleted', async () => {
    const inner = await storeWith([0, 10, 20, 30])
    await withServer(
      async (scope) => {
        const query = `from=${timeText(start)}&to=${timeText(start + 100)}&buckets=10`
        expect(await density(scope, query)).toMatchObject({ changes: 4, floorRevision: 0 })
        await inner.compact(2)
        await register(scope, cart)
        await expect
          .poll(async () => {
            const { floorRevision, changes, buckets } = await density(scope, query)
            return { floorRevision, changes, counts: buckets.map(({ changes: count }) => count) }
          })
          .toEqual({ floorRevision: 2, changes: 2, counts: [0, 0, 1, 1, 0, 0, 0, 0, 0, 0] })
      },
      { inner },
    )
  })

  it('answers about an empty history', () =>
    withServer(async (scope) => {
      const found = await density(scope, '')
      expect([found.keptFrom, found.changes, found.buckets.length]).toEqual([null, 0, 1])
    }))

  it('counts as a reader of the journal would, whatever the times', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(60), { maxLength: 40 }),
        fc.integer({ min: -10, max: 70 }),
        fc.nat(80),
        fc.integer({ min: 1, max: 30 }),
        async (given, from, length, buckets) => {
          const times = given.toSorted((left, right) => left - right)
          await withServer(
            async (scope) => {
              const query = `from=${timeText(start + from)}&to=${timeText(start + from + length)}&buckets=${buckets}`
              const found = await density(scope, query)
              const borders = [
                ...found.buckets.map((bucket) => Date.parse(bucket.from) - start),
                from + length,
              ]
              expect(borders.length - 1).toBe(Math.max(1, Math.min(buckets, length)))
              const counts = found.buckets.map((_, bucket) => countIn(times, borders, bucket))
              expect(found.buckets.map(({ changes }) => changes)).toEqual(counts)
              expect(found.changes).toBe(counts.reduce((sum, count) => sum + count, 0))
            },
            { inner: await storeWith(times) },
          )
        },
      ),
      { numRuns: 60 },
    ))

  it('asks the store a few questions for each bucket with changes, none for the newest times, and none twice', async () => {
    const inner = await storeWith(Array.from({ length: 2_000 }, (_, at) => Math.floor(at / 100) * 1_000_000))
    await withServer(
      async (scope) => {
        // The retention asks the store, too, but about records.
        const asked = () =>
          scope.store
            .callsOf('asOf')
            .filter(({ args }) => (args[1] as AsOfFilter | undefined)?.kind === 'none').length
        const before = asked()
        const query = `from=${timeText(start)}&to=${timeText(start + 20_000_000)}&buckets=1000`
        const found = await density(scope, query)
        expect([found.changes, found.buckets.filter(({ changes }) => changes > 0).length]).toEqual([
          2_000, 20,
        ])
        const first = asked() - before
        expect(first).toBeLessThan(20 * 12)
        await density(scope, query)
        expect(asked() - before).toBe(first)
        const now = Date.now()
        await register(scope, cart)
        await register(scope, { ...cart, serviceName: 'other' })
        const newest = await density(scope, `from=${timeText(now)}&to=${timeText(now + 60_000)}&buckets=1000`)
        expect(newest.changes).toBe(2)
        expect(asked() - before).toBeLessThan(first + 12)
      },
      { inner },
    )
  })

  it.each([
    ['from=yesterday', 'query.from'],
    ['to=2026-02-30T00:00:00Z', 'query.to'],
    ['buckets=0', 'query.buckets'],
    ['buckets=1001', 'query.buckets'],
    ['bucket=5', 'query.bucket'],
    [`from=${timeText(start + 1)}&to=${timeText(start)}`, 'query.from'],
  ])('refuses %s', (query, path) =>
    withServer(async ({ ask }) => {
      const { status, body } = await ask(`/changes/density?${query}`)
      expect([status, body.code, body.errors[0].path]).toEqual([400, 'COORD_QUERY_INVALID', path])
    }),
  )

  it('reports a store that does not answer, and answers again afterwards', async () => {
    const inner = await storeWith([0, 10, 20])
    await withServer(
      async (scope) => {
        scope.store.outage()
        const query = `/changes/density?from=${timeText(start)}&to=${timeText(start + 30)}`
        expect((await scope.ask(query)).status).toBe(503)
        scope.store.heal()
        await expect.poll(async () => (await scope.ask(query)).status).toBe(200)
      },
      { inner },
    )
  })
})
