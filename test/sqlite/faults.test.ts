import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it, vi } from 'vitest'
import { outcomeOfFailedEnd } from '../../src/database/sqlite/file/errors.ts'
import { Live } from '../../src/live/live.ts'
import { commitOf, idsOf, put } from '../conformance/build.ts'
import { Caller, loadAll } from '../conformance/caller.ts'
import { itUnless } from '../support/it-with.ts'
import { type Folder, inFolder } from './in-folder.ts'
import { runProcess } from './run-process.ts'
import type { FillReport } from './store-process.ts'

/** A user that owns nothing: the superuser may write what is read-only. */
const nobody = process.getuid?.() === 0 ? 65_534 : undefined

async function withOneRecord({ store }: Folder): Promise<void> {
  const first = store()
  await first.open()
  await (await Caller.at(first)).write(put('a'))
  await first.close()
}

/** What the open of a file fails with, for a user that is not the superuser. */
async function failureAsUser({ path, file }: Folder) {
  if (nobody !== undefined) chmodSync(path, 0o777)
  const process = runProcess('open', file(), nobody === undefined ? {} : { uid: nobody })
  const message = await process.next()
  return 'failed' in message ? message.failed : message
}

describe('sqlite: the folder of the file', () => {
  it(
    'is made where only it is missing, as in a fresh checkout',
    inFolder(async ({ path, store }) => {
      const owner = store({ path: join(path, 'data', 'coordinator.db') })
      expect((await owner.open()).position.revision).toBe(0)
    }),
  )

  it(
    'is not made where the folder above is missing too: the error names both, and nothing is created',
    inFolder(async ({ path, store }) => {
      const owner = store({ path: join(path, 'no', 'such', 'coordinator.db') })
      await expect(owner.open()).rejects.toMatchObject({
        code: 'COORD_STORE_PATH',
        exitCode: 74,
        detail: `The folder ${join(path, 'no', 'such')} does not exist, nor does ${join(path, 'no')}.`,
      })
      expect(existsSync(join(path, 'no'))).toBe(false)
      mkdirSync(join(path, 'no'))
      expect((await owner.open()).position.revision).toBe(0)
    }),
  )

  it(
    'or file is refused where the path names the other kind',
    inFolder(async ({ path, file, store }) => {
      writeFileSync(file('plain'), '')
      for (const wrong of [path, join(file('plain'), 'coordinator.db'), join(file('plain'), 'x', 'y.db')])
        await expect(store({ path: wrong }).open(), wrong).rejects.toMatchObject({
          code: 'COORD_STORE_PATH',
          exitCode: 74,
        })
    }),
  )
})

describe('sqlite: rights', () => {
  it(
    'refuses a read-only file with exit code 74, and leaves it as it was',
    inFolder(async (folder) => {
      await withOneRecord(folder)
      rmSync(folder.file('coordinator.db.lock'))
      chmodSync(folder.file(), 0o444)
      const before = readFileSync(folder.file())
      expect(await failureAsUser(folder)).toMatchObject({ code: 'COORD_STORE_READ_ONLY', exitCode: 74 })
      expect(readFileSync(folder.file()).equals(before)).toBe(true)
    }),
  )

  it(
    'refuses a log that somebody else has left behind by its name',
    inFolder(async (folder) => {
      const { file } = folder
      const writer = runProcess('write', file())
      await writer.next()
      await writer.next()
      await writer.kill()
      rmSync(file('coordinator.db.lock'))
      chmodSync(file(), 0o666)
      chmodSync(file('coordinator.db-shm'), 0o666)
      chmodSync(file('coordinator.db-wal'), 0o444)
      expect(await failureAsUser(folder)).toEqual({
        code: 'COORD_STORE_READ_ONLY',
        exitCode: 74,
        detail: `${file('coordinator.db-wal')} cannot be written by the user that runs the coordinator.`,
      })
      chmodSync(file('coordinator.db-wal'), 0o666)
      expect(await failureAsUser(folder)).toMatchObject({ head: { lineage: expect.any(String) } })
    }),
  )

  it(
    'refuses a read-only folder with exit code 74',
    inFolder(async ({ path }) => {
      const closed = join(path, 'closed')
      mkdirSync(closed, { mode: 0o555 })
      const folder = { path, file: () => join(closed, 'coordinator.db') } as Folder
      expect(await failureAsUser(folder)).toMatchObject({ code: 'COORD_STORE_READ_ONLY', exitCode: 74 })
      const inside = { path, file: () => join(closed, 'data', 'coordinator.db') } as Folder
      expect(await failureAsUser(inside)).toMatchObject({ code: 'COORD_STORE_READ_ONLY', exitCode: 74 })
    }),
  )
})

describe('sqlite: damaged and foreign files', () => {
  it.each([
    ['text', Buffer.from('This is not a database. '.repeat(300))],
    ['a few bytes', Buffer.from('abc')],
    ['a header without a database', Buffer.from('SQLite format 3\0abc')],
  ])('refuses %s with exit code 74, and leaves the file as it was', (_, content) =>
    inFolder(async ({ file, store }) => {
      writeFileSync(file(), content)
      await expect(store().open()).rejects.toMatchObject({ code: 'COORD_STORE_CORRUPT', exitCode: 74 })
      expect(readFileSync(file()).equals(content)).toBe(true)
    })(),
  )

  it(
    'refuses a file that was cut off',
    inFolder(async (folder) => {
      await withOneRecord(folder)
      truncateSync(folder.file(), 4096 * 3)
      await expect(folder.store().open()).rejects.toMatchObject({
        code: 'COORD_STORE_CORRUPT',
        exitCode: 74,
      })
    }),
  )

  it(
    'says that pages are damaged instead of leaving their records out',
    inFolder(async (folder) => {
      const first = folder.store()
      await first.open()
      await (await Caller.at(first)).write(...idsOf('r', 200).map((id) => put(id, { text: 'x'.repeat(400) })))
      await first.close()
      const bytes = readFileSync(folder.file())
      for (let page = 8; page < bytes.length / 4096 - 1; page += 1)
        bytes.fill(0xaa, page * 4096, page * 4096 + 200)
      writeFileSync(folder.file(), bytes)
      const attempt = async () => {
        const again = folder.store()
        await again.open()
        await loadAll(again)
      }
      await expect(attempt()).rejects.toMatchObject({ code: 'COORD_STORE_CORRUPT', exitCode: 74 })
    }),
  )

  it(
    'stays degraded where writes meet a damaged page, though every probe succeeds',
    inFolder(async (folder) => {
      await withOneRecord(folder)
      const database = new DatabaseSync(folder.file())
      const { rootpage } = database
        .prepare(`select rootpage from sqlite_schema where name = 'sqlite_autoindex_records_1'`)
        .get() as { rootpage: number }
      database.close()
      const bytes = readFileSync(folder.file())
      bytes.fill(0xff, (rootpage - 1) * 4096, rootpage * 4096)
      writeFileSync(folder.file(), bytes)
      const store = folder.store()
      const asked = vi.spyOn(store, 'changes')
      const options = { examineAfterMs: 3_600_000, pollMaxMs: 100 }
      const live = new Live(store, { kinds: {}, projections: [] }, options)
      const states: string[] = []
      live.observe({ status: ({ state }) => states.push(state) })
      await live.start()
      try {
        await expect(live.commit(commitOf(put('b')))).rejects.toMatchObject({ code: 'COORD_STORE_CORRUPT' })
        const before = asked.mock.calls.length
        await expect.poll(() => asked.mock.calls.length).toBeGreaterThan(before + 3)
        expect(live.status).toMatchObject({ state: 'degraded', code: 'COORD_STORE_CORRUPT' })
        expect(states).toEqual(['loading', 'ready', 'degraded'])
      } finally {
        await live.stop(100)
      }
    }),
  )

  it.each([
    ['lost its head', 'delete from head where true', 'the row of the table head is missing'],
    ['lost its newest entries', 'delete from journal where revision = 1', 'the head is at revision 1'],
  ])('refuses a file that %s by hand', (_, sql, detail) =>
    inFolder(async (folder) => {
      await withOneRecord(folder)
      const database = new DatabaseSync(folder.file())
      database.exec(sql)
      database.close()
      await expect(folder.store().open()).rejects.toMatchObject({
        code: 'COORD_STORE_DAMAGED',
        detail: expect.stringContaining(detail),
      })
    })(),
  )

  it.each([
    ['a table', 'create table recipes (id integer primary key)'],
    ['its own application id', 'pragma application_id = 252006674; create table fossil (a)'],
    ['only an application id', 'pragma application_id = 252006674'],
  ])('refuses the database of another program, known by %s, and leaves it as it was', (_, sql) =>
    inFolder(async ({ file, store }) => {
      const other = new DatabaseSync(file())
      other.exec(sql)
      other.close()
      const before = readFileSync(file())
      await expect(store().open()).rejects.toMatchObject({ code: 'COORD_STORE_FOREIGN', exitCode: 74 })
      await expect(store().migrator.migrate()).rejects.toMatchObject({ code: 'COORD_STORE_FOREIGN' })
      await expect(store().migrator.status()).rejects.toMatchObject({ code: 'COORD_STORE_FOREIGN' })
      expect(readFileSync(file()).equals(before)).toBe(true)
    })(),
  )

  it(
    'takes an empty file, as mktemp makes one',
    inFolder(async ({ file, store }) => {
      writeFileSync(file(), '')
      expect((await store().open()).position.revision).toBe(0)
    }),
  )
})

describe('sqlite: a commit that fails at its end', () => {
  // https://sqlite.org/rescode.html#extrc
  it.each([
    ['the flush', 1034, 'unknown'],
    ['a write', 778, 'unknown'],
    ['a full disk', 13, 'not_written'],
    ['a lock', 5, 'not_written'],
  ])('by %s is %i, and %s', (_, errcode, outcome) => {
    expect(outcomeOfFailedEnd(Object.assign(new Error('SQLite'), { errcode, errstr: '' }))).toBe(outcome)
  })
})

/** A command under which a file system of 16 MiB is mounted at `path`, in a name space that ends with it. */
function onSmallDisk(path: string): string[] {
  const space = ['unshare', '--mount', ...(nobody === undefined ? ['--map-root-user'] : [])]
  return [...space, 'sh', '-c', `mount -t tmpfs -o size=16m tmpfs '${path}' && exec "$@"`, 'sh']
}

/** Why there can be no small file system here; `undefined` where there can. */
function noSmallDisk(): string | undefined {
  const [program = '', ...args] = [...onSmallDisk(tmpdir()), 'true']
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' })
  return status === 0 ? undefined : `no small disk can be mounted here: ${error?.message ?? stderr.trim()}`
}

describe('sqlite: full disk', () => {
  itUnless(noSmallDisk())(
    'fails the write, not written, loses nothing, and calls writing mended once there is room for any batch',
    inFolder(async ({ path }) => {
      const disk = join(path, 'disk')
      mkdirSync(disk)
      const process = runProcess('fill', join(disk, 'coordinator.db'), { through: onSmallDisk(disk) })
      const { filled } = (await process.next()) as { filled: FillReport }
      expect(filled.failed).toEqual({ code: 'COORD_STORE_FULL', outcome: 'not_written', retryable: true })
      expect(filled.emptyBatches).toEqual(['COORD_STORE_FULL', 'COORD_STORE_FULL', 'ok'])
      expect(filled.acknowledgedBefore).toBeGreaterThan(10)
      expect(filled.headAfterFailure).toBe(filled.acknowledgedBefore)
      expect(filled.sameBatchAgain).toEqual(['accepted', 'accepted'])
      expect(filled.headAfterReopen).toBe(filled.acknowledgedBefore + 2)
    }),
  )
})
