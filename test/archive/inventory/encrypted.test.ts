import { generateIdentity, identityToRecipient } from 'age-encryption'
import { describe, expect, test } from 'vitest'
import { readInventory } from '../../../src/archive/inventory/inventory.ts'
import { momentsOf } from '../../../src/archive/inventory/moments.ts'
import { planRestore } from '../../../src/archive/inventory/plan-restore.ts'
import { MemoryDestination } from '../../support/memory-destination.ts'
import { WrittenHistory } from './written-history.ts'

/** A history of 20 revisions, and one that left it at 15, both encrypted. */
async function encrypted() {
  const identity = await generateIdentity()
  const recipients = [await identityToRecipient(identity)]
  const parent = new WrittenHistory().grow(20)
  const child = parent.fork(15).grow(5)
  parent.recipients = child.recipients = recipients
  const single = new MemoryDestination()
  single.put(...(await parent.base(0)), await parent.log(1, 20))
  const both = new MemoryDestination()
  for (const [name, content] of single.contents) both.contents.set(name, content)
  both.put(...(await child.base(15)), await child.log(16, 20))
  return { identity, parent, child, single, both }
}

describe('an encrypted archive', () => {
  test('is listed by its names without an identity, with times only with one', async () => {
    const { identity, parent, single } = await encrypted()
    const closed = await readInventory(single)
    const [lineage] = closed.lineages

    expect(lineage).toMatchObject({ lineage: parent.lineage, isReadable: false })
    expect(lineage && (await momentsOf(closed, lineage))).toEqual([
      { from: { revision: 0 }, to: { revision: 20 } },
    ])
    const opened = await readInventory(single, { identities: [identity] })
    expect(opened.lineages[0] && (await momentsOf(opened, opened.lineages[0]))).toMatchObject([
      { to: { revision: 20, at: parent.timeOf(20) } },
    ])
  })

  test('asks for the identity where names are not enough', async () => {
    const { single, both } = await encrypted()
    const missing = { code: 'COORD_ARCHIVE_NO_IDENTITY' }

    expect(await planRestore(await readInventory(single), { revision: 7 })).toMatchObject({
      target: { revision: 7 },
    })
    await expect(planRestore(await readInventory(single), { at: Date.UTC(2027, 0) })).rejects.toMatchObject(
      missing,
    )
    await expect(planRestore(await readInventory(single), { beforeCommit: 'x' })).rejects.toMatchObject(
      missing,
    )
    await expect(planRestore(await readInventory(both), {})).rejects.toMatchObject(missing)
  })

  test('is planned through its ancestors with the identity', async () => {
    const { identity, child, both } = await encrypted()
    const plan = await planRestore(await readInventory(both, { identities: [identity] }), { revision: 12 })

    expect(plan).toMatchObject({ lineage: child.lineage, ancestors: child.ancestors, base: { revision: 0 } })
  })
})
