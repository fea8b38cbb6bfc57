import { describe, expect, it } from 'vitest'
import type { ConformanceBackend } from './backend.ts'
import { commitOf, idsOf, put, remove } from './build.ts'
import { accepted, Caller, conflict } from './caller.ts'
import { scoped } from './scope.ts'

/** The journal: `changes`, and the entries that every commit answers. */
export function following(backend: ConformanceBackend): void {
  describe(`${backend.name}: following`, () => {
    it(
      'answers a commit with the entries of others since the position, and its own',
      scoped(backend, async ({ store, caller }) => {
        const other = await Caller.at(store)
        await other.send(commitOf(put('a')), commitOf(put('b')))
        await caller.write(put('c'))
        expect(caller.entries.map(({ writes }) => writes[0]?.id)).toEqual(['a', 'b', 'c'])
      }),
    )

    it(
      'answers the entries of others to a batch that changes nothing itself',
      scoped(backend, async ({ store, caller }) => {
        const other = await Caller.at(store)
        await other.write(put('a'))
        conflict(await caller.write(put('a', { v: 2 }, { expect: 0 })))
        await other.write(put('b'))
        await caller.write(put('b'))
        expect(caller.entries).toEqual(other.entries)
      }),
    )

    it(
      'shows two callers that take turns the same journal',
      scoped(backend, async ({ store, caller }) => {
        const other = await Caller.at(store)
        for (const id of idsOf('r', 20)) {
          await caller.write(put(id, { by: 'one' }))
          await other.send(commitOf(put(id, { by: 'two' })), commitOf(remove(id)))
        }
        await caller.follow()
        expect(caller.entries).toHaveLength(60)
        expect(caller.entries).toEqual(other.entries)
      }),
    )

    it(
      'keeps writes in their order, without what they expected',
      scoped(backend, async ({ caller }) => {
        await caller.write(put('b'))
        await caller.write(
          put('z', {}, { expect: 0 }),
          remove('b', { expect: 1 }),
          put('a', { v: 2 }, { kind: 'node' }),
        )
        expect(caller.entries[1]?.writes).toEqual([
          { op: 'put', kind: 'service', id: 'z', data: '{}' },
          { op: 'delete', kind: 'service', id: 'b' },
          { op: 'put', kind: 'node', id: 'a', data: '{"v":2}' },
        ])
      }),
    )

    it(
      'has nothing to say to a caller at the head',
      scoped(backend, async ({ store, caller }) => {
        const { accessVersion } = await store.head()
        const nothing = { status: 'ok', entries: [], more: false, accessVersion, mode: 'open' }
        expect(await store.changes(caller.position, 10)).toEqual(nothing)
        await caller.write(put('a'))
        expect(await store.changes(caller.position, 10)).toEqual(nothing)
      }),
    )

    it.each([1, 2, 3, 7, 20, 1_000])('gives the same journal in steps of %i', (limit) =>
      scoped(backend, async ({ store, caller }) => {
        const follower = await Caller.at(store)
        for (const id of idsOf('r', 10))
          await caller.send(commitOf(put(id), put(`${id}x`)), commitOf(remove(id)))
        expect(await follower.follow(limit)).toEqual(caller.entries)
        expect(caller.entries).toHaveLength(20)
      })(),
    )

    it(
      'says whether there is more',
      scoped(backend, async ({ store, caller }) => {
        const { position } = await store.head()
        await caller.send(commitOf(put('a')), commitOf(put('b')), commitOf(put('c')))
        const two = await store.changes(position, 2)
        expect(two).toMatchObject({ status: 'ok', entries: [{ revision: 1 }, { revision: 2 }], more: true })
        expect(await store.changes(position, 3)).toMatchObject({ status: 'ok', more: false })
      }),
    )

    it(
      'starts behind any position in between',
      scoped(backend, async ({ store, caller }) => {
        await caller.send(...idsOf('r', 9).map((id) => commitOf(put(id))))
        const { lineage } = caller.position
        for (const [index, { revision, digest }] of caller.entries.entries()) {
          const reply = await store.changes({ lineage, revision, digest }, 100)
          expect(reply).toMatchObject({ status: 'ok', more: false })
          expect(reply).toHaveProperty('entries', caller.entries.slice(index + 1))
        }
      }),
    )

    it(
      'gives large entries too, in as many steps as it takes',
      scoped(backend, async ({ store, caller }) => {
        const follower = await Caller.at(store)
        const text = 'x'.repeat(256 * 1_024)
        for (const id of idsOf('r', 12)) await caller.write(put(id, { id, text }))
        const entries = await follower.follow(512)
        expect(entries.map(({ writes }) => JSON.stringify(writes).length)).toEqual(
          caller.entries.map(({ writes }) => JSON.stringify(writes).length),
        )
        expect(follower.position).toEqual(caller.position)
      }),
    )

    it(
      'answers a commit from far behind, with entries up to it or word that there are more',
      scoped(backend, async ({ store, caller }) => {
        const behind = await Caller.at(store)
        for (let round = 0; round < 3; round += 1)
          await caller.send(...idsOf(`r${round}-`, 512).map((id) => commitOf(put(id))))
        expect(accepted(await behind.write(put('late'))).revision).toBe(1_537)
        await caller.follow()
        expect(behind.entries).toHaveLength(1_537)
        expect(behind.position).toEqual(caller.position)
      }),
    )

    it(
      'shows the same journal after a restart, where the store is durable',
      scoped(backend, async (scope) => {
        const start = scope.caller.position
        await scope.caller.send(commitOf(put('a')), commitOf(remove('a')), commitOf(put('b', { v: 'ü' })))
        const { entries } = scope.caller
        await scope.reopenIfDurable()
        const follower = new Caller(scope.store, start)
        expect(await follower.follow()).toEqual(entries)
      }),
    )
  })
}
