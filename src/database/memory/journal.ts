import { randomUUID } from 'node:crypto'
import type { Entry, Position, RecordKey, Revision } from '../../records/record.ts'
import { withAncestor } from '../ancestors.ts'
import { locatePosition } from '../locate-position.ts'
import { compactedMoment, futureMoment } from '../moment-errors.ts'
import type { Head, Moment, OffTrack, SeedPoint, StoreMode } from '../store.ts'
import { CommitTable } from './commit-table.ts'
import { exists, type RecordState, type RecordVersion, stateAfter } from './record-state.ts'
import { RecordStates } from './record-states.ts'
import { replacedBytes } from './replaced-bytes.ts'
import { RevisionTable } from './revision-table.ts'

/** A row of the journal: the entry, and the state of the record after each of its writes. */
export interface Row {
  readonly entry: Entry
  readonly states: readonly RecordState[]
  /** Bytes that this row adds only to the history. */
  readonly replacedBytes: number
  /** How many of its writes are the newest version of their record at some revision from the floor on. */
  needed: number
}

/** What the journal knows of the head. */
export type JournalHead = Omit<Head, 'accessVersion'>

export interface JournalOptions {
  readonly firstRevision: Revision
  readonly lineage: string
  /** The present time, epoch milliseconds. */
  readonly at: number
}

/**
 * The journal. It is complete from the floor on. Below the floor it has only rows with the newest version of some record. A journal that was
 * seeded begins at the revision of the seed: the versions from before have no entry.
 */
export class Journal {
  #rows = new RevisionTable<Row>()
  readonly #commits = new CommitTable<Row>()
  /** Seeded versions that were replaced, as long as a revision from the floor on needs them. */
  readonly #replacedSeeds = new RecordStates()
  #firstRevision: Revision
  /** Digest of the first revision, which has no entry: the lineage that the history began with, or that of the seed. */
  #firstDigest: string
  /** Before this time is nothing that `asOf` could answer. */
  #firstAt = Number.NEGATIVE_INFINITY
  /** Changed in place, because a new one for each entry would cost more than the entry. */
  readonly #head: { -readonly [Member in keyof JournalHead]: JournalHead[Member] }
  /** Bytes that the rows after the floor add only to the history. */
  #historyBytes = 0

  constructor({ firstRevision, lineage, at }: JournalOptions) {
    this.#firstRevision = firstRevision
    this.#firstDigest = lineage
    const position = { lineage, revision: firstRevision, digest: lineage }
    this.#head = { position, floor: firstRevision, at, ancestors: [], mode: 'open' }
  }

  /** The head as it is now. It changes: copy it to keep it. */
  get head(): JournalHead {
    return this.#head
  }

  get historyBytes(): number {
    return this.#historyBytes
  }

  /** The row of a commit id. */
  ofCommit(commitId: string): Row | undefined {
    return this.#commits.get(commitId)
  }

  /** Whether no entry was ever stored, and nothing was seeded. */
  get isEmpty(): boolean {
    const { lineage, digest } = this.#head.position
    return digest === lineage
  }

  /** Whether the journal begins at this position, and has no entry yet. */
  beginsAt({ lineage, revision, digest }: Position): boolean {
    const { position } = this.#head
    const isHead =
      position.lineage === lineage && position.revision === revision && position.digest === digest
    return isHead && revision === this.#firstRevision
  }

  setMode(mode: StoreMode): void {
    this.#head.mode = mode
  }

  /** Forgets everything, and begins at a moment of another history. */
  begin({ position, at, ancestors }: SeedPoint): void {
    this.#rows = new RevisionTable()
    this.#commits.clear()
    this.#replacedSeeds.clear()
    this.#historyBytes = 0
    this.#firstRevision = position.revision
    this.#firstDigest = position.digest
    this.#firstAt = position.revision === 0 ? Number.NEGATIVE_INFINITY : at
    Object.assign(this.#head, { position, floor: position.revision, at, ancestors })
  }

  /**
   * Appends an entry.
   *
   * @param before the records of its writes before it
   */
  append(entry: Entry, before: readonly (RecordState | undefined)[]): Row {
    const { revision, at, digest, writes } = entry
    const states = writes.map((write, index) => stateAfter(write, entry, before[index]))
    const row: Row = { entry, states, replacedBytes: replacedBytes(before), needed: writes.length }
    for (const state of before)
      if (exists(state) && state.revision <= this.#firstRevision) this.#replacedSeeds.set(state)
    this.#historyBytes += row.replacedBytes
    this.#rows.add(revision, row)
    this.#commits.add(row)
    this.#head.position = { lineage: this.#head.position.lineage, revision, digest }
    this.#head.at = at
    return row
  }

  /** @param head the present head, for the reply */
  locate(after: Position, head: Head): OffTrack | undefined {
    return locatePosition(after, head, this.digestAt)
  }

  entriesAfter(
    revision: Revision,
    limit = Number.POSITIVE_INFINITY,
  ): { readonly entries: readonly Entry[]; readonly more: boolean } {
    const newest = this.#head.position.revision
    const last = Math.min(newest, revision + limit)
    const entries: Entry[] = []
    for (let next = revision + 1; next <= last; next += 1) entries.push((this.#rows.get(next) as Row).entry)
    return { entries, more: last < newest }
  }

  /** The write of a revision to a record; `undefined` if the revision is no longer kept. */
  version(
    { kind, id }: RecordKey,
    revision: Revision,
  ): { readonly row: Row; readonly index: number } | undefined {
    const row = this.#rows.get(revision)
    if (row === undefined) return undefined
    return { row, index: row.states.findIndex((state) => state.kind === kind && state.id === id) }
  }

  /** A record as it was at a revision. The walk begins at its newest state and follows the chain of its writes. */
  stateAt(revision: Revision, key: RecordKey, newest: RecordState | undefined): RecordState | undefined {
    let state = newest
    while (state !== undefined && state.revision > revision) state = this.#stateOf(key, state.prior)
    return state
  }

  /** A seeded version of a record that was replaced; `undefined` if it is no longer kept. */
  replacedSeed(key: RecordKey, revision: Revision): RecordVersion | undefined {
    const seeded = this.#replacedSeeds.get(key)
    return exists(seeded) && seeded.revision === revision ? seeded : undefined
  }

  /** @throws COORD_REVISION_COMPACTED, COORD_REVISION_FUTURE */
  resolve(moment: Moment): Position {
    const { position, floor } = this.#head
    const revision = 'revision' in moment ? moment.revision : this.#revisionAtTime(moment.at)
    if (revision < floor) throw compactedMoment(floor)
    if (revision > position.revision) throw futureMoment(`Revision ${revision}`, position.revision)
    return { lineage: position.lineage, revision, digest: this.digestAt(revision) as string }
  }

  floorWithin(bytes: number): Revision {
    const { position, floor: lowest } = this.#head
    let floor = lowest
    for (let left = this.#historyBytes; left > bytes && floor < position.revision; ) {
      floor += 1
      left -= (this.#rows.get(floor) as Row).replacedBytes
    }
    return floor
  }

  /**
   * Raises the floor, and deletes what is no longer needed below it.
   *
   * @param forget is called for each deletion that the floor passes
   */
  compact(floor: Revision, forget: (key: RecordKey, revision: Revision) => void): void {
    const { position, floor: oldFloor } = this.#head
    const target = Math.min(floor, position.revision)
    if (target <= oldFloor) return
    this.#head.floor = target
    for (let revision = oldFloor + 1; revision <= target; revision += 1) {
      const { states, replacedBytes: freed } = this.#rows.get(revision) as Row
      this.#historyBytes -= freed
      // The versions that the writes replaced are no longer needed, nor are the deletions.
      for (const state of states) {
        this.#release(state.previous)
        this.#replacedSeeds.forget(state, state.previous)
        if (exists(state)) continue
        this.#release(revision)
        forget(state, revision)
      }
    }
    this.#drop(oldFloor)
  }

  fork(from: Position): void {
    const { position, ancestors } = this.#head
    const { revision, digest } = position
    if (position.lineage !== from.lineage || revision !== from.revision || digest !== from.digest) return
    const lineage = randomUUID()
    const { isEmpty } = this
    if (isEmpty) this.#firstDigest = lineage
    this.#head.position = { lineage, revision, digest: isEmpty ? lineage : digest }
    this.#head.ancestors = withAncestor(ancestors, position.lineage)
  }

  adopt(lineage: string): void {
    const { position, ancestors } = this.#head
    if (lineage !== position.lineage) this.#head.ancestors = withAncestor(ancestors, lineage)
  }

  /** The digest of a revision from the floor on. */
  readonly digestAt = (revision: Revision): string | undefined =>
    revision === this.#firstRevision ? this.#firstDigest : this.#rows.get(revision)?.entry.digest

  #revisionAtTime(at: number): Revision {
    const { position, floor } = this.#head
    const first = this.#rows.get(floor)
    if (at < (first === undefined ? this.#firstAt : first.entry.at)) throw compactedMoment(floor)
    let revision = floor
    while (revision < position.revision && (this.#rows.get(revision + 1) as Row).entry.at <= at) revision += 1
    return revision
  }

  #release(revision: Revision): void {
    const row = this.#rows.get(revision)
    if (row === undefined) return
    row.needed -= 1
    this.#drop(revision)
  }

  /** Removes a row that nothing needs. The row of the floor stays: callers may have its digest as their position. */
  #drop(revision: Revision): void {
    const row = this.#rows.get(revision)
    if (row === undefined || row.needed > 0 || revision === this.#head.floor) return
    this.#rows.delete(revision)
    this.#commits.delete(row)
  }

  #stateOf(key: RecordKey, revision: Revision): RecordState | undefined {
    const version = this.version(key, revision)
    return version === undefined ? this.replacedSeed(key, revision) : version.row.states[version.index]
  }
}
