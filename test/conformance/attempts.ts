import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { CommitCall, Store } from '../../src/database/store.ts'
import { type Commit, MAX_REVISION } from '../../src/records/record.ts'
import type { ConformanceBackend } from './backend.ts'
import { commitOf, newCall, put, putText, remove } from './build.ts'
import { accepted, Caller, loadAll, offTrack } from './caller.ts'
import { scoped } from './scope.ts'

const superseded = { status: 'superseded' }

/** The calls of one writer, counted from 1 on. */
function writerOf(calls: readonly number[]): readonly CommitCall[] {
  const writer = randomUUID()
  return calls.map((attempt) => ({ writer, attempt }))
}

/** Commits from the newest position. */
async function send(store: Store, batch: readonly Commit[], call: CommitCall) {
  return store.commit((await store.head()).position, batch, call)
}

/** What a later call of a writer was answered, by how it came out. Nothing of them but the first changes the journal. */
const answeredCalls: Readonly<
  Record<string, (scope: { store: Store; call: CommitCall }) => Promise<unknown>>
> = {
  accepted: ({ store, call }) => send(store, [commitOf(put('b'))], call),
  unchanged: ({ store, call }) => send(store, [commitOf(put('a'))], call),
  conflict: ({ store, call }) => send(store, [commitOf(put('a', {}, { expect: 0 }))], call),
  'a refusal': ({ store, call }) => send(store, [commitOf(put('nul\0'))], call),
  'an empty batch': ({ store, call }) => send(store, [], call),
  'off track': async ({ store, call }) =>
    offTrack(
      await store.commit({ ...(await store.head()).position, revision: MAX_REVISION }, [], call),
      'ahead',
    ),
}

/** Attempts: what a writer has given up takes no effect once a later call of it was answered. */
export function attempts(backend: ConformanceBackend): void {
  describe(`${backend.name}: attempts`, () => {
    it.each(Object.entries(answeredCalls))(
      'stores nothing of an earlier call once a later one was answered %s',
      (_, answer) =>
        scoped(backend, async ({ store, caller }) => {
          await caller.write(put('a'))
          const [givenUp, later] = writerOf([1, 2]) as [CommitCall, CommitCall]
          await answer({ store, call: later })
          const before = await store.head()
          const late = [commitOf(put('late')), commitOf(remove('a'))]
          expect(await send(store, late, givenUp)).toEqual(superseded)
          expect(await store.head()).toEqual(before)
          expect((await loadAll(store)).records.map(({ id }) => id)).not.toContain('late')
        })(),
    )

    it(
      'answers superseded to a call that comes twice, and its first result to the next attempt',
      scoped(backend, async ({ store, caller }) => {
        const [first, second] = writerOf([1, 2]) as [CommitCall, CommitCall]
        const commit = commitOf(put('a'))
        await send(store, [commit], first)
        expect(await send(store, [commit], first)).toEqual(superseded)
        expect(await send(store, [commit], second)).toMatchObject({
          results: [{ revision: 1, replayed: true }],
        })
        expect(await caller.follow()).toHaveLength(1)
      }),
    )

    it(
      'says superseded before anything else, also to who is off track or sends an empty batch',
      scoped(backend, async ({ store, caller }) => {
        const [first, second] = writerOf([1, 2]) as [CommitCall, CommitCall]
        await store.commit(caller.position, [], second)
        expect(await store.commit({ ...caller.position, revision: 7 }, [commitOf(put('a'))], first)).toEqual(
          superseded,
        )
        expect(await store.commit(caller.position, [], first)).toEqual(superseded)
      }),
    )

    it(
      'counts each writer for itself, and lets attempts be left out',
      scoped(backend, async ({ store }) => {
        const one = writerOf([1, 5, 4, Number.MAX_SAFE_INTEGER])
        const other = writerOf([3, 4])
        const order = [one[0], other[0], one[1], other[1], one[2], one[3]] as CommitCall[]
        const statuses: string[] = []
        for (const [index, call] of order.entries())
          statuses.push((await send(store, [commitOf(put(`r${index}`))], call)).status)
        expect(statuses).toEqual(['ok', 'ok', 'ok', 'ok', 'superseded', 'ok'])
      }),
    )

    it(
      'records the attempts of a batch that goes in parts, because the database refused it as a whole',
      scoped(backend, async ({ store, caller }) => {
        const first = caller.nextCall()
        // PostgreSQL alone finds out that this is no JSON, and refuses all that came with it.
        const broken = commitOf(putText('broken', '{"a":}'))
        const batch = [commitOf(put('a')), broken, commitOf(put('c')), commitOf(put('d'))]
        const results = await caller.send(...batch)
        expect(accepted(results[3])).toMatchObject({ replayed: false })
        const third = caller.nextCall()
        const second = { ...third, attempt: third.attempt - 1 }
        expect(await send(store, [commitOf(put('late'))], first)).toEqual(superseded)
        expect(await send(store, [commitOf(put('late'))], second)).toEqual(superseded)
        expect(await send(store, [commitOf(put('e'))], third)).toMatchObject({ status: 'ok' })
        await caller.follow()
        expect(caller.entries.flatMap(({ writes }) => writes.map(({ id }) => id))).not.toContain('late')
      }),
    )

    it(
      'remembers attempts after a restart where calls may outlive the process that made them',
      scoped(backend, async (scope) => {
        const [first, second] = writerOf([1, 2]) as [CommitCall, CommitCall]
        await send(scope.store, [commitOf(put('a'))], second)
        await scope.reopen()
        const { status } = await send(scope.store, [commitOf(put('b'))], first)
        expect(status).toBe(backend.secondStore === 'shared' ? 'superseded' : 'ok')
      }),
    )

    it(
      'forgets attempts after a day of silence, and not before',
      scoped(backend, async ({ store, subject }) => {
        const [first, second] = writerOf([1, 2]) as [CommitCall, CommitCall]
        const day = 24 * 60 * 60 * 1_000
        const start = Date.UTC(2100, 0, 1)
        await subject.setClock(start)
        await send(store, [commitOf(put('a'))], second)
        await subject.setClock(start + day - 1)
        await send(store, [], newCall())
        expect(await send(store, [commitOf(put('b'))], first)).toEqual(superseded)
        await subject.setClock(start + day + 1_000)
        await send(store, [commitOf(put('c'))], newCall())
        expect(await send(store, [commitOf(put('d'))], first)).toMatchObject({ status: 'ok' })
      }),
    )

    it(
      'judges one of many calls that come at once in any order, or later ones after it, and never an earlier one',
      scoped(backend, async ({ store, caller }) => {
        const calls = writerOf(Array.from({ length: 24 }, (_, index) => index + 1)).toSorted(
          () => Math.random() - 0.5,
        )
        const { position } = await store.head()
        const replies = await Promise.all(
          calls.map(async (call) => {
            const { status } = await store.commit(position, [commitOf(put(`r${call.attempt}`))], call)
            return { attempt: call.attempt, status }
          }),
        )
        const stored = (await caller.follow()).map(({ writes }) => Number(writes[0]?.id.slice(1)))
        expect(stored).toEqual(stored.toSorted((left, right) => left - right))
        expect(stored).toEqual(
          replies
            .filter(({ status }) => status === 'ok')
            .map(({ attempt }) => attempt)
            .toSorted((l, r) => l - r),
        )
        expect(replies.find(({ attempt }) => attempt === 24)?.status).toBe('ok')
      }),
    )

    it(
      'leaves the floor and the history alone when a compaction or a fork that was given up comes late',
      scoped(backend, async ({ store, caller }) => {
        await caller.send(...['a', 'b', 'c', 'd'].map((id) => commitOf(put(id))))
        const before = caller.position
        await store.compact(3)
        const compacted = await store.head()
        expect(await store.compact(2)).toEqual(compacted)
        const { position } = await store.fork(before)
        const forked = new Caller(store, position)
        expect((await store.fork(before)).position).toEqual(position)
        await forked.write(put('e'))
        expect((await store.fork(position)).position).toEqual(forked.position)
        expect((await store.head()).floor).toBe(3)
      }),
    )
  })
}
