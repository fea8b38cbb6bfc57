import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { expect } from 'vitest'
import type { SeedPoint, Store } from '../../src/database/store.ts'
import { canonicalJson } from '../../src/records/canonical-json.ts'
import type { Commit, RecordKey, Revision, Write } from '../../src/records/record.ts'
import { farFuture } from './build.ts'
import { Caller, loadAll, recordsAsOf } from './caller.ts'
import { Model, modelKeys } from './model.ts'
import type { Scope } from './scope.ts'

interface PlannedWrite {
  readonly key: RecordKey
  /** `undefined`: delete. */
  readonly value: number | undefined
  readonly expect: 'none' | 'now' | 'absent' | 'wrong'
}

interface PlannedCommit {
  readonly writes: readonly PlannedWrite[]
  readonly fingerprint: string | undefined
  /** Sends an accepted commit again: so many before the newest. `undefined`: a new one. */
  readonly again: number | undefined
}

export type Step =
  | { readonly do: 'commit'; readonly batch: readonly PlannedCommit[]; readonly replyLost: boolean }
  | { readonly do: 'tick'; readonly ms: number }
  | { readonly do: 'compact'; readonly part: number }
  | { readonly do: 'fork'; readonly fromHead: boolean }
  | { readonly do: 'restart' }

const plannedWrite = fc.record<PlannedWrite>({
  key: fc.constantFrom(...modelKeys),
  value: fc.option(fc.integer({ min: 0, max: 2 }), { nil: undefined }),
  expect: fc.constantFrom('none', 'none', 'now', 'absent', 'wrong'),
})

const plannedCommit = fc.record<PlannedCommit>({
  writes: fc.uniqueArray(plannedWrite, { selector: ({ key }) => key, minLength: 1, maxLength: 3 }),
  fingerprint: fc.constantFrom(undefined, undefined, 'one', 'two'),
  again: fc.oneof(
    { weight: 4, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 5 }) },
  ),
})

/** What happens next to a history. */
export const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('commit' as const),
      batch: fc.array(plannedCommit, { minLength: 1, maxLength: 4 }),
      replyLost: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('tick' as const), ms: fc.integer({ min: -50, max: 50 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('compact' as const),
      part: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('fork' as const), fromHead: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constant({ do: 'restart' as const }) },
)

/** A store and the model beside it, taking the same steps. */
export class RandomHistory {
  readonly #scope: Scope
  readonly #accepted: (Commit | undefined)[]
  #model: Model
  /** The revision at which the history of the store begins: 0, or where it was seeded. */
  #start: Revision

  private constructor(scope: Scope, model: Model, start: Revision) {
    this.#scope = scope
    this.#model = model
    this.#start = start
    this.#accepted = model.journal.map(({ entry }) => (entry.revision > start ? entry : undefined))
  }

  /** An empty history. */
  static of(scope: Scope): RandomHistory {
    return new RandomHistory(scope, new Model(scope.caller.position.lineage, farFuture), 0)
  }

  /** This history in another store, which took it over from a revision on. */
  movedTo(scope: Scope, start: Revision): RandomHistory {
    return new RandomHistory(scope, this.#model.movedAt(start), start)
  }

  get store(): Store {
    return this.#scope.store
  }

  /** A moment of this history as a backup knows it. */
  pointAt(revision: Revision): SeedPoint {
    const at = this.#model.journal[revision - 1]?.entry.at ?? 0
    return { position: this.#model.positionAt(revision), at, ancestors: this.#model.ancestors }
  }

  async take(next: Step): Promise<void> {
    if (next.do === 'commit') await this.#commit(next.batch, next.replyLost)
    else if (next.do === 'tick') await this.tick(next.ms)
    else if (next.do === 'compact') await this.#compact(next.part)
    else if (next.do === 'fork') await this.#fork(next.fromHead)
    else await this.#restart()
    expect((await this.#scope.store.head()).position).toEqual(this.#model.positionAt(this.#model.revision))
  }

  async tick(ms: number): Promise<void> {
    this.#model.now += ms
    await this.#scope.subject.setClock(this.#model.now)
  }

  async #commit(planned: readonly PlannedCommit[], replyLost: boolean): Promise<void> {
    const batch = planned.map((plan) => this.#build(plan))
    const results = await this.#scope.caller.send(...batch)
    expect(results).toEqual(batch.map((commit) => this.#model.judge(commit)))
    for (const [index, commit] of batch.entries()) {
      const result = results[index]
      if (result?.outcome === 'accepted' && !result.replayed) this.#accepted[result.revision - 1] = commit
    }
    if (replyLost)
      expect(await this.#scope.caller.send(...batch)).toEqual(
        batch.map((commit) => this.#model.judge(commit)),
      )
    expect(this.#scope.caller.position).toEqual(this.#model.positionAt(this.#model.revision))
  }

  #build({ writes, fingerprint, again }: PlannedCommit): Commit {
    // Ids below the floor live as long as some record needs their entry: no business of this property.
    const old = again === undefined ? -1 : this.#model.revision - 1 - again
    const known = old >= Math.max(0, this.#model.floor - 1) ? this.#accepted[old] : undefined
    return {
      commitId: known?.commitId ?? randomUUID(),
      actor: 'property',
      writes: writes.map((write) => this.#buildWrite(write)),
      ...(fingerprint === undefined ? {} : { fingerprint }),
    }
  }

  #buildWrite({ key, value, expect: wish }: PlannedWrite): Write {
    const now = this.#model.find(key)?.revision ?? 0
    const expected = { none: undefined, now, absent: 0, wrong: now + 1 }[wish]
    const when = expected === undefined ? {} : { expect: expected }
    if (value === undefined) return { op: 'delete', ...key, ...when }
    return { op: 'put', ...key, data: canonicalJson({ value, text: 'ü' }), ...when }
  }

  async #compact(part: number): Promise<void> {
    const floor = Math.round(part * this.#model.revision)
    this.#model.floor = Math.max(this.#model.floor, floor)
    expect(await this.#scope.store.compact(floor)).toMatchObject({ floor: this.#model.floor })
  }

  async #fork(fromHead: boolean): Promise<void> {
    const { caller, store } = this.#scope
    const from = fromHead ? caller.position : { ...caller.position, revision: caller.position.revision + 1 }
    const { position } = await store.fork(from)
    if (fromHead) {
      expect(position.lineage).not.toBe(this.#model.lineage)
      this.#model.forked(position.lineage)
    }
    this.#scope.caller = new Caller(store, position)
  }

  async #restart(): Promise<void> {
    const head = await this.#scope.reopen()
    if (!this.#scope.backend.durable) {
      this.#model = new Model(head.position.lineage, this.#model.now)
      this.#start = 0
      this.#accepted.length = 0
    }
    await this.tick(0)
  }

  /** Everything that can be asked. */
  async compare(): Promise<void> {
    const { store } = this.#scope
    const model = this.#model
    const { records, tombstones } = await loadAll(store)
    expect(records).toEqual(model.recordsAt(model.revision))
    expect(tombstones).toEqual(model.tombstones())
    const follower = new Caller(store, model.positionAt(model.floor))
    expect(await follower.follow(4)).toEqual(model.journal.slice(model.floor).map(({ entry }) => entry))
    for (let revision = model.floor; revision <= model.revision; revision += 1)
      await this.#compareAt(revision)
    if (model.floor > 0)
      await expect(recordsAsOf(store, { revision: model.floor - 1 })).rejects.toMatchObject({
        code: 'COORD_REVISION_COMPACTED',
      })
    for (const key of modelKeys) await this.#compareHistory(key)
  }

  async #compareAt(revision: Revision): Promise<void> {
    const model = this.#model
    const then = await recordsAsOf(this.#scope.store, { revision })
    expect(then.records).toEqual(model.recordsAt(revision))
    expect(then.position).toEqual(model.positionAt(revision))
    const at = model.journal[revision - 1]?.entry.at
    if (at === undefined) return
    const newest = model.journal.findLast(({ entry }) => entry.at <= at)?.entry.revision
    expect((await recordsAsOf(this.#scope.store, { at })).position.revision).toBe(newest)
  }

  async #compareHistory(key: RecordKey): Promise<void> {
    const { all, kept } = this.#model.historyOf(key)
    const known = all.filter(({ entry }) => entry.revision > this.#start)
    const page = await this.#scope.store.history(key.kind, key.id)
    const { length } = page.entries
    expect(page.position).toEqual(this.#model.positionAt(this.#model.revision))
    expect(length).toBeGreaterThanOrEqual(Math.min(kept, known.length))
    expect(page.entries).toEqual(known.slice(0, length).map(({ entry }) => entry))
    // A record without an entry is either unknown, or from before the history of the store.
    const isComplete =
      length === 0 ? this.#model.find(key) === undefined : this.#model.reachesFirst(key, length)
    expect(page.complete).toBe(isComplete)
    const previous = known.map(({ entry, previous: before }) => before[indexIn(entry.writes, key)])
    expect(page.previous).toEqual(previous.slice(0, length))
  }
}

function indexIn(writes: readonly RecordKey[], key: RecordKey): number {
  return writes.findIndex(({ kind, id }) => kind === key.kind && id === key.id)
}
