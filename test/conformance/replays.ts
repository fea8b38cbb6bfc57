import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { examineStore } from '../../src/database/examine-store.ts'
import { nextDigest } from '../../src/records/digest.ts'
import type { Commit, Entry } from '../../src/records/record.ts'
import type { ConformanceBackend } from './backend.ts'
import { commitOf, idsOf, put, remove } from './build.ts'
import { accepted, Caller, loadAll, offTrack, recordsAsOf } from './caller.ts'
import { oddValues } from './canonical-bytes.ts'
import { scoped } from './scope.ts'
import { positionAfter, Source } from './source.ts'

/** Commits of several actors, with fingerprints and without. */
export function markedCommits(): Commit[] {
  return [
    commitOf(put('a')),
    { ...commitOf(put('b'), put('a', { v: 2 })), actor: 'cli:jürgen', fingerprint: 'one' },
    commitOf(remove('a')),
    { ...commitOf(put('a', { v: 3 })), fingerprint: 'x'.repeat(256) },
    commitOf(remove('b'), put('c')),
    commitOf(put('a', { v: 4 })),
  ]
}

/** `replay`: entries of another store come in as they are. */
export function replays(backend: ConformanceBackend): void {
  describe(`${backend.name}: replay`, () => {
    it(
      'keeps revisions, times, actors, ids, fingerprints and digests, through deletions and new lives of records',
      scoped(
        backend,
        async (scope) => {
          const source = await Source.of(markedCommits())
          await source.seedInto(scope.store, 0)
          await source.replayInto(scope.store, 0, { pageLength: 2 })
          await scope.store.setMode('seeding', 'open')
          await scope.reopenIfDurable()
          await source.expectIn(scope.store, 0)
          for (const id of ['a', 'b', 'c', 'unknown'])
            expect(await scope.store.history('service', id)).toEqual(
              await source.store.history('service', id),
            )
          expect(await loadAll(scope.store)).toMatchObject({
            tombstones: (await loadAll(source.store)).tombstones,
          })
          expect((await examineStore(scope.store.inspector))?.damages ?? []).toEqual([])
        },
        { pageSize: 2 },
      ),
    )

    it(
      'judges nothing: an entry that changes nothing is an entry all the same',
      scoped(backend, async ({ store }) => {
        const source = await Source.of([commitOf(put('a')), commitOf(put('b'))])
        await source.seedInto(store, 2)
        const { position, at } = await source.pointAt(2)
        const commitId = randomUUID()
        const entry: Entry = {
          ...commitOf(put('a'), remove('never was')),
          commitId,
          revision: 3,
          at: at + 1,
          digest: nextDigest(position.digest, commitId),
        }
        expect(await store.replay(position, [entry])).toMatchObject({ status: 'ok' })
        await store.setMode('seeding', 'open')
        const page = await store.history('service', 'a')
        expect(page).toMatchObject({ entries: [entry], previous: [1], complete: false })
        expect((await loadAll(store)).records[0]).toMatchObject({ id: 'a', revision: 3, updatedAt: at + 1 })
        expect((await store.history('service', 'never was')).previous).toEqual([0])
      }),
    )

    it(
      'skips entries that are there, and appends the others of the same page',
      scoped(backend, async (scope) => {
        const source = await Source.of(markedCommits())
        await source.seedInto(scope.store, 0)
        const { position } = await source.pointAt(0)
        const page = (from: number, to: number) => source.caller.entries.slice(from, to)
        expect(await scope.store.replay(position, page(0, 3))).toMatchObject({ status: 'ok' })
        await scope.reopenIfDurable()
        expect(await scope.store.replay(position, page(0, 3))).toMatchObject({
          status: 'ok',
          head: { position: { revision: 3 } },
        })
        expect(await scope.store.replay(position, page(0, 5))).toMatchObject({
          head: { position: { revision: 5 } },
        })
        const second = positionAfter(page(1, 2)[0] as Entry, position)
        expect(await scope.store.replay(second, page(2, 6))).toMatchObject({ status: 'ok' })
        expect(await scope.store.replay(position, [])).toMatchObject({
          status: 'ok',
          head: { position: source.caller.position, at: source.caller.entries.at(-1)?.at },
        })
        await scope.store.setMode('seeding', 'open')
        await source.expectIn(scope.store, 0)
      }),
    )

    it(
      'is diverged where an entry has another digest than the one that is there, and stores nothing',
      scoped(backend, async ({ store }) => {
        const source = await Source.of(markedCommits())
        await source.seedInto(store, 0)
        await source.replayInto(store, 0, { upTo: 3 })
        const { position } = await source.pointAt(0)
        const other = [commitOf(put('x')), commitOf(put('y')), commitOf(put('z')), commitOf(put('w'))]
        let { digest } = position
        const entries = other.map((commit, index): Entry => {
          digest = nextDigest(digest, commit.commitId)
          return { ...commit, revision: index + 1, at: 0, digest }
        })
        const before = await store.head()
        expect(offTrack(await store.replay(position, entries), 'diverged').head).toEqual(before)
        expect(offTrack(await store.replay(position, entries.slice(0, 2)), 'diverged').head).toEqual(before)
        expect(await store.head()).toEqual(before)
      }),
    )

    it(
      'says where a position is not in its history',
      scoped(backend, async ({ store }) => {
        const source = await Source.of(markedCommits())
        await source.seedInto(store, 2)
        await source.replayInto(store, 2, { upTo: 4 })
        const entries = source.caller.entries
        const at = (revision: number) => positionAfter(entries[revision - 1] as Entry, source.caller.position)
        offTrack(await store.replay(at(1), entries.slice(1)), 'compacted')
        offTrack(await store.replay(at(5), entries.slice(5)), 'ahead')
        const stranger = { ...at(4), lineage: randomUUID() }
        offTrack(await store.replay(stranger, entries.slice(4)), 'diverged')
        const wrong = { ...at(4), digest: 'ab'.repeat(32) }
        offTrack(await store.replay(wrong, []), 'diverged')
        expect((await store.head()).position).toEqual(at(4))
      }),
    )

    it.each<[string, (entry: Entry, before: Entry) => readonly Entry[]]>([
      ['a gap', (entry) => [{ ...entry, revision: entry.revision + 1 }]],
      ['a revision twice', (entry, before) => [{ ...entry, revision: before.revision }]],
      ['a digest that does not follow', (entry) => [{ ...entry, digest: 'ab'.repeat(32) }]],
      ['another id than its digest says', (entry) => [{ ...entry, commitId: randomUUID() }]],
      ['a time before the entry before', (entry, before) => [{ ...entry, at: before.at - 1 }]],
      ['half a millisecond', (entry) => [{ ...entry, at: entry.at + 0.5 }]],
      ['no actor', (entry) => [{ ...entry, actor: '' }]],
      ['no writes', (entry) => [{ ...entry, writes: [] }]],
      ['a record twice', (entry) => [{ ...entry, writes: [...entry.writes, ...entry.writes] }]],
      ['an id that no database stores', (entry) => [{ ...entry, writes: [put('a\0')] }]],
    ])('refuses an entry with %s, and stores none of its page', (_, spoil) =>
      scoped(backend, async ({ store }) => {
        const source = await Source.of(markedCommits())
        await source.seedInto(store, 2)
        const [third, fourth] = source.entriesAfter(2) as [Entry, Entry]
        const before = await store.head()
        const { position } = await source.pointAt(2)
        const error = { code: 'COORD_COMMIT_REFUSED', outcome: 'not_written' }
        await expect(store.replay(position, [third, ...spoil(fourth, third)])).rejects.toMatchObject(error)
        expect(await store.head()).toEqual(before)
      })(),
    )

    it(
      'refuses a first entry that leaves out the one after its position',
      scoped(backend, async ({ store }) => {
        const source = await Source.of(markedCommits())
        await source.seedInto(store, 2)
        const { position } = await source.pointAt(2)
        await expect(store.replay(position, source.entriesAfter(3))).rejects.toMatchObject({
          code: 'COORD_COMMIT_REFUSED',
        })
      }),
    )

    it(
      'refuses a first entry that is older than the newest one that is there, seeded or replayed',
      scoped(backend, async ({ store }) => {
        const source = await Source.of(markedCommits())
        await source.seedInto(store, 2)
        const { position, at } = await source.pointAt(2)
        const [third, fourth] = source.entriesAfter(2) as [Entry, Entry]
        const error = { code: 'COORD_COMMIT_REFUSED', outcome: 'not_written' }
        await expect(store.replay(position, [{ ...third, at: at - 1 }])).rejects.toMatchObject(error)
        await source.replayInto(store, 2, { upTo: 3 })
        const reached = positionAfter(third, source.caller.position)
        await expect(store.replay(reached, [{ ...fourth, at: third.at - 1 }])).rejects.toMatchObject(error)
        expect((await store.head()).position).toEqual(reached)
      }),
    )

    it(
      'stores each entry once when two replays come at once',
      scoped(backend, async ({ store }) => {
        const source = await Source.of(idsOf('r', 20).map((id) => commitOf(put(id))))
        await source.seedInto(store, 0)
        const { position } = await source.pointAt(0)
        const all = source.caller.entries
        const replies = await Promise.all(
          [8, 20, 12, 20].map((count) => store.replay(position, all.slice(0, count))),
        )
        for (const reply of replies) expect(reply.status).toBe('ok')
        await store.setMode('seeding', 'open')
        await source.expectIn(store, 0)
      }),
    )

    it(
      'serves what it has in mode copy, while more comes',
      scoped(backend, async (scope) => {
        const source = await Source.of(markedCommits().slice(0, 3))
        await source.seedInto(scope.store, 1)
        await scope.store.setMode('seeding', 'copy')
        await source.replayInto(scope.store, 1)
        await source.expectIn(scope.store, 1)
        const { position } = source.caller
        for (const commit of markedCommits().slice(3)) await source.send(commit)
        await source.replayInto(scope.store, 3)
        await scope.reopenIfDurable()
        expect(await new Caller(scope.store, position).follow()).toEqual(source.entriesAfter(3))
        await source.expectIn(scope.store, 1)
        await scope.store.setMode('copy', 'open')
        const caller = await Caller.at(scope.store)
        expect(accepted(await caller.write(put('z')))).toMatchObject({ revision: 7 })
      }),
    )

    it(
      'takes the entries of before and after a fork as one history, if the seed had the lineage of the fork',
      scoped(backend, async ({ store }) => {
        const source = await Source.of(markedCommits().slice(0, 3))
        await source.fork()
        for (const commit of markedCommits().slice(3)) await source.send(commit)
        await source.moveInto(store, 1)
        await source.expectIn(store, 1)
        expect((await store.head()).ancestors).toHaveLength(1)
      }),
    )

    it(
      'begins a new lineage where it ended, and goes on there',
      scoped(backend, async (scope) => {
        const source = await Source.of(markedCommits())
        await source.seedInto(scope.store, 2)
        await source.replayInto(scope.store, 2, { upTo: 4 })
        const ended = (await scope.store.head()).position
        const { position, ancestors } = await scope.store.fork(ended)
        expect(position).toEqual({ ...ended, lineage: position.lineage })
        expect(ancestors).toEqual([ended.lineage])
        await scope.store.setMode('seeding', 'open')
        await scope.reopenIfDurable()
        const caller = await Caller.at(scope.store)
        expect(accepted(await caller.write(put('z'))).revision).toBe(5)
        expect((await recordsAsOf(scope.store, { revision: 4 })).records).toEqual(await source.recordsAt(4))
        const known = (await caller.send({ ...(source.caller.entries[3] as Entry) }))[0]
        expect(known).toMatchObject({ outcome: 'accepted', revision: 4, replayed: true })
      }),
    )

    it(
      'answers a time between two entries that came with it',
      scoped(backend, async ({ store }) => {
        const source = await Source.of(markedCommits())
        await source.moveInto(store, 2)
        for (const { at, revision } of source.entriesAfter(2)) {
          expect((await recordsAsOf(store, { at })).position.revision).toBe(revision)
          expect((await recordsAsOf(store, { at: at - 1 })).position.revision).toBe(revision - 1)
        }
      }),
    )

    it(
      'never goes back in time afterwards, also if its entries are of the future',
      scoped(backend, async ({ store }) => {
        const future = Date.UTC(2150, 0, 1)
        const commit = commitOf(put('a'))
        const start = { lineage: randomUUID(), revision: 7, digest: 'ab'.repeat(32) }
        const digest = nextDigest(start.digest, commit.commitId)
        await store.setMode('open', 'seeding')
        await store.seed({ position: start, at: future - 1, ancestors: [] }, [])
        await store.replay(start, [{ ...commit, revision: 8, at: future, digest }])
        expect((await store.setMode('seeding', 'open')).at).toBe(future)
        expect(accepted(await (await Caller.at(store)).write(put('b'))).at).toBe(future)
      }),
    )

    it(
      'keeps content of every kind, byte for byte',
      scoped(backend, async (scope) => {
        const source = await Source.of(
          Object.values(oddValues).flatMap((value, at) => [
            commitOf(put(`first ${at}`, { value })),
            commitOf(put(`first ${at}`, { value, more: 1 }), put(`second ${at}`, { value })),
          ]),
        )
        await source.moveInto(scope.store, 0)
        await scope.reopenIfDurable()
        const entries = await new Caller(scope.store, (await source.pointAt(0)).position).follow()
        expect(entries).toEqual(source.caller.entries)
        const newest = source.caller.position.revision
        expect((await recordsAsOf(scope.store, { revision: newest })).records).toEqual(
          await source.recordsAt(newest),
        )
      }),
    )

    it(
      'takes a page of many entries, and gives it back in pages',
      scoped(backend, async ({ store }) => {
        const source = await Source.of(
          idsOf('r', 1_200).map((id) => commitOf(put(id, { id }), put('shared', { id }))),
        )
        await source.seedInto(store, 0)
        await source.replayInto(store, 0, { pageLength: 600 })
        await store.setMode('seeding', 'open')
        const follower = new Caller(store, (await source.pointAt(0)).position)
        expect(await follower.follow(500)).toEqual(source.caller.entries)
        expect((await loadAll(store)).records).toEqual((await loadAll(source.store)).records)
      }),
    )
  })
}
