import { describe, expect, it } from 'vitest'
import { nextDigest } from '../../src/records/digest.ts'
import type { Commit, Entry } from '../../src/records/record.ts'
import type { ConformanceBackend } from './backend.ts'
import { commitOf, put, remove } from './build.ts'
import { accepted, Caller, reused, unchanged } from './caller.ts'
import { markedCommits } from './replays.ts'
import { scoped } from './scope.ts'
import { positionAfter, Source } from './source.ts'

/** Commit ids after a `replay`: a client that repeats a request gets its first result from the new store. */
export function replayedIds(backend: ConformanceBackend): void {
  describe(`${backend.name}: replayed ids`, () => {
    it(
      'gives the fingerprint with each entry, and none where the commit had none',
      scoped(backend, async (scope) => {
        const source = await Source.of(markedCommits())
        await source.moveInto(scope.store, 0)
        await scope.reopenIfDurable()
        const entries = await new Caller(scope.store, (await source.pointAt(0)).position).follow()
        expect(entries.map((entry) => ('fingerprint' in entry ? entry.fingerprint : 'absent'))).toEqual(
          markedCommits().map(({ fingerprint }) => fingerprint ?? 'absent'),
        )
      }),
    )

    it(
      'answers an id that comes again with its first result, and another fingerprint with `reused`',
      scoped(backend, async (scope) => {
        const commits = markedCommits()
        const source = await Source.of(commits)
        await source.moveInto(scope.store, 0)
        await scope.reopenIfDurable()
        const caller = await Caller.at(scope.store)
        const [first, second] = commits as [Commit, Commit]
        const [one, two] = source.caller.entries as [Entry, Entry]
        expect((await caller.send(first))[0]).toEqual({
          ...{ outcome: 'accepted', replayed: true, previous: [0], writes: one.writes },
          ...{ revision: one.revision, at: one.at, digest: one.digest },
        })
        expect((await caller.send(second))[0]).toEqual({
          ...{ outcome: 'accepted', replayed: true, previous: [0, 1], writes: two.writes },
          ...{ revision: two.revision, at: two.at, digest: two.digest },
        })
        expect(reused((await caller.send({ ...second, fingerprint: 'other' }))[0]).revision).toBe(2)
        expect(reused((await caller.send({ ...first, fingerprint: 'one' }))[0]).revision).toBe(1)
        const { fingerprint: _, ...without } = second
        expect(reused((await caller.send(without))[0]).revision).toBe(2)
        expect((await scope.store.head()).position).toEqual(source.caller.position)
      }),
    )

    it(
      'can be compacted afterwards, and then forgets the ids of the entries that are gone',
      scoped(backend, async (scope) => {
        const source = await Source.of(markedCommits())
        await source.moveInto(scope.store, 0)
        await scope.store.compact(6)
        await scope.reopenIfDurable()
        await source.expectIn(scope.store, 6)
        const caller = await Caller.at(scope.store)
        const [, , deletion] = source.caller.entries as [Entry, Entry, Entry]
        const again = { ...deletion, writes: [put('new')] }
        expect(accepted((await caller.send(again))[0])).toMatchObject({ revision: 7, replayed: false })
      }),
    )

    it(
      'gives an id that comes again to the newest entry with it, and shows it in both',
      scoped(backend, async (scope) => {
        const commit: Commit = { ...commitOf(remove('a')), fingerprint: 'one' }
        const source = await Source.of([
          commitOf(put('a')),
          commit,
          commitOf(put('a', { v: 2 })),
          commitOf(put('b')),
        ])
        const before = [...source.caller.entries]
        await source.store.compact(4)
        // The first entry of the commit is gone, so its id is free again.
        await source.send({ ...commit, fingerprint: 'two' })
        const [newest] = source.entriesAfter(4) as [Entry]
        expect(newest).toMatchObject({ commitId: commit.commitId, revision: 5 })
        await scope.store.setMode('open', 'seeding')
        const start = { ...source.caller.position, revision: 0, digest: source.caller.position.lineage }
        await scope.store.seed({ position: start, at: 0, ancestors: [] }, [])
        expect(await scope.store.replay(start, before)).toMatchObject({ status: 'ok' })
        expect(await scope.store.replay(positionAfter(before[3] as Entry, start), [newest])).toMatchObject({
          status: 'ok',
        })
        await scope.store.setMode('seeding', 'open')
        await scope.reopenIfDurable()
        expect(await new Caller(scope.store, start).follow()).toEqual([...before, newest])
        expect((await scope.store.history('service', 'a')).entries).toEqual([
          newest,
          ...before.slice(0, 3).toReversed(),
        ])
        const caller = await Caller.at(scope.store)
        expect((await caller.send({ ...commit, fingerprint: 'two' }))[0]).toMatchObject({
          outcome: 'accepted',
          revision: 5,
          replayed: true,
        })
        expect(reused((await caller.send(commit))[0]).revision).toBe(5)
        await scope.store.compact(3)
        expect(reused((await caller.send(commit))[0]).revision).toBe(5)
      }),
    )

    it(
      'takes both entries of such an id in one page, too',
      scoped(backend, async ({ store }) => {
        const source = await Source.of([commitOf(put('a'))])
        await source.seedInto(store, 1)
        const { position } = await source.pointAt(1)
        const commit = commitOf(put('b'))
        let { digest } = position
        const entries = [2, 3, 4].map((revision): Entry => {
          const { commitId, ...rest } = revision === 3 ? commitOf(put('b', { v: 2 })) : commit
          digest = nextDigest(digest, commitId)
          return { ...rest, commitId, revision, at: source.caller.entries[0]?.at ?? 0, digest }
        })
        expect(await store.replay(position, entries)).toMatchObject({ status: 'ok' })
        await store.setMode('seeding', 'open')
        expect(await new Caller(store, position).follow()).toEqual(entries)
        const caller = await Caller.at(store)
        expect(accepted((await caller.send(commit))[0])).toMatchObject({ revision: 4, replayed: true })
      }),
    )

    it(
      'leaves a repeated commit that changed nothing in the other store to be judged anew',
      scoped(backend, async ({ store }) => {
        const source = await Source.of([commitOf(put('a'))])
        const same: Commit = { ...commitOf(put('a')), fingerprint: 'one' }
        expect(unchanged((await source.caller.send(same))[0]).replayed).toBe(false)
        await source.send(commitOf(put('a', { v: 2 })))
        await source.moveInto(store, 0)
        const caller = await Caller.at(store)
        expect(accepted((await caller.send(same))[0])).toMatchObject({ revision: 3, replayed: false })
      }),
    )
  })
}
