import { withAncestor } from '../../src/database/ancestors.ts'
import type { CommitResult } from '../../src/database/store.ts'
import { nextDigest } from '../../src/records/digest.ts'
import type {
  Commit,
  Entry,
  Position,
  RecordKey,
  Revision,
  StoredRecord,
  Tombstone,
  Write,
} from '../../src/records/record.ts'
import { byKey } from './caller.ts'

interface ModelEntry {
  readonly entry: Entry
  readonly previous: readonly Revision[]
  /** For each write the one to the same record before it; 0 where there was none, or a deletion that was forgotten then. */
  readonly prior: readonly Revision[]
}

type State = ReadonlyMap<string, StoredRecord>

/**
 * The Store port told as plainly as it can be: a list of entries, and a copy of all records for every revision. It forgets
 * nothing; `floor` only says what may be asked.
 */
export class Model {
  lineage: string
  /** The oldest first. */
  ancestors: readonly string[] = []
  floor: Revision = 0
  now: number
  readonly journal: ModelEntry[] = []
  readonly #states: State[] = [new Map()]
  readonly #unchanged = new Map<
    string,
    {
      readonly fingerprint: string
      readonly result: { readonly outcome: 'unchanged'; readonly revisions: readonly Revision[] }
      readonly writes: Entry['writes']
    }
  >()
  #firstDigest: string

  constructor(lineage: string, now: number) {
    this.lineage = lineage
    this.#firstDigest = lineage
    this.now = now
  }

  /** What another store knows that took over this history from a revision on: nothing about the entries up to there. */
  movedAt(point: Revision): Model {
    const moved = new Model(this.lineage, this.now)
    moved.floor = point
    moved.ancestors = this.ancestors
    moved.#firstDigest = this.#firstDigest
    moved.#states.splice(0, 1, ...this.#states)
    for (const { entry, previous } of this.journal) {
      const prior = entry.writes.map((write) => {
        const before = this.journal.findLast(
          (other) => other.entry.revision < entry.revision && indexOf(other.entry, write) !== -1,
        )?.entry
        if (before === undefined) return 0
        const isForgotten = before.revision <= point && before.writes[indexOf(before, write)]?.op === 'delete'
        return isForgotten ? 0 : before.revision
      })
      moved.journal.push({ entry, previous, prior })
    }
    return moved
  }

  get revision(): Revision {
    return this.journal.length
  }

  /** A new lineage began at the head. */
  forked(lineage: string): void {
    this.ancestors = withAncestor(this.ancestors, this.lineage)
    this.lineage = lineage
    if (this.revision === 0) this.#firstDigest = lineage
  }

  positionAt(revision: Revision): Position {
    const digest = this.journal[revision - 1]?.entry.digest
    return { lineage: this.lineage, revision, digest: digest ?? this.#firstDigest }
  }

  recordsAt(revision: Revision): StoredRecord[] {
    return [...(this.#states[revision]?.values() ?? [])].sort(byKey)
  }

  find(key: RecordKey): StoredRecord | undefined {
    return this.#states[this.revision]?.get(nameOf(key))
  }

  /** Deletions above the floor of records that are absent now. */
  tombstones(): Tombstone[] {
    const deleted = new Map<string, Tombstone>()
    for (const { entry } of this.journal)
      for (const { op, kind, id } of entry.writes) {
        if (op === 'put') deleted.delete(nameOf({ kind, id }))
        else deleted.set(nameOf({ kind, id }), { kind, id, revision: entry.revision })
      }
    return [...deleted.values()].filter(({ revision }) => revision > this.floor).sort(byKey)
  }

  /** Entries that wrote a record, newest first, and how many of them must still be known. */
  historyOf(key: RecordKey): { readonly all: ModelEntry[]; readonly kept: number } {
    const all = this.journal.filter(({ entry }) => indexOf(entry, key) !== -1).reverse()
    const newestOld = all.findIndex(({ entry }) => entry.revision <= this.floor)
    if (newestOld === -1) return { all, kept: all.length }
    const { entry } = all[newestOld] as ModelEntry
    const isPut = entry.writes[indexOf(entry, key)]?.op === 'put'
    return { all, kept: isPut ? newestOld + 1 : newestOld }
  }

  /** Whether nothing came before the newest so many entries of a record's history. */
  reachesFirst(key: RecordKey, count: number): boolean {
    const oldest = this.historyOf(key).all[count - 1]
    return oldest === undefined || oldest.prior[indexOf(oldest.entry, key)] === 0
  }

  /** Does what a store must do with a commit, and says what it must answer. */
  judge(commit: Commit): CommitResult {
    const known = this.journal.find(({ entry }) => entry.commitId === commit.commitId)
    if (known !== undefined)
      return known.entry.fingerprint === commit.fingerprint
        ? { ...acceptedResult(known), replayed: true, writes: known.entry.writes }
        : { outcome: 'reused', revision: known.entry.revision }
    const same = this.#unchanged.get(commit.commitId)
    if (same !== undefined && commit.fingerprint !== undefined)
      return same.fingerprint === commit.fingerprint
        ? { ...same.result, replayed: true, writes: same.writes }
        : { outcome: 'reused', revision: Math.max(...same.result.revisions) }
    const revisions = commit.writes.map((write) => this.find(write)?.revision ?? 0)
    for (const [index, { kind, id, expect: expected }] of commit.writes.entries()) {
      const actual = revisions[index] as Revision
      if (expected !== undefined && expected !== actual)
        return { outcome: 'conflict', kind, id, expected, actual }
    }
    const changes = commit.writes.some((write) =>
      write.op === 'put' ? this.find(write)?.data !== write.data : this.find(write) !== undefined,
    )
    if (!changes) {
      const result = { outcome: 'unchanged', revisions } as const
      const { commitId, fingerprint, writes } = commit
      if (fingerprint !== undefined)
        this.#unchanged.set(commitId, { fingerprint, result, writes: writes.map(withoutExpect) })
      return { ...result, replayed: false }
    }
    return { ...acceptedResult(this.#append(commit, revisions)), replayed: false }
  }

  #newestWrite(key: RecordKey): Revision {
    const newest = this.journal.findLast(({ entry }) => indexOf(entry, key) !== -1)?.entry
    if (newest === undefined) return 0
    const forgotten = newest.revision <= this.floor && newest.writes[indexOf(newest, key)]?.op === 'delete'
    return forgotten ? 0 : newest.revision
  }

  #append({ commitId, actor, writes, fingerprint }: Commit, previous: readonly Revision[]): ModelEntry {
    const { revision: before, digest } = this.positionAt(this.revision)
    const revision = before + 1
    const at = Math.max(this.now, this.journal.at(-1)?.entry.at ?? 0)
    const state = new Map(this.#states[before])
    for (const write of writes) {
      const name = nameOf(write)
      if (write.op === 'delete') state.delete(name)
      else {
        const { kind, id, data } = write
        state.set(name, {
          kind,
          id,
          data,
          revision,
          createdAt: state.get(name)?.createdAt ?? at,
          updatedAt: at,
        })
      }
    }
    this.#states.push(state)
    const entry: Entry = {
      revision,
      commitId,
      at,
      actor,
      writes: writes.map(withoutExpect),
      digest: nextDigest(digest, commitId),
      ...(fingerprint === undefined ? {} : { fingerprint }),
    }
    const prior = writes.map((write) => this.#newestWrite(write))
    const appended = { entry, previous, prior }
    this.journal.push(appended)
    return appended
  }
}

/** What a random history writes to: few enough records that commits meet. */
export const modelKeys: readonly RecordKey[] = ['service', 'node'].flatMap((kind) =>
  ['a', 'b', '\u{1f600}'].map((id) => ({ kind, id })),
)

function nameOf({ kind, id }: RecordKey): string {
  return JSON.stringify([kind, id])
}

function indexOf(entry: Entry, key: RecordKey): number {
  return entry.writes.findIndex(({ kind, id }) => kind === key.kind && id === key.id)
}

function withoutExpect(write: Write): Entry['writes'][number] {
  const { expect: _, ...rest } = write
  return rest
}

function acceptedResult({ entry, previous }: ModelEntry) {
  const { revision, at, digest } = entry
  return { outcome: 'accepted', revision, at, digest, previous } as const
}
