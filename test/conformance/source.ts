import { expect } from 'vitest'
import { MemoryStore, type MemoryStoreOptions } from '../../src/database/memory/store.ts'
import type { SeedPoint, Store } from '../../src/database/store.ts'
import type { Commit, Entry, Position, RecordKey, Revision, StoredRecord } from '../../src/records/record.ts'
import { Caller, loadAll, recordsAsOf } from './caller.ts'

/** The time of the first entry of a source. Each later one comes a second after the one before. */
const START = Date.UTC(2020, 0, 1)

/**
 * A history that is moved into the store under test. The memory store is the readable specification of the port, so it is also the oracle
 * of what the other store must answer afterwards.
 */
export class Source {
  readonly store: Store
  readonly caller: Caller
  readonly #clock: { now: number }

  #ancestors: readonly string[] = []

  private constructor(store: Store, caller: Caller, clock: { now: number }) {
    this.store = store
    this.caller = caller
    this.#clock = clock
  }

  /** A history of these commits. */
  static async of(commits: readonly Commit[], options: MemoryStoreOptions = {}): Promise<Source> {
    const clock = { now: START }
    const store = new MemoryStore({ ...options, now: () => clock.now })
    const source = new Source(store, await Caller.at(store), clock)
    for (const commit of commits) await source.send(commit)
    return source
  }

  /** One commit goes on with the history. */
  async send(commit: Commit): Promise<void> {
    this.#clock.now += 1_000
    const [result] = await this.caller.send(commit)
    expect(result).toMatchObject({ outcome: 'accepted', replayed: false })
  }

  /** A new lineage begins. */
  async fork(): Promise<void> {
    const { position, ancestors } = await this.store.fork(this.caller.position)
    this.caller.position = position
    this.#ancestors = ancestors
  }

  async pointAt(revision: Revision): Promise<SeedPoint> {
    const entry = this.caller.entries.find((one) => one.revision === revision)
    const { position } = await recordsAsOf(this.store, { revision })
    return { position, at: entry?.at ?? START, ancestors: this.#ancestors }
  }

  async recordsAt(revision: Revision): Promise<StoredRecord[]> {
    return (await recordsAsOf(this.store, { revision })).records
  }

  /** The entries after a revision, at most so many. */
  entriesAfter(revision: Revision, count: number = Number.POSITIVE_INFINITY): readonly Entry[] {
    return this.caller.entries.filter((entry) => entry.revision > revision).slice(0, count)
  }

  /** Seeds a store, which is in mode `open` and empty or in mode `seeding`, with all records of a revision. */
  async seedInto(store: Store, revision: Revision, partLength = 2): Promise<void> {
    if ((await store.head()).mode === 'open') await store.setMode('open', 'seeding')
    const point = await this.pointAt(revision)
    const records = await this.recordsAt(revision)
    for (let start = 0; start === 0 || start < records.length; start += partLength)
      await store.seed(point, records.slice(start, start + partLength))
    expect((await store.head()).position).toEqual(point.position)
  }

  /** Replays what follows a revision up to another one, in pages. */
  async replayInto(store: Store, after: Revision, { upTo = Number.MAX_SAFE_INTEGER, pageLength = 3 } = {}) {
    let { position } = await this.pointAt(after)
    for (;;) {
      const entries = this.entriesAfter(position.revision, pageLength).filter((one) => one.revision <= upTo)
      const last = entries.at(-1)
      if (last === undefined) return
      const reply = await store.replay(position, entries)
      position = { ...position, revision: last.revision, digest: last.digest }
      expect(reply).toMatchObject({ status: 'ok', head: { position } })
    }
  }

  /** A store that holds this history from a revision on, and is open. */
  async moveInto(store: Store, from: Revision): Promise<void> {
    await this.seedInto(store, from)
    await this.replayInto(store, from)
    await store.setMode('seeding', 'open')
  }

  /** Asserts that a store answers everything from a revision on as this history does. */
  async expectIn(store: Store, from: Revision): Promise<void> {
    const { position, at } = await this.store.head()
    expect(await store.head()).toMatchObject({ position, floor: from, at, ancestors: this.#ancestors })
    for (let revision = from; revision <= position.revision; revision += 1) {
      const { position: there, records } = await recordsAsOf(this.store, { revision })
      const here = await recordsAsOf(store, { revision })
      expect(here.records, `at revision ${revision}`).toEqual(records)
      expect(here.position).toEqual(there)
    }
    for (const entry of this.entriesAfter(from))
      expect((await recordsAsOf(store, { at: entry.at })).position).toEqual(
        (await recordsAsOf(this.store, { at: entry.at })).position,
      )
    const follower = new Caller(store, (await this.pointAt(from)).position)
    expect(await follower.follow(4)).toEqual(this.entriesAfter(from))
    expect((await loadAll(store)).records).toEqual((await loadAll(this.store)).records)
  }

  /** Asserts that a store has the history of every record from its seed on, and nothing from before. */
  async expectHistoriesIn(store: Store, start: Revision): Promise<void> {
    const writes = this.caller.entries.flatMap((entry) => entry.writes)
    for (const { kind, id } of writes) {
      const isOfRecord = (write: RecordKey) => write.kind === kind && write.id === id
      const { entries } = await store.history(kind, id)
      const expected = this.entriesAfter(start).filter((entry) => entry.writes.some(isOfRecord))
      expect(entries, `${kind} ${id}`).toEqual(expected.toReversed())
    }
  }
}

/** The position after an entry. */
export function positionAfter({ revision, digest }: Entry, { lineage }: Position): Position {
  return { lineage, revision, digest }
}
