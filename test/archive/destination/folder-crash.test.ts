import { spawn, spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { FolderDestination } from '../../../src/archive/destination/folder-destination.ts'
import { collected, sha256 } from '../../support/archive-samples.ts'
import { itUnless } from '../../support/it-with.ts'

const writer = fileURLToPath(new URL('write-until-killed.ts', import.meta.url))

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'archive-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** Why this machine cannot make a small file system; `undefined` if it can. */
function mountFault(): string | undefined {
  const { status, error } = spawnSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'tmpfs', tmpdir()])
  return status === 0
    ? undefined
    : `no file system can be mounted: ${error?.message ?? `exit code ${status}`}`
}

describe('a folder as destination', () => {
  test('has every file whole or not at all, when the process that writes is killed at any time', async () => {
    const folder = await newFolder()
    const told: string[] = []
    for (let round = 0; round < 12; round += 1) {
      const child = spawn(process.execPath, ['--no-warnings', writer, folder], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const output = text(child.stdout)
      // The first line shows that it writes; the kill then comes at another place of its work in each round.
      await new Promise((resolve) => child.stdout.once('data', resolve))
      await new Promise((resolve) => setTimeout(resolve, round * 3))
      child.kill('SIGKILL')
      told.push(...(await output).split('\n').filter((line) => line.length === 70))
    }
    const destination = new FolderDestination({ path: folder })
    const listed = (await collected(destination.list(''))).map(({ name }) => name)

    expect(told.length).toBeGreaterThanOrEqual(12)
    expect(listed).toEqual(expect.arrayContaining(told))
    for (const name of listed) expect(`l/log/${sha256(await destination.read(name))}`).toBe(name)
  }, 60_000)

  itUnless(mountFault())(
    'that is full refuses a file, leaves nothing of it, and takes it when there is room',
    async () => {
      const folder = await newFolder()
      const script = fileURLToPath(new URL('fill-folder.ts', import.meta.url))
      const child = spawn('unshare', [
        '-rm',
        'sh',
        '-c',
        'mount -t tmpfs -o size=1m tmpfs "$1" && exec "$2" --no-warnings "$3" "$1"',
        'sh',
        folder,
        process.execPath,
        script,
      ])
      const [output, complaint] = await Promise.all([text(child.stdout), text(child.stderr)])

      expect(complaint).toBe('')
      expect(JSON.parse(output)).toEqual({
        code: 'COORD_ARCHIVE_FULL',
        sourceCode: 'ENOSPC',
        left: ['first'],
        afterwards: ['second'],
      })
    },
  )

  test('is listed in many calls, so that a slow network share does not time out', async () => {
    const folder = await newFolder()
    const destination = new FolderDestination({ path: folder })
    const names = Array.from({ length: 1_200 }, (_, at) => `l/log/${String(at).padStart(5, '0')}`)
    await mkdir(join(folder, 'l/log'), { recursive: true })
    for (const name of names) await writeFile(join(folder, name), 'x')

    expect((await collected(destination.list(''))).map(({ name }) => name)).toEqual(names)
  })
})
