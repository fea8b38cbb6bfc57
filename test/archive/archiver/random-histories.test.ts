import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Archiver } from '../../../src/archive/archiver/archiver.ts'
import { readInventory } from '../../../src/archive/inventory/inventory.ts'
import { planRestore } from '../../../src/archive/inventory/plan-restore.ts'
import { restore } from '../../../src/archive/restore/restore.ts'
import { MemoryStore } from '../../../src/database/memory/store.ts'
import type { Store } from '../../../src/database/store.ts'
import type { StoredRecord } from '../../../src/records/record.ts'
import { commitOf, put, remove } from '../../conformance/build.ts'
import { type LiveScope, until } from '../../support/with-live.ts'
import type { DestinationFault } from './faulty-destination.ts'
import { readArchive, recordsAt } from './read-archive.ts'
import { type ArchiverScope, stateAt, untilArchived, withArchiver } from './with-archiver.ts'

/** `TEST_ROUNDS=200` runs more. */
const rounds = Number(process.env['TEST_ROUNDS'] ?? 12)
const STEPS = 40
const HOUR = 3_600_000

/** Numbers from a seed, so that a failed run can be repeated. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

const faults: readonly DestinationFault[] = [
  { does: 'fail', code: 'COORD_ARCHIVE_UNREACHABLE' },
  { does: 'fail', code: 'COORD_ARCHIVE_FULL' },
  { does: 'lose reply' },
]

interface Coordinator {
  readonly scope: LiveScope
  archiver: Archiver
}

/** A copy of a history that has not got the newest entries yet, with the times of the others. */
async function lagging(store: Store, keep: number): Promise<Store> {
  const { lineage } = (await store.head()).position
  const start = { lineage, revision: 0, digest: lineage }
  const reply = await store.changes(start, keep)
  if (reply.status !== 'ok') throw new Error(reply.status)
  const copy = new MemoryStore()
  await copy.setMode('open', 'seeding')
  await copy.seed({ position: start, at: 0, ancestors: [] }, [])
  expect(await copy.replay(start, reply.entries)).toMatchObject({ status: 'ok' })
  await copy.setMode('seeding', 'open')
  return copy
}

/** One database with up to two coordinators, each with an archiver, while everything happens that may happen. */
class Run {
  readonly #scope: ArchiverScope
  readonly #random: (below: number) => number
  readonly #pass: (ms: number) => void
  readonly #coordinators: Coordinator[]
  /** What each revision of each lineage was, as the store said when it was new. */
  readonly states = new Map<string, readonly StoredRecord[]>()

  constructor(scope: ArchiverScope, random: (below: number) => number, pass: (ms: number) => void) {
    this.#scope = scope
    this.#random = random
    this.#pass = pass
    this.#coordinators = [{ scope, archiver: scope.archiver }]
  }

  get #inner(): Store {
    return this.#scope.store.inner
  }

  async step(): Promise<void> {
    switch (this.#random(12)) {
      case 0:
        return this.#fork()
      case 1:
        return this.#lose()
      case 2:
        return this.#restart()
      case 3:
        return this.#join()
      case 4:
        this.#scope.destination.fault = faults[this.#random(faults.length)]
        return
      case 5:
        this.#pass(26 * HOUR)
        return
      case 6:
        return this.#compact()
      case 7:
        this.#scope.destination.heal()
        return this.#settle()
      default:
        this.#scope.destination.heal()
        return this.#commit()
    }
  }

  async #commit(): Promise<void> {
    const { live } = this.#any().scope
    for (let times = 1 + this.#random(5); times > 0; times -= 1) {
      const id = `s${this.#random(8)}`
      const write = this.#random(4) === 0 ? remove(id) : put(id, { v: randomUUID() })
      await live.commit(commitOf(write, put(`n${this.#random(3)}`, { v: randomUUID() }, { kind: 'node' })))
      const { lineage, revision } = live.view.position
      this.states.set(`${lineage} ${revision}`, await stateAt(this.#inner, revision))
    }
  }

  async #fork(): Promise<void> {
    await this.#inner.fork((await this.#inner.head()).position)
    await this.#agree()
  }

  /** The database fails over to a copy that lagged. */
  async #lose(): Promise<void> {
    const { position, floor } = await this.#inner.head()
    if (floor > 0 || position.revision < 4 || (await this.#hasForked())) return
    const copy = await lagging(this.#inner, position.revision - 1 - this.#random(3))
    for (const { scope } of this.#coordinators) scope.store.inner = copy
    await this.#agree(position.lineage)
  }

  async #hasForked(): Promise<boolean> {
    return (await this.#inner.head()).ancestors.length > 0
  }

  async #restart(): Promise<void> {
    const chosen = this.#any()
    await chosen.archiver.finish(this.#random(2) === 0 ? 0 : 200)
    chosen.archiver = this.#scope.archiverOn(chosen.scope.live)
    chosen.archiver.start()
  }

  async #join(): Promise<void> {
    if (this.#coordinators.length > 1) return
    const scope = await this.#scope.another({ inner: this.#inner })
    const archiver = this.#scope.archiverOn(scope.live)
    archiver.start()
    this.#coordinators.push({ scope, archiver })
  }

  async #compact(): Promise<void> {
    const { position, floor } = await this.#inner.head()
    await this.#inner.compact(floor + this.#random(position.revision - floor + 1))
  }

  /** Waits until every coordinator serves what the database has. */
  async #agree(not?: string): Promise<void> {
    for (const { scope } of this.#coordinators)
      await until(() => scope.live.view.lineage !== not && scope.live.status.state !== 'degraded')
    const { position } = await this.#inner.head()
    for (const { scope } of this.#coordinators)
      await until(
        () => scope.live.view.lineage === position.lineage && scope.live.view.revision >= position.revision,
      )
  }

  async #settle(): Promise<void> {
    await this.#agree()
    // A new base may be due, for which a gap waits.
    this.#pass(10 * 60_000)
    for (const { scope, archiver } of this.#coordinators) await untilArchived(archiver, scope.live)
  }

  async finish(): Promise<void> {
    this.#scope.destination.heal()
    await this.#settle()
    for (const { archiver } of this.#coordinators) expect(archiver.figures.state).toBe('ok')
  }

  #any(): Coordinator {
    return this.#coordinators[this.#random(this.#coordinators.length)] as Coordinator
  }
}

/** Restores some of the moments, each into a store of its own. */
async function checkRestores(
  { destination, live }: ArchiverScope,
  states: ReadonlyMap<string, readonly StoredRecord[]>,
): Promise<void> {
  // The newest one, and some others.
  const keys = [...states.keys()].reverse().filter((_, at) => at % 7 === 0)
  const patience = { patienceMs: 0, signal: new AbortController().signal }
  let restored = 0
  for (const key of keys) {
    const [lineage = '', revision = ''] = key.split(' ')
    const inventory = await readInventory(destination.inner)
    const target = { lineage, revision: Number(revision) }
    const plan = await planRestore(inventory, target).catch((thrown: unknown) => {
      // A gap, or a moment before the first base. What the archive has is compared elsewhere.
      expect(thrown).toMatchObject({ code: 'COORD_ARCHIVE_EMPTY' })
    })
    if (plan === undefined) continue
    const store = new MemoryStore()
    await restore({ store, plan, destination: destination.inner, patience })
    restored += 1
    expect({ key, state: await stateAt(store, Number(revision)) }).toEqual({ key, state: states.get(key) })
  }
  const { lineage, revision } = live.view.position
  if (keys[0] === `${lineage} ${revision}`) expect(restored).toBeGreaterThan(0)
}

describe('random histories', () => {
  it.each(Array.from({ length: rounds }, (_, at) => at + 1))(
    'are archived as they were, with seed %i',
    async (seed) => {
      let passed = 0
      const clock = () => Date.now() + passed
      await withArchiver(
        async (scope) => {
          const run = new Run(scope, randomFrom(seed), (ms) => {
            passed += ms
          })
          for (let step = 0; step < STEPS; step += 1) await run.step()
          await run.finish()
          const lineages = new Set(Array.from(run.states.keys(), (key) => key.split(' ')[0] as string))
          let compared = 0
          for (const lineage of lineages) {
            const archive = await readArchive(scope.destination.inner, lineage)
            for (const [key, state] of run.states) {
              const [of, revision] = key.split(' ')
              if (of !== lineage) continue
              const base = archive.bases.findLast((each) => each.revision <= Number(revision))
              if (base === undefined) continue
              const isWhole = Array.from(
                { length: Number(revision) - base.revision },
                (_, at) => at + 1,
              ).every((at) => archive.entries.has(base.revision + at))
              if (!isWhole) continue
              compared += 1
              expect({ key, state: recordsAt(archive, Number(revision)) }).toEqual({ key, state })
            }
          }
          await checkRestores(scope, run.states)
          // The newest revision can always be restored.
          const { lineage, revision } = scope.live.view.position
          const newest = recordsAt(await readArchive(scope.destination.inner, lineage), revision)
          expect(newest).toEqual(await stateAt(scope.store.inner, revision))
          expect(compared).toBeGreaterThan(0)
        },
        { archiver: { clock }, options: { keepRevisions: 1_000_000 } },
      )
    },
    60_000,
  )
})
