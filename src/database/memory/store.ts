import { randomUUID } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import { CoordinatorError, type WriteOutcome } from '../../errors.ts'
import { nextDigest } from '../../records/digest.ts'
import {
  type Commit,
  type Entry,
  type EntryWrite,
  MAX_REVISION,
  type Position,
  type RecordKey,
  type Revision,
  type StoredRecord,
} from '../../records/record.ts'
import { sortInSteps } from '../../scheduling/sort-in-steps.ts'
import { compareCodePoints } from '../../text/code-point-order.ts'
import { refusalOf } from '../check-commit.ts'
import { checkNotOlder, checkReplay, checkSeed, checkSeededTokens } from '../check-replay.ts'
import { checkRevocation, checkToken } from '../check-token.ts'
import { entryOf, judgeCommit } from '../judge-commit.ts'
import { compactedMoment } from '../moment-errors.ts'
import type {
  AccessStore,
  AsOfFilter,
  AsOfPage,
  ChangesReply,
  CommitCall,
  CommitReply,
  CommitResult,
  Head,
  HistoryInMemory,
  HistoryOptions,
  HistoryPage,
  JournalReader,
  LoadPage,
  Moment,
  ReplayReply,
  SeedPoint,
  Store,
  StoreMode,
} from '../store.ts'
import { changeOfMode, frozen, wrongMode } from '../store-modes.ts'
import { resultOfUnchanged, withoutData } from '../unchanged-commits.ts'
import { WriterAttempts } from '../writer-attempts.ts'
import { Journal, type Row } from './journal.ts'
import { RecentUnchanged } from './recent-unchanged.ts'
import { exists, type RecordState, recordOf, seededState, tombstoneOf } from './record-state.ts'
import { RecordStates } from './record-states.ts'
import { TokenTable } from './token-table.ts'

export interface MemoryStoreOptions {
  /** Wall clock, epoch milliseconds. @default Date.now */
  readonly now?: () => number
  /** Records in a page of `load` and `asOf`. @default 1_000 */
  readonly pageSize?: number
  /** The revision at which a new store starts, to test large numbers. @default 0 */
  readonly firstRevision?: Revision
  /** The lineage of a new store, to make a copy of another store. @default a new one */
  readonly lineage?: string
}

/**
 * The store that keeps everything in this process, and loses it when the process ends. It is also the readable specification of the port:
 * if another backend is unclear, this one shows what is meant.
 */
export class MemoryStore implements Store {
  readonly backend = 'memory'
  readonly durable = false
  readonly historyInMemory: HistoryInMemory = {
    bytes: () => this.#journal.historyBytes,
    floorWithin: (bytes) => this.#journal.floorWithin(bytes),
  }

  readonly access: AccessStore = {
    load: async () => {
      this.#refuseWhenClosed()
      return this.#tokens.state
    },
    put: async (token) => {
      this.#refuseWhenClosed('not_written')
      checkToken(token)
      return this.#tokens.put(token, this.#change)
    },
    revoke: async (id, by) => {
      this.#refuseWhenClosed('not_written')
      checkRevocation(id, by)
      return this.#tokens.revoke(id, by, this.#change)
    },
    require: async () => {
      this.#refuseWhenClosed('not_written')
      this.#tokens.require(this.#head.position.revision, this.#change)
    },
    seed: async (state) => {
      this.#refuseWhenClosed('not_written')
      this.#requireMode('seeding', 'copy')
      checkSeededTokens(state)
      this.#tokens.seed(state)
      return this.#tokens.state
    },
  }

  readonly #now: () => number
  readonly #pageSize: number
  readonly #journal: Journal
  readonly #states = new RecordStates()
  readonly #attempts = new WriterAttempts()
  readonly #unchanged = new RecentUnchanged()
  readonly #tokens = new TokenTable()
  #closed = false

  constructor(options: MemoryStoreOptions = {}) {
    this.#now = options.now ?? Date.now
    this.#pageSize = options.pageSize ?? 1_000
    this.#journal = new Journal({
      firstRevision: options.firstRevision ?? 0,
      lineage: options.lineage ?? randomUUID(),
      at: Math.trunc(this.#now()),
    })
  }

  async open(): Promise<Head> {
    return this.head()
  }

  async head(): Promise<Head> {
    this.#refuseWhenClosed()
    return this.#head
  }

  get #head(): Head {
    return { ...this.#journal.head, accessVersion: this.#tokens.version }
  }

  async *load(): AsyncGenerator<LoadPage> {
    this.#refuseReads()
    const keys = [...this.#states.keys()]
    for (let start = 0; start < keys.length; start += this.#pageSize) {
      this.#refuseReads()
      const page = keys.slice(start, start + this.#pageSize).flatMap((key) => this.#states.get(key) ?? [])
      yield {
        lineage: this.#journal.head.position.lineage,
        records: page.filter(exists).map(recordOf),
        tombstones: page.filter((state) => !exists(state)).map(tombstoneOf),
      }
    }
  }

  async commit(after: Position, batch: readonly Commit[], call: CommitCall): Promise<CommitReply> {
    this.#refuseWhenClosed('not_written')
    if (!this.#attempts.record(call, this.#now())) return { status: 'superseded' }
    const offTrack = this.#journal.locate(after, this.#head)
    if (offTrack !== undefined) return offTrack
    if (batch.length === 0) this.#refuseWrites()
    const results = batch.map((commit) => this.#judge(commit))
    return { status: 'ok', results, ...this.#journal.entriesAfter(after.revision) }
  }

  async changes(after: Position, limit: number, reader: JournalReader = 'follower'): Promise<ChangesReply> {
    if (reader === 'client') this.#refuseReads()
    this.#refuseWhenClosed()
    const head = this.#head
    return (
      this.#journal.locate(after, head) ?? {
        status: 'ok',
        ...this.#journal.entriesAfter(after.revision, limit),
        accessVersion: head.accessVersion,
        mode: head.mode,
      }
    )
  }

  async history(kind: string, id: string, options: HistoryOptions = {}): Promise<HistoryPage> {
    this.#refuseReads()
    const { before = Number.POSITIVE_INFINITY, limit = 100 } = options
    const key = { kind, id }
    const { position } = this.#journal.head
    const entries: Entry[] = []
    const previous: Revision[] = []
    let revision = this.#states.get(key)?.revision ?? 0
    while (revision > 0) {
      const version = this.#journal.version(key, revision)
      if (version === undefined) return { position, entries, previous, complete: false }
      const state = version.row.states[version.index] as RecordState
      if (revision < before) {
        if (entries.length === limit)
          return { position, entries, previous, next: (entries.at(-1) as Entry).revision, complete: false }
        entries.push(version.row.entry)
        previous.push(state.previous)
      }
      revision = state.prior
    }
    return { position, entries, previous, complete: true }
  }

  async *asOf(moment: Moment, filter: AsOfFilter = {}): AsyncGenerator<AsOfPage> {
    this.#refuseReads()
    const position = this.#journal.resolve(moment)
    let [records, isFirst]: [StoredRecord[], boolean] = [[], true]
    for (const key of sortInSteps(this.#states.keys(filter), isBefore)) {
      if (key === undefined) {
        await turn()
        continue
      }
      // A compaction or a seed may come between two pages, or two steps.
      const { floor, mode } = this.#journal.head
      if (mode === 'seeding') throw frozen(mode)
      if (position.revision < floor) throw compactedMoment(floor)
      const state = this.#journal.stateAt(position.revision, key, this.#states.get(key))
      if (!exists(state)) continue
      records.push(recordOf(state))
      if (records.length < this.#pageSize) continue
      yield { position, records }
      ;[records, isFirst] = [[], false]
    }
    if (isFirst || records.length > 0) yield { position, records }
  }

  async compact(floor: Revision): Promise<Head> {
    this.#refuseWrites()
    this.#journal.compact(floor, (key, revision) => this.#states.forget(key, revision))
    return this.#head
  }

  async fork(from: Position): Promise<Head> {
    this.#refuseWhenClosed()
    if (this.#mode === 'copy') throw frozen('copy')
    this.#journal.fork(from)
    return this.#head
  }

  async adopt(lineage: string): Promise<Head> {
    this.#refuseWrites()
    this.#journal.adopt(lineage)
    return this.#head
  }

  async setMode(from: StoreMode, to: StoreMode): Promise<Head> {
    this.#refuseWhenClosed('not_written')
    const change = changeOfMode({ from, to, mode: this.#mode, isEmpty: this.#journal.isEmpty })
    if (change) this.#journal.setMode(to)
    return this.#head
  }

  async seed(point: SeedPoint, records: readonly StoredRecord[]): Promise<Head> {
    this.#refuseWhenClosed('not_written')
    this.#requireMode('seeding')
    checkSeed(point, records)
    if (!this.#journal.beginsAt(point.position)) {
      this.#journal.begin(point)
      this.#states.clear()
      this.#unchanged.clear()
    }
    for (const record of records)
      if (this.#states.get(record) === undefined) this.#states.set(seededState(record))
    return this.#head
  }

  async replay(after: Position, entries: readonly Entry[]): Promise<ReplayReply> {
    this.#refuseWhenClosed('not_written')
    this.#requireMode('seeding', 'copy')
    checkReplay(after, entries)
    const head = this.#head
    const offTrack = this.#journal.locate(after, head)
    if (offTrack !== undefined) return offTrack
    const known = head.position.revision - after.revision
    const newestKnown = entries.slice(0, known).at(-1)
    if (newestKnown !== undefined && this.#journal.digestAt(newestKnown.revision) !== newestKnown.digest)
      return { status: 'diverged', head }
    const unknown = entries.slice(known)
    // The time of an empty store, and of a seed at revision 0, is not that of an entry.
    checkNotOlder(unknown[0], head.position.revision === 0 ? null : head.at)
    for (const entry of unknown) this.#append(entry, this.#statesOf(entry.writes))
    return { status: 'ok', head: this.#head }
  }

  async close(): Promise<void> {
    this.#closed = true
  }

  #refuseWhenClosed(outcome?: WriteOutcome): void {
    if (this.#closed)
      throw new CoordinatorError('COORD_STORE_UNAVAILABLE', {
        detail: 'The store is closed.',
        ...(outcome === undefined ? {} : { outcome }),
      })
  }

  get #mode(): StoreMode {
    return this.#journal.head.mode
  }

  #refuseReads(): void {
    this.#refuseWhenClosed()
    if (this.#mode === 'seeding') throw frozen('seeding')
  }

  #refuseWrites(): void {
    this.#refuseWhenClosed()
    if (this.#mode !== 'open') throw frozen(this.#mode)
  }

  #requireMode(...modes: readonly StoreMode[]): void {
    if (!modes.includes(this.#mode)) throw wrongMode(this.#mode)
  }

  /** The time of a change of the tokens. */
  readonly #change = (): number => {
    this.#refuseWrites()
    return this.#now()
  }

  #judge(commit: Commit): CommitResult {
    const refusal = refusalOf(commit)
    if (refusal !== undefined) return { outcome: 'refused', error: refusal }
    const { commitId, fingerprint } = commit
    const known = this.#journal.ofCommit(commitId)
    if (known !== undefined) {
      if (known.entry.fingerprint !== fingerprint)
        return { outcome: 'reused', revision: known.entry.revision }
      return { ...acceptedAs(known), replayed: true, writes: known.entry.writes }
    }
    const same = fingerprint === undefined ? undefined : this.#unchanged.get(commitId)
    if (same !== undefined)
      return resultOfUnchanged(same, fingerprint, (write, revision) => this.#writeAt(write, revision))
    if (this.#mode !== 'open') return { outcome: 'refused', error: frozen(this.#mode) }
    const states = this.#statesOf(commit.writes)
    const verdict = judgeCommit(
      commit,
      states.map((state) => (exists(state) ? state : undefined)),
    )
    const at = Math.max(this.#journal.head.at, Math.trunc(this.#now()))
    if (verdict.outcome === 'unchanged') this.#remember(commit, verdict.revisions, at)
    if (verdict.outcome !== 'acceptable') return verdict
    if (this.#journal.head.position.revision >= MAX_REVISION)
      return {
        outcome: 'refused',
        error: new CoordinatorError('COORD_REVISION_EXHAUSTED', { outcome: 'not_written' }),
      }
    const { revision, digest } = this.#journal.head.position
    const next = { revision: revision + 1, at, digest: nextDigest(digest, commitId) }
    return acceptedAs(this.#append(entryOf(commit, next), states))
  }

  /** @param before the records of its writes before it */
  #append(entry: Entry, before: readonly (RecordState | undefined)[]): Row {
    const row = this.#journal.append(entry, before)
    for (const state of row.states) this.#states.set(state)
    return row
  }

  #statesOf(writes: readonly RecordKey[]): readonly (RecordState | undefined)[] {
    return writes.map((write) => this.#states.get(write))
  }

  /** Remembers a commit with a client's id that changed nothing. When the same id comes again, it must not change anything either. */
  #remember({ commitId, fingerprint, writes }: Commit, revisions: readonly Revision[], at: number): void {
    if (fingerprint === undefined) return
    this.#unchanged.add(commitId, { fingerprint, writes: writes.map(withoutData), revisions }, at)
  }

  /** A seeded version counts as the write that made it. */
  #writeAt(key: RecordKey, revision: Revision): EntryWrite | undefined {
    const version = this.#journal.version(key, revision)
    if (version !== undefined) return version.row.entry.writes[version.index]
    const newest = this.#states.get(key)
    const seeded = newest?.revision === revision ? newest : this.#journal.replacedSeed(key, revision)
    if (!exists(seeded)) return undefined
    const { kind, id, data } = seeded
    return { op: 'put', kind, id, data }
  }
}

/** The order of keys in `asOf`. */
function isBefore(left: RecordKey, right: RecordKey): boolean {
  return (compareCodePoints(left.kind, right.kind) || compareCodePoints(left.id, right.id)) < 0
}

function acceptedAs({ entry, states }: Row) {
  const { revision, at, digest } = entry
  return {
    outcome: 'accepted',
    revision,
    at,
    digest,
    previous: states.map(({ previous }) => previous),
    replayed: false,
  } as const
}
