import { describe, expect, test } from 'vitest'
import { readLog } from '../../../src/archive/format/read-log.ts'
import { readInventory } from '../../../src/archive/inventory/inventory.ts'
import { momentsOf } from '../../../src/archive/inventory/moments.ts'
import { planDrill, planRestore, type RestoreTarget } from '../../../src/archive/inventory/plan-restore.ts'
import type { RestorePlan } from '../../../src/archive/inventory/restore-plan.ts'
import { MemoryDestination } from '../../support/memory-destination.ts'
import { WrittenHistory } from './written-history.ts'

/** An archive with bases at 0, 20 and 40, and logs of ten revisions each up to 60. */
async function sampleArchive() {
  const history = new WrittenHistory().grow(60)
  const destination = new MemoryDestination()
  for (const revision of [0, 20, 40]) destination.put(...(await history.base(revision)))
  for (let first = 1; first < 60; first += 10) destination.put(await history.log(first, first + 9))
  return { history, destination }
}

async function plan(
  destination: MemoryDestination,
  target: RestoreTarget,
  options?: Parameters<typeof planRestore>[2],
): Promise<RestorePlan> {
  return planRestore(await readInventory(destination), target, options)
}

/** The revisions that a plan gives, as a restore reads them: the base, and then every entry up to the target. */
async function replayed(destination: MemoryDestination, { base, logs, target }: RestorePlan) {
  let { revision, digest } = base
  for (const { name, through = Number.POSITIVE_INFINITY } of logs) {
    const { entries, after } = await readLog({ name, content: await destination.read(name) })
    const known = revision === after.revision ? after : entries.find((entry) => entry.revision === revision)
    expect(known?.digest).toBe(digest)
    for (const entry of entries)
      if (entry.revision > revision && entry.revision <= Math.min(through, target.revision))
        ({ revision, digest } = entry)
  }
  return { revision, digest }
}

function expectWhole(history: WrittenHistory, revision: number) {
  return { revision, digest: history.entries[revision - 1]?.digest ?? history.lineage }
}

describe('the plan of a restore', () => {
  test('begins at the newest base before the target, and reads no log more than it needs', async () => {
    const { destination, history } = await sampleArchive()

    const newest = await plan(destination, {})
    expect(newest).toMatchObject({ base: { revision: 40 }, target: { revision: 60 }, lastRevision: 60 })
    expect(newest.logs).toHaveLength(2)
    expect(await replayed(destination, newest)).toEqual(expectWhole(history, 60))

    const past = await plan(destination, { revision: 33 })
    expect(past).toMatchObject({ base: { revision: 20 }, target: { revision: 33 }, lastRevision: 40 })
    expect(past.logs).toHaveLength(2)
    expect(past.passedBases).toEqual([])
    expect(past.bytes).toBe([...past.base.files, ...past.logs].reduce((sum, { bytes }) => sum + bytes, 0))

    const atBase = await plan(destination, { revision: 20 })
    expect(atBase).toMatchObject({ base: { revision: 20 }, logs: [], lastRevision: 20 })
  })

  test('with the history, begins at the oldest base, and passes all others', async () => {
    const { destination } = await sampleArchive()
    const whole = await plan(destination, { revision: 45 }, { history: true })

    expect(whole.base.revision).toBe(0)
    expect(whole.passedBases.map(({ revision }) => revision)).toEqual([20, 40])
    expect(whole.logs).toHaveLength(5)
  })

  test('every revision can be planned, and leads to its digest', async () => {
    const { destination, history } = await sampleArchive()
    for (let revision = 0; revision <= 60; revision += 1)
      expect(await replayed(destination, await plan(destination, { revision }))).toEqual(
        expectWhole(history, revision),
      )
  })

  test('a time means the newest revision at or before it', async () => {
    const { destination, history } = await sampleArchive()
    for (const revision of [1, 9, 10, 11, 20, 21, 59, 60]) {
      const at = history.timeOf(revision)
      expect((await plan(destination, { at })).target).toEqual({ revision })
      expect((await plan(destination, { at: at + 999 })).target).toEqual({ revision })
      expect((await plan(destination, { at: at - 1 })).target).toEqual({ revision: revision - 1 })
    }
    expect((await plan(destination, { at: history.timeOf(60) + 86_400_000 })).target).toEqual({
      revision: 60,
    })
  })

  test('a time before everything is refused', async () => {
    const { destination } = await sampleArchive()

    await expect(plan(destination, { at: 5 })).rejects.toMatchObject({ code: 'COORD_ARCHIVE_EMPTY' })
  })

  test('several entries of one millisecond belong together', async () => {
    const history = new WrittenHistory().grow(3)
    const [first] = history.entries
    for (const [index, entry] of history.entries.entries())
      history.entries[index] = { ...entry, at: first?.at ?? 0 }
    const destination = new MemoryDestination()
    destination.put(...(await history.base(0)), await history.log(1, 3))

    expect((await plan(destination, { at: first?.at ?? 0 })).target).toEqual({ revision: 3 })
  })

  test('a commit means the revision before it', async () => {
    const { destination, history } = await sampleArchive()
    const { commitId = '' } = history.entries[36] ?? {}

    expect((await plan(destination, { beforeCommit: commitId })).target).toEqual({ revision: 36 })
    await expect(plan(destination, { beforeCommit: 'unknown' })).rejects.toMatchObject({
      code: 'COORD_ARCHIVE_EMPTY',
    })
  })

  test('a moment in a gap, or beyond the end, is refused with what can be restored', async () => {
    const { destination, history } = await sampleArchive()
    destination.contents.delete((await history.log(21, 30)).name)

    expect((await plan(destination, { revision: 20 })).base.revision).toBe(20)
    expect((await plan(destination, { revision: 41 })).base.revision).toBe(40)
    for (const revision of [21, 39, 61]) {
      const error = await plan(destination, { revision }).catch((thrown) => thrown)
      expect(error).toMatchObject({ code: 'COORD_ARCHIVE_EMPTY' })
      expect(error.detail).toContain('0 to 20, 40 to 60')
    }
    await expect(plan(destination, { at: history.timeOf(20) })).rejects.toMatchObject({
      code: 'COORD_ARCHIVE_EMPTY',
    })
    expect((await plan(destination, { at: history.timeOf(19) })).target).toEqual({ revision: 19 })
    expect((await plan(destination, { at: history.timeOf(40) })).target).toEqual({ revision: 40 })
    const { lineages } = await readInventory(destination)
    expect(
      await momentsOf(await readInventory(destination), lineages[0] as (typeof lineages)[0]),
    ).toMatchObject([
      { from: { revision: 0 }, to: { revision: 20, at: history.timeOf(20) } },
      { from: { revision: 40, at: history.timeOf(40) }, to: { revision: 60, at: history.timeOf(60) } },
    ])
  })

  test('what comes after a gap is never left out without a word', async () => {
    const { destination, history } = await sampleArchive()
    destination.contents.delete((await history.log(51, 60)).name)
    history.grow(10)
    destination.put(await history.log(61, 70))
    const refused = { code: 'COORD_ARCHIVE_EMPTY', hint: expect.stringContaining('--revision 50') }

    await expect(plan(destination, {})).rejects.toMatchObject({ ...refused, extra: { lastGoodRevision: 50 } })
    // Nothing was left out by the caller.
    await expect(plan(destination, {}, { excluded: new Set() })).rejects.toMatchObject(refused)
    await expect(plan(destination, { at: history.timeOf(50) })).rejects.toMatchObject({
      code: 'COORD_ARCHIVE_EMPTY',
    })
    await expect(plan(destination, { at: history.timeOf(70) })).rejects.toMatchObject({
      code: 'COORD_ARCHIVE_EMPTY',
    })
    expect((await plan(destination, { revision: 50 })).target).toEqual({ revision: 50 })
    expect((await plan(destination, { at: history.timeOf(49) })).target).toEqual({ revision: 49 })
  })

  test('a base that lacks a part is not used', async () => {
    const history = new WrittenHistory().grow(30)
    const destination = new MemoryDestination()
    destination.put(...(await history.base(0)), await history.log(1, 30))
    const parts = await history.base(20, 20_000_000)
    destination.put(...parts.slice(1))
    expect((await plan(destination, {})).base.revision).toBe(0)

    destination.put(...parts)
    expect((await plan(destination, {})).base).toMatchObject({ revision: 20 })
    expect((await plan(destination, {})).base.files).toHaveLength(parts.length)
  })

  test('overlapping logs of two archivers do no harm', async () => {
    const { destination, history } = await sampleArchive()
    for (const [first, last] of [
      [3, 17],
      [15, 44],
      [44, 52],
      [1, 60],
    ] as const)
      destination.put(await history.log(first, last))
    for (const revision of [0, 4, 16, 33, 44, 51, 60])
      expect(await replayed(destination, await plan(destination, { revision }))).toEqual(
        expectWhole(history, revision),
      )
  })

  test('a file that was found damaged can be passed over, if others have the same', async () => {
    const { destination, history } = await sampleArchive()
    const bad = (await history.log(41, 50)).name
    const excluded = new Set([bad])
    await expect(plan(destination, {}, { excluded })).resolves.toMatchObject({ target: { revision: 40 } })
    await expect(plan(destination, { revision: 60 }, { excluded })).rejects.toMatchObject({
      code: 'COORD_ARCHIVE_EMPTY',
    })

    destination.put(await history.log(35, 55))
    const around = await plan(destination, { revision: 60 }, { excluded })
    expect(around.logs.map(({ name }) => name)).not.toContain(bad)
    expect(await replayed(destination, around)).toEqual(expectWhole(history, 60))
  })

  test('two databases under one lineage contradict each other, and the last good revision is named', async () => {
    const { destination, history } = await sampleArchive()
    const other = new WrittenHistory(history, { ...history, entries: history.entries.slice(0, 45) }).grow(15)
    destination.put(await other.log(41, 50))

    const error = await plan(destination, {}).catch((thrown) => thrown)
    expect(error).toMatchObject({
      code: 'COORD_ARCHIVE_CONTRADICTION',
      extra: { revision: 50, lastGoodRevision: 40 },
    })
    expect((await plan(destination, { revision: 40 })).target).toEqual({ revision: 40 })
  })

  test('a drill goes from one base to the next, where all logs are there', async () => {
    const { destination, history } = await sampleArchive()
    const inventory = await readInventory(destination)
    expect(await planDrill(inventory)).toMatchObject({
      base: { revision: 20 },
      passedBases: [{ revision: 40 }],
      target: { revision: 40 },
    })

    destination.put(...(await history.grow(10).base(70)))
    expect(await planDrill(await readInventory(destination))).toMatchObject({ base: { revision: 20 } })

    const single = new MemoryDestination()
    single.put(...(await history.base(10)))
    expect(await planDrill(await readInventory(single))).toBeUndefined()
  })

  test('an archive without a base is empty', async () => {
    const history = new WrittenHistory().grow(5)
    const destination = new MemoryDestination()
    await expect(plan(destination, {})).rejects.toMatchObject({ code: 'COORD_ARCHIVE_EMPTY' })

    destination.put(await history.log(1, 5))
    await expect(plan(destination, {})).rejects.toMatchObject({ code: 'COORD_ARCHIVE_EMPTY' })
    await expect(plan(destination, { lineage: 'unknown' })).rejects.toMatchObject({
      code: 'COORD_ARCHIVE_EMPTY',
    })
  })
})
