import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { NewFile } from '../../../src/archive/format/archive-format.ts'
import { writeBase } from '../../../src/archive/format/write-base.ts'
import { type FoundSnapshot, findSnapshots } from '../../../src/archive/snapshot/find-snapshots.ts'
import { SnapshotFolder } from '../../../src/archive/snapshot/snapshot-folder.ts'
import type { SnapshotNote } from '../../../src/archive/snapshot/snapshot-note.ts'
import { collected, inPages, pointAfter, recordsAfter } from '../../support/archive-samples.ts'
import { WrittenHistory } from '../inventory/written-history.ts'

const HOUR = 3_600_000
const now = Date.UTC(2026, 0, 2)
/** So much is told of the size of a base that it gets two parts. */
const TWO_PARTS = 2 * 6 * 1_048_576

let path: string
let snapshots: SnapshotFolder
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'coordinator-snapshots-'))
  snapshots = new SnapshotFolder(path, 'hash')
})
afterEach(() => rm(path, { recursive: true, force: true }))

/** Writes a snapshot of a history at its end. */
async function snapshot(history: WrittenHistory, more: Partial<SnapshotNote> = {}, files?: NewFile[]) {
  const revision = history.entries.length
  const parts = files ?? (await history.base(revision, TWO_PARTS))
  const folder = snapshots.newFolder(now)
  for (const { name, content } of parts) await snapshots.write(folder, name, content)
  const point = pointAfter(history, history.entries)
  const names = parts.map(({ name }) => name)
  const note = { database: 'hash', point, floor: 0, confirmedAt: now - HOUR, files: names, ...more }
  await snapshots.writeNote(folder, note)
  return { folder, note }
}

/** What is found, and what is told of the rest. */
async function found() {
  const told: string[] = []
  const options = { database: 'hash', maxAgeMs: 24 * HOUR, clock: () => now }
  const ignored = (_: string, { code, detail }: { code: string; detail?: string }) =>
    told.push(`${code} ${detail}`)
  const all: FoundSnapshot[] = await Array.fromAsync(findSnapshots(snapshots, { ...options, ignored }))
  return { all, told }
}

async function recordsOf(all: readonly FoundSnapshot[]) {
  const [first] = all
  return (await Array.fromAsync(first?.pages() ?? [])).flat()
}

describe('a snapshot', () => {
  test('is found, and has all records', async () => {
    const history = new WrittenHistory().grow(30)
    await snapshot(history)
    const { all, told } = await found()
    expect(told).toEqual([])
    expect(all[0]).toMatchObject({ floor: 0, confirmedAt: now - HOUR })
    expect((await recordsOf(all)).length).toBeGreaterThan(3)
  })

  test('older than SNAPSHOT_MAX_AGE_HOURS is ignored, and told', async () => {
    const history = new WrittenHistory().grow(10)
    await snapshot(history, { confirmedAt: now - 24 * HOUR - 1 })
    const { all, told } = await found()
    expect({ all: all.length, told: told.length }).toEqual({ all: 0, told: 1 })
    await snapshot(history, { confirmedAt: now - 24 * HOUR })
    expect((await found()).all).toHaveLength(1)
  })

  test('of another database is ignored, also in the folder of this one', async () => {
    await snapshot(new WrittenHistory().grow(10), { database: 'other' })
    const { all, told } = await found()
    expect(all).toEqual([])
    expect(told).toEqual([expect.stringContaining('another database')])
  })

  test('with parts in another order, or of other moments, gives no whole base', async () => {
    const history = new WrittenHistory().grow(30)
    const [first, second] = (await history.base(30, TWO_PARTS)) as [NewFile, NewFile]
    const [, other] = (await history.base(29, TWO_PARTS)) as [NewFile, NewFile]
    for (const files of [[second, first], [first, other], [first], [second]]) {
      const { folder } = await snapshot(history, {}, files)
      await expect(recordsOf((await found()).all)).rejects.toMatchObject({ code: 'COORD_ARCHIVE_DAMAGED' })
      await snapshots.remove(folder)
    }
  })

  test('with a part that was written at the same moment from other records gives no whole base', async () => {
    const history = new WrittenHistory().grow(30)
    const [, second] = (await history.base(30, TWO_PARTS)) as [NewFile, NewFile]
    const records = recordsAfter(history.entries)
    const [, ...rest] = records
    const point = pointAfter(history, history.entries)
    const other = inPages([{ ...records[0], data: '{"other":true}' } as (typeof records)[number], ...rest])
    const options = { recordBytes: TWO_PARTS, at: () => now }
    const [first] = (await collected(writeBase(point, other, options))) as [NewFile, NewFile]
    await snapshot(history, {}, [first, second])
    await expect(recordsOf((await found()).all)).rejects.toMatchObject({ code: 'COORD_ARCHIVE_DAMAGED' })
  })

  test('whose note was changed is ignored', async () => {
    const { folder } = await snapshot(new WrittenHistory().grow(10))
    const [place] = await snapshots.list(now)
    const note = join(snapshots.path, place?.note ?? '')
    await writeFile(note, (await readFile(note, 'utf8')).replace('"floor":0', '"floor":1'))
    const { all, told } = await found()
    expect(place?.folder).toBe(folder)
    expect(all).toEqual([])
    expect(told).toEqual([expect.stringContaining('Its sum is wrong')])
  })

  test('with tokens of another history has none, and says so', async () => {
    const history = new WrittenHistory().grow(10)
    const { folder } = await snapshot(history)
    const { name, content } = await new WrittenHistory().access(now)
    await snapshots.write(folder, name, content)
    const access = { file: name, confirmedAt: now }
    const point = pointAfter(history, history.entries)
    const files = (await history.base(10, TWO_PARTS)).map((file) => file.name)
    await snapshots.writeNote(folder, { database: 'hash', point, floor: 0, confirmedAt: now, files, access })
    const { all, told } = await found()
    expect(all[0]?.access).toBeUndefined()
    expect(told).toEqual([expect.stringContaining('another history')])
  })
})
