import { execFileSync } from 'node:child_process'
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { inodeLockFileOf, lockFileOf } from '../../src/database/sqlite/file/file-lock.ts'
import { commitOf, newCall, put } from '../conformance/build.ts'
import { runCoordinator } from '../main/coordinator-process.ts'
import { itUnless } from '../support/it-with.ts'
import { expectLocked, inFolder } from './in-folder.ts'

/** Why this process cannot mount, if it cannot. */
function mountFault(): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'coordinator-mount-'))
  try {
    const file = join(folder, 'file')
    writeFileSync(file, '')
    execFileSync('mount', ['--bind', file, file], { stdio: 'ignore' })
    execFileSync('umount', [file])
    return undefined
  } catch {
    return 'this process may not mount'
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

describe('a database file that has more than one name', () => {
  it(
    'is refused with exit code 74 and what to do',
    inFolder(async ({ file, store }) => {
      const first = store()
      await first.open()
      await first.close()
      linkSync(file(), file('other.db'))
      for (const name of ['coordinator.db', 'other.db'])
        expect(
          await runCoordinator(['serve', '--port', '0'], { env: { DATABASE_URL: `sqlite:${file(name)}` } }),
        ).toMatchObject({
          code: 74,
          stderr: expect.stringMatching(/has 2 names \(hard links\).*Keep one name.*COORD_STORE_PATH/s),
        })
      rmSync(file('other.db'))
      await store().open()
    }),
  )

  itUnless(mountFault())(
    'is refused where it is mounted by itself, with exit code 74 and what to do',
    inFolder(async ({ file, store }) => {
      const first = store()
      await first.open()
      await first.close()
      // As in a container: the folder around it is another one.
      mkdirSync(file('a b'))
      const inside = file('a b/coordinator.db')
      writeFileSync(inside, '')
      execFileSync('mount', ['--bind', file(), inside])
      try {
        const ended = await runCoordinator(['serve', '--port', '0'], {
          env: { DATABASE_URL: `sqlite:${inside}` },
        })
        expect(ended).toMatchObject({
          code: 74,
          stderr: expect.stringMatching(/is mounted by itself.*Mount the folder.*COORD_STORE_PATH/s),
        })
        expect(readdirSync(file('a b'))).toEqual(['coordinator.db'])
      } finally {
        execFileSync('umount', [inside])
      }
    }),
  )
})

describe('the lock on a database file', () => {
  it(
    'keeps a second owner from it after it was renamed, and under a symbolic link',
    inFolder(async (folder) => {
      const { file, store } = folder
      const first = store()
      await first.open()
      symlinkSync(file(), file('link.db'))
      await expectLocked(folder, 'link.db')
      renameSync(file(), file('renamed.db'))
      await expectLocked(folder, 'renamed.db')
      await first.close()
      await store({ path: file('renamed.db') }).open()
    }),
  )

  it.each([
    ['the lock by name', lockFileOf, (path: string) => rmSync(path)],
    ['the lock by name, by another file,', lockFileOf, replace],
    ['the lock by inode', inodeLockFileOf, (path: string) => rmSync(path)],
  ] as const)(
    'is missed where %s was removed: nothing is written, and following says so',
    (_what, lockOf, act) =>
      inFolder(async ({ file, store }) => {
        const owner = store()
        const { position } = await owner.open()
        act(lockOf(file()))
        const error = {
          code: 'COORD_STORE_PATH',
          detail: expect.stringContaining('removed or replaced'),
          hint: expect.stringContaining('no other one uses'),
        }
        await expect(owner.commit(position, [commitOf(put('a'))], newCall())).rejects.toMatchObject({
          ...error,
          outcome: 'not_written',
        })
        await expect(owner.changes(position, 10)).rejects.toMatchObject(error)
      })(),
  )

  it(
    'leaves nothing by inode behind when it is given up',
    inFolder(async ({ path, store }) => {
      const owner = store()
      await owner.open()
      await owner.close()
      expect(readdirSync(path).sort()).toEqual(['coordinator.db', 'coordinator.db.lock'])
    }),
  )
})

function replace(path: string): void {
  rmSync(path)
  writeFileSync(path, '')
}
