import * as nodeFiles from 'node:fs/promises'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { type Files, FolderDestination } from '../../../src/archive/destination/folder-destination.ts'
import { collected } from '../../support/archive-samples.ts'

async function newFolder(options: { readonly files?: Files; readonly timeoutMs?: number } = {}) {
  const above = await mkdtemp(join(tmpdir(), 'archive-'))
  onTestFinished(() => rm(above, { recursive: true, force: true }))
  const path = join(above, 'backup')
  return { above, path, destination: new FolderDestination({ path, ...options }) }
}

/** The file system with some calls replaced. */
function filesWith(changes: Partial<Files>): Files {
  return { ...nodeFiles, ...changes }
}

function fault(code: string) {
  return Object.assign(new Error(`${code}: of the test`), { code, syscall: 'open' })
}

const bytes = new TextEncoder().encode('content')

describe('a folder as destination', () => {
  test('a file is read as it was written, and listed with its size', async () => {
    const { destination, path } = await newFolder()
    await destination.write('l/log/b', bytes)
    await destination.write('l/log/a', bytes)
    await destination.write('l-1/log/c', bytes)

    expect(new Uint8Array(await destination.read('l/log/b'))).toEqual(bytes)
    const files = await collected(destination.list(''))
    expect(files.map(({ name }) => name)).toEqual(['l-1/log/c', 'l/log/a', 'l/log/b'])
    expect(files[0]?.bytes).toBe(7)
    expect(Math.abs((files[0]?.writtenAt ?? 0) - Date.now())).toBeLessThan(60_000)
    expect((await collected(destination.list('l/log/b'))).map(({ name }) => name)).toEqual(['l/log/b'])
    expect((await collected(destination.list('l'))).map(({ name }) => name)).toHaveLength(3)
    expect(await readdir(join(path, 'l/log'))).toEqual(['a', 'b'])
    expect((await stat(join(path, 'l/log/a'))).mode & 0o777).toBe(0o600)
  })

  test('a folder that does not exist is an empty archive', async () => {
    const { destination } = await newFolder()

    expect(await collected(destination.list(''))).toEqual([])
  })

  test('a file that is there with the same size stays; one with another size is replaced', async () => {
    const { destination, path } = await newFolder()
    await destination.write('a', bytes)
    const before = await stat(join(path, 'a'))
    await destination.write('a', bytes)
    expect((await stat(join(path, 'a'))).ino).toBe(before.ino)

    await destination.write('a', bytes.subarray(1))
    expect(await readFile(join(path, 'a'), 'utf8')).toBe('ontent')
  })

  test('removing a file twice changes nothing the second time', async () => {
    const { destination } = await newFolder()
    await destination.write('l/a', bytes)
    await destination.remove('l/a')
    await destination.remove('l/a')
    await destination.remove('never/there')

    expect(await collected(destination.list(''))).toEqual([])
  })

  test('a file that is not there, or is no file, is damaged', async () => {
    const { destination, above, path } = await newFolder()
    await mkdir(join(path, 'folder'), { recursive: true })
    await writeFile(join(above, 'secret'), 'secret')
    await symlink(join(above, 'secret'), join(path, 'link'))

    await expect(destination.read('missing')).rejects.toMatchObject({ code: 'COORD_ARCHIVE_DAMAGED' })
    await expect(destination.read('folder')).rejects.toMatchObject({ code: 'COORD_ARCHIVE_DAMAGED' })
    await expect(destination.read('link')).rejects.toMatchObject({ code: 'COORD_ARCHIVE_DAMAGED' })
    expect(await collected(destination.list(''))).toEqual([])
  })

  test.each(['../secret', 'a/../../secret', '/etc/passwd', 'a//b', '.hidden', 'a/.b', '', 'a\0b', 'a\\b'])(
    'the name %j leads nowhere',
    async (name) => {
      const { destination } = await newFolder()

      await expect(destination.read(name)).rejects.toMatchObject({ code: 'COORD_ARCHIVE_DAMAGED' })
      await expect(destination.write(name, bytes)).rejects.toMatchObject({ code: 'COORD_ARCHIVE_DAMAGED' })
      await expect(destination.remove(name)).rejects.toMatchObject({ code: 'COORD_ARCHIVE_DAMAGED' })
    },
  )

  test('links to other folders are not followed', async () => {
    const { destination, above, path } = await newFolder()
    await mkdir(join(above, 'other'))
    await writeFile(join(above, 'other', 'file'), 'x')
    await mkdir(path)
    await symlink(join(above, 'other'), join(path, 'linked'))

    expect(await collected(destination.list(''))).toEqual([])
  })

  test('nothing is written through a link, where no list would find it; the folder itself may be one', async () => {
    const { destination, above, path } = await newFolder()
    await destination.write('l/log/a', bytes)
    await nodeFiles.rename(join(path, 'l'), join(above, 'moved'))
    await symlink(join(above, 'moved'), join(path, 'l'))
    await expect(destination.write('l/log/b', bytes)).rejects.toMatchObject({
      code: 'COORD_ARCHIVE_REFUSED',
      detail: expect.stringContaining('l is a link'),
    })
    expect(await readdir(join(above, 'moved', 'log'))).toEqual(['a'])

    await symlink(join(above, 'moved'), join(above, 'linked'))
    const linked = new FolderDestination({ path: join(above, 'linked') })
    await linked.write('log/b', bytes)
    expect((await collected(linked.list(''))).map(({ name }) => name)).toEqual(['log/a', 'log/b'])
  })

  test('that everything was removed is told once; then it is created again', async () => {
    const { destination, path } = await newFolder()
    await destination.write('l/base/a', bytes)
    await rm(path, { recursive: true })

    await expect(destination.write('l/log/b', bytes)).rejects.toMatchObject({
      code: 'COORD_ARCHIVE_UNREACHABLE',
    })
    await destination.write('l/log/b', bytes)
    expect((await collected(destination.list(''))).map(({ name }) => name)).toEqual(['l/log/b'])
  })

  test('a file of more than 16 MiB is refused before it is read', async () => {
    const { destination, path } = await newFolder()
    await mkdir(path)
    const file = await nodeFiles.open(join(path, 'large'), 'w')
    await file.truncate(16 * 1_048_576 + 1)
    await file.close()

    await expect(destination.read('large')).rejects.toMatchObject({ code: 'COORD_ARCHIVE_DAMAGED' })
  })

  test('unfinished files are never listed, and removed a day later', async () => {
    const { destination, path } = await newFolder()
    await mkdir(join(path, 'l'), { recursive: true })
    await writeFile(join(path, 'l', '.unfinished-old'), 'x')
    await writeFile(join(path, 'l', '.unfinished-new'), 'x')
    const yesterday = (Date.now() - 90_000_000) / 1_000
    await utimes(join(path, 'l', '.unfinished-old'), yesterday, yesterday)
    await destination.write('l/a', bytes)

    expect((await collected(destination.list(''))).map(({ name }) => name)).toEqual(['l/a'])
    expect((await readdir(join(path, 'l'))).sort()).toEqual(['.unfinished-new', 'a'])
  })

  test.each([
    ['ENOSPC', 'COORD_ARCHIVE_FULL'],
    ['EDQUOT', 'COORD_ARCHIVE_FULL'],
    ['EACCES', 'COORD_ARCHIVE_REFUSED'],
    ['EROFS', 'COORD_ARCHIVE_REFUSED'],
    ['EIO', 'COORD_ARCHIVE_UNREACHABLE'],
    ['ESTALE', 'COORD_ARCHIVE_UNREACHABLE'],
  ])('%s while a file is written is %s, and leaves no file', async (code, expected) => {
    const open: Files['open'] = async (path, flags, mode) => {
      const file = await nodeFiles.open(path, flags, mode)
      if (flags === 'wx') file.writeFile = () => Promise.reject(fault(code))
      return file
    }
    const { destination, path } = await newFolder({ files: filesWith({ open }) })

    const error = await destination.write('l/a', bytes).catch((thrown) => thrown)
    expect(error).toMatchObject({ code: expected, sourceCode: code })
    expect(error.hint).not.toContain('AWS')
    expect(await readdir(join(path, 'l'))).toEqual([])
  })

  test.each([
    ['EINVAL', undefined],
    ['ENOSYS', undefined],
    ['EIO', 'COORD_ARCHIVE_UNREACHABLE'],
  ])('a folder whose synchronization ends with %s ends with %s', async (code, expected) => {
    const open: Files['open'] = async (path, flags, mode) => {
      const file = await nodeFiles.open(path, flags, mode)
      if (flags === 'r') file.sync = () => Promise.reject(fault(code))
      return file
    }
    const { destination } = await newFolder({ files: filesWith({ open }) })
    const result = await destination.write('l/a', bytes).catch((error) => error)

    expect(result?.code).toBe(expected)
  })

  test('a file becomes durable before it gets its name, and its name before the call ends', async () => {
    const steps: string[] = []
    const open: Files['open'] = async (path, flags, mode) => {
      const file = await nodeFiles.open(path, flags, mode)
      const sync = file.sync.bind(file)
      file.sync = () => {
        steps.push(flags === 'wx' ? 'sync file' : 'sync folder')
        return sync()
      }
      return file
    }
    const rename: Files['rename'] = (from, to) => {
      steps.push('rename')
      return nodeFiles.rename(from, to)
    }
    const { destination } = await newFolder({ files: filesWith({ open, rename }) })
    await destination.write('a', bytes)

    expect(steps.slice(-3)).toEqual(['sync file', 'rename', 'sync folder'])

    // A process that was killed before the last step is continued by another one, which finds the file there.
    steps.length = 0
    await destination.write('a', bytes)
    expect(steps).toEqual(['sync folder'])
  })

  test('a folder that somebody removes meanwhile is UNREACHABLE once, and is created again at the next attempt', async () => {
    const { destination, path } = await newFolder()
    await destination.write('l/a', bytes)
    await rm(path, { recursive: true })

    await expect(destination.write('l/a', bytes)).rejects.toMatchObject({ code: 'COORD_ARCHIVE_UNREACHABLE' })
    await destination.write('l/a', bytes)
    expect(await readdir(join(path, 'l'))).toEqual(['a'])
  })

  test('a file system that hangs is UNREACHABLE in time, and takes one thread only', async () => {
    const { promise: hang, resolve: answer } = Promise.withResolvers<void>()
    let calls = 0
    const lstat: Files['lstat'] = (async (path: string) => {
      calls += 1
      await hang
      return nodeFiles.lstat(path)
    }) as Files['lstat']
    const { destination, path } = await newFolder({ files: filesWith({ lstat }), timeoutMs: 50 })
    const refused = { code: 'COORD_ARCHIVE_UNREACHABLE' }

    await expect(destination.write('a', bytes)).rejects.toMatchObject(refused)
    await expect(destination.read('a')).rejects.toMatchObject(refused)
    await expect(destination.remove('a')).rejects.toMatchObject(refused)
    expect(calls).toBe(1)

    answer()
    // A busy disk may need several attempts within so short a limit.
    await vi.waitFor(() => destination.write('b', bytes), { timeout: 30_000 })
    expect((await readdir(path)).sort()).toEqual(['b'])
  })

  test('a caller that gives up stops waiting', async () => {
    const lstat = (() => new Promise(() => undefined)) as Files['lstat']
    const { destination } = await newFolder({ files: filesWith({ lstat }) })
    const reason = new Error('given up')
    const given = new AbortController()
    const read = destination.read('a', given.signal)
    given.abort(reason)

    await expect(read).rejects.toBe(reason)
  })
})
