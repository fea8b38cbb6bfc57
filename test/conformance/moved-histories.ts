import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Store } from '../../src/database/store.ts'
import type { Revision, StoredRecord } from '../../src/records/record.ts'
import type { ConformanceBackend } from './backend.ts'
import { recordsAsOf } from './caller.ts'
import { RandomHistory, type Step, step } from './random-history.ts'
import { Scope } from './scope.ts'

interface Plan {
  /** What happens before the copy begins. */
  readonly before: readonly Step[]
  /** Where between the floor and the head it begins. */
  readonly from: number
  /** What happens while the other store follows, and how many entries it takes after each step. */
  readonly during: readonly (readonly [step: Step, entries: number])[]
  /** What happens in the other store after it took the place of the first. */
  readonly after: readonly Step[]
}

const plan = fc.record<Plan>({
  before: fc.array(step, { maxLength: 15, size: 'max' }),
  from: fc.double({ min: 0, max: 1, noNaN: true }),
  during: fc.array(fc.tuple(step, fc.integer({ min: 0, max: 5 })), { maxLength: 8, size: 'max' }),
  after: fc.array(step, { maxLength: 10, size: 'max' }),
})

/** Random histories that move from one backend to another, against a plain model. */
export function movedHistories(
  { from, into }: { readonly from: ConformanceBackend; readonly into: ConformanceBackend },
  numRuns: number,
): void {
  describe(`from ${from.name} into ${into.name}`, () => {
    it('a random history moves whole, and goes on', { timeout: 60_000 + numRuns * 10_000 }, () =>
      fc.assert(
        fc.asyncProperty(plan, (steps) => move(from, into, steps)),
        { numRuns, interruptAfterTimeLimit: 50_000 + numRuns * 10_000, markInterruptAsFailure: true },
      ),
    )
  })
}

async function move(from: ConformanceBackend, into: ConformanceBackend, steps: Plan): Promise<void> {
  const subjects = [
    await from.create({ pageSize: 3, firstRevision: 0 }),
    await into.create({ pageSize: 3, firstRevision: 0 }),
  ] as const
  try {
    const [source, target] = [
      new Scope(from, subjects[0], await subjects[0].store.open()),
      new Scope(into, subjects[1], await subjects[1].store.open()),
    ]
    const history = RandomHistory.of(source)
    await history.tick(0)
    for (const next of steps.before) await history.take(next)
    const follower = new Follower(history, target)
    await follower.seed(steps.from)
    for (const [next, entries] of steps.during) {
      await history.take(next)
      await follower.follow(entries)
    }
    await source.store.setMode('open', 'frozen')
    await follower.follow(Number.POSITIVE_INFINITY)
    await target.store.setMode('copy', 'open')
    const moved = await follower.finish()
    await moved.compare()
    await moved.tick(0)
    for (const next of steps.after) await moved.take(next)
    await moved.compare()
  } finally {
    for (const subject of subjects) await subject.dispose()
  }
}

/** A store that follows another one, as `coordinator copy` does. */
class Follower {
  readonly #history: RandomHistory
  readonly #target: Scope
  #start: Revision = 0

  constructor(history: RandomHistory, target: Scope) {
    this.#history = history
    this.#target = target
  }

  get #source(): Store {
    return this.#history.store
  }

  /** Takes all records of a revision, between the floor (0) and the head (1) of the other store. */
  async seed(part: number): Promise<void> {
    const { store } = this.#target
    const { mode } = await store.head()
    await store.setMode(mode === 'copy' ? 'copy' : 'open', 'seeding')
    const { floor, position } = await this.#source.head()
    this.#start = floor + Math.round(part * (position.revision - floor))
    const point = this.#history.pointAt(this.#start)
    const records: readonly StoredRecord[] = (await recordsAsOf(this.#source, { revision: this.#start }))
      .records
    for (let at = 0; at === 0 || at < records.length; at += 2)
      await store.seed(point, records.slice(at, at + 2))
    await store.setMode('seeding', 'copy')
  }

  /** Takes so many entries. Where the other store no longer has them, or has another history, it begins anew. */
  async follow(count: number): Promise<void> {
    const { store } = this.#target
    for (let left = count; left > 0; ) {
      const { position } = await store.head()
      const reply = await this.#source.changes(position, Math.min(left, 3))
      if (reply.status !== 'ok') {
        await this.seed(0)
        continue
      }
      if (reply.entries.length === 0) return
      expect(await store.replay(position, reply.entries)).toMatchObject({ status: 'ok' })
      left -= reply.entries.length
    }
  }

  /** The history in the store that followed. */
  async finish(): Promise<RandomHistory> {
    const head = await this.#target.store.head()
    const { position, ancestors } = await this.#source.head()
    expect(head).toMatchObject({ position, ancestors, floor: this.#start, mode: 'open' })
    this.#target.caller.position = position
    return this.#history.movedTo(this.#target, this.#start)
  }
}
