import { describe, expect, it } from 'vitest'
import type { ConformanceBackend } from './backend.ts'
import { commitOf, farFuture, idsOf, newCall, put, remove } from './build.ts'
import { accepted, conflict, loadAll, refusal, reused, unchanged } from './caller.ts'
import { scoped } from './scope.ts'

/** What becomes of commits, alone and in batches. */
export function commits(backend: ConformanceBackend): void {
  describe(`${backend.name}: commits`, () => {
    it(
      'accepts a new record, and answers what the journal says of it',
      scoped(backend, async ({ store, caller }) => {
        const commit = { ...commitOf(put('a')), actor: 'http:10.0.0.1' }
        const result = accepted((await caller.send(commit))[0])
        expect(result).toMatchObject({ revision: 1, previous: [0], replayed: false })
        expect(caller.entries).toEqual([
          {
            revision: 1,
            commitId: commit.commitId,
            at: result.at,
            actor: 'http:10.0.0.1',
            writes: [{ op: 'put', kind: 'service', id: 'a', data: '{"v":1}' }],
            digest: result.digest,
          },
        ])
        const { accessVersion, ...head } = await store.head()
        expect(head).toEqual({
          position: caller.position,
          ancestors: [],
          floor: 0,
          at: result.at,
          mode: 'open',
        })
        expect(accessVersion).toBeTypeOf('string')
      }),
    )

    it(
      'stores a record with its revision and times, and keeps createdAt when it changes',
      scoped(backend, async ({ store, subject, caller }) => {
        await subject.setClock(farFuture)
        await caller.write(put('a'))
        await subject.setClock(farFuture + 5_000)
        expect(accepted(await caller.write(put('a', { v: 2 }))).previous).toEqual([1])
        expect((await loadAll(store)).records).toEqual([
          {
            kind: 'service',
            id: 'a',
            data: '{"v":2}',
            revision: 2,
            createdAt: farFuture,
            updatedAt: farFuture + 5_000,
          },
        ])
      }),
    )

    it(
      'answers unchanged to what is stored already, and leaves the commit id unused',
      scoped(backend, async ({ store, caller }) => {
        await caller.write(put('a'), put('b'))
        const again = commitOf(put('b'), put('a'))
        expect(unchanged((await caller.send(again))[0]).revisions).toEqual([1, 1])
        expect((await store.head()).position.revision).toBe(1)
        const [later] = await caller.send({ ...again, writes: [put('c')] })
        expect(accepted(later)).toMatchObject({ revision: 2, replayed: false })
      }),
    )

    it(
      'journals all writes of a commit when one of them changes something',
      scoped(backend, async ({ store, caller }) => {
        await caller.write(put('a'), put('b'))
        const result = accepted(await caller.write(put('a'), put('b', { v: 2 }), remove('absent')))
        expect(result).toMatchObject({ revision: 2, previous: [1, 1, 0] })
        expect(caller.entries[1]?.writes).toHaveLength(3)
        const { records, tombstones } = await loadAll(store)
        expect(records.map(({ id, revision }) => [id, revision])).toEqual([
          ['a', 2],
          ['b', 2],
        ])
        expect(tombstones).toEqual([{ kind: 'service', id: 'absent', revision: 2 }])
      }),
    )

    it(
      'deletes a record, and leaves a tombstone with the revision',
      scoped(backend, async ({ store, caller }) => {
        await caller.write(put('a'))
        expect(accepted(await caller.write(remove('a')))).toMatchObject({ revision: 2, previous: [1] })
        expect(caller.entries[1]?.writes).toEqual([{ op: 'delete', kind: 'service', id: 'a' }])
        expect(await loadAll(store)).toMatchObject({
          records: [],
          tombstones: [{ kind: 'service', id: 'a', revision: 2 }],
        })
      }),
    )

    it(
      'answers unchanged when what is to be deleted is absent, deleted before, or expected to be absent',
      scoped(backend, async ({ store, caller }) => {
        await caller.send(commitOf(put('a')), commitOf(remove('a')))
        const absent = [remove('a'), remove('never'), remove('a', { expect: 0 }), remove('n', { expect: 0 })]
        for (const write of absent)
          expect(unchanged(await caller.write(write)).revisions, write.id).toEqual([0])
        expect((await store.head()).position.revision).toBe(2)
      }),
    )

    it(
      'brings a deleted record back as a new one',
      scoped(backend, async ({ store, subject, caller }) => {
        await subject.setClock(farFuture)
        await caller.send(commitOf(put('a')), commitOf(remove('a')))
        await subject.setClock(farFuture + 1_000)
        expect(accepted(await caller.write(put('a'))).previous).toEqual([0])
        expect(await loadAll(store)).toMatchObject({
          records: [{ id: 'a', revision: 3, createdAt: farFuture + 1_000, updatedAt: farFuture + 1_000 }],
          tombstones: [],
        })
      }),
    )

    it(
      'keeps the same id under two kinds apart',
      scoped(backend, async ({ store, caller }) => {
        await caller.send(commitOf(put('a')), commitOf(put('a', { v: 2 }, { kind: 'node' })))
        await caller.write(remove('a'))
        const { records } = await loadAll(store)
        expect(records.map(({ kind, data }) => [kind, data])).toEqual([['node', '{"v":2}']])
      }),
    )

    it(
      'takes an empty batch, which only asks for what is new',
      scoped(backend, async ({ store, caller }) => {
        const { position } = await store.head()
        await caller.write(put('a'))
        const reply = await store.commit(position, [], newCall())
        expect(reply).toEqual({ status: 'ok', results: [], entries: caller.entries, more: false })
      }),
    )

    it(
      'judges one key several times in a batch, each commit after the one before it',
      scoped(backend, async ({ store, caller }) => {
        const writes = [put('a'), put('a', { v: 2 }), put('a', { v: 2 }), remove('a'), remove('a'), put('a')]
        const results = await caller.send(...writes.map((write) => commitOf(write)))
        expect(results.map(({ outcome }) => outcome)).toEqual([
          'accepted',
          'accepted',
          'unchanged',
          'accepted',
          'unchanged',
          'accepted',
        ])
        expect(unchanged(results[2]).revisions).toEqual([2])
        expect([results[0], results[1], results[3], results[5]].map((r) => accepted(r).previous)).toEqual([
          [0],
          [1],
          [2],
          [0],
        ])
        const { at, revision } = accepted(results[5])
        expect(await loadAll(store)).toMatchObject({
          records: [{ id: 'a', revision, data: '{"v":1}', createdAt: at, updatedAt: at }],
          tombstones: [],
        })
      }),
    )

    it(
      'gives the commits of a batch their revisions in order',
      scoped(backend, async ({ store, caller }) => {
        const ids = idsOf('r', 512)
        const results = await caller.send(...ids.map((id) => commitOf(put(id))))
        expect(results.map((result) => accepted(result).revision)).toEqual(ids.map((_, index) => index + 1))
        expect((await loadAll(store)).records.map(({ id }) => id)).toEqual(ids)
      }),
    )

    it(
      'stores all writes of a large commit under one revision',
      scoped(backend, async ({ store, caller }) => {
        const ids = idsOf('r', 300)
        const result = accepted(await caller.write(...ids.map((id) => put(id))))
        expect(result.previous).toEqual(ids.map(() => 0))
        expect(caller.entries[0]?.writes.map(({ id }) => id)).toEqual(ids)
        const { records } = await loadAll(store)
        expect(records).toHaveLength(300)
        expect(new Set(records.map(({ revision }) => revision))).toEqual(new Set([1]))
      }),
    )

    it(
      'answers every commit of a mixed batch on its own and in its place',
      scoped(backend, async ({ store, caller }) => {
        const first = { ...commitOf(put('a')), fingerprint: 'one' }
        await caller.send(first)
        const results = await caller.send(
          commitOf(put('b')),
          commitOf(put('a')),
          commitOf(put('a', { v: 2 }, { expect: 7 })),
          { ...first, fingerprint: 'two' },
          commitOf(put('nul\0')),
          first,
          commitOf(put('c')),
        )
        expect(accepted(results[0])).toMatchObject({ revision: 2, replayed: false })
        expect(unchanged(results[1]).revisions).toEqual([1])
        expect(conflict(results[2])).toMatchObject({ expected: 7, actual: 1 })
        expect(reused(results[3]).revision).toBe(1)
        expect(refusal(results[4]).code).toBe('COORD_COMMIT_REFUSED')
        expect(accepted(results[5])).toMatchObject({ revision: 1, replayed: true, writes: first.writes })
        expect(accepted(results[6])).toMatchObject({ revision: 3, replayed: false })
        expect((await loadAll(store)).records.map(({ id }) => id)).toEqual(['a', 'b', 'c'])
      }),
    )
  })
}
