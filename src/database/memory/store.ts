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
  type Tombstone,
} from '../../records/record.ts'
import { sortInSteps } from '../../scheduling/sort-in-steps.ts'
import { compareCodePoints } from '../../text/code-point-order.ts'
import { refusalOf } from '../check-commit.ts'
import { entryWrite, judgeCommit } from '../judge-commit.ts'
import { locatePosition } from '../locate-position.ts'
import type {
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
  LoadPage,
  Moment,
  Store,
} from '../store.ts'
import { resultOfUnchanged, withoutData } from '../unchanged-commits.ts'
import { WriterAttempts } from '../writer-attempts.ts'
import { RecentUnchanged } from './recent-unchanged.ts'
import { replacedBytes } from './replaced-bytes.ts'
import { RevisionTable } from './revision-table.ts'

/** A journal row: the entry, and for each of its writes what a reader of the past needs. */
interface Row {
  readonly entry: Entry
  readonly fingerprint: string | undefined
  /** Revision the record had; 0 where it did not exist. */
  readonly previous: readonly Revision[]
  /** Revision of the write before this one, deletes included; 0 for the first. Follow it to walk a record's history. */
  readonly prior: readonly Revision[]
  readonly createdAt: readonly number[]
  /** Bytes that are kept only for the past because of this row. */
  readonly replacedBytes: number
  /** How many of its writes are the newest version of their record at some revision from the floor on. */
  needed: number
}

export interface MemoryStoreOptions {
  /** Wall clock, epoch milliseconds. @default Date.now */
  readonly now?: () => number
  /** Records in a page of `load` and `asOf`. @default 1_000 */
  readonly pageSize?: number
  /** The head a new store starts from, to test large numbers. @default 0 */
  readonly firstRevision?: Revision
  /** UUID of the history that a new store begins, to make a copy of another store. @default a new one */
  readonly lineage?: string
}

/**
 * The store that keeps everything in this process and loses it at its end. It is also the readable specification of the
 * port: where another backend is unclear, this one says what is meant.
 */
export class MemoryStore implements Store {
  readonly backend = 'memory'
  readonly durable = false
  readonly historyInMemory: HistoryInMemory = {
    bytes: () => this.#historyBytes,
    floorWithin: (bytes) => this.#floorWithin(bytes),
  }

  readonly #now: () => number
  readonly #pageSize: number
  /** What the newest write to each record left behind, by kind and id. */
  readonly #newest = new Map<string, Map<string, StoredRecord | Tombstone>>()
  /** The journal. Complete from the floor on; below it only what some record's newest version is in. */
  readonly #journal = new RevisionTable<Row>()
  readonly #commitIds = new Map<string, Row>()
  readonly #attempts = new WriterAttempts()
  readonly #unchanged = new RecentUnchanged()
  readonly #firstRevision: Revision
  /** Digest of the first revision, which has no entry: the lineage it began with. */
  #firstDigest: string
  #position: Position
  #floor: Revision
  /** Bytes that the rows after the floor keep only for the past. */
  #historyBytes = 0
  #at: number
  #closed = false

  constructor(options: MemoryStoreOptions = {}) {
    this.#now = options.now ?? Date.now
    this.#pageSize = options.pageSize ?? 1_000
    this.#firstRevision = options.firstRevision ?? 0
    this.#firstDigest = options.lineage ?? randomUUID()
    this.#position = {
      lineage: this.#firstDigest,
      revision: this.#firstRevision,
      digest: this.#firstDigest,
    }
    this.#floor = this.#firstRevision
    this.#at = Math.trunc(this.#now())
  }

  async open(): Promise<Head> {
    this.#refuseWhenClosed()
    return this.#head
  }

  async head(): Promise<Head> {
    this.#refuseWhenClosed()
    return this.#head
  }

  async *load(): AsyncGenerator<LoadPage> {
    this.#refuseWhenClosed()
    const keys = [...this.#newest].flatMap(([kind, ofKind]) =>
      Array.from(ofKind.keys(), (id) => ({ kind, id })),
    )
    for (let start = 0; start < keys.length; start += this.#pageSize) {
      const page = keys.slice(start, start + this.#pageSize).flatMap((key) => this.#newestTo(key) ?? [])
      yield {
        lineage: this.#position.lineage,
        records: page.filter(exists),
        tombstones: page.filter((newest) => !exists(newest)),
      }
    }
  }

  async commit(after: Position, batch: readonly Commit[], call: CommitCall): Promise<CommitReply> {
    this.#refuseWhenClosed('not_written')
    if (!this.#attempts.record(call, this.#now())) return { status: 'superseded' }
    const offTrack = this.#locate(after)
    if (offTrack !== undefined) return offTrack
    const results = batch.map((commit) => this.#judge(commit))
    return { status: 'ok', results, ...this.#entriesAfter(after.revision, Number.POSITIVE_INFINITY) }
  }

  async changes(after: Position, limit: number): Promise<ChangesReply> {
    this.#refuseWhenClosed()
    return this.#locate(after) ?? { status: 'ok', ...this.#entriesAfter(after.revision, limit) }
  }

  async history(kind: string, id: string, options: HistoryOptions = {}): Promise<HistoryPage> {
    this.#refuseWhenClosed()
    const { before = Number.POSITIVE_INFINITY, limit = 100 } = options
    const key = { kind, id }
    const position = this.#position
    const entries: Entry[] = []
    const previous: Revision[] = []
    let revision = this.#newestTo(key)?.revision ?? 0
    while (revision > 0) {
      const version = this.#version(key, revision)
      if (version === undefined) return { position, entries, previous, complete: false }
      if (revision < before) {
        if (entries.length === limit)
          return { position, entries, previous, next: (entries.at(-1) as Entry).revision, complete: false }
        entries.push(version.row.entry)
        previous.push(version.row.previous[version.index] as Revision)
      }
      revision = version.row.prior[version.index] as Revision
    }
    return { position, entries, previous, complete: true }
  }

  async *asOf(moment: Moment, filter: AsOfFilter = {}): AsyncGenerator<AsOfPage> {
    this.#refuseWhenClosed()
    const revision = this.#resolve(moment)
    const { lineage } = this.#position
    const position = { lineage, revision, digest: this.#digestAt(revision) as string }
    let [records, isFirst]: [StoredRecord[], boolean] = [[], true]
    for (const key of sortInSteps(this.#keys(filter), isBefore)) {
      if (key === undefined) {
        await turn()
        continue
      }
      // Compaction may come between two pages, or two steps.
      if (revision < this.#floor) throw compacted(this.#floor)
      const record = this.#recordAt(revision, key)
      if (record === undefined) continue
      records.push(record)
      if (records.length < this.#pageSize) continue
      yield { position, records }
      ;[records, isFirst] = [[], false]
    }
    if (isFirst || records.length > 0) yield { position, records }
  }

  async compact(floor: Revision): Promise<Head> {
    this.#refuseWhenClosed()
    const oldFloor = this.#floor
    const target = Math.min(floor, this.#position.revision)
    if (target <= oldFloor) return this.#head
    this.#floor = target
    for (let revision = oldFloor + 1; revision <= target; revision += 1) this.#retire(revision)
    this.#drop(oldFloor)
    return this.#head
  }

  async fork(from: Position): Promise<Head> {
    this.#refuseWhenClosed()
    const { revision, digest } = this.#position
    if (this.#position.lineage !== from.lineage || revision !== from.revision || digest !== from.digest)
      return this.#head
    const lineage = randomUUID()
    const empty = revision === this.#firstRevision
    if (empty) this.#firstDigest = lineage
    this.#position = { lineage, revision, digest: empty ? lineage : digest }
    return this.#head
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

  #judge(commit: Commit): CommitResult {
    const refusal = refusalOf(commit)
    if (refusal !== undefined) return { outcome: 'refused', error: refusal }
    const known = this.#commitIds.get(commit.commitId)
    if (known !== undefined) {
      if (known.fingerprint !== commit.fingerprint)
        return { outcome: 'reused', revision: known.entry.revision }
      return { ...acceptedAs(known), replayed: true, writes: known.entry.writes }
    }
    const same = commit.fingerprint === undefined ? undefined : this.#unchanged.get(commit.commitId)
    if (same !== undefined)
      return resultOfUnchanged(same, commit.fingerprint, (write, revision) => this.#writeAt(write, revision))
    const newest = commit.writes.map((write) => this.#newestTo(write))
    const verdict = judgeCommit(
      commit,
      newest.map((state) => (exists(state) ? state : undefined)),
    )
    if (verdict.outcome === 'unchanged') this.#remember(commit, verdict.revisions)
    if (verdict.outcome !== 'acceptable') return verdict
    if (this.#position.revision >= MAX_REVISION)
      return {
        outcome: 'refused',
        error: new CoordinatorError('COORD_REVISION_EXHAUSTED', { outcome: 'not_written' }),
      }
    return { ...acceptedAs(this.#append(commit, newest, verdict.previous)), replayed: false }
  }

  /** Remembers a commit with a client's id that changed nothing: with the same id it must not change anything later. */
  #remember({ commitId, fingerprint, writes }: Commit, revisions: readonly Revision[]): void {
    if (fingerprint === undefined) return
    this.#unchanged.add(
      commitId,
      { fingerprint, writes: writes.map(withoutData), revisions },
      Math.max(this.#at, Math.trunc(this.#now())),
    )
  }

  #writeAt(key: RecordKey, revision: Revision): EntryWrite | undefined {
    const version = this.#version(key, revision)
    return version?.row.entry.writes[version.index]
  }

  /** @param newest the records of its writes as they are before it */
  #append(
    commit: Commit,
    newest: readonly (StoredRecord | Tombstone | undefined)[],
    previous: readonly Revision[],
  ): Row {
    const { lineage } = this.#position
    const revision = this.#position.revision + 1
    const at = Math.max(this.#at, Math.trunc(this.#now()))
    const digest = nextDigest(this.#position.digest, commit.commitId)
    const row: Row = {
      entry: {
        revision,
        commitId: commit.commitId,
        at,
        actor: commit.actor,
        writes: commit.writes.map(entryWrite),
        digest,
      },
      fingerprint: commit.fingerprint,
      previous,
      prior: newest.map((state) => state?.revision ?? 0),
      createdAt: newest.map((state) => (exists(state) ? state.createdAt : at)),
      replacedBytes: replacedBytes(newest),
      needed: commit.writes.length,
    }
    this.#historyBytes += row.replacedBytes
    this.#journal.add(revision, row)
    this.#commitIds.set(commit.commitId, row)
    this.#position = { lineage, revision, digest }
    this.#at = at
    for (let index = 0; index < commit.writes.length; index += 1) this.#setNewest(newestOf(row, index))
    return row
  }

  get #head(): Head {
    return { position: this.#position, floor: this.#floor, at: this.#at }
  }

  #newestTo({ kind, id }: RecordKey): StoredRecord | Tombstone | undefined {
    return this.#newest.get(kind)?.get(id)
  }

  #setNewest(newest: StoredRecord | Tombstone): void {
    let ofKind = this.#newest.get(newest.kind)
    if (ofKind === undefined) {
      ofKind = new Map()
      this.#newest.set(newest.kind, ofKind)
    }
    ofKind.set(newest.id, newest)
  }

  /** The keys of records and tombstones, in no particular order. */
  *#keys({ kind: wanted, id }: AsOfFilter): Generator<RecordKey> {
    if (wanted !== undefined && id !== undefined) return yield { kind: wanted, id }
    for (const [kind, ofKind] of this.#newest)
      if (wanted === undefined || wanted === kind) for (const name of ofKind.keys()) yield { kind, id: name }
  }

  #locate(after: Position) {
    return locatePosition(after, this.#head, (revision) => this.#digestAt(revision))
  }

  #digestAt(revision: Revision): string | undefined {
    return revision === this.#firstRevision ? this.#firstDigest : this.#journal.get(revision)?.entry.digest
  }

  #entriesAfter(revision: Revision, limit: number): { entries: Entry[]; more: boolean } {
    const last = Math.min(this.#position.revision, revision + limit)
    const entries: Entry[] = []
    for (let next = revision + 1; next <= last; next += 1)
      entries.push((this.#journal.get(next) as Row).entry)
    return { entries, more: last < this.#position.revision }
  }

  #version({ kind, id }: RecordKey, revision: Revision): { row: Row; index: number } | undefined {
    const row = this.#journal.get(revision)
    if (row === undefined) return undefined
    return { row, index: row.entry.writes.findIndex((write) => write.kind === kind && write.id === id) }
  }

  #resolve(moment: Moment): Revision {
    const [position, floor] = [this.#position, this.#floor]
    let revision = 'revision' in moment ? moment.revision : floor
    if ('at' in moment) {
      const first = this.#journal.get(floor)
      if (first !== undefined && moment.at < first.entry.at) throw compacted(floor)
      for (let next = floor + 1; next <= position.revision; next += 1) {
        if ((this.#journal.get(next) as Row).entry.at > moment.at) break
        revision = next
      }
    }
    if (revision < floor) throw compacted(floor)
    if (revision > position.revision)
      throw new CoordinatorError('COORD_REVISION_FUTURE', {
        detail: `Revision ${revision} does not exist yet; the newest is ${position.revision}.`,
        extra: { head: position.revision },
      })
    return revision
  }

  /**
   * A record as it stood: from its newest version back along the chain of its writes. What has been deleted since left a
   * tombstone that the floor has not passed.
   */
  #recordAt(revision: Revision, key: RecordKey): StoredRecord | undefined {
    let state: StoredRecord | Tombstone | undefined = this.#newestTo(key)
    while (state !== undefined && state.revision > revision) {
      const later = this.#version(key, state.revision)
      const before = later && this.#version(key, later.row.prior[later.index] as Revision)
      state = before && newestOf(before.row, before.index)
    }
    return exists(state) ? state : undefined
  }

  #floorWithin(bytes: number): Revision {
    let floor = this.#floor
    for (let left = this.#historyBytes; left > bytes && floor < this.#position.revision; ) {
      floor += 1
      left -= (this.#journal.get(floor) as Row).replacedBytes
    }
    return floor
  }

  /** The floor has reached a revision: what its writes replaced is needed no more, nor is a delete itself. */
  #retire(revision: Revision): void {
    const { entry, previous, replacedBytes: freed } = this.#journal.get(revision) as Row
    this.#historyBytes -= freed
    for (const [index, write] of entry.writes.entries()) {
      this.#release(previous[index] as Revision)
      if (write.op !== 'delete') continue
      this.#release(revision)
      if (this.#newestTo(write)?.revision === revision) this.#newest.get(write.kind)?.delete(write.id)
    }
  }

  #release(revision: Revision): void {
    const row = this.#journal.get(revision)
    if (row === undefined) return
    row.needed -= 1
    this.#drop(revision)
  }

  /** Removes a row that nothing needs. The one at the floor stays: its digest is where callers may stand. */
  #drop(revision: Revision): void {
    const row = this.#journal.get(revision)
    if (row === undefined || row.needed > 0 || revision === this.#floor) return
    this.#journal.delete(revision)
    this.#commitIds.delete(row.entry.commitId)
  }
}

/** The order of keys in `asOf`. */
function isBefore(left: RecordKey, right: RecordKey): boolean {
  return (compareCodePoints(left.kind, right.kind) || compareCodePoints(left.id, right.id)) < 0
}

function acceptedAs({ entry, previous }: Row) {
  const { revision, at, digest } = entry
  return { outcome: 'accepted', revision, at, digest, previous } as const
}

/** What a write left behind. */
function newestOf({ entry, createdAt }: Row, index: number): StoredRecord | Tombstone {
  const write = entry.writes[index] as EntryWrite
  const { kind, id } = write
  const { revision } = entry
  if (write.op === 'delete') return { kind, id, revision }
  return {
    kind,
    id,
    data: write.data,
    revision,
    createdAt: createdAt[index] as number,
    updatedAt: entry.at,
  }
}

function exists(newest: StoredRecord | Tombstone | undefined): newest is StoredRecord {
  return newest !== undefined && 'data' in newest
}

function compacted(floor: Revision): CoordinatorError {
  return new CoordinatorError('COORD_REVISION_COMPACTED', {
    detail: `History before revision ${floor} is no longer kept.`,
    extra: { floor },
  })
}
