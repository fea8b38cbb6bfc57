import { describe, expect, it } from 'vitest'
import type { ConformanceBackend } from './backend.ts'
import { commitOf, farFuture, idsOf, put, remove } from './build.ts'
import { accepted, Caller, loadAll, offTrack, recordsAsOf, replayOf } from './caller.ts'
import { scoped } from './scope.ts'

const gone = { code: 'COORD_REVISION_COMPACTED' }

/** `compact`: forgetting history below a floor. */
export function compaction(backend: ConformanceBackend): void {
  describe(`${backend.name}: compaction`, () => {
    it(
      'raises the floor, and changes nothing of the present',
      scoped(backend, async ({ store, caller }) => {
        await caller.send(...idsOf('r', 6).map((id) => commitOf(put(id))))
        const before = { head: await store.head(), all: await loadAll(store) }
        expect(await store.compact(4)).toEqual({ ...before.head, floor: 4 })
        expect(await store.head()).toEqual({ ...before.head, floor: 4 })
        expect(await loadAll(store)).toEqual(before.all)
      }),
    )

    it(
      'leaves every moment from the floor on exact, and refuses those below',
      scoped(backend, async ({ store, caller }) => {
        for (let v = 0; v < 5; v += 1)
          await caller.send(commitOf(put('a', { v })), commitOf(put('b', { v })), commitOf(remove('b')))
        const before = []
        for (let revision = 7; revision <= 15; revision += 1)
          before.push(await recordsAsOf(store, { revision }))
        await store.compact(7)
        for (const then of before)
          expect(await recordsAsOf(store, { revision: then.position.revision })).toEqual(then)
        for (const revision of [0, 1, 6])
          await expect(recordsAsOf(store, { revision })).rejects.toMatchObject({
            ...gone,
            extra: { floor: 7 },
          })
      }),
    )

    it(
      'keeps the version of a record that changes only after the compaction',
      scoped(backend, async ({ store, caller }) => {
        await caller.send(commitOf(put('a')), commitOf(put('b')), commitOf(put('c')), commitOf(put('d')))
        const before = await recordsAsOf(store, { revision: 4 })
        await store.compact(4)
        await caller.send(
          commitOf(put('a', { v: 2 })),
          commitOf(remove('b')),
          commitOf(put('c'), remove('d')),
        )
        expect(await recordsAsOf(store, { revision: 4 })).toEqual(before)
      }),
    )

    it(
      'keeps what is needed of commits that wrote several records',
      scoped(backend, async ({ store, caller }) => {
        await caller.write(put('a'), put('b'), put('c'))
        await caller.send(commitOf(put('a', { v: 2 })), commitOf(remove('c'), put('d')), commitOf(put('e')))
        await store.compact(3)
        const before = await recordsAsOf(store, { revision: 3 })
        expect(before.records.map(({ id }) => id)).toEqual(['a', 'b', 'd'])
        await caller.send(commitOf(put('b', { v: 2 }), put('d', { v: 2 })), commitOf(remove('a')))
        expect(await recordsAsOf(store, { revision: 3 })).toEqual(before)
      }),
    )

    it(
      'keeps the other records of a commit that deleted what was absent and came later',
      scoped(backend, async ({ store, caller }) => {
        await caller.write(put('a'), remove('b'))
        await caller.write(put('b'))
        const before = await recordsAsOf(store, { revision: 2 })
        expect(before.records.map(({ id }) => id)).toEqual(['a', 'b'])
        await store.compact(2)
        await caller.write(put('a', { v: 2 }), put('b', { v: 2 }))
        expect(await recordsAsOf(store, { revision: 2 })).toEqual(before)
      }),
    )

    it(
      'may go on step by step, and every step keeps what the next moments need',
      scoped(backend, async ({ store, caller }) => {
        for (let v = 0; v < 12; v += 1) {
          const ids = [`r${v % 3}`, `s${v % 5}`]
          await caller.send(commitOf(...ids.map((id) => (v % 4 === 3 ? remove(id) : put(id, { v })))))
        }
        const moments = []
        for (let revision = 0; revision <= 12; revision += 1)
          moments.push(await recordsAsOf(store, { revision }))
        for (const floor of [1, 2, 5, 6, 9, 12]) {
          expect((await store.compact(floor)).floor).toBe(floor)
          for (const then of moments.slice(floor))
            expect(await recordsAsOf(store, { revision: then.position.revision })).toEqual(then)
          await expect(recordsAsOf(store, { revision: floor - 1 })).rejects.toMatchObject(gone)
        }
      }),
    )

    it(
      'does nothing the second time, nor for a floor that is lower',
      scoped(backend, async ({ store, caller }) => {
        await caller.send(...idsOf('r', 6).map((id) => commitOf(put(id))))
        const head = await store.compact(4)
        for (const floor of [4, 3, 0, -1]) expect(await store.compact(floor)).toEqual(head)
        expect((await recordsAsOf(store, { revision: 4 })).records).toHaveLength(4)
      }),
    )

    it(
      'takes a floor above the head for the head',
      scoped(backend, async ({ store, caller }) => {
        await caller.send(commitOf(put('a')), commitOf(put('b')))
        expect((await store.compact(99)).floor).toBe(2)
        expect((await recordsAsOf(store, { revision: 2 })).records).toHaveLength(2)
        expect(accepted(await caller.write(put('c'))).revision).toBe(3)
        expect((await recordsAsOf(store, { revision: 3 })).records).toHaveLength(3)
      }),
    )

    it(
      'does nothing to an empty store',
      scoped(backend, async ({ store }) => {
        const head = await store.head()
        expect(await store.compact(0)).toEqual(head)
        expect(await store.compact(5)).toEqual(head)
      }),
    )

    it(
      'refuses times before the entry at the floor, and no others',
      scoped(backend, async ({ store, subject, caller }) => {
        for (let v = 1; v <= 4; v += 1) {
          await subject.setClock(farFuture + v * 1_000)
          await caller.write(put('a', { v }))
        }
        await store.compact(3)
        await expect(recordsAsOf(store, { at: farFuture + 2_999 })).rejects.toMatchObject(gone)
        await expect(recordsAsOf(store, { at: farFuture })).rejects.toMatchObject(gone)
        expect((await recordsAsOf(store, { at: farFuture + 3_000 })).position.revision).toBe(3)
        expect((await recordsAsOf(store, { at: farFuture + 3_500 })).position.revision).toBe(3)
        expect((await recordsAsOf(store, { at: farFuture + 4_000 })).position.revision).toBe(4)
      }),
    )

    it(
      'drops tombstones up to the floor, and keeps later ones',
      scoped(backend, async ({ store, caller }) => {
        const ids = ['a', 'b', 'c']
        await caller.send(...ids.map((id) => commitOf(put(id))), ...ids.map((id) => commitOf(remove(id))))
        await store.compact(5)
        expect((await loadAll(store)).tombstones).toEqual([{ kind: 'service', id: 'c', revision: 6 }])
        expect((await recordsAsOf(store, { revision: 5 })).records.map(({ id }) => id)).toEqual(['c'])
      }),
    )

    it(
      'knows a commit id from the floor on, and below it while a record still has that version',
      scoped(backend, async ({ store, caller }) => {
        const batch = [put('keep'), put('a'), put('a', { v: 2 }), put('a', { v: 3 }), remove('a'), put('b')]
        const known = batch.map((write) => commitOf(write))
        const first = await caller.send(...known)
        await store.compact(5)
        const again = await caller.send(...[0, 4, 5].map((index) => known[index] as (typeof known)[0]))
        expect(again).toEqual(
          [0, 4, 5].map((index) => replayOf(first[index], known[index] as (typeof known)[0])),
        )
      }),
    )

    it(
      'frees the commit ids that it forgets',
      scoped(backend, async ({ store, caller }) => {
        const forgotten = commitOf(put('a'))
        await caller.send(forgotten, commitOf(put('a', { v: 2 })), commitOf(put('a', { v: 3 })))
        await store.compact(3)
        expect(accepted((await caller.send(forgotten))[0])).toMatchObject({ revision: 4, replayed: false })
      }),
    )

    it(
      'frees the ids of forgotten deletions, and of an entry that an earlier floor had kept',
      scoped(backend, async ({ store, caller }) => {
        const known = [put('a'), remove('a'), put('b'), put('b', { v: 2 }), put('b', { v: 3 })].map((write) =>
          commitOf(write),
        )
        await caller.send(...known)
        await store.compact(2)
        await store.compact(5)
        const again = known.slice(0, 4).map((commit, index) => ({ ...commit, writes: [put(`new${index}`)] }))
        const results = await caller.send(...again)
        expect(results).toMatchObject(
          [6, 7, 8, 9].map((revision) => ({ outcome: 'accepted', revision, replayed: false })),
        )
      }),
    )

    it(
      'sends callers below the floor to load anew, and follows those at it',
      scoped(backend, async ({ store, caller }) => {
        const start = caller.position
        await caller.send(...idsOf('r', 4).map((id) => commitOf(put(id))))
        const head = await store.compact(2)
        expect(offTrack(await store.changes(start, 10), 'compacted').head).toEqual(head)
        const floor = { ...start, revision: 2, digest: caller.entries[1]?.digest as string }
        expect(await new Caller(store, floor).follow()).toEqual(caller.entries.slice(2))
      }),
    )

    it(
      'follows a caller at a floor that is the head',
      scoped(backend, async ({ store, caller }) => {
        await caller.send(...idsOf('r', 4).map((id) => commitOf(put(id))))
        await store.compact(4)
        const other = new Caller(store, caller.position)
        await caller.send(commitOf(put('x')), commitOf(put('y')))
        expect(await other.follow()).toHaveLength(2)
      }),
    )

    it(
      'between the pages of a moment leaves it exact, or ends it with the reason',
      scoped(
        backend,
        async ({ store, caller }) => {
          const ids = idsOf('r', 9)
          await caller.send(...ids.map((id) => commitOf(put(id))))
          await caller.send(...ids.map((id) => commitOf(put(id, { v: 2 }))))
          const seen: string[] = []
          const reading = (async () => {
            for await (const page of store.asOf({ revision: 9 })) {
              seen.push(...page.records.map(({ id, data }) => `${id}${data}`))
              await store.compact(18)
            }
          })()
          const error = await reading.then(
            () => undefined,
            (thrown: unknown) => thrown,
          )
          const exact = ids.map((id) => `${id}{"v":1}`)
          expect(seen).toEqual(exact.slice(0, seen.length))
          if (seen.length < exact.length) expect(error).toMatchObject(gone)
          else expect(error).toBeUndefined()
        },
        { pageSize: 2 },
      ),
    )

    it(
      'does not stop commits that come meanwhile',
      scoped(backend, async ({ store, caller }) => {
        await caller.send(...Array.from({ length: 200 }, (_, v) => commitOf(put('a', { v }))))
        const [head, results] = await Promise.all([
          store.compact(150),
          caller.send(...idsOf('r', 20).map((id) => commitOf(put(id)))),
        ])
        expect(head.floor).toBe(150)
        expect(results.map((result) => accepted(result).revision)).toEqual(
          Array.from({ length: 20 }, (_, index) => 201 + index),
        )
        expect((await recordsAsOf(store, { revision: 150 })).records).toMatchObject([{ data: '{"v":149}' }])
      }),
    )

    it(
      'may be asked for several times at once: the highest floor stays',
      scoped(backend, async ({ store, caller }) => {
        const forgotten = commitOf(put('a'))
        await caller.send(forgotten, ...Array.from({ length: 11 }, (_, v) => commitOf(put('a', { v }))))
        const before = await recordsAsOf(store, { revision: 9 })
        const floors = [5, 9, 7, 2]
        const heads = await Promise.all(floors.map((floor) => store.compact(floor)))
        for (const [index, { floor }] of heads.entries())
          expect(floor).toBeGreaterThanOrEqual(floors[index] as number)
        expect(await store.head()).toMatchObject({ floor: 9, position: caller.position })
        expect(await recordsAsOf(store, { revision: 9 })).toEqual(before)
        await expect(recordsAsOf(store, { revision: 8 })).rejects.toMatchObject(gone)
        expect(accepted((await caller.send(forgotten))[0])).toMatchObject({ revision: 13, replayed: false })
      }),
    )

    it(
      'is still there after a restart, where the store is durable',
      scoped(backend, async (scope) => {
        await scope.caller.send(...Array.from({ length: 6 }, (_, v) => commitOf(put('a', { v }))))
        const compacted = await scope.store.compact(4)
        await scope.reopenIfDurable()
        expect(await scope.store.head()).toEqual(compacted)
        await expect(recordsAsOf(scope.store, { revision: 3 })).rejects.toMatchObject(gone)
        expect((await recordsAsOf(scope.store, { revision: 4 })).records).toMatchObject([{ data: '{"v":3}' }])
      }),
    )
  })
}
