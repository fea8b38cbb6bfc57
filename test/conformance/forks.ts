import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { nextDigest } from '../../src/records/digest.ts'
import type { ConformanceBackend } from './backend.ts'
import { commitOf, newCall, put, remove } from './build.ts'
import { accepted, Caller, loadAll, offTrack, recordsAsOf, replayOf } from './caller.ts'
import { scoped } from './scope.ts'

/** New lineages: compare-and-set at the head. */
export function forks(backend: ConformanceBackend): void {
  describe(`${backend.name}: forks`, () => {
    it(
      'starts a new lineage at the head, and leaves all else as it is',
      scoped(backend, async ({ store, caller }) => {
        await caller.send(commitOf(put('a')), commitOf(put('b')), commitOf(remove('a')))
        await store.compact(1)
        const before = await store.head()
        const head = await store.fork(before.position)
        expect(head.position.lineage).not.toBe(before.position.lineage)
        expect(head).toEqual({
          ...before,
          position: { ...before.position, lineage: head.position.lineage },
          ancestors: [before.position.lineage],
        })
        expect(await store.head()).toEqual(head)
      }),
    )

    it(
      'makes the new lineage the digest of an empty history',
      scoped(backend, async ({ store, caller }) => {
        const { position } = await store.fork(caller.position)
        expect(position).toEqual({ lineage: position.lineage, revision: 0, digest: position.lineage })
        const forked = new Caller(store, position)
        const commit = commitOf(put('a'))
        const [result] = await forked.send(commit)
        expect(accepted(result).digest).toBe(nextDigest(position.lineage, commit.commitId))
      }),
    )

    it.each(['lineage', 'revision', 'digest'] as const)(
      'changes nothing where the %s is not the head',
      (part) =>
        scoped(backend, async ({ store, caller }) => {
          await caller.send(commitOf(put('a')), commitOf(put('b')))
          const before = await store.head()
          const wrong = { lineage: randomUUID(), revision: 1, digest: 'f'.repeat(64) }[part]
          expect(await store.fork({ ...before.position, [part]: wrong })).toEqual(before)
          expect(await store.head()).toEqual(before)
        })(),
    )

    it(
      'lets exactly one of several callers with the same position win',
      scoped(backend, async ({ store, caller }) => {
        await caller.write(put('a'))
        const heads = await Promise.all(Array.from({ length: 8 }, () => store.fork(caller.position)))
        const lineages = new Set(heads.map(({ position }) => position.lineage))
        expect(lineages.size).toBe(1)
        expect(lineages).not.toContain(caller.position.lineage)
      }),
    )

    it(
      'tells callers of the old lineage that they diverged, wherever they stand',
      scoped(backend, async ({ store, caller }) => {
        const start = caller.position
        await caller.write(put('a'))
        const head = await store.fork(caller.position)
        for (const position of [start, caller.position]) {
          expect(offTrack(await store.changes(position, 10), 'diverged').head).toEqual(head)
          expect(
            offTrack(await store.commit(position, [commitOf(put('b'))], newCall()), 'diverged').head,
          ).toEqual(head)
        }
        expect((await loadAll(store)).records).toHaveLength(1)
      }),
    )

    it(
      'goes on counting and chaining from the same revision',
      scoped(backend, async ({ store, caller }) => {
        await caller.send(commitOf(put('a')), commitOf(put('b')))
        const { position } = await store.fork(caller.position)
        const forked = new Caller(store, position)
        const commit = commitOf(put('c'))
        const result = accepted((await forked.send(commit))[0])
        expect(result).toMatchObject({ revision: 3, digest: nextDigest(position.digest, commit.commitId) })
        expect((await loadAll(store)).pages.every(({ lineage }) => lineage === position.lineage)).toBe(true)
      }),
    )

    it(
      'follows a caller of the new lineage from before the fork',
      scoped(backend, async ({ store, caller }) => {
        await caller.send(commitOf(put('a')), commitOf(put('b')))
        const { lineage } = (await store.fork(caller.position)).position
        const first = caller.entries[0]
        const follower = new Caller(store, { lineage, revision: 1, digest: first?.digest as string })
        expect(await follower.follow()).toEqual(caller.entries.slice(1))
      }),
    )

    it(
      'still knows records, history, moments and commit ids from before',
      scoped(backend, async ({ store, caller }) => {
        const commit = commitOf(put('a'))
        const first = accepted((await caller.send(commit))[0])
        await caller.write(put('a', { v: 2 }))
        const { position } = await store.fork(caller.position)
        const forked = new Caller(store, position)
        expect((await forked.send(commit))[0]).toEqual(replayOf(first, commit))
        expect((await store.history('service', 'a')).entries).toEqual(caller.entries.toReversed())
        const then = await recordsAsOf(store, { revision: 1 })
        expect(then.position).toEqual({ lineage: position.lineage, revision: 1, digest: first.digest })
        expect(then.records).toMatchObject([{ id: 'a', data: '{"v":1}' }])
      }),
    )

    it(
      'may be done again, to a third lineage',
      scoped(backend, async ({ store, caller }) => {
        await caller.write(put('a'))
        const second = await store.fork(caller.position)
        const third = await store.fork(second.position)
        const lineages = [caller.position, second.position, third.position].map(({ lineage }) => lineage)
        expect(new Set(lineages).size).toBe(3)
      }),
    )

    it(
      'is still there after a restart, where the store is durable',
      scoped(backend, async (scope) => {
        await scope.caller.write(put('a'))
        const forked = await scope.store.fork(scope.caller.position)
        const head = await scope.reopen()
        if (backend.durable) expect(head).toEqual(forked)
        else expect(head.position.lineage).not.toBe(forked.position.lineage)
      }),
    )

    it(
      'follows a lost tail: the head of the shorter history takes a new lineage',
      scoped(backend, async (scope) => {
        const { caller } = scope
        await caller.send(commitOf(put('a')), commitOf(put('b')))
        const { head } = offTrack(
          await (async () => {
            await scope.loseTail(1)
            return scope.store.changes(caller.position, 10)
          })(),
          'ahead',
        )
        const { position } = await scope.store.fork(head.position)
        expect(position.revision).toBe(1)
        const forked = new Caller(scope.store, position)
        expect(accepted(await forked.write(put('c'))).revision).toBe(2)
        offTrack(await scope.store.changes(caller.position, 10), 'diverged')
      }),
    )
  })
}
