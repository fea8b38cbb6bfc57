import { describe, expect, it } from 'vitest'
import { MAX_REVISION } from '../../src/records/record.ts'
import type { ConformanceBackend } from './backend.ts'
import { commitOf, put, remove } from './build.ts'
import {
  accepted,
  Caller,
  conflict,
  loadAll,
  offTrack,
  recordsAsOf,
  refusal,
  replayOf,
  unchanged,
} from './caller.ts'
import { scoped } from './scope.ts'

const nearTheEnd = { firstRevision: MAX_REVISION - 3 }

/** Revisions up to 2^53-1, the last whole number that JavaScript and JSON can count to. */
export function largeRevisions(backend: ConformanceBackend): void {
  describe(`${backend.name}: large revisions`, () => {
    it(
      'starts where it is told, with the lineage as digest',
      scoped(
        backend,
        async ({ store }) => {
          const { position, floor } = await store.head()
          expect(position).toMatchObject({ revision: MAX_REVISION - 3, digest: position.lineage })
          expect(floor).toBe(MAX_REVISION - 3)
          expect((await recordsAsOf(store, { revision: MAX_REVISION - 3 })).records).toEqual([])
        },
        nearTheEnd,
      ),
    )

    it(
      'counts exactly up to the last revision, and refuses the next one',
      scoped(
        backend,
        async ({ store, caller }) => {
          const results = await caller.send(
            commitOf(put('a')),
            commitOf(put('b')),
            commitOf(put('a', { v: 2 }, { expect: MAX_REVISION - 2 })),
            commitOf(put('c')),
          )
          expect(results.slice(0, 3).map((result) => accepted(result).revision)).toEqual([
            MAX_REVISION - 2,
            MAX_REVISION - 1,
            MAX_REVISION,
          ])
          expect(refusal(results[3])).toMatchObject({
            code: 'COORD_REVISION_EXHAUSTED',
            outcome: 'not_written',
          })
          expect((await store.head()).position).toEqual(caller.position)
          expect((await loadAll(store)).records.map(({ id, revision }) => [id, revision])).toEqual([
            ['a', MAX_REVISION],
            ['b', MAX_REVISION - 1],
          ])
        },
        nearTheEnd,
      ),
    )

    it(
      'still answers at the end what needs no new revision',
      scoped(
        backend,
        async ({ store, caller }) => {
          const last = commitOf(put('c'))
          const [, , first] = await caller.send(commitOf(put('a')), commitOf(put('b')), last)
          const results = await caller.send(
            last,
            commitOf(put('c')),
            commitOf(put('c', { v: 2 }, { expect: MAX_REVISION - 1 })),
            commitOf(remove('a')),
            commitOf(put('c', { v: 2 }, { expect: MAX_REVISION })),
          )
          expect(results[0]).toEqual(replayOf(first, last))
          expect(unchanged(results[1]).revisions).toEqual([MAX_REVISION])
          expect(conflict(results[2])).toMatchObject({ expected: MAX_REVISION - 1, actual: MAX_REVISION })
          for (const result of results.slice(3)) expect(refusal(result).code).toBe('COORD_REVISION_EXHAUSTED')
          expect((await loadAll(store)).records).toHaveLength(3)
        },
        nearTheEnd,
      ),
    )

    it(
      'follows, remembers and compacts there as anywhere else',
      scoped(
        backend,
        async (scope) => {
          const follower = await Caller.at(scope.store)
          await scope.caller.send(commitOf(put('a')), commitOf(put('a', { v: 2 })), commitOf(remove('a')))
          await scope.reopenIfDurable()
          const { store } = scope
          expect(await new Caller(store, follower.position).follow(1)).toHaveLength(3)
          const { entries, previous } = await store.history('service', 'a')
          expect(entries.map(({ revision }) => revision)).toEqual([
            MAX_REVISION,
            MAX_REVISION - 1,
            MAX_REVISION - 2,
          ])
          expect(previous).toEqual([MAX_REVISION - 1, MAX_REVISION - 2, 0])
          const then = await recordsAsOf(store, { revision: MAX_REVISION - 1 })
          expect(then.records).toMatchObject([{ data: '{"v":2}', revision: MAX_REVISION - 1 }])
          expect((await store.compact(MAX_REVISION - 1)).floor).toBe(MAX_REVISION - 1)
          expect((await recordsAsOf(store, { revision: MAX_REVISION - 1 })).records).toEqual(then.records)
          expect((await store.compact(MAX_REVISION)).floor).toBe(MAX_REVISION)
          offTrack(await store.changes(follower.position, 10), 'compacted')
        },
        nearTheEnd,
      ),
    )

    it(
      'forks at the last revision',
      scoped(
        backend,
        async ({ store, caller }) => {
          await caller.send(commitOf(put('a')), commitOf(put('b')), commitOf(put('c')))
          const { position } = await store.fork(caller.position)
          expect(position).toEqual({ ...caller.position, lineage: position.lineage })
          expect(position.lineage).not.toBe(caller.position.lineage)
          expect(refusal(await new Caller(store, position).write(put('d'))).code).toBe(
            'COORD_REVISION_EXHAUSTED',
          )
        },
        nearTheEnd,
      ),
    )

    it(
      'counts over 2^31 and 2^32 as anywhere else',
      scoped(
        backend,
        async (scope) => {
          await scope.caller.send(commitOf(put('a')), commitOf(put('b')), commitOf(put('a', { v: 2 })))
          await scope.reopenIfDurable()
          expect((await loadAll(scope.store)).records.map(({ id, revision }) => [id, revision])).toEqual([
            ['a', 2 ** 32 + 1],
            ['b', 2 ** 32],
          ])
          expect((await scope.store.history('service', 'a')).previous).toEqual([2 ** 32 - 1, 0])
        },
        { firstRevision: 2 ** 32 - 2 },
      ),
    )
  })
}
