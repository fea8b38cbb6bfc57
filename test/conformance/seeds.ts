import { describe, expect, it } from 'vitest'
import { examineStore } from '../../src/database/examine-store.ts'
import { canonicalJson } from '../../src/records/canonical-json.ts'
import { type Commit, MAX_REVISION } from '../../src/records/record.ts'
import type { ConformanceBackend } from './backend.ts'
import { commitOf, put, remove } from './build.ts'
import { accepted, Caller, conflict, loadAll, offTrack, recordsAsOf, refusal, unchanged } from './caller.ts'
import { oddValues } from './canonical-bytes.ts'
import { awkwardIds } from './loads.ts'
import { scoped } from './scope.ts'
import { Source } from './source.ts'

/** Records that change, go, come back, share a commit with others, or stay as they are. */
export function restlessRecords(): Commit[] {
  return [
    commitOf(put('a'), put('b'), put('n', { of: 'another kind' }, { kind: 'node' })),
    commitOf(put('c')),
    commitOf(put('a', { v: 2 }), remove('c')),
    commitOf(put('d'), put('e'), put('b', { v: 2 })),
    commitOf(remove('a'), put('d', { v: 2 })),
    commitOf(put('c', { v: 'again' })),
    commitOf(put('a', { v: 'again' }), put('e')),
    commitOf(remove('n', { kind: 'node' }), put('b', { v: 3 })),
    commitOf(put('a', { v: 4 }), remove('d'), put('f')),
  ]
}

/** `seed`: the records of one moment come into an empty store. */
export function seeds(backend: ConformanceBackend): void {
  describe(`${backend.name}: seed`, () => {
    it.each([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])(
      'keeps every moment from revision %i on exact, when the records change later',
      (from) =>
        scoped(
          backend,
          async (scope) => {
            const source = await Source.of(restlessRecords())
            await source.moveInto(scope.store, from)
            await scope.reopenIfDurable()
            await source.expectIn(scope.store, from)
            await source.expectHistoriesIn(scope.store, from)
            const before = await Promise.all(
              source.entriesAfter(from).map(({ revision }) => source.recordsAt(revision)),
            )
            const caller = await Caller.at(scope.store)
            const ids = ['a', 'b', 'c', 'd', 'e', 'f']
            await caller.send(...ids.map((id) => commitOf(put(id, { v: 'later' }))))
            await caller.write(remove('n', { kind: 'node' }), ...ids.map((id) => remove(id)))
            for (const [index, { revision }] of source.entriesAfter(from).entries())
              expect((await recordsAsOf(scope.store, { revision })).records).toEqual(before[index])
            expect((await recordsAsOf(scope.store, { revision: from })).records).toEqual(
              await source.recordsAt(from),
            )
            expect((await examineStore(scope.store.inspector))?.damages ?? []).toEqual([])
          },
          { pageSize: 3 },
        )(),
    )

    it(
      'makes its point the head, the floor and the first position that anybody can have',
      scoped(backend, async ({ store }) => {
        const source = await Source.of(restlessRecords())
        await source.fork()
        await source.seedInto(store, 4)
        const { position, at, ancestors } = await source.pointAt(4)
        expect(ancestors).toHaveLength(1)
        const { accessVersion, ...head } = await store.head()
        expect(head).toEqual({ position, floor: 4, at, ancestors, mode: 'seeding' })
        expect(accessVersion).not.toBe('')
        expect(await store.changes(position, 10)).toMatchObject({ status: 'ok', entries: [], more: false })
        offTrack(await store.changes({ ...position, digest: 'ab'.repeat(32) }, 10), 'diverged')
        offTrack(await store.changes({ ...position, revision: 3 }, 10), 'compacted')
        offTrack(await store.changes({ ...position, revision: 5 }, 10), 'ahead')
        offTrack(await store.changes({ ...position, lineage: ancestors[0] as string }, 10), 'diverged')
      }),
    )

    it(
      'knows the records with their times and revisions, no tombstone, and nothing from before',
      scoped(backend, async ({ store }) => {
        const source = await Source.of(restlessRecords())
        await source.seedInto(store, 6)
        await store.setMode('seeding', 'copy')
        const { records, tombstones, pages } = await loadAll(store)
        expect(records).toEqual(await source.recordsAt(6))
        expect(tombstones).toEqual([])
        for (const { lineage } of pages) expect(lineage).toBe(source.caller.position.lineage)
        const { at } = await source.pointAt(6)
        for (const moment of [{ revision: 5 }, { revision: 0 }, { at: at - 1 }])
          await expect(recordsAsOf(store, moment)).rejects.toMatchObject({
            code: 'COORD_REVISION_COMPACTED',
            extra: { floor: 6 },
          })
        expect((await recordsAsOf(store, { at })).records).toEqual(records)
        expect((await recordsAsOf(store, { at: at + 1 })).position.revision).toBe(6)
        await expect(recordsAsOf(store, { revision: 7 })).rejects.toMatchObject({
          code: 'COORD_REVISION_FUTURE',
        })
      }),
    )

    it(
      'answers one kind and one record of a moment, like any other store',
      scoped(backend, async ({ store }) => {
        const source = await Source.of(restlessRecords())
        await source.moveInto(store, 4)
        const services = (await source.recordsAt(4)).filter(({ kind }) => kind === 'service')
        expect((await recordsAsOf(store, { revision: 4 }, { kind: 'service' })).records).toEqual(services)
        for (const id of ['a', 'b', 'c'])
          expect((await recordsAsOf(store, { revision: 4 }, { kind: 'service', id })).records).toEqual(
            services.filter((record) => record.id === id),
          )
      }),
    )

    it(
      'gives the history of a record back to its point, and says that it is not complete',
      scoped(backend, async ({ store }) => {
        const source = await Source.of(restlessRecords())
        await source.moveInto(store, 4)
        const page = async (id: string) => {
          const { entries, previous, complete, next } = await store.history('service', id)
          expect(next).toBeUndefined()
          return { revisions: entries.map(({ revision }) => revision), previous, complete }
        }
        expect(await page('b')).toEqual({ revisions: [8], previous: [4], complete: false })
        expect(await page('a')).toEqual({ revisions: [9, 7, 5], previous: [7, 0, 3], complete: false })
        expect(await page('d')).toEqual({ revisions: [9, 5], previous: [5, 4], complete: false })
        // Deleted before the point: nothing is left of its first life.
        expect(await page('c')).toEqual({ revisions: [6], previous: [0], complete: true })
        expect(await page('f')).toEqual({ revisions: [9], previous: [0], complete: true })
        expect(await page('unknown')).toEqual({ revisions: [], previous: [], complete: true })
      }),
    )

    it(
      'has no history of a record that never changed after its point',
      scoped(backend, async ({ store }) => {
        const source = await Source.of([commitOf(put('a')), commitOf(put('b'))])
        await source.moveInto(store, 2)
        for (const id of ['a', 'b'])
          expect(await store.history('service', id)).toEqual({
            position: source.caller.position,
            entries: [],
            previous: [],
            complete: false,
          })
      }),
    )

    it(
      'pages through a history that ends at its point',
      scoped(backend, async ({ store }) => {
        const versions = Array.from({ length: 7 }, (_, v) => commitOf(put('a', { v })))
        const source = await Source.of(versions)
        await source.moveInto(store, 3)
        const first = await store.history('service', 'a', { limit: 3 })
        expect(first.entries).toEqual(source.entriesAfter(4).toReversed())
        expect(first).toMatchObject({ next: 5, complete: false })
        const second = await store.history('service', 'a', { limit: 3, before: 5 })
        expect(second).toMatchObject({ entries: [{ revision: 4 }], previous: [3], complete: false })
        expect(second).not.toHaveProperty('next')
      }),
    )

    it(
      'judges commits against the seeded records: revisions, equality, creation',
      scoped(backend, async ({ store }) => {
        const source = await Source.of([commitOf(put('a')), commitOf(put('b')), commitOf(put('a', { v: 2 }))])
        await source.moveInto(store, 3)
        const caller = await Caller.at(store)
        expect(unchanged(await caller.write(put('a', { v: 2 }))).revisions).toEqual([3])
        expect(conflict(await caller.write(put('a', { v: 3 }, { expect: 1 }))).actual).toBe(3)
        const [a] = await source.recordsAt(3)
        const changed = accepted(await caller.write(put('a', { v: 3 }, { expect: 3 })))
        expect(changed).toMatchObject({ revision: 4, previous: [3] })
        expect(changed.at).toBeGreaterThan(a?.updatedAt as number)
        expect((await loadAll(store)).records[0]).toEqual({
          ...a,
          data: '{"v":3}',
          revision: 4,
          updatedAt: changed.at,
        })
      }),
    )

    it(
      'answers a repeated commit that changed nothing with the seeded versions, as the writes that made them',
      scoped(backend, async ({ store }) => {
        const source = await Source.of([commitOf(put('a')), commitOf(put('b'))])
        await source.moveInto(store, 2)
        const caller = await Caller.at(store)
        const same: Commit = { ...commitOf(put('a'), put('b')), fingerprint: 'one' }
        expect(unchanged((await caller.send(same))[0])).toMatchObject({ revisions: [1, 2], replayed: false })
        const first = { outcome: 'unchanged', revisions: [1, 2], replayed: true, writes: same.writes }
        expect((await caller.send(same))[0]).toEqual(first)
        await caller.send(commitOf(put('a', { v: 2 })), commitOf(remove('b')))
        expect((await caller.send(same))[0]).toEqual(first)
      }),
    )

    it(
      'sets only the head if there are no records, also at revision 0',
      scoped(backend, async ({ store }) => {
        const source = await Source.of([])
        await source.moveInto(store, 0)
        const { position, at } = await source.pointAt(0)
        expect(await store.head()).toMatchObject({ position, at, floor: 0, mode: 'open' })
        expect(await recordsAsOf(store, { at: 0 })).toMatchObject({ position, records: [] })
        const caller = await Caller.at(store)
        expect(accepted(await caller.write(put('a')))).toMatchObject({ revision: 1, previous: [0] })
        expect((await store.history('service', 'a')).complete).toBe(true)
      }),
    )

    it(
      'takes the beginning of a history that was forked later: its digest is the lineage of that time',
      scoped(backend, async ({ store }) => {
        const source = await Source.of([commitOf(put('a'))])
        const { lineage } = source.caller.position
        await source.fork()
        await source.moveInto(store, 0)
        await source.expectIn(store, 0)
        const first = { ...source.caller.position, revision: 0, digest: lineage }
        expect(await store.changes(first, 10)).toMatchObject({ status: 'ok', entries: [{ revision: 1 }] })
        expect((await recordsAsOf(store, { revision: 0 })).position).toEqual(first)
      }),
    )

    it(
      'goes on with an empty moment of a long history',
      scoped(backend, async ({ store }) => {
        const source = await Source.of([
          commitOf(put('a')),
          commitOf(remove('a')),
          commitOf(put('a', { v: 2 })),
        ])
        await source.moveInto(store, 2)
        await source.expectIn(store, 2)
        expect(await store.history('service', 'a')).toMatchObject({ previous: [0], complete: true })
      }),
    )

    it(
      'keeps its digest when a new lineage begins at its point',
      scoped(backend, async ({ store }) => {
        const source = await Source.of(restlessRecords())
        await source.seedInto(store, 4)
        const { position } = await source.pointAt(4)
        const forked = await store.fork(position)
        expect(forked.position).toEqual({ ...position, lineage: forked.position.lineage })
        expect(forked).toMatchObject({ ancestors: [position.lineage], mode: 'seeding', floor: 4 })
        await store.setMode('seeding', 'open')
        const caller = new Caller(store, forked.position)
        expect(accepted(await caller.write(put('z'))).revision).toBe(5)
        expect(await new Caller(store, forked.position).follow()).toEqual(caller.entries)
        offTrack(await store.changes(position, 10), 'diverged')
      }),
    )

    it(
      'can be compacted like any other store',
      scoped(backend, async (scope) => {
        const source = await Source.of(restlessRecords())
        await source.moveInto(scope.store, 3)
        expect((await scope.store.compact(6)).floor).toBe(6)
        await scope.reopenIfDurable()
        await source.expectIn(scope.store, 6)
        await expect(recordsAsOf(scope.store, { revision: 5 })).rejects.toMatchObject({
          code: 'COORD_REVISION_COMPACTED',
        })
        await scope.store.compact(9)
        await source.expectIn(scope.store, 9)
        const caller = await Caller.at(scope.store)
        const ids = ['a', 'b', 'c', 'e', 'f']
        await caller.send(...ids.map((id) => commitOf(put(id, { v: 'later' }))))
        expect((await recordsAsOf(scope.store, { revision: 9 })).records).toEqual(await source.recordsAt(9))
        await scope.store.compact(14)
        expect((await loadAll(scope.store)).records.map(({ data }) => data)).toEqual(
          ids.map(() => '{"v":"later"}'),
        )
        expect((await examineStore(scope.store.inspector))?.damages ?? []).toEqual([])
      }),
    )

    it(
      'counts on to the last revision',
      scoped(backend, async ({ store }) => {
        const firstRevision = MAX_REVISION - 9
        const source = await Source.of(restlessRecords(), { firstRevision })
        await source.moveInto(store, MAX_REVISION - 4)
        await source.expectIn(store, MAX_REVISION - 4)
        const caller = await Caller.at(store)
        expect(caller.position.revision).toBe(MAX_REVISION)
        expect(refusal(await caller.write(put('z'))).code).toBe('COORD_REVISION_EXHAUSTED')
      }),
    )

    it.each(Object.entries(oddValues))('keeps %s, byte for byte', (_, value) =>
      scoped(backend, async (scope) => {
        const source = await Source.of([commitOf(put('a', { value }))])
        await source.moveInto(scope.store, 1)
        await scope.reopenIfDurable()
        const data = canonicalJson({ value })
        expect((await loadAll(scope.store)).records[0]?.data === data).toBe(true)
        const caller = await Caller.at(scope.store)
        expect(unchanged(await caller.write(put('a', { value }))).revisions).toEqual([1])
        await caller.write(put('a', { value, more: 1 }))
        expect((await recordsAsOf(scope.store, { revision: 1 })).records[0]?.data === data).toBe(true)
      })(),
    )

    it(
      'keeps kinds and ids as they were written, and apart where they differ',
      scoped(
        backend,
        async ({ store }) => {
          const source = await Source.of([
            commitOf(...awkwardIds.map((id) => put(id, { id }))),
            commitOf(...awkwardIds.map((kind) => put(kind, { kind }, { kind }))),
          ])
          await source.seedInto(store, 2, 7)
          await store.setMode('seeding', 'open')
          await source.expectIn(store, 2)
          const caller = await Caller.at(store)
          await caller.write(...awkwardIds.map((id) => remove(id)))
          expect((await recordsAsOf(store, { revision: 2 })).records).toEqual(await source.recordsAt(2))
        },
        { pageSize: 10 },
      ),
    )
  })
}
