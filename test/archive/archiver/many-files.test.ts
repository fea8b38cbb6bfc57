import { randomUUID } from 'node:crypto'
import { type Dirent, promises as nodeFiles } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { findStart } from '../../../src/archive/archiver/find-start.ts'
import { pruneArchive } from '../../../src/archive/archiver/prune-archive.ts'
import { FolderDestination } from '../../../src/archive/destination/folder-destination.ts'
import { damaged } from '../../../src/archive/format/damaged.ts'
import { readInventory } from '../../../src/archive/inventory/inventory.ts'
import { planRestore } from '../../../src/archive/inventory/plan-restore.ts'
import type { ChangesReply } from '../../../src/database/store.ts'
import { ListedDestination } from './listed-destination.ts'

/** More files than a call may have arguments: a month of log files, where bases are far apart. */
const COUNT = 150_000
const start = Date.UTC(2026, 0, 1)
const digest = (revision: number, first = 'a') => `${first}${String(revision).padStart(63, '0')}`

class ManyFiles extends ListedDestination {
  readonly lineage = randomUUID()

  constructor() {
    super()
    this.base(0)
    for (let revision = 1; revision <= COUNT; revision += 1) this.log(revision)
  }

  base(revision: number): void {
    const name = { kind: 'base', encrypted: false, lineage: this.lineage, part: 1, parts: 1 } as const
    this.add({ ...name, revision, digest: digest(revision) }, start)
  }

  log(revision: number, of = 'a'): void {
    const name = { kind: 'log', encrypted: false, lineage: this.lineage } as const
    this.add({ ...name, first: revision, last: revision, digest: digest(revision, of) }, start)
  }

  override async read(): Promise<never> {
    throw damaged('a file of the test', 'It has no content.')
  }
}

describe('an archive of 150,000 log files', () => {
  it('is pruned', async () => {
    const archive = new ManyFiles()
    archive.base(COUNT - 1)
    const options = { keepDays: 0, now: start + 1, dryRun: true }
    const { removed } = await pruneArchive(archive, { lineage: archive.lineage, ancestors: [] }, options)
    expect(removed).toHaveLength(COUNT)
  })

  it('is gone on from by a later history', async () => {
    const archive = new ManyFiles()
    const store = { changes: async () => ({ status: 'ok' }) as ChangesReply }
    const history = { lineage: randomUUID(), ancestors: [archive.lineage] }
    const { marks } = await findStart({ store, destination: archive }, history)
    expect(marks[0]).toEqual({ revision: COUNT, digest: digest(COUNT) })
  })

  it('names the last revision before a contradiction', async () => {
    const archive = new ManyFiles()
    archive.log(COUNT, 'b')
    await expect(planRestore(await readInventory(archive), {})).rejects.toMatchObject({
      code: 'COORD_ARCHIVE_CONTRADICTION',
      extra: { lastGoodRevision: COUNT - 1 },
    })
  })

  it('in one folder is listed', async () => {
    const names = Array.from({ length: COUNT }, (_, index) => String(index).padStart(16, '0'))
    const entries = names.map((name) => ({ name, isDirectory: () => false, isFile: () => true }) as Dirent)
    const files = {
      ...nodeFiles,
      readdir: (async () => entries) as unknown as typeof nodeFiles.readdir,
      lstat: (async () => ({
        size: 1,
        mtimeMs: start,
        isFile: () => true,
      })) as unknown as typeof nodeFiles.lstat,
    }
    const listed = await Array.fromAsync(new FolderDestination({ path: '/archive', files }).list(''))
    expect(listed.map(({ name }) => name)).toEqual(names)
  })
})
