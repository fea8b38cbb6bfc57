import { rename, rm, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { backupNow } from '../../../src/archive/archiver/backup-now.ts'
import { repeatDrill } from '../../../src/archive/archiver/repeat-drill.ts'
import { CoordinatorError } from '../../../src/errors.ts'
import { commitOf, idsOf, put, remove, tokenOf } from '../../conformance/build.ts'
import { until } from '../../support/with-live.ts'
import { type ArchiverScope, comparison, withArchiver } from './with-archiver.ts'

const HOUR = 3_600_000

/** An archiver whose clock the test moves. */
function withClock(body: (scope: ArchiverScope, pass: (ms: number) => void) => Promise<void>) {
  let passed = 0
  return withArchiver(
    (scope) =>
      body(scope, (ms) => {
        passed += ms
      }),
    { archiver: { clock: () => Date.now() + passed } },
  )
}

async function logEach({ live, archived }: ArchiverScope, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    await live.commit(commitOf(put(id)))
    await archived()
  }
}

describe('bases', () => {
  it('are written each BACKUP_BASE_HOURS, and not where nothing has changed', () =>
    withClock(async (scope, pass) => {
      const { live, store, destination, archived, read, told } = scope
      const looks = () => destination.calls.filter(({ name }) => name === `${live.view.lineage}/`).length
      await archived()
      await logEach(scope, idsOf('s', 3))
      pass(26 * HOUR)
      await until(() => told.includes('base 3'))
      // The work after the last base looks twice at most. The third look at least asks whether a base is due.
      const before = looks()
      await until(() => {
        pass(26 * HOUR)
        return looks() > before + 2
      })
      await store.inner.access.put(tokenOf('ci'))
      await expect.poll(async () => (await read()).access.length).toBe(2)
      await live.commit(commitOf(remove('s1')))
      await archived()
      expect(told.filter((text) => text.startsWith('base'))).toEqual(['base 0', 'base 3'])
      pass(26 * HOUR)
      await until(() => told.includes('base 4'))
      const archive = await read()
      const [there, stored] = await comparison(archive, store.inner, [0, 1, 2, 3, 4])
      expect(there).toEqual(stored)
      expect(archive.bases.map(({ revision }) => revision)).toEqual([0, 3, 4])
    }))

  it('of another coordinator count', () =>
    withClock(async (scope, pass) => {
      const { live, store, archiver, folder, destination, archived, told } = scope
      await archived()
      await logEach(scope, ['a'])
      await backupNow({ store: live.store, destination })
      const writtenAt = Math.floor(Date.now() / 1_000) + (25 * HOUR) / 1_000
      for (const { name } of await Array.fromAsync(destination.inner.list('')))
        if (name.includes(`/base/${'1'.padStart(16, '0')}-`))
          await utimes(join(folder, name), writtenAt, writtenAt)
      pass(26 * HOUR)
      await until(() => archiver.figures.baseAt === writtenAt * 1_000)
      await logEach(scope, ['b'])
      expect(told).toEqual(['begins at 0', 'base 0'])
      pass(25 * HOUR)
      await until(() => told.includes('base 2'))
      const [there, stored] = await comparison(await scope.read(), store.inner, [0, 1, 2])
      expect(there).toEqual(stored)
    }))

  it('that somebody removed are noticed within an hour, and replaced', () =>
    withClock(async (scope, pass) => {
      const { store, destination, archived, read, told } = scope
      await archived()
      await logEach(scope, idsOf('s', 3))
      for (const { name } of await Array.fromAsync(destination.inner.list('')))
        await destination.inner.remove(name)
      await logEach(scope, ['later'])
      pass(HOUR)
      await until(() => told.includes('base 4'))
      await logEach(scope, ['last'])
      expect(told.slice(2)).toEqual(['lost base 0', 'base 4'])
      const archive = await read()
      const [there, stored] = await comparison(archive, store.inner, [4, 5])
      expect(there).toEqual(stored)
      expect(archive.access).toHaveLength(1)
    }))

  it('of a destination that comes back empty are written again at once', () =>
    withClock(async (scope) => {
      const { folder, destination, archiver, archived, told } = scope
      await archived()
      await logEach(scope, ['a'])
      destination.fault = { does: 'fail', code: 'COORD_ARCHIVE_UNREACHABLE' }
      await scope.live.commit(commitOf(put('b')))
      await until(() => archiver.figures.failures > 0)
      await rm(join(folder, scope.live.view.lineage), { recursive: true })
      destination.heal()
      await archived()
      expect(told).toEqual([
        'begins at 0',
        'base 0',
        'failing COORD_ARCHIVE_UNREACHABLE',
        'lost base 0',
        'base 2',
        'recovered',
      ])
    }))

  it('have small logs rewritten into one, which are removed a day later', () =>
    withClock(async (scope, pass) => {
      const { live, store, folder, destination, archived, read, told } = scope
      await archived()
      await logEach(scope, idsOf('s', 12))
      const small = (await read()).logFiles
      expect(small.length).toBe(12)
      pass(26 * HOUR)
      await until(() => told.includes('base 12'))
      await expect.poll(async () => (await read()).logFiles.length).toBe(13)
      // A day later.
      for (const { name } of await Array.fromAsync(destination.inner.list('')))
        await utimes(join(folder, name), Date.now() / 1_000 - 90_000, Date.now() / 1_000 - 90_000)
      await live.commit(commitOf(put('later')))
      await archived()
      pass(52 * HOUR)
      await until(() => told.includes('base 13'))
      await until(() => told.includes('pruned 12'))
      const archive = await read()
      expect(archive.logFiles).toHaveLength(2)
      const [there, stored] = await comparison(archive, store.inner, [1, 6, 12, 13])
      expect(there).toEqual(stored)
    }))

  it('have nothing rewritten that contradicts the journal', () =>
    withClock(async (scope, pass) => {
      const { archiver, folder, archived, destination, read, told } = scope
      await archived()
      await logEach(scope, idsOf('s', 12))
      const [name = ''] = (await read()).logFiles.slice(5)
      await rename(join(folder, name), join(folder, name.replace(/[0-9a-f]{64}/, '0'.repeat(64))))
      pass(26 * HOUR)
      await until(() => archiver.figures.code === 'COORD_ARCHIVE_CONTRADICTION')
      expect(archiver.figures.state).toBe('failing')
      expect(told).toContain('failing COORD_ARCHIVE_CONTRADICTION')
      await logEach({ ...scope, archived: () => until(() => archiver.figures.unarchivedRevisions === 0) }, [
        'later',
      ])
      expect(destination.written.filter((written) => written.includes('/log/')).length).toBe(13)
    }))

  it('are written on demand from a store, with its tokens', () =>
    withArchiver(
      async ({ live, store, destination, read }) => {
        for (const id of idsOf('s', 10)) await live.commit(commitOf(put(id)))
        await store.inner.access.put(tokenOf('ci'))
        const report = await backupNow({ store: store.inner, destination })
        expect(report).toMatchObject({ records: 10, files: 2, point: live.view.position })
        const archive = await read()
        const [there, stored] = await comparison(archive, store.inner, [10])
        expect(there).toEqual(stored)
        expect(archive.access[0]?.state.tokens).toMatchObject([{ name: 'ci' }])
        const again = await backupNow({ store: store.inner, destination })
        expect(again.files).toBe(1)
      },
      { archiving: false },
    ))
})

describe('drills', () => {
  it('begin with the first base, come again after BACKUP_DRILL_HOURS, wait for a destination that is away, and their failures are results', () =>
    withArchiver(
      async ({ live, destination }) => {
        let now = Date.now()
        let looks = 0
        const looksMore = () => {
          const before = looks
          return until(() => looks > before + 1)
        }
        const drilled: boolean[] = []
        const asked: string[] = []
        const stop = new AbortController()
        const running = repeatDrill(
          {
            ...{ destination, drillHours: 24, clock: () => now },
            lineage: () => {
              looks += 1
              return live.view.lineage
            },
            drill: async (lineage) => {
              asked.push(lineage)
              if (asked.length === 1) throw new CoordinatorError('COORD_ARCHIVE_UNREACHABLE')
              if (asked.length === 3) throw new CoordinatorError('COORD_ARCHIVE_DAMAGED')
              return { ok: true, at: now, checked: 'contents' as const }
            },
            drilled: ({ ok }) => drilled.push(ok),
          },
          stop.signal,
          5,
        )
        await looksMore()
        expect(asked).toEqual([])
        await live.commit(commitOf(put('a')))
        await backupNow({ store: live.store, destination })
        await until(() => drilled.length === 1)
        now += 23 * HOUR
        await looksMore()
        expect(drilled).toEqual([true])
        now += 2 * HOUR
        await until(() => drilled.length === 2)
        now += 25 * HOUR
        await until(() => drilled.length === 3)
        expect(drilled).toEqual([true, false, true])
        expect(asked).toHaveLength(4)
        expect(new Set(asked)).toEqual(new Set([live.view.lineage]))
        stop.abort()
        await running
      },
      { archiving: false },
    ))
})
