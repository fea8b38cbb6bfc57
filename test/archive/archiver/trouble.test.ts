import { beforeEach, describe, expect, it } from 'vitest'
import type { ErrorCode } from '../../../src/errors.ts'
import type { Position } from '../../../src/records/record.ts'
import { commitOf, idsOf, put } from '../../conformance/build.ts'
import { dearness } from '../../support/dearness.ts'
import { shortened } from '../../support/shortened-store.ts'
import { until } from '../../support/with-live.ts'
import { comparison, sourceOf, untilArchived, withArchiver } from './with-archiver.ts'

let now = Date.now()
beforeEach(() => {
  now = Date.now()
})

describe('a destination that fails', () => {
  it.each<ErrorCode>(['COORD_ARCHIVE_UNREACHABLE', 'COORD_ARCHIVE_REFUSED', 'COORD_ARCHIVE_FULL'])(
    'with %s stops no write, is told once, and has everything afterwards',
    (code) =>
      withArchiver(async ({ live, store, archiver, destination, archived, read, told }) => {
        await archived()
        destination.fault = { does: 'fail', code }
        for (const id of idsOf('s', 50)) await live.commit(commitOf(put(id)))
        await until(() => archiver.figures.failures > 3)
        expect(archiver.figures).toMatchObject({ state: 'failing', code, unarchivedRevisions: 50 })
        expect(archiver.figures.unarchivedSeconds).toBeGreaterThan(0)
        destination.heal()
        await archived()
        const [there, stored] = await comparison(await read(), store.inner, [1, 25, 50])
        expect(there).toEqual(stored)
        expect(told).toEqual(['begins at 0', 'base 0', `failing ${code}`, 'recovered'])
      }),
  )

  it('before the first base is tried again at once, and not after the pause between bases', () =>
    withArchiver(
      async ({ live, archiver, destination, archived, told }) => {
        destination.fault = { does: 'fail', code: 'COORD_ARCHIVE_UNREACHABLE' }
        archiver.start()
        await live.commit(commitOf(put('a')))
        await until(() => archiver.figures.failures > 2)
        expect(archiver.figures).toMatchObject({ state: 'failing', archivedRevision: 0 })
        destination.heal()
        await archived()
        expect(told.at(-1)).toBe('recovered')
      },
      { archiving: false },
    ))

  it('by hanging delays no write and no stop, and has everything afterwards', () =>
    withArchiver(async ({ live, archiver, destination, archived, archiverOn, read }) => {
      await archived()
      destination.fault = { does: 'hang' }
      for (const id of idsOf('s', 20)) await live.commit(commitOf(put(id)))
      await until(() => destination.calls.at(-1)?.call === 'list')
      expect(archiver.figures).toMatchObject({ unarchivedRevisions: 20 })
      const began = performance.now()
      await archiver.finish(100)
      expect(performance.now() - began).toBeLessThan(3_000 * dearness())
      destination.heal()
      const next = archiverOn(live)
      next.start()
      await untilArchived(next, live)
      expect((await read()).entries.size).toBe(20)
    }))

  it('by losing replies gets no file twice, and none that contradicts another', () =>
    withArchiver(async ({ live, store, archiver, destination, archived, read }) => {
      await archived()
      destination.faulty = ['write']
      destination.fault = { does: 'lose reply' }
      for (const id of idsOf('s', 30)) await live.commit(commitOf(put(id)))
      await until(() => archiver.figures.failures > 0)
      destination.heal()
      await archived()
      const archive = await read()
      const [there, stored] = await comparison(archive, store.inner, [15, 30])
      expect(there).toEqual(stored)
    }))
})

describe('a journal that says there is more, and gives nothing', () => {
  it('is asked again later, and not without a pause', () =>
    withArchiver(async ({ live, store, archiver, archived }) => {
      await archived()
      const asked = () => store.callsOf('changes').filter(({ args }) => args[2] === 'client').length
      const { accessVersion } = await store.inner.head()
      const nothing = { status: 'ok', entries: [], more: true, accessVersion, mode: 'open' }
      store.always(
        {
          does: 'instead',
          run: async (inner, [after, limit, reader]) =>
            reader === 'client' ? nothing : inner.changes(after as Position, limit as number),
        },
        'changes',
      )
      await until(() => archiver.figures.code === 'COORD_STORE_FAULT')
      const [before, { failures }] = [asked(), archiver.figures]
      await until(() => archiver.figures.failures > failures + 3)
      expect(asked() - before).toBeLessThan(20)
      store.heal()
      await live.commit(commitOf(put('a')))
      await archived()
    }))
})

describe('a history that forks', () => {
  it('goes on under its new lineage with a base of its own, and without a gap', () =>
    withArchiver(async ({ live, store, archived, read, told }) => {
      for (const id of idsOf('a', 5)) await live.commit(commitOf(put(id)))
      await archived()
      const { lineage } = live.view
      await store.inner.fork((await store.inner.head()).position)
      await until(() => live.view.lineage !== lineage)
      for (const id of idsOf('b', 5)) await live.commit(commitOf(put(id)))
      await archived()
      const archive = await read()
      expect(archive.bases).toHaveLength(1)
      expect(archive.entries.has(10)).toBe(true)
      const first = archive.bases[0]?.revision ?? 0
      const [there, stored] = await comparison(archive, store.inner, [first, 10])
      expect(there).toEqual(stored)
      expect(told.filter((text) => !text.startsWith('base'))[1]).toBe('begins at 5')
      expect(told.filter((text) => text.startsWith('failing'))).toEqual([])
    }))

  it('is waited for, and is no contradiction, however long the coordinator serves the old one', () =>
    withArchiver(async ({ live, store, archiver, archived, archiverOn, another, told }) => {
      await live.commit(commitOf(put('a')))
      await archived()
      await archiver.finish(100)
      const served = sourceOf(live).served()
      const inner = await shortened(store.inner, 0)
      await inner.fork((await inner.head()).position)
      const other = await another({ inner })
      const late = archiverOn(other.live, { source: { served: () => served, snapshot: () => undefined } })
      const asked = () => other.store.callsOf('changes').filter(({ args }) => args[2] === 'client').length
      late.start()
      const before = asked()
      await until(() => asked() > before + 20)
      expect(late.figures).toMatchObject({ failures: 0 })
      expect(told.filter((text) => /stopped|failing/.test(text))).toEqual([])
    }))

  it('because the database lost commits archives what came instead, and tells no contradiction', () =>
    withArchiver(async (scope) => {
      const { live, store, archiver, archived, read, told } = scope
      for (const id of idsOf('a', 5)) await live.commit(commitOf(put(id)))
      await archived()
      const { lineage } = live.view
      store.inner = await shortened(store.inner, 3)
      await until(() => live.view.lineage !== lineage)
      for (const id of idsOf('b', 4)) await live.commit(commitOf(put(id, { v: 2 })))
      await archived()
      const archive = await read()
      const first = archive.bases[0]?.revision ?? 0
      const [there, stored] = await comparison(archive, store.inner, [first, 7])
      expect(there).toEqual(stored)
      expect(archiver.figures).toMatchObject({ state: 'ok', archivedRevision: 7 })
      expect(told.filter((text) => text.startsWith('stopped'))).toEqual([])
    }))
})

describe('an archive that contradicts the journal', () => {
  it('of another database with the same history stops the archiver, which writes nothing more', () =>
    withArchiver(async (scope) => {
      const { live, store, archiver, destination, archived, archiverOn, another, told } = scope
      for (const id of idsOf('a', 3)) await live.commit(commitOf(put(id)))
      await archived()
      // A copy of the database, such as one for tests, that goes on by itself.
      const copy = await another({ inner: await shortened(store.inner, 3) })
      await copy.live.commit(commitOf(put('other')))
      await live.commit(commitOf(put('mine')))
      await archived()
      const second = archiverOn(copy.live)
      second.start()
      await until(() => second.figures.state === 'stopped')
      expect(second.figures.code).toBe('COORD_ARCHIVE_CONTRADICTION')
      const written = destination.written.length
      const { failures } = second.figures
      await copy.live.commit(commitOf(put('other-2')))
      await until(() => second.figures.failures > failures + 2)
      expect(destination.written).toHaveLength(written)
      expect(told.filter((text) => text.startsWith('stopped'))).toEqual([
        'stopped COORD_ARCHIVE_CONTRADICTION',
      ])
      expect(archiver.figures.state).toBe('ok')
    }))

  it('that arises while both run stops the later one at its next file', () =>
    withArchiver(async ({ live, store, destination, archived, archiverOn, another }) => {
      await live.commit(commitOf(put('a')))
      await archived()
      const copy = await another({ inner: await shortened(store.inner, 1) })
      const second = archiverOn(copy.live)
      second.start()
      await untilArchived(second, copy.live)
      await live.commit(commitOf(put('mine')))
      await archived()
      const written = destination.written.length
      await copy.live.commit(commitOf(put('other')))
      await until(() => second.figures.state === 'stopped')
      expect(destination.written).toHaveLength(written)
    }))

  it('only because another store has taken the place of this one, which is frozen, is no contradiction', () =>
    withArchiver(async ({ live, store, archiver, archived, archiverOn, another, told }) => {
      await live.commit(commitOf(put('a')))
      await archived()
      const next = await another({ inner: await shortened(store.inner, 1) })
      await store.inner.setMode('open', 'frozen')
      await next.live.commit(commitOf(put('b')))
      const second = archiverOn(next.live)
      second.start()
      await untilArchived(second, next.live)
      await archiver.finish(100)
      const frozen = archiverOn(live)
      frozen.start()
      const asked = () => store.callsOf('changes').filter(({ args }) => args[2] === 'client').length
      const before = asked()
      await until(() => asked() > before + 10)
      expect(frozen.figures).toMatchObject({ failures: 0, unarchivedRevisions: 0 })
      expect(told.filter((text) => /stopped|failing/.test(text))).toEqual([])
    }))

  it('because the database was restored from an older copy is told, and ends with a new lineage', () =>
    withArchiver(async ({ live, store, archiver, archived, archiverOn, another, told }) => {
      for (const id of idsOf('a', 5)) await live.commit(commitOf(put(id)))
      await archived()
      await archiver.finish(100)
      const inner = await shortened(store.inner, 2)
      const restored = await another({ inner })
      const next = archiverOn(restored.live)
      next.start()
      await until(() => next.figures.state === 'stopped')
      expect(told.at(-1)).toBe('stopped COORD_ARCHIVE_CONTRADICTION')
      // `coordinator after-restore` does this.
      const { lineage } = restored.live.view
      await inner.fork((await inner.head()).position)
      await until(() => restored.live.view.lineage !== lineage)
      await restored.live.commit(commitOf(put('b')))
      await untilArchived(next, restored.live)
      expect(told.at(-1)).toBe('recovered')
    }))
})

describe('a journal that was compacted before it was archived', () => {
  it('is told as a gap, and followed by a new base', () =>
    withArchiver(
      async ({ live, store, archiver, destination, archived, read, told }) => {
        await archived()
        destination.fault = { does: 'hang' }
        for (const id of idsOf('s', 20)) await live.commit(commitOf(put(id)))
        await until(
          () => archiver.figures.unarchivedRevisions > 0 && destination.calls.at(-1)?.call === 'list',
        )
        await store.inner.compact(15)
        now += 300_001
        destination.heal()
        await archived()
        const archive = await read()
        expect(archive.bases.map(({ revision }) => revision)).toEqual([0, 20])
        await live.commit(commitOf(put('later')))
        await archived()
        const [there, stored] = await comparison(await read(), store.inner, [20, 21])
        expect(there).toEqual(stored)
        expect(told.filter((text) => text.startsWith('gap'))).toHaveLength(1)
        expect(archiver.figures.gaps).toBe(1)
      },
      { archiver: { clock: () => now } },
    ))

  it('counts as not archived until the base after the gap is complete', () =>
    withArchiver(
      async ({ live, store, archiver, destination, archived, told }) => {
        await archived()
        destination.fault = { does: 'fail', code: 'COORD_ARCHIVE_UNREACHABLE' }
        for (const id of idsOf('s', 20)) await live.commit(commitOf(put(id)))
        await until(() => archiver.figures.failures > 0)
        await store.inner.compact(15)
        const { lastSuccessAt } = archiver.figures
        now += 300_001
        // Only the base hangs: all else is done.
        destination.faulty = ['write']
        destination.fault = { does: 'hang' }
        await until(() => told.some((text) => text.startsWith('gap')))
        const asked = () => store.callsOf('changes').filter(({ args }) => args[2] === 'client').length
        const before = asked()
        await until(() => asked() > before + 3)
        expect(archiver.figures).toMatchObject({
          archivedRevision: 0,
          unarchivedRevisions: 20,
          lastSuccessAt,
        })
        destination.heal()
        await archived()
        expect(archiver.figures).toMatchObject({ archivedRevision: 20, unarchivedRevisions: 0 })
      },
      { archiver: { clock: () => now } },
    ))

  it('again and again has a new base every five minutes at most', () =>
    withArchiver(
      async ({ live, store, archiver, destination, archived, told }) => {
        await archived()
        const gap = async () => {
          destination.fault = { does: 'fail', code: 'COORD_ARCHIVE_UNREACHABLE' }
          const { failures } = archiver.figures
          await live.commit(commitOf(put('s', { v: failures + 2 })))
          await until(() => archiver.figures.failures > failures + 1)
          await store.inner.compact(live.view.revision)
          await live.commit(commitOf(put('t', { v: failures + 2 })))
          destination.heal()
        }
        now += 300_001
        await gap()
        await archived()
        await gap()
        await until(() => archiver.figures.code === 'COORD_REVISION_COMPACTED')
        expect(told.filter((text) => text.startsWith('base'))).toHaveLength(2)
        now += 300_001
        await archived()
        expect(told.filter((text) => text.startsWith('base'))).toHaveLength(3)
      },
      { archiver: { clock: () => now } },
    ))
})

describe('several archivers of one database', () => {
  it('write together not much more than one, and what they write agrees', () =>
    withArchiver(async ({ live, store, archiver, archived, archiverOn, another, read }) => {
      await archived()
      const other = await another()
      const second = archiverOn(other.live)
      second.start()
      for (const id of idsOf('s', 100)) await live.commit(commitOf(put(id)))
      await until(() => other.live.view.revision === 100)
      await archived()
      await untilArchived(second, other.live)
      const archive = await read()
      const [there, stored] = await comparison(archive, store.inner, [0, 33, 66, 100])
      expect(there).toEqual(stored)
      expect(archive.bases).toHaveLength(1)
      expect([archiver.figures.failures, second.figures.failures]).toEqual([0, 0])
    }))

  it('of which one ended leave the rest to the other', () =>
    withArchiver(async ({ live, store, archiver, archived, archiverOn, another, read }) => {
      await archived()
      const other = await another()
      const second = archiverOn(other.live)
      second.start()
      await live.commit(commitOf(put('a')))
      await archived()
      await archiver.finish(1_000)
      await live.commit(commitOf(put('b')))
      await until(() => other.live.view.revision === 2)
      await untilArchived(second, other.live)
      const [there, stored] = await comparison(await read(), store.inner, [1, 2])
      expect(there).toEqual(stored)
    }))
})
