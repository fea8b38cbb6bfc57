import { linkSync, readdirSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { commitOf, put } from '../conformance/build.ts'
import { accepted, Caller } from '../conformance/caller.ts'
import { expectLocked, inFolder } from './in-folder.ts'
import { runProcess } from './run-process.ts'

describe('sqlite: one process owns the file', () => {
  it(
    'refuses a second process with exit code 74, and goes on serving the first',
    inFolder(async ({ file, store }) => {
      const first = store()
      await first.open()
      const second = runProcess('open', file())
      expect(await second.next()).toMatchObject({ failed: { code: 'COORD_STORE_LOCKED', exitCode: 74 } })
      const caller = await Caller.at(first)
      expect(accepted(await caller.write(put('a'))).revision).toBe(1)
    }),
  )

  it(
    'refuses a second store under another name of the same file',
    inFolder(async (folder) => {
      await folder.store().open()
      symlinkSync(folder.file(), folder.file('link.db'))
      await expectLocked(folder, 'link.db')
    }),
  )

  it(
    'refuses a second store on a link whose file the first one made',
    inFolder(async (folder) => {
      symlinkSync('real.db', folder.file('link.db'))
      await folder.store({ path: folder.file('link.db') }).open()
      await expectLocked(folder, 'link.db', 'real.db')
    }),
  )

  it(
    'waits for an owner that is about to end',
    inFolder(async (folder) => {
      const first = folder.store()
      await first.open()
      const second = folder.store({ lockTimeoutMs: 10_000 })
      const order: string[] = []
      const opening = second.open().finally(() => order.push('the second has it'))
      // One that does not wait, and comes after it, has been refused by then.
      await expectLocked(folder, 'coordinator.db')
      order.push('the first ends')
      await first.close()
      expect((await opening).position.revision).toBe(0)
      expect(order).toEqual(['the first ends', 'the second has it'])
    }),
  )

  it(
    'is free again after kill -9 of the owner',
    inFolder(async ({ file, store }) => {
      const owner = runProcess('hold', file())
      expect(await owner.next()).toMatchObject({ head: { revision: 0 } })
      const name = process.platform === 'linux' ? `Process ${owner.child.pid} (node)` : 'Another process'
      await expect(store().open()).rejects.toMatchObject({
        code: 'COORD_STORE_LOCKED',
        detail: `${name} owns ${file()}: it holds the lock on ${file()}.lock.`,
      })
      await owner.kill()
      expect((await store().open()).position.revision).toBe(0)
    }),
  )

  it(
    'lets another program read, and back up, while it is in use',
    inFolder(async ({ file, store }) => {
      const owner = store()
      await owner.open()
      const caller = await Caller.at(owner)
      await caller.write(put('a'))
      const reader = new DatabaseSync(file(), { readOnly: true })
      expect(reader.prepare('select id from records').all()).toMatchObject([{ id: 'a' }])
      reader.exec(`vacuum into '${file('copy.db')}'`)
      reader.close()
      await caller.write(put('b'))
      const copy = store({ path: file('copy.db') })
      expect((await copy.open()).position.revision).toBe(1)
    }),
  )

  it(
    'answers busy, not written, while another program keeps the write lock, and goes on afterwards',
    inFolder(async ({ file, store }) => {
      const owner = store({ busyTimeoutMs: 50 })
      await owner.open()
      const caller = await Caller.at(owner)
      const other = new DatabaseSync(file())
      other.exec('begin immediate')
      await expect(caller.write(put('a'))).rejects.toMatchObject({
        code: 'COORD_STORE_BUSY',
        outcome: 'not_written',
        retryable: true,
      })
      other.exec('rollback')
      other.close()
      expect(accepted(await caller.write(put('a'))).revision).toBe(1)
    }),
  )

  it(
    'refuses writes once the file is gone from its place, since no restart would find them',
    inFolder(async ({ file, store }) => {
      const owner = store()
      await owner.open()
      const caller = await Caller.at(owner)
      await caller.write(put('a'))
      renameSync(file(), file('moved.db'))
      for (const attempt of [() => caller.send(commitOf(put('b'))), () => owner.compact(1)])
        await expect(attempt()).rejects.toMatchObject({ code: 'COORD_STORE_PATH', outcome: 'not_written' })
      linkSync(file('moved.db'), file())
      expect(accepted(await caller.write(put('b'))).revision).toBe(2)
    }),
  )

  it(
    'refuses writes once the write-ahead log is gone, since a kill would lose them; closing in order saves what it held',
    inFolder(async ({ file, store }) => {
      symlinkSync('real.db', file('link.db'))
      const owner = store({ path: file('link.db') })
      await owner.open()
      const caller = await Caller.at(owner)
      await caller.write(put('a'))
      rmSync(file('real.db-wal'))
      for (const attempt of [() => caller.send(commitOf(put('b'))), () => owner.fork(caller.position)])
        await expect(attempt()).rejects.toMatchObject({
          code: 'COORD_STORE_PATH',
          outcome: 'not_written',
          detail: expect.stringContaining(file('real.db-wal')),
        })
      expect((await owner.head()).position).toEqual(caller.position)
      await owner.close()
      const reopened = store({ path: file('link.db') })
      expect((await reopened.open()).position).toEqual(caller.position)
      expect(accepted(await new Caller(reopened, caller.position).write(put('b'))).revision).toBe(2)
    }),
  )

  it(
    'uses the files that the documents name, and leaves one and an empty lock file when it is closed',
    inFolder(async ({ path, file, store }) => {
      const owner = store()
      await owner.open()
      await (await Caller.at(owner)).write(put('a'))
      const [database, lock] = ['coordinator.db', 'coordinator.db.lock']
      const byInode = `.coordinator-${statSync(file()).ino}.lock`
      expect(readdirSync(path).sort()).toEqual([
        byInode,
        database,
        `${database}-shm`,
        `${database}-wal`,
        lock,
      ])
      await owner.close()
      expect(readdirSync(path).sort()).toEqual([database, lock])
      expect(statSync(file(lock)).size).toBe(0)
    }),
  )
})
