import { randomUUID } from 'node:crypto'
import { readFile, rename, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { writeBase } from '../../../src/archive/format/write-base.ts'
import { writeLog } from '../../../src/archive/format/write-log.ts'
import { readInventory } from '../../../src/archive/inventory/inventory.ts'
import { planDrill } from '../../../src/archive/inventory/plan-restore.ts'
import type { RestorePlan } from '../../../src/archive/inventory/restore-plan.ts'
import { drill } from '../../../src/archive/restore/drill.ts'
import { restore } from '../../../src/archive/restore/restore.ts'
import { MemoryStore } from '../../../src/database/memory/store.ts'
import { CoordinatorError } from '../../../src/errors.ts'
import { nextDigest } from '../../../src/records/digest.ts'
import type { Entry } from '../../../src/records/record.ts'
import { archiveOfHistory, patience } from './archive-of-history.ts'
import { planned } from './planned.ts'
import { entriesOf, filesIn, recordsAt } from './written-archive.ts'

type Archive = Awaited<ReturnType<typeof archiveOfHistory>>

/** Restores, and expects a refusal. @returns the error, and what the store is left with */
async function refused({ destination }: Archive, { history = false } = {}) {
  const store = new MemoryStore()
  const plan = await planned(destination, {}, { history })
  const error = await restore({ destination, store, plan, patience }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof CoordinatorError)) throw new Error('The archive was not refused.')
  return { error, store }
}

async function changeFile(
  { path, destination }: Archive,
  pattern: RegExp,
  change: (bytes: Buffer) => Buffer,
) {
  const [file] = await filesIn(destination, pattern)
  const name = file?.name ?? ''
  await writeFile(join(path, name), change(await readFile(join(path, name))))
  return name
}

const flipped = (bytes: Buffer) => {
  const copy = Buffer.from(bytes)
  const at = bytes.length >> 1
  copy[at] = (copy[at] ?? 0) ^ 0x10
  return copy
}

describe('a damaged archive', () => {
  it.each([
    ['bit-flipped', flipped],
    ['truncated', (bytes: Buffer) => bytes.subarray(0, -7)],
    ['doubled', (bytes: Buffer) => Buffer.concat([bytes, bytes])],
    ['empty', () => Buffer.alloc(0)],
  ])('with a %s log is refused, the last good revision is named, and can be restored', async (_, change) => {
    await using archive = await archiveOfHistory({ bases: [0, 20] })
    // Five entries a file: this one has 31 to 35.
    const name = await changeFile(archive, /log\/0{14}31-/, change)
    const { error, store } = await refused(archive)
    expect(error).toMatchObject({
      code: 'COORD_ARCHIVE_DAMAGED',
      extra: { file: name, lastGoodRevision: 30 },
    })
    expect(error.message).toContain('The last good revision is 30.')
    expect(error.hint).toContain('--revision 30')
    // Nothing that is left looks whole.
    expect((await store.head()).mode).toBe('seeding')
    await expect(recordsAt(store, 30)).rejects.toMatchObject({ code: 'COORD_STORE_FROZEN' })

    const plan = await planned(archive.destination, { revision: 30 })
    const report = await restore({ destination: archive.destination, store, plan, patience })
    expect(report.revision).toBe(30)
    expect(await recordsAt(store, 30)).toEqual(await recordsAt(archive.store, 30))
  })

  it('with a damaged base is refused, and restored without that base', async () => {
    await using archive = await archiveOfHistory({ bases: [0, 20], parts: 2 })
    const name = await changeFile(archive, /base\/0{14}20-.*0002-of-0002/, flipped)
    const { error } = await refused(archive)
    expect(error).toMatchObject({
      code: 'COORD_ARCHIVE_DAMAGED',
      extra: { file: name, lastGoodRevision: null },
    })
    expect(error.hint).toContain('--without')
    const store = new MemoryStore()
    const plan = await planned(archive.destination, {}, { excluded: new Set([name]) })
    await restore({ destination: archive.destination, store, plan, patience })
    expect(await recordsAt(store, 48)).toEqual(await recordsAt(archive.store, 48))
  })

  it('with a damaged base in the middle is refused, and what came before that base can be restored', async () => {
    await using archive = await archiveOfHistory({ bases: [0, 20] })
    const name = await changeFile(archive, /base\/0{14}20-/, (bytes) => bytes.subarray(0, -7))
    const { error, store } = await refused(archive, { history: true })
    // A restore of revision 20 would begin with the damaged base.
    expect(error).toMatchObject({ extra: { file: name, lastGoodRevision: 19 } })
    const plan = await planned(archive.destination, { revision: 19 })
    await restore({ destination: archive.destination, store, plan, patience })
    expect(await recordsAt(store, 19)).toEqual(await recordsAt(archive.store, 19))
  })

  it('with a foreign file under the name of a log is refused', async () => {
    await using archive = await archiveOfHistory({ bases: [0, 20] })
    await using foreign = await archiveOfHistory({ bases: [0] })
    const [own] = await filesIn(archive.destination, /log\/0{14}26-/)
    const [other] = await filesIn(foreign.destination, /log\/0{14}26-/)
    await rename(join(foreign.path, other?.name ?? ''), join(archive.path, own?.name ?? ''))
    const { error } = await refused(archive)
    expect(error).toMatchObject({ code: 'COORD_ARCHIVE_DAMAGED', extra: { lastGoodRevision: 25 } })
  })

  it('with a missing part of a base begins with the base before it', async () => {
    await using archive = await archiveOfHistory({ bases: [0, 20], parts: 2 })
    const [part] = await filesIn(archive.destination, /base\/0{14}20-.*0001-of-0002/)
    await unlink(join(archive.path, part?.name ?? ''))
    const plan = await planned(archive.destination)
    expect(plan.base.revision).toBe(0)
  })

  it('whose log leads elsewhere than to the next base is refused, and the base before it is the last good revision', async () => {
    await using archive = await archiveOfHistory({ bases: [0, 10, 30] })
    const { destination, store: original } = archive
    const [base] = await filesIn(destination, /base\/0{14}20-/)
    expect(base).toBeUndefined()
    // A base of the right position, with a record that no entry wrote. Its own digest is right.
    const { lineage } = (await original.head()).position
    const [real] = await filesIn(destination, /base\/0{14}10-/)
    const digest = /-([0-9a-f]{64})-/.exec(real?.name.split('/').at(-1) ?? '')?.[1] ?? ''
    await unlink(join(archive.path, real?.name ?? ''))
    const records = await recordsAt(original, 10)
    const [first, ...rest] = records
    const other = { ...first, data: '{"v":"other"}' } as (typeof records)[number]
    const point = { lineage, ancestors: [], revision: 10, digest, at: Date.now() }
    const forged = async function* () {
      yield [other, ...rest]
    }
    for await (const file of writeBase(point, forged(), { recordBytes: 1_000, at: Date.now }))
      await destination.write(file.name, file.content)
    const { error, store } = await refused(archive, { history: true })
    expect(error).toMatchObject({ code: 'COORD_ARCHIVE_DAMAGED', extra: { lastGoodRevision: 0 } })
    expect(error.message).toContain('lead to other records')
    expect((await store.head()).mode).toBe('seeding')
  })

  it('with a part of another base of the same moment is refused, though each part is whole', async () => {
    await using archive = await archiveOfHistory({ bases: [20], parts: 2 })
    const { destination, store: original } = archive
    const records = await recordsAt(original, 20)
    const [first] = await filesIn(destination, /base\/.*0001-of-0002/)
    const digest = /base\/\d+-([0-9a-f]{64})-/.exec(first?.name ?? '')?.[1] ?? ''
    const { lineage } = (await original.head()).position
    const point = { lineage, ancestors: [], revision: 20, digest, at: Date.now() }
    const forged = async function* () {
      yield records.map((record, at) => (at === 0 ? { ...record, revision: record.revision - 1 } : record))
    }
    const [part] = await Array.fromAsync(
      writeBase(point, forged(), { recordBytes: 2 * 6 * 1_048_576, at: Date.now }),
    )
    await writeFile(join(archive.path, part?.name ?? ''), part?.content ?? '')
    expect(part?.name).toBe(first?.name)
    const { error, store } = await refused(archive)
    expect(error).toMatchObject({ code: 'COORD_ARCHIVE_DAMAGED', extra: { lastGoodRevision: null } })
    expect(error.message).toContain('do not have the state digest')
    expect((await store.head()).mode).toBe('seeding')
  })

  it('whose log continues another history than its base is refused, and the base is the last good revision', async () => {
    await using archive = await archiveOfHistory({ bases: [0] })
    const { destination, store: original } = archive
    const [first] = await filesIn(destination, /log\/0{15}1-/)
    await unlink(join(archive.path, first?.name ?? ''))
    // The digests of these entries follow from each other, and not from the base.
    const { lineage } = (await original.head()).position
    const after = { lineage, revision: 0, digest: randomUUID() }
    let digest: string = after.digest
    const entries = (await entriesOf(original)).slice(0, 5).map((entry) => {
      digest = nextDigest(digest, entry.commitId)
      return { ...entry, digest }
    })
    const file = await writeLog({ lineage, ancestors: [], after, entries })
    await destination.write(file.name, file.content)
    const { error, store } = await refused(archive)
    expect(error).toMatchObject({
      code: 'COORD_ARCHIVE_DAMAGED',
      extra: { file: file.name, lastGoodRevision: 0 },
    })
    expect(error.message).toContain('belongs to another history')
    expect((await store.head()).mode).toBe('seeding')
  })

  it('with a base of another history, whose records are the same, is refused by a restore and a drill', async () => {
    await using archive = await archiveOfHistory({ bases: [0, 10] })
    const { destination, store: original } = archive
    const records = await recordsAt(original, 23)
    const { lineage } = (await original.head()).position
    const point = { lineage, ancestors: [], revision: 23, digest: 'f'.repeat(64), at: Date.now() }
    const same = async function* () {
      yield records
    }
    for await (const file of writeBase(point, same(), { recordBytes: 1_000, at: Date.now }))
      await destination.write(file.name, file.content)
    const { error, store } = await refused(archive, { history: true })
    expect(error).toMatchObject({ code: 'COORD_ARCHIVE_DAMAGED', extra: { lastGoodRevision: 10 } })
    expect((await store.head()).mode).toBe('seeding')
    const plan = await planDrill(await readInventory(destination))
    expect(plan?.target.revision).toBe(23)
    await expect(drill(plan as RestorePlan, { destination, patience })).rejects.toMatchObject({
      code: 'COORD_ARCHIVE_DAMAGED',
      detail: expect.stringContaining('another history'),
    })
  })

  it('that two databases wrote fails a drill, which names the last revision before both files', async () => {
    await using archive = await archiveOfHistory({ bases: [0, 30] })
    const { destination, store: original } = archive
    const entries = (await entriesOf(original)).slice(0, 20)
    const { lineage } = (await original.head()).position
    const last = { ...(entries[19] as Entry), commitId: randomUUID() }
    last.digest = nextDigest(entries[18]?.digest ?? '', last.commitId)
    const after = { lineage, revision: 15, digest: entries[14]?.digest ?? '' }
    const file = await writeLog({ lineage, ancestors: [], after, entries: [...entries.slice(15, 19), last] })
    await destination.write(file.name, file.content)
    await expect(planDrill(await readInventory(destination))).rejects.toMatchObject({
      code: 'COORD_ARCHIVE_CONTRADICTION',
      extra: { revision: 20, lastGoodRevision: 15 },
    })
  })

  it('compares the records with every base that it passes', async () => {
    await using archive = await archiveOfHistory({ bases: [0, 10, 30] })
    const { destination } = archive
    const plan = await planned(destination, {}, { history: true })
    const report = await restore({ destination, store: new MemoryStore(), plan, patience })
    expect(report.comparedBases).toEqual([10, 30])
  })
})
