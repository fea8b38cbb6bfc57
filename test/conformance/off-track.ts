import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Store } from '../../src/database/store.ts'
import { MAX_REVISION, type Position } from '../../src/records/record.ts'
import type { ConformanceBackend } from './backend.ts'
import { commitOf, idsOf, newCall, put } from './build.ts'
import { Caller, loadAll, offTrack } from './caller.ts'
import { scoped } from './scope.ts'

const asks: Readonly<Record<string, (store: Store, after: Position) => Promise<{ status: string }>>> = {
  commit: (store, after) => store.commit(after, [commitOf(put('must not be stored'))], newCall()),
  'an empty commit': (store, after) => store.commit(after, [], newCall()),
  changes: (store, after) => store.changes(after, 10),
}

const digest = 'f'.repeat(64)

/** Positions that cannot be followed up. `at` names one from the head; the journal has 5 entries and a floor of 3. */
const wrongPositions = {
  'a revision that is not there yet': ['ahead', (at: At) => ({ ...at(5), revision: 6 })],
  'the last revision there can be': ['ahead', (at: At) => ({ ...at(5), revision: MAX_REVISION })],
  'another lineage': ['diverged', (at: At) => ({ ...at(5), lineage: randomUUID() })],
  'another lineage, ahead': ['diverged', (at: At) => ({ ...at(5), lineage: randomUUID(), revision: 9 })],
  'another lineage, compacted': ['diverged', (at: At) => ({ ...at(1), lineage: randomUUID() })],
  'another digest at the head': ['diverged', (at: At) => ({ ...at(5), digest })],
  'another digest in between': ['diverged', (at: At) => ({ ...at(4), digest })],
  'another digest at the floor': ['diverged', (at: At) => ({ ...at(3), digest })],
  'the digest of a neighbour': ['diverged', (at: At) => ({ ...at(4), digest: at(5).digest })],
  'a revision just below the floor': ['compacted', (at: At) => at(2)],
  'the beginning': ['compacted', (at: At) => ({ ...at(1), revision: 0, digest: at(1).lineage })],
} as const satisfies Record<string, readonly [string, (at: At) => Position]>

type At = (revision: number) => Position

/** Callers that cannot be followed up: `ahead`, `diverged`, `compacted`. Nothing is written for them. */
export function offTracks(backend: ConformanceBackend): void {
  describe(`${backend.name}: off track`, () => {
    const cases = Object.entries(wrongPositions).flatMap(([title, [status, position]]) =>
      Object.entries(asks).map(([name, ask]) => ({ title, name, status, position, ask })),
    )
    it.each(cases)('answers $status to $name from $title, and writes nothing', ({ status, position, ask }) =>
      scoped(backend, async ({ store, caller }) => {
        await caller.send(...idsOf('r', 5).map((id) => commitOf(put(id))))
        const head = await store.compact(3)
        const at: At = (revision) => ({
          lineage: caller.position.lineage,
          revision,
          digest: caller.entries[revision - 1]?.digest as string,
        })
        expect(offTrack(await ask(store, position(at)), status)).toEqual({ status, head })
        expect(await store.head()).toEqual(head)
        expect((await loadAll(store)).records).toHaveLength(5)
      })(),
    )

    it(
      'follows a caller at the floor and at the head',
      scoped(backend, async ({ store, caller }) => {
        await caller.send(...idsOf('r', 5).map((id) => commitOf(put(id))))
        await store.compact(3)
        const floor = { ...caller.position, revision: 3, digest: caller.entries[2]?.digest as string }
        const follower = new Caller(store, floor)
        expect(await follower.follow()).toEqual(caller.entries.slice(3))
        expect(await store.commit(caller.position, [], newCall())).toMatchObject({
          status: 'ok',
          entries: [],
        })
      }),
    )

    it(
      'answers ahead to a caller that knows entries which the database has lost',
      scoped(backend, async (scope) => {
        await scope.caller.send(...idsOf('r', 5).map((id) => commitOf(put(id))))
        const head = await scope.loseTail(2)
        expect(head.position.revision).toBe(3)
        for (const ask of Object.values(asks))
          expect(offTrack(await ask(scope.store, scope.caller.position), 'ahead').head).toEqual(head)
        expect((await loadAll(scope.store)).records.map(({ id }) => id)).toEqual(['r0', 'r1', 'r2'])
      }),
    )

    it(
      'answers diverged when other entries have taken the place of the lost ones',
      scoped(backend, async (scope) => {
        await scope.caller.send(...idsOf('r', 3).map((id) => commitOf(put(id))))
        await scope.loseTail(1)
        const other = await Caller.at(scope.store)
        await other.send(commitOf(put('x')))
        for (const ask of Object.values(asks))
          offTrack(await ask(scope.store, scope.caller.position), 'diverged')
        await other.write(put('y'))
        for (const ask of Object.values(asks))
          offTrack(await ask(scope.store, scope.caller.position), 'diverged')
        expect((await loadAll(scope.store)).records.map(({ id }) => id)).toEqual(['r0', 'r1', 'x', 'y'])
      }),
    )

    it(
      'restores what lost entries had changed or deleted',
      scoped(backend, async (scope) => {
        await scope.caller.send(commitOf(put('a')), commitOf(put('b')))
        const before = await loadAll(scope.store)
        await scope.caller.send(
          commitOf(put('a', { v: 2 })),
          commitOf({ op: 'delete', kind: 'service', id: 'b' }),
        )
        await scope.loseTail(2)
        const after = await loadAll(scope.store)
        expect([after.records, after.tombstones]).toEqual([before.records, before.tombstones])
      }),
    )
  })
}
