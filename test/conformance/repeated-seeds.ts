import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { ANCESTORS_MAX } from '../../src/database/ancestors.ts'
import type { SeedPoint } from '../../src/database/store.ts'
import { canonicalJson } from '../../src/records/canonical-json.ts'
import type { Commit, StoredRecord } from '../../src/records/record.ts'
import type { ConformanceBackend } from './backend.ts'
import { commitOf, idsOf, newCall, put, remove } from './build.ts'
import { accepted, Caller, loadAll, recordsAsOf, unchanged } from './caller.ts'
import { scoped } from './scope.ts'
import { restlessRecords } from './seeds.ts'
import { Source } from './source.ts'

const A: StoredRecord = {
  kind: 'service',
  id: 'a',
  data: canonicalJson({ v: 1 }),
  revision: 3,
  createdAt: 1_000,
  updatedAt: 2_000,
}

function pointOf(fields: Partial<SeedPoint['position']> = {}): SeedPoint {
  const position = { lineage: randomUUID(), revision: 5, digest: 'ab'.repeat(32), ...fields }
  return { position, at: 3_000, ancestors: [] }
}

/** `seed` in parts: parts that come again, the rest of another seed, and what no part may hold. */
export function repeatedSeeds(backend: ConformanceBackend): void {
  describe(`${backend.name}: parts of a seed`, () => {
    it(
      'takes parts again and in any order: what is there stays as it is',
      scoped(backend, async ({ store }) => {
        const source = await Source.of(restlessRecords())
        await store.setMode('open', 'seeding')
        const point = await source.pointAt(4)
        const records = await source.recordsAt(4)
        const reversed = records.toReversed()
        for (const part of [reversed.slice(0, 2), records, reversed, []])
          expect((await store.seed(point, part)).position).toEqual(point.position)
        const forged = records.map((record) => ({ ...record, data: canonicalJson({ forged: true }) }))
        await store.seed(point, forged)
        await store.setMode('seeding', 'open')
        expect((await loadAll(store)).records).toEqual(records)
        expect((await recordsAsOf(store, { revision: 4 })).records).toEqual(records)
      }),
    )

    it(
      'goes on after a restart, where the store is durable',
      scoped(backend, async (scope) => {
        const source = await Source.of(restlessRecords())
        await scope.store.setMode('open', 'seeding')
        const point = await source.pointAt(4)
        const records = await source.recordsAt(4)
        const seeded = await scope.store.seed(point, records.slice(0, 2))
        await scope.reopenIfDurable()
        expect(await scope.store.head()).toEqual(seeded)
        await scope.store.seed(point, records.slice(2))
        await scope.store.setMode('seeding', 'open')
        expect((await recordsAsOf(scope.store, { revision: 4 })).records).toEqual(records)
      }),
    )

    it(
      'takes parts that come at once',
      scoped(backend, async ({ store }) => {
        const source = await Source.of(idsOf('r', 12).map((id) => commitOf(put(id))))
        await store.setMode('open', 'seeding')
        const point = await source.pointAt(12)
        const records = await source.recordsAt(12)
        await Promise.all([0, 4, 8, 0, 4].map((at) => store.seed(point, records.slice(at, at + 4))))
        await store.setMode('seeding', 'open')
        await source.expectIn(store, 12)
      }),
    )

    it.each([
      ['an earlier revision', 2],
      ['a later revision', 6],
      ['the revision of its newest entry', 5],
      ['the same revision, once entries follow', 4],
    ])('removes what another seed left when it comes at %s', (_, revision) =>
      scoped(backend, async (scope) => {
        const source = await Source.of(restlessRecords())
        await source.seedInto(scope.store, 4)
        await source.replayInto(scope.store, 4, { upTo: 5 })
        await scope.store.seed(await source.pointAt(revision), [])
        await scope.store.setMode('seeding', 'copy')
        expect(await loadAll(scope.store)).toMatchObject({ records: [], tombstones: [] })
        expect((await scope.store.history('service', 'a')).entries).toEqual([])
        await scope.store.setMode('copy', 'seeding')
        await source.moveInto(scope.store, revision)
        await scope.reopenIfDurable()
        await source.expectIn(scope.store, revision)
        await source.expectHistoriesIn(scope.store, revision)
        // Ids of entries that the point covers are free; those of later entries belong to their entries.
        const caller = await Caller.at(scope.store)
        for (const { commitId, actor, writes, revision: known } of source.caller.entries.slice(3, 6)) {
          const result = (await caller.send({ commitId, actor, writes }))[0]
          if (known > revision) expect(result).toMatchObject({ revision: known, replayed: true })
          else expect(result).toMatchObject({ replayed: false })
        }
      })(),
    )

    it(
      'removes what a seed of another history left, at the same revision',
      scoped(backend, async ({ store }) => {
        const other = await Source.of(['x', 'y', 'z', 'a'].map((id) => commitOf(put(id, { of: 'other' }))))
        await other.seedInto(store, 4)
        const source = await Source.of(restlessRecords())
        await source.moveInto(store, 4)
        await source.expectIn(store, 4)
        await source.expectHistoriesIn(store, 4)
      }),
    )

    it(
      'forgets the ids of commits that changed nothing',
      scoped(backend, async ({ store, caller }) => {
        const nothing: Commit = { ...commitOf(remove('a')), fingerprint: 'one' }
        expect(unchanged((await caller.send(nothing))[0]).replayed).toBe(false)
        const source = await Source.of([commitOf(put('a'))])
        await source.moveInto(store, 1)
        const after = await Caller.at(store)
        expect(accepted((await after.send(nothing))[0])).toMatchObject({ revision: 2, previous: [1] })
      }),
    )

    it(
      'still knows the newest call of a writer',
      scoped(backend, async ({ store, caller }) => {
        const call = newCall()
        expect((await store.commit(caller.position, [], call)).status).toBe('ok')
        const source = await Source.of([commitOf(put('a'))])
        await source.moveInto(store, 1)
        const { position } = source.caller
        expect(await store.commit(position, [commitOf(put('b'))], call)).toEqual({ status: 'superseded' })
      }),
    )

    it(
      'takes many records in one part',
      scoped(backend, async ({ store }) => {
        const writes = idsOf('r', 3_000).map((id) => put(id, { id, text: 'x'.repeat(200) }))
        const source = await Source.of([
          commitOf(...writes.slice(0, 2_000)),
          commitOf(...writes.slice(2_000)),
        ])
        await source.seedInto(store, 2, 3_000)
        await store.setMode('seeding', 'open')
        expect((await recordsAsOf(store, { revision: 2 })).records).toEqual(await source.recordsAt(2))
      }),
    )

    it.each<[string, Partial<StoredRecord>]>([
      ['a record that is newer than its point', { revision: 6 }],
      ['a record without a revision', { revision: 0 }],
      ['a record whose revision is no whole number', { revision: 2.5 }],
      ['a record with half a millisecond', { updatedAt: 1.5 }],
      ['a record that is no object', { data: canonicalJson([]) }],
      ['a record with an id that no database stores', { id: 'a\0' }],
      ['a record without a kind', { kind: '' }],
    ])('refuses %s, and all others of its part', (_, fields) =>
      scoped(backend, async ({ store }) => {
        const before = await store.setMode('open', 'seeding')
        const records = [
          { ...A, id: 'good' },
          { ...A, ...fields },
        ]
        const error = { code: 'COORD_COMMIT_REFUSED', outcome: 'not_written' }
        await expect(store.seed(pointOf(), records)).rejects.toMatchObject(error)
        expect(await store.head()).toEqual(before)
        await store.setMode('seeding', 'open')
        expect((await loadAll(store)).records).toEqual([])
      })(),
    )

    it.each<[string, SeedPoint]>([
      ['a lineage that is no UUID', pointOf({ lineage: 'main' })],
      ['a digest that is none', pointOf({ digest: 'ab' })],
      ['a negative revision', pointOf({ revision: -1 })],
      ['a revision beyond the last one', pointOf({ revision: 2 ** 53 })],
      ['a time that is none', { ...pointOf(), at: Number.NaN }],
      ['an ancestor that is no UUID', { ...pointOf(), ancestors: ['main'] }],
      [
        'too many ancestors',
        { ...pointOf(), ancestors: Array.from({ length: ANCESTORS_MAX + 1 }, () => randomUUID()) },
      ],
    ])('refuses a point with %s', (_, point) =>
      scoped(backend, async ({ store }) => {
        const before = await store.setMode('open', 'seeding')
        const error = { code: 'COORD_COMMIT_REFUSED', outcome: 'not_written' }
        await expect(store.seed(point, [])).rejects.toMatchObject(error)
        expect(await store.head()).toEqual(before)
      })(),
    )
  })
}
