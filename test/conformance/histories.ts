import { describe, expect, it } from 'vitest'
import type { Store } from '../../src/database/store.ts'
import type { Revision } from '../../src/records/record.ts'
import type { ConformanceBackend } from './backend.ts'
import { commitOf, put, remove } from './build.ts'
import { type Caller, unchanged } from './caller.ts'
import { scoped } from './scope.ts'

/** Record `a` at odd revisions from 1 to 2n-1, `b` at the even ones. */
async function alternate(caller: Caller, count: number): Promise<void> {
  for (let v = 1; v <= count; v += 1) await caller.send(commitOf(put('a', { v })), commitOf(put('b', { v })))
}

async function pagesOf(store: Store, limit: number) {
  const revisions: Revision[][] = []
  const previous: Revision[] = []
  for (let before: Revision | undefined; ; ) {
    const page = await store.history('service', 'a', { limit, ...(before === undefined ? {} : { before }) })
    revisions.push(page.entries.map(({ revision }) => revision))
    previous.push(...page.previous)
    if (page.next === undefined) return { revisions, previous, complete: page.complete }
    // Only the last page can say that nothing came before.
    expect(page.complete).toBe(false)
    // A page that leads nowhere would lead there for ever, and without a turn of the event loop no time-out would end it.
    expect(page.next).toBeLessThan(before ?? Number.POSITIVE_INFINITY)
    before = page.next
  }
}

/** `history`: what happened to one record. */
export function histories(backend: ConformanceBackend): void {
  describe(`${backend.name}: history`, () => {
    it(
      'lists the entries that wrote the record, newest first, with what it was before',
      scoped(backend, async ({ store, caller }) => {
        await alternate(caller, 3)
        const { entries } = caller
        expect(await store.history('service', 'a')).toEqual({
          position: caller.position,
          entries: [entries[4], entries[2], entries[0]],
          previous: [3, 1, 0],
          complete: true,
        })
      }),
    )

    it(
      'is empty and complete for a record that never was',
      scoped(backend, async ({ store, caller }) => {
        await caller.write(put('a'))
        const nothing = { position: caller.position, entries: [], previous: [], complete: true }
        expect(await store.history('service', 'b')).toEqual(nothing)
        expect(await store.history('node', 'a')).toEqual(nothing)
        expect(await store.history('service', 'A')).toEqual(nothing)
      }),
    )

    it(
      'shows entries with all their writes',
      scoped(backend, async ({ store, caller }) => {
        await caller.write(put('x'), put('a'), remove('y'))
        await caller.write(put('x', { v: 2 }))
        expect((await store.history('service', 'a')).entries).toEqual([caller.entries[0]])
      }),
    )

    it(
      'goes on through deletes and returns',
      scoped(backend, async ({ store, caller }) => {
        for (const write of [put('a'), remove('a'), put('b'), put('a'), put('a', { v: 2 }), remove('a')])
          await caller.write(write)
        const page = await store.history('service', 'a')
        expect(page.entries.map(({ revision }) => revision)).toEqual([6, 5, 4, 2, 1])
        expect(page).toMatchObject({ previous: [5, 4, 0, 1, 0], complete: true })
      }),
    )

    it(
      'lists a write that changed nothing itself in a commit that changed something',
      scoped(backend, async ({ store, caller }) => {
        await caller.write(put('a'))
        await caller.write(put('a'), put('b'))
        unchanged(await caller.write(put('a')))
        const page = await store.history('service', 'a')
        expect(page.entries.map(({ revision }) => revision)).toEqual([2, 1])
        expect(page.previous).toEqual([1, 0])
      }),
    )

    it.each([
      [1, [[9], [7], [5], [3], [1]]],
      [2, [[9, 7], [5, 3], [1]]],
      [4, [[9, 7, 5, 3], [1]]],
      [5, [[9, 7, 5, 3, 1]]],
      [6, [[9, 7, 5, 3, 1]]],
    ])('comes in pages of %i', (limit, pages) =>
      scoped(backend, async ({ store, caller }) => {
        await alternate(caller, 5)
        expect(await pagesOf(store, limit)).toEqual({
          revisions: pages,
          previous: [7, 5, 3, 1, 0],
          complete: true,
        })
      })(),
    )

    it(
      'begins below any revision that is asked for',
      scoped(backend, async ({ store, caller }) => {
        await alternate(caller, 3)
        const below = async (before: Revision) =>
          (await store.history('service', 'a', { before })).entries.map(({ revision }) => revision)
        expect(await below(99)).toEqual([5, 3, 1])
        expect(await below(5)).toEqual([3, 1])
        expect(await below(4)).toEqual([3, 1])
        expect(await below(2)).toEqual([1])
        expect(await below(1)).toEqual([])
        expect(await store.history('service', 'a', { before: 1 })).not.toHaveProperty('next')
      }),
    )

    it(
      'has at most 100 entries on a page unless told otherwise',
      scoped(backend, async ({ store, caller }) => {
        await caller.send(...Array.from({ length: 120 }, (_, v) => commitOf(put('a', { v }))))
        const first = await store.history('service', 'a')
        expect(first.entries).toHaveLength(100)
        expect(first.next).toBe(first.entries.at(-1)?.revision)
        const rest = await store.history('service', 'a', { before: first.next as number })
        expect(rest).toMatchObject({ complete: true })
        expect(rest.entries).toHaveLength(20)
        expect(rest).not.toHaveProperty('next')
      }),
    )

    it(
      'stays where it is while the record changes between pages',
      scoped(backend, async ({ store, caller }) => {
        await alternate(caller, 3)
        const first = await store.history('service', 'a', { limit: 1 })
        await alternate(caller, 2)
        const second = await store.history('service', 'a', { limit: 9, before: first.next as number })
        expect(second.entries.map(({ revision }) => revision)).toEqual([3, 1])
      }),
    )

    it(
      'says where the journal stood: the page has every entry up to there, and none behind it',
      scoped(backend, async ({ store, caller }) => {
        expect((await store.history('service', 'a')).position).toEqual((await store.head()).position)
        await caller.send(commitOf(put('b')))
        let writing = true
        const written = (async () => {
          for (let v = 0; v < 40; v += 1)
            await caller.send(
              commitOf(put('a', { v })),
              commitOf(put('b', { v })),
              commitOf(put('a', { w: v })),
            )
          writing = false
        })()
        const pages = []
        // Pages of two: the entries of a page have to be read at the moment that it names, too.
        do pages.push(await store.history('service', 'a', { limit: 2 }))
        while (writing)
        await written
        pages.push(await store.history('service', 'a', { limit: 2 }))
        const all = caller.entries.filter(({ writes }) => writes.some(({ id }) => id === 'a')).reverse()
        for (const { position, entries } of pages) {
          const until = all.filter(({ revision }) => revision <= position.revision)
          expect(entries).toEqual(until.slice(0, 2))
          expect(position.lineage).toBe(caller.position.lineage)
          expect(position.digest).toBe(
            position.revision === 0 ? position.lineage : caller.entries[position.revision - 1]?.digest,
          )
        }
        expect(pages.at(-1)?.position).toEqual(caller.position)
      }),
    )

    it(
      'says that compaction removed older entries, and keeps the newest one below the floor',
      scoped(backend, async ({ store, caller }) => {
        await alternate(caller, 4)
        await store.compact(6)
        const page = await store.history('service', 'a')
        expect(page.entries.map(({ revision }) => revision)).toEqual([7, 5])
        expect(page).toMatchObject({ previous: [5, 3], complete: false })
        expect(page).not.toHaveProperty('next')
        expect(await pagesOf(store, 1)).toEqual({ revisions: [[7], [5]], previous: [5, 3], complete: false })
      }),
    )

    it.each([
      [3, [5, 3]],
      [8, []],
    ])('goes on with what is left where history is forgotten up to %i between pages', (floor, left) =>
      scoped(backend, async ({ store, caller }) => {
        await alternate(caller, 5)
        const { next } = await store.history('service', 'a', { limit: 2 })
        await store.compact(floor)
        const rest = await store.history('service', 'a', { before: next as number })
        expect(rest.entries.map(({ revision }) => revision)).toEqual(left)
        expect(rest.previous).toEqual(left.map((revision) => revision - 2))
        expect(rest.complete).toBe(false)
      })(),
    )

    it(
      'still names the only entry of a record that has not changed since long before the floor',
      scoped(backend, async ({ store, caller }) => {
        await caller.write(put('a'))
        await caller.send(...Array.from({ length: 5 }, (_, v) => commitOf(put('b', { v }))))
        await store.compact(5)
        expect(await store.history('service', 'a')).toEqual({
          position: caller.position,
          entries: [caller.entries[0]],
          previous: [0],
          complete: true,
        })
      }),
    )

    it(
      'has nothing of a record whose deletion was compacted',
      scoped(backend, async ({ store, caller }) => {
        await caller.send(commitOf(put('a')), commitOf(remove('a')), commitOf(put('b')), commitOf(put('c')))
        await store.compact(4)
        expect((await store.history('service', 'a')).entries).toEqual([])
      }),
    )

    it(
      'begins anew for a record that comes back after its deletion was compacted',
      scoped(backend, async ({ store, caller }) => {
        await caller.send(commitOf(put('a')), commitOf(remove('a')), commitOf(put('b')))
        await store.compact(3)
        await caller.write(put('a', { v: 2 }))
        const page = await store.history('service', 'a')
        expect(page.entries).toEqual([caller.entries[3]])
        expect(page.previous).toEqual([0])
      }),
    )

    it(
      'is the same after a restart, where the store is durable',
      scoped(backend, async (scope) => {
        await alternate(scope.caller, 3)
        await scope.caller.write(remove('a'))
        const before = await scope.store.history('service', 'a')
        await scope.reopenIfDurable()
        expect(await scope.store.history('service', 'a')).toEqual(before)
        expect(before.entries).toHaveLength(4)
      }),
    )
  })
}
