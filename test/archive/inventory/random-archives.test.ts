import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readLog } from '../../../src/archive/format/read-log.ts'
import { historyLine, rangesOf } from '../../../src/archive/inventory/history-line.ts'
import { readInventory } from '../../../src/archive/inventory/inventory.ts'
import { planRestore } from '../../../src/archive/inventory/plan-restore.ts'
import type { RestorePlan } from '../../../src/archive/inventory/restore-plan.ts'
import { MemoryDestination } from '../../support/memory-destination.ts'
import { WrittenHistory } from './written-history.ts'

/** How many random archives. */
const ROUNDS = Number(process.env['TEST_ROUNDS'] ?? 40)

/** How one history is made and archived: where it leaves the one before, how long it grows, and which files exist. */
const shape = fc.record({
  keep: fc.nat(40),
  grow: fc.integer({ min: 1, max: 15 }),
  bases: fc.array(fc.nat(60), { maxLength: 3 }),
  logs: fc.array(fc.tuple(fc.nat(60), fc.integer({ min: 1, max: 20 })), { maxLength: 8 }),
})

async function archived(shapes: readonly (typeof shape extends fc.Arbitrary<infer T> ? T : never)[]) {
  const destination = new MemoryDestination()
  const histories: WrittenHistory[] = []
  for (const { keep, grow, bases, logs } of shapes) {
    const before = histories.at(-1)
    const history = (before?.fork(Math.min(keep, before.entries.length)) ?? new WrittenHistory()).grow(grow)
    histories.push(history)
    const end = history.entries.length
    for (const revision of bases) destination.put(...(await history.base(Math.min(revision, end))))
    for (const [start, length] of logs) {
      const first = Math.min(1 + start, end)
      destination.put(await history.log(first, Math.min(first + length, end)))
    }
  }
  return { destination, histories }
}

/** The digest that a restore reaches; `undefined` if entries do not follow each other. */
async function reached(destination: MemoryDestination, { base, logs, target }: RestorePlan) {
  let { revision, digest } = base
  for (const { name, through = Number.POSITIVE_INFINITY } of logs) {
    const { after, entries } = await readLog({ name, content: await destination.read(name) })
    const known = revision === after.revision ? after : entries.find((entry) => entry.revision === revision)
    if (known?.digest !== digest) return undefined
    for (const entry of entries)
      if (entry.revision > revision && entry.revision <= Math.min(through, target.revision))
        ({ revision, digest } = entry)
  }
  return revision === target.revision ? digest : undefined
}

test('whatever an archive has, a plan leads to the revision that is meant, and each listed moment has a plan', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(shape, { minLength: 1, maxLength: 4 }), async (shapes) => {
      const { destination, histories } = await archived(shapes)
      const inventory = await readInventory(destination)
      for (const { lineage, entries, start } of histories) {
        const own = inventory.lineages.find((each) => each.lineage === lineage)
        if (own === undefined) continue
        const ranges = rangesOf(await historyLine(inventory, own))
        for (let revision = 0; revision <= entries.length; revision += 1) {
          const isListed = ranges.some(({ from, to }) => from <= revision && revision <= to)
          for (const history of [false, true]) {
            const plan = await planRestore(inventory, { lineage, revision }, { history }).catch(
              (error) => error,
            )
            if (!isListed) expect(plan).toMatchObject({ code: 'COORD_ARCHIVE_EMPTY' })
            else expect(await reached(destination, plan)).toBe(entries[revision - 1]?.digest ?? start)
          }
        }
      }
    }),
    { numRuns: ROUNDS },
  )
}, 240_000)
