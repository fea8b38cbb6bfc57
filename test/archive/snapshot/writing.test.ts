import { spawn, spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rename, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { findSnapshots } from '../../../src/archive/snapshot/find-snapshots.ts'
import { SnapshotFolder } from '../../../src/archive/snapshot/snapshot-folder.ts'
import { SAMPLE_START } from '../../support/archive-samples.ts'
import { itUnless } from '../../support/it-with.ts'
import { until } from '../../support/with-live.ts'
import { DATABASE, ServedRecords } from './served-records.ts'

vi.setConfig({ testTimeout: 60_000 })

const scriptOf = (name: string) => fileURLToPath(new URL(name, import.meta.url))

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'snapshots-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

interface Found {
  readonly revision: number
  readonly confirmedAt: number
  readonly records: number
  readonly tokens: number | undefined
}

/** Every snapshot that can be read to its end, the newest first, and what was told of the others. */
async function readAll(
  path: string,
  now = SAMPLE_START,
  database = DATABASE,
): Promise<{ found: Found[]; ignored: string[] }> {
  const found: Found[] = []
  const ignored: string[] = []
  const options = {
    ...{ database, maxAgeMs: 3_600_000, clock: () => now },
    ignored: (_: string, { code }: { code: string }) => void ignored.push(code),
  }
  for await (const { point, confirmedAt, access, pages } of findSnapshots(
    new SnapshotFolder(path, database),
    options,
  )) {
    let records = 0
    for await (const page of pages()) records += page.length
    found.push({ revision: point.revision, confirmedAt, records, tokens: access?.state.tokens.length })
  }
  return { found, ignored }
}

/** Why this machine cannot make a small file system; `undefined` if it can. */
function mountFault(): string | undefined {
  const { status, error } = spawnSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'tmpfs', tmpdir()])
  return status === 0
    ? undefined
    : `no file system can be mounted: ${error?.message ?? `exit code ${status}`}`
}

describe('a writer of snapshots', () => {
  test('writes all records at once, then again only when something has changed, and keeps two', async () => {
    const path = await newFolder()
    const records = new ServedRecords()
    records.add(2_500)
    let written = 0
    const observer = {
      written() {
        written += 1
      },
    }
    const writer = records.writer(path, { intervalMs: 1, observer })
    writer.start()
    await until(() => written === 1)
    await writer.finish(10_000)
    expect((await readAll(path)).found).toMatchObject([{ revision: 2_500, records: 2_500, tokens: 0 }])
    expect(records.snapshots).toBe(1)

    for (let round = 0; round < 3; round += 1) {
      records.add(1)
      records.confirmedAt += 1
      const next = records.writer(path, { observer })
      next.start()
      await until(() => written === round + 2)
      await next.finish(10_000)
    }
    expect((await readAll(path)).found.map(({ revision }) => revision)).toEqual([2_503, 2_502])
  })

  test('renews the time of a snapshot without writing the records again', async () => {
    const path = await newFolder()
    const records = new ServedRecords()
    records.add(10)
    const writer = records.writer(path)
    writer.start()
    await until(() => records.snapshots === 1)
    records.confirmedAt += 60_000
    await writer.finish(10_000)
    const { found, ignored } = await readAll(path)
    expect(found).toMatchObject([{ revision: 10, confirmedAt: SAMPLE_START + 60_000 }])
    expect(ignored).toEqual([])
    expect(records.snapshots).toBe(1)
  })

  test('writes changed tokens at once, and records that changed only after their interval, or at the end', async () => {
    const path = await newFolder()
    const records = new ServedRecords()
    records.add(10)
    const writer = records.writer(path)
    writer.start()
    await until(() => records.snapshots === 1)
    await vi.waitUntil(async () => (await readAll(path)).found.length === 1, { timeout: 30_000 })
    records.add(1)
    records.confirmedAt += 5_000
    records.tokens = { ...records.tokens, version: '2', tokens: [token] }
    writer.look()
    await vi.waitUntil(async () => (await readAll(path)).found[0]?.tokens === 1, { timeout: 30_000 })
    expect((await readAll(path)).found).toMatchObject([{ revision: 10, confirmedAt: SAMPLE_START }])
    await writer.finish(10_000)
    expect((await readAll(path)).found[0]).toMatchObject({ revision: 11, tokens: 1 })
  })

  test('takes at most 1 % of the time, however often the records change', async () => {
    const path = await newFolder()
    const records = new ServedRecords()
    const ends: { at: number; durationMs: number }[] = []
    const observer = {
      written({ durationMs }: { durationMs: number }) {
        ends.push({ at: performance.now(), durationMs })
        records.add(1)
      },
    }
    records.add(10)
    const writer = records.writer(path, { intervalMs: 1, observer })
    writer.start()
    await until(() => ends.length === 2, 50_000)
    await writer.finish(10_000)
    const [first, second] = ends
    if (first === undefined || second === undefined) throw new Error('It was written once.')
    const pauseMs = second.at - second.durationMs - first.at
    expect(pauseMs).toBeGreaterThan(98 * (first.durationMs - 1))
  })

  test('writes all records again if another coordinator has removed its snapshot, and never leaves half of one', async () => {
    const path = await newFolder()
    const records = new ServedRecords()
    records.add(10)
    const writer = records.writer(path, { intervalMs: 1, share: 1 })
    writer.start()
    await until(() => records.snapshots === 1)
    await vi.waitUntil(async () => (await readAll(path)).found.length === 1, { timeout: 30_000 })
    const snapshots = new SnapshotFolder(path, DATABASE)
    const [place] = await snapshots.list(SAMPLE_START)
    await snapshots.remove(place?.folder ?? '')
    await until(() => records.snapshots === 2)
    await writer.finish(10_000)
    expect(await readAll(path)).toMatchObject({ found: [{ revision: 10, records: 10 }], ignored: [] })
    expect(await readdir(snapshots.path)).toHaveLength(1)
  })

  test('keeps the tokens that are known if the database does not tell them', async () => {
    const path = await newFolder()
    const records = new ServedRecords()
    records.tokens = { ...records.tokens, tokens: [token] }
    const writer = records.writer(path)
    writer.start()
    await until(() => records.snapshots === 1)
    records.add(5)
    Object.defineProperty(records, 'tokens', {
      get: () => {
        throw new Error('The database is gone.')
      },
    })
    await writer.finish(10_000)
    expect((await readAll(path)).found[0]).toMatchObject({ revision: 5, tokens: 1 })
  })

  test('leaves only whole snapshots that are found when it is killed at any time, and removes the rest later', async () => {
    const path = await newFolder()
    const told: number[] = []
    for (let round = 0; round < 8; round += 1) {
      const child = spawn(process.execPath, ['--no-warnings', scriptOf('write-until-killed.ts'), path], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const output = text(child.stdout)
      // In half of the rounds a snapshot is whole before; the kill then comes at another place of its work in each round.
      const begun = round % 2 === 0 ? /\d+\n/ : /\n/
      let printed = ''
      await new Promise<void>((resolve) => {
        child.stdout.on('data', (chunk: Buffer) => {
          printed += chunk
          if (begun.test(printed)) resolve()
        })
      })
      await new Promise((resolve) => setTimeout(resolve, round * 37))
      child.kill('SIGKILL')
      told.push(...(await output).trim().split('\n').map(Number))
      const { found, ignored } = await readAll(path, Date.now())
      expect(ignored).toEqual([])
      for (const { records, revision } of found) expect(records).toBe(revision)
      if (told.some((revision) => revision > 0)) expect(found.length).toBeGreaterThan(0)
    }
    expect(told.filter((revision) => revision > 0).length).toBeGreaterThanOrEqual(4)

    const snapshots = new SnapshotFolder(path, DATABASE)
    const inAnHour = Date.now() + 3_600_000
    await snapshots.prune(inAnHour, undefined)
    const kept = (await snapshots.list(inAnHour)).map(({ folder }) => folder)
    expect(kept.length).toBeLessThanOrEqual(2)
    expect((await readdir(snapshots.path)).sort()).toEqual(kept.sort())
  })

  itUnless(mountFault())(
    'tells that the disk is full, leaves nothing of that snapshot, and goes on when there is room',
    async () => {
      const path = await newFolder()
      const child = spawn('unshare', [
        '-rm',
        'sh',
        '-c',
        'mount -t tmpfs -o size=1m tmpfs "$1" && exec "$2" --no-warnings "$3" "$1"',
        'sh',
        path,
        process.execPath,
        scriptOf('fill-disk.ts'),
      ])
      const [output, complaint] = await Promise.all([text(child.stdout), text(child.stderr)])
      expect(complaint).toBe('')
      expect(JSON.parse(output)).toEqual({
        told: ['COORD_ARCHIVE_FULL', expect.stringContaining('SNAPSHOT_DIR'), 'recovered'],
        left: { whole: 1, folders: 1 },
        afterwards: 2,
      })
    },
  )
})

describe('the folder of snapshots', () => {
  test('gives no snapshot that is too old, or of another database', async () => {
    const path = await newFolder()
    const records = new ServedRecords()
    const writer = records.writer(path)
    writer.start()
    await until(() => records.snapshots === 1)
    await writer.finish(10_000)
    expect(await readAll(path, SAMPLE_START + 3_600_000)).toMatchObject({ found: [{}], ignored: [] })
    expect(await readAll(path, SAMPLE_START + 3_600_001)).toEqual({
      found: [],
      ignored: ['COORD_ARCHIVE_EMPTY'],
    })
    const other = 'e'.repeat(64)
    await rename(join(path, DATABASE), join(path, other))
    expect(await readAll(path)).toEqual({ found: [], ignored: [] })
    expect(await readAll(path, SAMPLE_START, other)).toEqual({
      found: [],
      ignored: ['COORD_ARCHIVE_DAMAGED'],
    })
  })

  test('never loses what is not a snapshot, and keeps an unfinished one that somebody writes', async () => {
    const path = await newFolder()
    const snapshots = new SnapshotFolder(path, DATABASE)
    const mine = join(snapshots.path, 'notes')
    await mkdir(mine, { recursive: true })
    await writeFile(join(mine, 'file'), '')
    const now = Date.now()
    const underWay = snapshots.newFolder(now - 1_000)
    const abandoned = snapshots.newFolder(now - 600_000)
    for (const folder of [underWay, abandoned])
      await snapshots.write(folder, 'l/base/part', new Uint8Array(3))
    const old = new Date(now - 600_000)
    await utimes(join(snapshots.path, abandoned, 'l/base/part'), old, old)
    await snapshots.prune(now, undefined)
    expect((await readdir(snapshots.path)).sort()).toEqual([underWay, 'notes'].sort())
    expect(await snapshots.list(now)).toEqual([])
  })

  test('puts a snapshot from the future last, because the clock was set back', async () => {
    const path = await newFolder()
    const snapshots = new SnapshotFolder(path, DATABASE)
    const point = new ServedRecords().served()
    const note = { database: DATABASE, point, floor: 0, files: [] }
    const now = Date.now()
    for (const confirmedAt of [now - 5_000, now + 3_600_000, now - 1_000])
      await snapshots.writeNote(snapshots.newFolder(confirmedAt), { ...note, confirmedAt })
    expect((await snapshots.list(now)).map(({ confirmedAt }) => confirmedAt - now)).toEqual([
      -1_000, -5_000, 3_600_000,
    ])
  })

  test.each([
    ['an empty note', ''],
    ['half a note', '{"snapshot":1,"database":'],
    ['a note whose sum is wrong', '{"snapshot":1}\n0000\n'],
  ])('that has %s is passed over with a warning', async (_, content) => {
    const path = await newFolder()
    const records = new ServedRecords()
    records.add(3)
    const writer = records.writer(path)
    writer.start()
    await until(() => records.snapshots === 1)
    await writer.finish(10_000)
    const snapshots = new SnapshotFolder(path, DATABASE)
    const folder = snapshots.newFolder(SAMPLE_START + 1)
    const name = `confirmed-${String(SAMPLE_START + 1).padStart(16, '0')}-00000000.json`
    await snapshots.write(folder, name, Buffer.from(content))
    const { found, ignored } = await readAll(path, SAMPLE_START + 2)
    expect(ignored).toEqual(['COORD_ARCHIVE_DAMAGED'])
    expect(found).toMatchObject([{ revision: 3, records: 3 }])
  })
})

const token = {
  id: 'abcdefghijkl',
  name: 'ci',
  scopes: ['read'],
  secretHash: 'a'.repeat(64),
  createdAt: SAMPLE_START,
  createdBy: 'test',
  expiresAt: null,
  revokedAt: null,
  revokedBy: null,
}
