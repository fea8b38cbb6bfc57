import { describe, expect, it } from 'vitest'
import { commitOf, idsOf, put, remove, tokenOf } from '../../conformance/build.ts'
import { until } from '../../support/with-live.ts'
import { comparison, untilArchived, withArchiver } from './with-archiver.ts'

describe('the archiver', () => {
  it('begins with a base, and archives every later revision with its fingerprint', () =>
    withArchiver(
      async ({ live, store, archiver, archived, read, told }) => {
        await live.commit(commitOf(put('before')))
        archiver.start()
        await archived()
        for (const id of idsOf('s', 20)) await live.commit(commitOf(put(id)))
        await live.commit({ ...commitOf(put('s03', { v: 2 })), fingerprint: 'fp' })
        await live.commit(commitOf(remove('s04'), put('s05', { v: 3 })))
        await archived()
        const archive = await read()
        expect(archive.bases.map(({ revision }) => revision)).toEqual([1])
        expect([...archive.entries.keys()]).toEqual(Array.from({ length: 22 }, (_, at) => at + 2))
        expect(archive.entries.get(22)).toMatchObject({ fingerprint: 'fp' })
        const [there, stored] = await comparison(archive, store.inner, [1, 2, 11, 21, 22, 23])
        expect(there).toEqual(stored)
        expect(told).toEqual(['begins at 1', 'base 1'])
        expect(archiver.figures).toMatchObject({
          state: 'ok',
          archivedRevision: 23,
          unarchivedRevisions: 0,
          unarchivedSeconds: 0,
          failures: 0,
        })
      },
      { archiving: false },
    ))

  it('goes on after a restart where the archive ends', () =>
    withArchiver(async ({ live, store, archiver, archived, archiverOn, read, told }) => {
      await live.commit(commitOf(put('a')))
      await archived()
      await archiver.finish(1_000)
      for (const id of idsOf('b', 10)) await live.commit(commitOf(put(id)))
      const next = archiverOn(live)
      next.start()
      await untilArchived(next, live)
      const archive = await read()
      const [there, stored] = await comparison(archive, store.inner, [5, 11])
      expect(there).toEqual(stored)
      expect(archive.bases).toHaveLength(1)
      expect(told.at(-1)).toMatch(/^goes on from \d+$/)
    }))

  it('finds where the archive ends also when the destination was away at the start', () =>
    withArchiver(async ({ live, archiver, destination, archived, archiverOn, told }) => {
      await live.commit(commitOf(put('a')))
      await archived()
      await archiver.finish(1_000)
      for (const id of idsOf('b', 10)) await live.commit(commitOf(put(id)))
      destination.fault = { does: 'fail', code: 'COORD_ARCHIVE_UNREACHABLE' }
      const next = archiverOn(live)
      next.start()
      await until(() => next.figures.failures > 3)
      destination.heal()
      await untilArchived(next, live)
      expect(told.slice(-3)).toEqual([
        'failing COORD_ARCHIVE_UNREACHABLE',
        expect.stringMatching(/^goes on from 1$/),
        'recovered',
      ])
    }))

  it('archives what is left when it ends', () =>
    withArchiver(
      async ({ live, archiver, archived, read }) => {
        await archived()
        await live.commit(commitOf(put('last')))
        await archiver.finish(5_000)
        expect([...(await read()).entries.keys()]).toEqual([1])
      },
      { archiver: { intervalMs: 3_600_000 } },
    ))

  it('archives the tokens after each change, and a newer file has a later name even if the clock goes back', () => {
    let now = Date.now()
    return withArchiver(
      async ({ store, archiver, archived, read }) => {
        await archived()
        await store.inner.access.put(tokenOf('ci'))
        await until(() => archiver.figures.writtenBytes > 0)
        const tokens = async () => (await read()).access.map(({ state }) => state.tokens.length)
        await expect.poll(tokens).toEqual([0, 1])
        now -= 3_600_000
        await store.inner.access.revoke(tokenOf('ci').id, 'token:admin')
        await expect.poll(async () => (await tokens()).length).toBe(3)
        const { access } = await read()
        expect(access.at(-1)?.state.tokens).toMatchObject([{ name: 'ci', revokedBy: 'token:admin' }])
        const times = access.map(({ at }) => at)
        expect(times).toEqual(times.toSorted((left, right) => left - right))
      },
      { archiver: { clock: () => now } },
    )
  })

  it('archives records that are not served, because they break the rules of their kind', () =>
    withArchiver(
      async ({ live, store, archiver, archived, read }) => {
        await live.commit(commitOf(put('good'), put('bad', { v: 'text' })))
        expect(live.view.refusedCount).toBe(1)
        archiver.start()
        await archived()
        const [there, stored] = await comparison(await read(), store.inner, [1])
        expect(there).toEqual(stored)
      },
      {
        archiving: false,
        domain: {
          kinds: { service: (data) => (typeof (data as { v: unknown }).v === 'number' ? undefined : 'no') },
          projections: [],
        },
      },
    ))
})
