import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Commit } from '../../src/records/record.ts'
import type { ConformanceBackend } from './backend.ts'
import { commitOf, newCall, put, tokenOf } from './build.ts'
import { accepted, Caller, loadAll, offTrack, replayOf } from './caller.ts'
import { scoped } from './scope.ts'
import { Source } from './source.ts'

const FROZEN = 'COORD_STORE_FROZEN'

/** Mode `frozen`: reads, first results of known commits, and nothing new. */
export function frozenStores(backend: ConformanceBackend): void {
  describe(`${backend.name}: frozen stores`, () => {
    it(
      'gives each commit of a batch what it deserves while it is frozen, and stores nothing',
      scoped(backend, async ({ store, caller }) => {
        const known = { ...commitOf(put('a')), fingerprint: 'one' }
        const [first] = await caller.send(known)
        const same: Commit = { ...commitOf(put('a')), fingerprint: 'two' }
        const [unchanged] = await caller.send(same)
        expect(unchanged).toMatchObject({ outcome: 'unchanged' })
        const frozen = await store.setMode('open', 'frozen')
        const loaded = await loadAll(store)
        const frozenOut = { outcome: 'refused', error: { code: FROZEN, outcome: 'not_written' } }
        const results = await caller.send(
          known,
          commitOf(put('b')),
          { ...known, fingerprint: 'other' },
          same,
          commitOf(put('a')),
          commitOf(put('a', { v: 2 }, { expect: 77 })),
          { ...commitOf(put('c')), actor: '' },
        )
        expect(results[0]).toEqual(replayOf(accepted(first), known))
        expect(results[1]).toMatchObject(frozenOut)
        expect(results[2]).toEqual({ outcome: 'reused', revision: 1 })
        expect(results[3]).toMatchObject({ outcome: 'unchanged', revisions: [1], replayed: true })
        expect(results[4]).toMatchObject(frozenOut)
        expect(results[5]).toMatchObject(frozenOut)
        expect(results[6]).toMatchObject({ outcome: 'refused', error: { code: 'COORD_COMMIT_REFUSED' } })
        expect(await store.head()).toEqual(frozen)
        expect(await loadAll(store)).toEqual(loaded)
      }),
    )

    it(
      'does not remember a commit that would change nothing, if it came while the store was frozen',
      scoped(backend, async ({ store, caller }) => {
        await caller.write(put('a'))
        await store.setMode('open', 'frozen')
        const same: Commit = { ...commitOf(put('a')), fingerprint: 'one' }
        expect((await caller.send(same))[0]).toMatchObject({ outcome: 'refused' })
        await store.setMode('frozen', 'open')
        await caller.write(put('a', { v: 2 }))
        expect((await caller.send(same))[0]).toMatchObject({
          outcome: 'accepted',
          revision: 3,
          replayed: false,
        })
      }),
    )

    it(
      'still says whether the position of a commit is in its history while it is frozen',
      scoped(backend, async ({ store, caller }) => {
        const start = caller.position
        await caller.write(put('a'))
        await store.setMode('open', 'frozen')
        const stranger = { ...caller.position, lineage: randomUUID() }
        offTrack(await store.commit(stranger, [commitOf(put('b'))], newCall()), 'diverged')
        const reply = await store.commit(start, [commitOf(put('b'))], newCall())
        expect(reply).toMatchObject({ status: 'ok', entries: caller.entries, more: false })
      }),
    )

    it(
      'begins a new lineage while it is frozen, so that no write comes between the two histories',
      scoped(backend, async ({ store, caller }) => {
        await caller.write(put('a'))
        await store.setMode('open', 'frozen')
        const { position, mode } = await store.fork(caller.position)
        expect(mode).toBe('frozen')
        expect(position).toEqual({ ...caller.position, lineage: position.lineage })
        await store.setMode('frozen', 'open')
        offTrack(await store.commit(caller.position, [commitOf(put('b'))], newCall()), 'diverged')
        expect(accepted(await new Caller(store, position).write(put('b'))).revision).toBe(2)
      }),
    )

    it(
      'goes on where it was when it is opened again',
      scoped(backend, async ({ store, caller }) => {
        await caller.write(put('a'))
        await store.setMode('open', 'frozen')
        expect(await caller.write(put('b'))).toMatchObject({ outcome: 'refused' })
        const { position } = await store.setMode('frozen', 'open')
        expect(position).toEqual(caller.position)
        expect(accepted(await caller.write(put('b'))).revision).toBe(2)
      }),
    )

    it(
      'follows the store that took its place, after it was frozen',
      scoped(backend, async ({ store, caller }) => {
        const old = await Source.of([commitOf(put('a')), commitOf(put('b'))])
        await old.moveInto(store, 1)
        await store.setMode('open', 'frozen')
        await old.send(commitOf(put('a', { v: 2 })))
        await store.setMode('frozen', 'copy')
        await old.replayInto(store, 2)
        await old.expectIn(store, 1)
        await store.setMode('copy', 'open')
        caller.position = (await store.head()).position
        expect(accepted(await caller.write(put('c'))).revision).toBe(4)
      }),
    )

    it(
      'refuses or stores a commit that comes at the same time, and never does both',
      scoped(backend, async ({ store, caller }) => {
        await caller.write(put('a'))
        const commits = Array.from({ length: 6 }, (_, at) => commitOf(put(`b${at}`)))
        const [, ...replies] = await Promise.all([
          store.setMode('open', 'frozen'),
          ...commits.map((commit) => store.commit(caller.position, [commit], newCall())),
        ])
        const stored = replies.filter(
          (reply) => reply.status === 'ok' && reply.results[0]?.outcome === 'accepted',
        )
        expect((await loadAll(store)).records).toHaveLength(1 + stored.length)
        expect((await store.head()).position.revision).toBe(1 + stored.length)
      }),
    )

    it(
      'answers what changes no token while it is frozen',
      scoped(backend, async ({ store }) => {
        const stays = await store.access.put(tokenOf('stays'))
        await store.access.put(tokenOf('revoked'))
        const revoked = await store.access.revoke(tokenOf('revoked').id, 'token:admin')
        await store.access.require()
        const { accessVersion } = await store.setMode('open', 'frozen')
        expect(await store.access.put(tokenOf('stays'))).toEqual(stays)
        expect(await store.access.revoke(revoked.id, 'token:other')).toEqual(revoked)
        await store.access.require()
        const late = store.access.revoke(stays.id, 'token:admin')
        await expect(late).rejects.toMatchObject({ code: FROZEN, outcome: 'not_written' })
        expect((await store.head()).accessVersion).toBe(accessVersion)
      }),
    )

    it(
      `are frozen for a second store on the same data: ${backend.secondStore}`,
      scoped(backend, async ({ subject, store }) => {
        const second = await subject.beside()
        if (backend.secondStore === 'refused') {
          await expect(second.open()).rejects.toMatchObject({ code: 'COORD_STORE_LOCKED' })
          return
        }
        const isShared = backend.secondStore === 'shared'
        const other = new Caller(second, (await second.open()).position)
        await other.write(put('a'))
        await store.setMode('open', 'frozen')
        expect((await second.head()).mode).toBe(isShared ? 'frozen' : 'open')
        expect(await other.write(put('b'))).toMatchObject({ outcome: isShared ? 'refused' : 'accepted' })
        await store.setMode('frozen', 'open')
        expect(await other.write(put('c'))).toMatchObject({ outcome: 'accepted' })
      }),
    )
  })
}
