import { describe, expect, test } from 'vitest'
import { chooseLineage } from '../../../src/archive/inventory/choose-lineage.ts'
import { readInventory } from '../../../src/archive/inventory/inventory.ts'
import { momentsOf } from '../../../src/archive/inventory/moments.ts'
import { planRestore } from '../../../src/archive/inventory/plan-restore.ts'
import { MemoryDestination } from '../../support/memory-destination.ts'
import { WrittenHistory } from './written-history.ts'

/**
 * A history of 50 revisions that was forked at 35: the child has the base of its beginning, or only logs, and goes on to 60. The parent has
 * bases at 0 and 20.
 */
async function forked({ childBase = 35, childLogs = 35 } = {}) {
  const parent = new WrittenHistory().grow(50)
  const child = parent.fork(35).grow(25)
  const destination = new MemoryDestination()
  destination.put(...(await parent.base(0)), ...(await parent.base(20)))
  destination.put(await parent.log(1, 25), await parent.log(26, 50))
  destination.put(...(await child.base(childBase)))
  if (childLogs < 60) destination.put(await child.log(childLogs + 1, 60))
  return { parent, child, destination }
}

describe('several histories in one archive', () => {
  test('the one that descends from the other is restored', async () => {
    const { child, destination } = await forked()
    const plan = await planRestore(await readInventory(destination), {})

    expect(plan).toMatchObject({
      lineage: child.lineage,
      ancestors: child.ancestors,
      target: { revision: 60 },
    })
    expect(plan.base.files[0]?.name).toContain(child.lineage)
  })

  test('a revision before the fork comes from the files of the ancestor', async () => {
    const { parent, child, destination } = await forked()
    const plan = await planRestore(await readInventory(destination), { revision: 30 })

    expect(plan).toMatchObject({ lineage: child.lineage, base: { revision: 20 }, target: { revision: 30 } })
    expect(plan.base.files[0]?.name).toContain(parent.lineage)
    expect(plan.logs).toHaveLength(2)
    expect(plan.logs[1]).toMatchObject({ through: 35 })
  })

  test('with the history, files of the ancestor are read up to the fork, and not beyond', async () => {
    const { parent, child, destination } = await forked()
    const plan = await planRestore(await readInventory(destination), {}, { history: true })

    expect(plan.base.revision).toBe(0)
    expect(plan.passedBases.map(({ revision }) => revision)).toEqual([20, 35])
    expect(plan.logs.map(({ name, through }) => [name.slice(0, 36), through])).toEqual([
      [parent.lineage, undefined],
      [parent.lineage, 35],
      [child.lineage, undefined],
    ])
  })

  test('a base that the ancestor got after the fork does not belong to the child', async () => {
    const { parent, child, destination } = await forked()
    destination.put(...(await parent.base(45)))
    const inventory = await readInventory(destination)
    const plan = await planRestore(inventory, { lineage: child.lineage }, { history: true })
    expect(plan.passedBases.map(({ revision }) => revision)).toEqual([20, 35])
    expect((await planRestore(inventory, { lineage: child.lineage })).base.revision).toBe(35)
    expect((await planRestore(inventory, { lineage: parent.lineage })).base.revision).toBe(45)
  })

  test('a damaged log at the beginning of a history does not hide what came before it', async () => {
    const { parent, child, destination } = await forked({ childLogs: 34 })
    const log = await child.log(35, 60)
    destination.put({ ...log, content: log.content.subarray(0, -9) })
    const inventory = await readInventory(destination)
    const plan = await planRestore(inventory, { revision: 30 })

    expect(plan).toMatchObject({ lineage: child.lineage, base: { revision: 20 }, target: { revision: 30 } })
    expect(plan.base.files[0]?.name).toContain(parent.lineage)
    expect((await momentsOf(inventory, await chooseLineage(inventory)))[0]?.from.revision).toBe(0)
  })

  test('logs of the child may begin before its first base', async () => {
    const { parent, child, destination } = await forked({ childBase: 55 })
    const plan = await planRestore(await readInventory(destination), { revision: 50 })

    expect(plan).toMatchObject({ lineage: child.lineage, base: { revision: 20 }, target: { revision: 50 } })
    expect(plan.logs.map(({ name }) => name.slice(0, 36))).toEqual([
      parent.lineage,
      parent.lineage,
      child.lineage,
    ])
  })

  test('the ancestor can be restored to its own end', async () => {
    const { parent, destination } = await forked()
    const plan = await planRestore(await readInventory(destination), { lineage: parent.lineage })

    expect(plan).toMatchObject({ lineage: parent.lineage, base: { revision: 20 }, target: { revision: 50 } })
    expect(plan.logs.every(({ through }) => through === undefined)).toBe(true)
  })

  test('where nothing proves the fork, the ancestor gives nothing', async () => {
    const { child, destination } = await forked({ childBase: 60, childLogs: 60 })
    const inventory = await readInventory(destination)
    const own = inventory.lineages.find(({ lineage }) => lineage === child.lineage)

    expect(own && (await momentsOf(inventory, own))).toEqual([
      { from: { revision: 60, at: child.timeOf(60) }, to: { revision: 60, at: child.timeOf(60) } },
    ])
    await expect(planRestore(inventory, { revision: 30 })).rejects.toMatchObject({
      code: 'COORD_ARCHIVE_EMPTY',
    })
  })

  test('a chain of three histories is restored from all their files', async () => {
    const first = new WrittenHistory().grow(20)
    const second = first.fork(15).grow(10)
    const third = second.fork(22).grow(10)
    const destination = new MemoryDestination()
    destination.put(...(await first.base(0)), await first.log(1, 20))
    destination.put(await second.log(16, 25), await third.log(23, 32))
    const plan = await planRestore(await readInventory(destination), {})

    expect(plan).toMatchObject({ lineage: third.lineage, base: { revision: 0 }, target: { revision: 32 } })
    expect(plan.logs.map(({ through }) => through)).toEqual([15, 22, undefined])
  })

  test('unrelated histories must be chosen between', async () => {
    const destination = new MemoryDestination()
    const [one, other] = [new WrittenHistory().grow(5), new WrittenHistory().grow(5)]
    for (const history of [one, other]) destination.put(...(await history.base(0)), await history.log(1, 5))
    const inventory = await readInventory(destination)

    const error = await planRestore(inventory, {}).catch((thrown) => thrown)
    expect(error).toMatchObject({ code: 'COORD_ARCHIVE_SEVERAL' })
    expect(error.detail).toContain(one.lineage)
    expect(error.detail).toContain(other.lineage)
    expect(await planRestore(inventory, { lineage: other.lineage })).toMatchObject({ lineage: other.lineage })
  })

  test('two histories that left the same one must be chosen between', async () => {
    const { parent, destination } = await forked()
    const second = parent.fork(40).grow(3)
    destination.put(...(await second.base(40)), await second.log(41, 43))

    await expect(planRestore(await readInventory(destination), {})).rejects.toMatchObject({
      code: 'COORD_ARCHIVE_SEVERAL',
    })
  })

  test('a child of which nothing can be restored yet does not hide its ancestor', async () => {
    const parent = new WrittenHistory().grow(10)
    const child = parent.fork(10)
    const destination = new MemoryDestination()
    destination.put(...(await parent.base(0)), await parent.log(1, 10))
    destination.put(...(await child.base(10, 20_000_000)).slice(1), await child.access(5))

    expect(await planRestore(await readInventory(destination), {})).toMatchObject({ lineage: parent.lineage })
  })

  test('the newest tokens are restored, whatever the moment is', async () => {
    const { parent, child, destination } = await forked()
    const stranger = new WrittenHistory()
    const newest = await child.access(200)
    destination.put(await parent.access(100), newest, await child.access(150), await stranger.access(900))
    const inventory = await readInventory(destination)

    expect((await planRestore(inventory, { revision: 3 })).access?.name).toBe(newest.name)
    // What was revoked after the fork stays revoked when the older history is restored.
    expect((await planRestore(inventory, { lineage: parent.lineage })).access?.name).toBe(newest.name)
  })

  test('strange files are listed, and never read', async () => {
    const { destination } = await forked()
    const strange = ['notes.txt', `${'0'.repeat(8)}/log/x`, '../../etc/passwd']
    for (const name of strange) destination.put({ name, content: new Uint8Array(3) })
    const inventory = await readInventory(destination)
    await planRestore(inventory, {}, { history: true })

    expect(inventory.strange.map(({ name }) => name).sort()).toEqual(strange.sort())
    expect(destination.reads.filter((name) => strange.includes(name))).toEqual([])
  })

  test('a time is found in the files of the ancestor, up to the fork', async () => {
    const { child, destination } = await forked()
    const inventory = await readInventory(destination)
    for (const revision of [10, 26, 35, 36, 60])
      expect((await planRestore(inventory, { at: child.timeOf(revision) })).target).toEqual({ revision })
  })

  test('a commit that only the ancestor had after the fork is not found', async () => {
    const { parent, child, destination } = await forked()
    const inventory = await readInventory(destination)
    const beforeFork = parent.entries[29]?.commitId ?? ''
    const lost = parent.entries[44]?.commitId ?? ''

    expect((await planRestore(inventory, { beforeCommit: beforeFork })).target).toEqual({ revision: 29 })
    await expect(planRestore(inventory, { beforeCommit: lost })).rejects.toMatchObject({
      code: 'COORD_ARCHIVE_EMPTY',
    })
    expect(
      (await planRestore(inventory, { beforeCommit: child.entries[44]?.commitId ?? '' })).target,
    ).toEqual({ revision: 44 })
  })
})
