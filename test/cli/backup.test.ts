import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { describe, expect, it } from 'vitest'
import { archiveOfHistory } from '../archive/restore/archive-of-history.ts'
import { filesIn } from '../archive/restore/written-archive.ts'
import {
  ask,
  CoordinatorProcess,
  registration,
  runCoordinator,
  scratchFolder,
  serving,
} from '../main/coordinator-process.ts'
import { runInProcess } from './run-in-process.ts'

async function encrypted(folder: string) {
  const identity = await generateX25519Identity()
  const file = join(folder, 'key.txt')
  await writeFile(file, `# created by a test\n${identity}\n`, { mode: 0o600 })
  return { file, identity, recipients: [await identityToRecipient(identity)] }
}

describe('coordinator backup list', () => {
  it('shows what can be restored, and when it was verified', async () => {
    await using archive = await archiveOfHistory({ bases: [0, 20] })
    const env = { BACKUP_URL: `file:${archive.path}` }
    const { lineage } = (await archive.store.head()).position
    const before = await runInProcess(['backup', 'list'], { env })
    expect(before.stdout).toMatch(new RegExp(`^HISTORY .*\\n${lineage} .* 0 to 48 +2 .* never\\nTogether `))
    expect((await runInProcess(['backup', 'verify'], { env })).code).toBe(0)
    const { stdout } = await runInProcess(['backup', 'list', '--json'], { env })
    const { lineages, strange } = JSON.parse(stdout)
    expect(strange).toEqual([])
    expect(lineages).toMatchObject([
      {
        ...{ lineage, ancestors: [], logs: 10, contradictions: [] },
        moments: [{ from: { revision: 0 }, to: { revision: 48 } }],
        bases: [
          { revision: 0, isComplete: true },
          { revision: 20, isComplete: true },
        ],
        verified: { by: 'verify', checked: 'contents', revision: 48 },
      },
    ])
  })

  it('says that an archive has nothing', async () => {
    await using folder = await scratchFolder()
    const { code, stdout } = await runInProcess(['backup', 'list', '--from', `file:${folder.path}`])
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^The archive has no backups\. Check BACKUP_URL /),
    })
  })

  it('shows revisions of an encrypted archive without a key, and times with one', async () => {
    await using folder = await scratchFolder()
    const { file, recipients } = await encrypted(folder.path)
    await using archive = await archiveOfHistory({ bases: [0, 20], recipients })
    const env = { BACKUP_URL: `file:${archive.path}` }
    const closed = await runInProcess(['backup', 'list'], { env })
    expect(closed.stdout).toMatch(/ encrypted +encrypted +0 to 48 /)
    const open = await runInProcess(['backup', 'list'], { env: { ...env, BACKUP_IDENTITY_FILE: file } })
    expect(open.stdout).not.toContain('encrypted')
    expect(open.stdout).toContain(' 0 to 48 ')
  })

  it('names a damaged file that it came across, and does not call it encrypted', async () => {
    await using archive = await archiveOfHistory({ bases: [0, 20] })
    const [newest] = (await filesIn(archive.destination, /\/log\//)).slice(-1)
    const name = newest?.name ?? ''
    await writeFile(join(archive.path, name), 'damaged')
    const { stdout } = await runInProcess(['backup', 'list', '--from', `file:${archive.path}`])
    expect(stdout).not.toContain('encrypted')
    expect(stdout).toContain(`The file ${name} is damaged. Run \`coordinator backup verify\`.\n`)
  })
})

describe('coordinator backup verify', () => {
  it('names each bad file, and what can be restored without it, and ends with exit code 1', async () => {
    await using archive = await archiveOfHistory({ bases: [0, 20] })
    const [file] = await filesIn(archive.destination, /log\/0{14}26-/)
    const path = join(archive.path, file?.name ?? '')
    const bytes = await readFile(path)
    await writeFile(path, bytes.subarray(0, -3))
    const env = { BACKUP_URL: `file:${archive.path}` }
    const { code, stdout } = await runInProcess(['backup', 'verify'], { env })
    expect(code).toBe(1)
    expect(stdout).toContain(`bad: "${file?.name}"`)
    expect(stdout).toContain('1 bad.')
    expect(stdout).toContain('revisions 0 to 25 can be restored')
    // A check that found something bad is no check that others can rely on.
    expect(await filesIn(archive.destination, /^checks\//)).toEqual([])
  })
})

describe('coordinator backup verify of a place without an archive', () => {
  it('fails, because a mistyped place has no bad file either', async () => {
    await using folder = await scratchFolder()
    const { code, stderr } = await runInProcess([
      'backup',
      'verify',
      '--from',
      `file:${folder.path}/mistyped`,
    ])
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('[COORD_ARCHIVE_EMPTY]') })
  })
})

describe('coordinator backup drill', () => {
  it('compares contents, and only the structure of encrypted files without a key', async () => {
    await using folder = await scratchFolder()
    const { file, identity, recipients } = await encrypted(folder.path)
    await using archive = await archiveOfHistory({ bases: [0, 20], recipients })
    const env = { BACKUP_URL: `file:${archive.path}` }
    const opened = { ...env, BACKUP_IDENTITY_FILE: file }
    const open = await runInProcess(['backup', 'drill'], { env: opened })
    expect(open).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(
        'From the base of revision 0, the log leads to exactly the records of the base of revision 20.',
      ),
    })
    const closed = await runInProcess(['backup', 'drill', '--json'], { env })
    expect(JSON.parse(closed.stdout)).toMatchObject({ ok: true, checked: 'structure', toRevision: 20 })
    expect(open.stdout + open.stderr + closed.stdout + closed.stderr).not.toContain(identity)
  })

  it('of a damaged archive ends with an error that names the file', async () => {
    await using archive = await archiveOfHistory({ bases: [0, 20] })
    const [file] = await filesIn(archive.destination, /log\/0{14}06-/)
    await writeFile(join(archive.path, file?.name ?? ''), 'nothing')
    const { code, stderr } = await runInProcess(['backup', 'drill'], {
      env: { BACKUP_URL: `file:${archive.path}` },
    })
    expect({ code, stderr }).toEqual({ code: 74, stderr: expect.stringContaining(file?.name ?? '') })
  })
})

describe('coordinator backup', () => {
  it('archives all records once, from which a restore gives them back', async () => {
    await using folder = await scratchFolder()
    const database = { DATABASE_URL: `sqlite:${folder.path}/coordinator.db` }
    const env = { ...database, BACKUP_URL: `file:${folder.path}/backup` }
    const coordinator = await serving({ env: database })
    await ask(`${coordinator.url}/register`, 'POST', registration('cart'))
    const used = await runInProcess(['backup'], { env })
    expect(used).toMatchObject({
      code: 74,
      stderr: expect.stringContaining('Set BACKUP_URL for that coordinator: it then archives by itself.'),
    })
    await coordinator.stop()
    const done = await runInProcess(['backup'], { env })
    expect(done).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^Archived 1 record of revision 1, /),
    })
    const into = { ...env, DATABASE_URL: `sqlite:${folder.path}/new.db` }
    const restored = await runInProcess(['restore', '--json'], { env: into })
    expect(JSON.parse(restored.stdout)).toMatchObject({ revision: 1, floor: 1 })
  })

  it('shows what prune would remove, and removes nothing', async () => {
    await using archive = await archiveOfHistory({ bases: [0, 20] })
    const files = await filesIn(archive.destination)
    const { code, stdout } = await runInProcess(
      ['backup', 'prune', '--dry-run', '--keep-days', '1', '--json'],
      {
        env: { BACKUP_URL: `file:${archive.path}` },
      },
    )
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      dryRun: true,
      keepDays: 1,
      removed: [],
      keptFiles: files.length,
    })
    expect(await filesIn(archive.destination)).toEqual(files)
  })

  it('ends in order with SIGINT', async () => {
    await using archive = await archiveOfHistory({ bases: [0], services: 3_000 })
    const verifying = new CoordinatorProcess(['backup', 'verify'], {
      env: { BACKUP_URL: `file:${archive.path}` },
    })
    await verifying.wrote(/archive: /)
    verifying.kill('SIGINT')
    const { code, stderr } = await verifying.ended
    // It may have been done already.
    expect([0, 130]).toContain(code)
    if (code === 130) expect(stderr).toContain('Interrupted.')
  })

  it('prints help with examples', async () => {
    for (const command of ['list', 'verify', 'drill', 'prune'])
      expect((await runInProcess(['backup', command, '--help'])).stdout).toContain(
        `coordinator backup ${command}`,
      )
    expect((await runCoordinator(['backup', '--help'])).stdout).toContain('BACKUP_URL')
  })
})
