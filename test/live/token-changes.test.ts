import { describe, expect, it } from 'vitest'
import type { Position } from '../../src/records/record.ts'
import { commitOf, put, tokenOf } from '../conformance/build.ts'
import { shortened } from '../support/shortened-store.ts'
import { type LiveScope, until, withLive } from '../support/with-live.ts'

/** The versions that an observer of the live layer is told from now on. */
function versionsOf({ live }: LiveScope): string[] {
  const versions: string[] = []
  live.observe({ access: (version) => versions.push(version) })
  return versions
}

describe('changes of tokens', () => {
  it('are told at the start, once', () =>
    withLive(
      async (scope) => {
        const versions = versionsOf(scope)
        await scope.live.start()
        const asked = scope.store.callsOf('changes').length
        await until(() => scope.store.callsOf('changes').length > asked + 3)
        expect(versions).toEqual([(await scope.store.inner.head()).accessVersion])
      },
      { started: false },
    ))

  it('are told when another coordinator made them, though the journal rests', () =>
    withLive(async (scope) => {
      const other = await scope.another()
      const versions = versionsOf(scope)
      const { id } = await other.live.store.access.put(tokenOf('ci'))
      await until(() => versions.length === 1)
      await other.live.store.access.revoke(id, 'token:admin')
      await until(() => versions.length === 2)
      expect(versions.at(-1)).toBe((await scope.live.store.access.load()).version)
      expect(scope.live.view.revision).toBe(0)
    }))

  it('are told by the first answer after them, with or without entries', () =>
    withLive(
      async (scope) => {
        const other = await scope.another()
        const versions = versionsOf(scope)
        await other.live.store.access.put(tokenOf('ci'))
        await scope.live.catchUp()
        expect(versions).toHaveLength(1)
        await other.live.store.access.put(tokenOf('cd'))
        await other.live.commit(commitOf(put('a')))
        await scope.live.catchUp()
        expect(versions).toHaveLength(2)
      },
      { options: { pollMinMs: 60_000, pollMaxMs: 60_000 } },
    ))

  it('are told though the journal can no longer be followed, and no view can be built', () =>
    withLive(async (scope) => {
      const { live, store } = scope
      for (const id of ['a', 'b', 'c']) await live.commit(commitOf(put(id)))
      const copy = await shortened(store.inner, 1)
      await copy.access.put(tokenOf('ci'))
      const versions = versionsOf(scope)
      store.always({ does: 'fail' }, 'load')
      store.inner = copy
      await until(() => store.callsOf('load').length > 2)
      expect(versions).toEqual([(await copy.head()).accessVersion])
    }))

  it('are told after a time without the database', () =>
    withLive(async (scope) => {
      const { store } = scope
      const versions = versionsOf(scope)
      store.outage()
      await store.inner.access.put(tokenOf('ci'))
      const failed = store.callsOf('changes').length
      await until(() => store.callsOf('changes').length > failed)
      expect(versions).toEqual([])
      store.heal()
      await until(() => versions.length === 1)
    }))

  it('are told again where a late answer seemed to take them back', () =>
    withLive(async (scope) => {
      const { live, store } = scope
      const versions = versionsOf(scope)
      const before = await store.inner.changes(live.view.position as Position, 1)
      await store.inner.access.put(tokenOf('ci'))
      await until(() => versions.length === 1)
      store.next('changes', { does: 'answer', value: before })
      await until(() => versions.length === 3)
      expect(versions[0]).toBe(versions[2])
    }))
})
