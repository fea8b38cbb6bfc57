import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateIdentity, identityToRecipient } from 'age-encryption'
import { afterAll, describe, expect, it } from 'vitest'
import { CoordinatorError } from '../../src/errors.ts'
import {
  type Archived,
  checkRestore,
  inventoryOf,
  randomTarget,
  rehearse,
  restorableOf,
  verified,
} from './soak/check-restore.ts'
import { type Damage, damageCopy, damages, doubleOf } from './soak/damage-archive.ts'
import { Random } from './soak/random.ts'
import { RandomHistory } from './soak/random-history.ts'

const rounds = Number(process.env['TEST_ROUNDS'] ?? 200)
/** The seed of the first history. Each next one has the next number. */
const firstSeed = Number(process.env['TEST_SEED'] ?? Date.now() % 1_000_000)

/** How many moments were restored, how many restores were refused, and after how many a part was restored without the bad file. */
const counts = { revisions: 0, restored: 0, drills: 0, harmless: 0, refused: 0, rest: 0 }

describe('an archive of a random history', () => {
  afterAll(() => console.log(`seeds from ${firstSeed}: ${JSON.stringify(counts)}`))

  it.for(Array.from({ length: rounds }, (_, index) => firstSeed + index))(
    'gives back every moment that it lists, and refuses what is damaged (TEST_SEED=%i TEST_ROUNDS=1)',
    { timeout: 300_000 },
    async (seed) => {
      const random = new Random(seed)
      const folder = await mkdtemp(join(tmpdir(), 'coordinator-soak-'))
      const identities = random.chance(0.2) ? [await generateIdentity()] : []
      const recipients = await Promise.all(identities.map((identity) => identityToRecipient(identity)))
      const backend = random.pick(['memory', 'sqlite'] as const)
      const history = new RandomHistory({ random, backend, folder, recipients })
      try {
        await history.live(random.between(5, 40))
        const archived = { random, folder, path: history.archive, history, identities }
        await checkArchive(archived)
        for (let index = 0; index < 4; index += 1) await checkDamage(archived)
      } catch (thrown) {
        console.log(`seed ${seed}, ${backend}: ${history.told.join(', ')}`)
        if (process.env['KEEP'] !== undefined) await cp(folder, process.env['KEEP'], { recursive: true })
        throw thrown
      } finally {
        await rm(folder, { recursive: true, force: true })
      }
    },
  )
})

async function checkArchive(archived: Archived): Promise<void> {
  const { random, history } = archived
  const { oracle } = history
  const inventory = await inventoryOf(archived)
  expect(inventory.strange).toEqual([])
  const ranges = await restorableOf(inventory)
  // Nothing is listed that never was, and the present is there.
  for (const { lineage, to } of ranges) expect(to).toBeLessThanOrEqual(oracle.positionOf(lineage).revision)
  const own = ranges.filter(({ lineage }) => lineage === oracle.lineage)
  const { revision } = oracle.positionOf(oracle.lineage)
  expect(own.at(-1)?.to).toBe(revision)
  // Where nothing was compacted, there are no gaps.
  if (history.compactions === 0) expect(own).toHaveLength(1)
  expect(await verified(archived)).toMatchObject({ bad: [], contradictions: [], strange: [] })
  counts.drills += await rehearse(archived)
  counts.revisions += own.reduce((sum, { from, to }) => sum + to - from + 1, 0)

  await checkRestore(archived, { target: { lineage: oracle.lineage }, lineage: oracle.lineage, revision })
  if (oracle.newest.length === 1)
    await checkRestore(archived, { target: {}, lineage: oracle.lineage, revision }, { history: true })
  for (let index = 0; index < 5; index += 1) {
    const wanted = randomTarget(random, oracle, random.pick(random.chance(0.6) ? own : ranges))
    await checkRestore(archived, wanted, { history: random.chance(0.4) })
    counts.restored += 1
  }
}

/** Whatever happened to a file: what is restored is right, or the restore is refused and names the last good revision. */
async function checkDamage(whole: Archived): Promise<void> {
  const { random, history, folder } = whole
  const { oracle } = history
  const range = random.pick(await restorableOf(await inventoryOf(whole)))
  const damaged = { ...whole, path: join(folder, 'damaged') }
  const damage = random.pick(damages)
  const name = await damageCopy({ random, from: whole.path, to: damaged.path }, damage)
  history.told.push(`${damage} ${name}`)
  const wanted = randomTarget(random, oracle, range)
  const { lineage, revision } = wanted
  // If the newest log is missing, the archive cannot know that there was something before a time.
  if (damage === 'missing') wanted.target = { lineage, revision }
  const error = await refusalOf(checkRestore(damaged, wanted, { history: random.chance(0.5) }))
  counts[error === undefined ? 'harmless' : 'refused'] += 1
  if (error !== undefined) history.told.push(`${wanted.revision}: ${error.code} ${error.detail}`)
  if (error?.code === 'COORD_ARCHIVE_DAMAGED') await checkLastGood(damaged, wanted.lineage, error)
  await checkRest(damaged, damage, name)
}

/** The revision that a refusal names can be restored. */
async function checkLastGood(damaged: Archived, lineage: string, error: CoordinatorError): Promise<void> {
  const { lastGoodRevision: revision, file } = error.extra
  if (typeof revision !== 'number') {
    // The base itself is damaged: an older one may serve.
    const excluded = new Set([String(file)])
    const target = { lineage, revision: damaged.history.oracle.positionOf(lineage).revision }
    await refusalOf(checkRestore(damaged, { target, ...target }, { excluded }))
    return
  }
  expect(error.detail).toContain(`The last good revision is ${revision}.`)
  await checkRestore(damaged, { target: { lineage, revision }, lineage, revision })
}

/** Verification finds the bad file, and everything that it still lists can be restored without that. */
async function checkRest(damaged: Archived, damage: Damage, name: string): Promise<void> {
  const { random, history } = damaged
  const { bad, lineages, strange } = await verified(damaged)
  const names = bad.map((file) => file.name)
  // A log of one revision cannot begin at the next one: no archive has such a name.
  if (damage === 'doubled') expect([...names, ...strange]).toEqual([doubleOf(name)])
  // What a flipped bit changes may mean nothing. A missing file is no bad one.
  else if (damage !== 'missing' && damage !== 'flipped') expect(names).toEqual([name])
  const ranges = lineages.flatMap(({ lineage, revisions }) =>
    revisions.map((range) => ({ ...range, lineage, isLast: false })),
  )
  if (ranges.length === 0) return
  const wanted = randomTarget(random, history.oracle, random.pick(ranges))
  await checkRestore(damaged, wanted, { excluded: new Set(names), history: random.chance(0.4) })
  counts.rest += 1
}

/** The error with which an archive is refused; every other error goes on. */
async function refusalOf(restoring: Promise<void>): Promise<CoordinatorError | undefined> {
  try {
    await restoring
    return undefined
  } catch (thrown) {
    if (thrown instanceof CoordinatorError && thrown.code.startsWith('COORD_ARCHIVE_')) return thrown
    throw thrown
  }
}
