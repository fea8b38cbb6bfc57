/**
 * The Store port: the durable home of records and their journal. Each backend implements it. Retries, batching, following and metrics are
 * built on top of it, and work for all backends.
 *
 * - **record**: `{kind, id, data, revision, createdAt, updatedAt}`; `data` is canonical JSON text.
 * - **commit**: writes that are stored together. An accepted commit becomes one **entry** of the journal, and gets one **revision**.
 * - **head**: the newest revision. **floor**: the oldest revision that `asOf` answers exactly. Both are 0 in an empty store.
 * - **lineage**: the UUID of one history. **position**: `{lineage, revision, digest}`. **ancestors**: the lineages that it descends from.
 * - **tombstone**: the trace of a deleted record, until the floor passes its deletion.
 * - **writer**: a process that commits; it has its own UUID. **attempt**: a call of `commit` by a writer.
 *
 * Rules that hold for every method:
 * - It makes one attempt under a deadline. Only the live layer retries.
 * - It throws nothing but `CoordinatorError`. A fault of the database is never an empty answer. `retryable` says whether the same call may
 *   succeed later; a failed `commit` has an `outcome`.
 * - Times, revisions and digests come from the store, under its lock, never from the caller.
 * - A call that its caller has abandoned may still arrive. After a later call was answered, it does no harm: `commit` compares attempts,
 *   `fork` compares the head with the position in the call, `adopt` only adds a lineage, and `compact` never lowers the floor.
 */
import type { CoordinatorError } from '../errors.ts'
import type {
  Commit,
  Entry,
  EntryWrite,
  Position,
  Revision,
  StoredRecord,
  Tombstone,
} from '../records/record.ts'
import type { AccessStore } from './access-store.ts'
import type { Inspector } from './inspector.ts'
import type { Migrator } from './migrator.ts'
import type { PoolFigures, PoolObserver } from './pool.ts'
import type { ReplicaReport } from './replicas.ts'
import type { StoreMode } from './store-modes.ts'

export type * from './access-store.ts'
export type * from './inspector.ts'
export type * from './migrator.ts'
export type * from './pool.ts'
export type * from './replicas.ts'
export type { StoreMode } from './store-modes.ts'

/** In answers and metrics: `memory`, `sqlite`, `postgres`, `supabase`, or the name that your own store gives itself. */
export type BackendName = string

export interface Head {
  readonly position: Position
  readonly floor: Revision
  /** Time of the newest entry, or of the creation of the store if there is none. Epoch milliseconds. */
  readonly at: number
  /** The version of the tokens: see `AccessState`. */
  readonly accessVersion: string
  /**
   * The lineages that this history descends from, the oldest first: see `fork` and `adopt`. The newest `ANCESTORS_MAX` are kept; to those
   * who know only an older one, this history is one of another database.
   */
  readonly ancestors: readonly string[]
  readonly mode: StoreMode
}

/** A moment of a history, with all that `seed` needs to put it into an empty store. */
export interface SeedPoint {
  /**
   * The lineage is that of the history which is moved, also for a moment before its last fork: a fork leaves revisions and digests as they
   * are, so entries of before and after it follow each other in one `replay`. The digest of revision 0 is the lineage of the beginning.
   */
  readonly position: Position
  /** Time of the entry of that revision, for revision 0 of the creation of the store. Epoch milliseconds. */
  readonly at: number
  /** Of that lineage. The oldest first: see `Head`. */
  readonly ancestors: readonly string[]
}

/** `ok`: the entries are stored. Otherwise nothing was: see `OffTrack`. */
export type ReplayReply = OffTrack | { readonly status: 'ok'; readonly head: Head }

/**
 * A part of all records, in the order that the store reads fastest. Pages may come from different revisions. A key may come twice, if it
 * was deleted, compacted and created again between two pages: the later one counts.
 */
export interface LoadPage {
  readonly lineage: string
  readonly records: readonly StoredRecord[]
  readonly tombstones: readonly Tombstone[]
}

/** The result of one commit of a batch. */
export type CommitResult = Accepted | Unchanged | Conflict | Reused | Refused

export type Accepted = Stored | Replayed

interface StoredResult {
  readonly outcome: 'accepted'
  readonly revision: Revision
  readonly at: number
  readonly digest: string
  /** For each write, the previous revision of its record; 0 if it did not exist. */
  readonly previous: readonly Revision[]
}

/** The commit was stored by this call. */
export interface Stored extends StoredResult {
  readonly replayed: false
}

/** The commit was accepted earlier: this is its first result. */
export interface Replayed extends StoredResult {
  readonly replayed: true
  /** The writes of the first commit, as the journal keeps them. The commit that was sent now may have other content. */
  readonly writes: readonly EntryWrite[]
}

/**
 * All writes have the content that is stored already. The journal has no entry for the commit. A commit with a fingerprint is remembered by
 * its id for at least a day, unless 100,000 newer ones replace it. The id of a commit without a fingerprint stays unused.
 */
export type Unchanged = FoundUnchanged | RepeatedUnchanged

interface UnchangedResult {
  readonly outcome: 'unchanged'
  /** For each write, the revision of its record when the commit was judged; 0 if it did not exist. */
  readonly revisions: readonly Revision[]
}

export interface FoundUnchanged extends UnchangedResult {
  readonly replayed: false
}

/** The commit changed nothing when it came first. This is its first result, whatever the records are now. */
export interface RepeatedUnchanged extends UnchangedResult {
  readonly replayed: true
  /** The records at that time, as the writes that made them; absent if the journal no longer has one of them. */
  readonly writes?: readonly EntryWrite[]
}

/** The `expect` of a write did not hold. Nothing of the commit was stored. */
export interface Conflict {
  readonly outcome: 'conflict'
  readonly kind: string
  readonly id: string
  readonly expected: Revision
  /** The revision of the record; 0 if it does not exist. */
  readonly actual: Revision
}

/** The id belongs to another commit with another fingerprint: an accepted one, or one that changed nothing. */
export interface Reused {
  readonly outcome: 'reused'
  /** The revision of the commit with this id. If that commit changed nothing, the newest revision that it found; 0 if there is none. */
  readonly revision: Revision
}

/** This commit alone cannot be stored (`COORD_COMMIT_REFUSED`). The others of the batch were judged without it. */
export interface Refused {
  readonly outcome: 'refused'
  readonly error: CoordinatorError
}

/**
 * The reason why the store cannot return the entries after the position of a caller:
 * - `compacted`: the position is below the floor.
 * - `ahead`: the caller knows a revision that this server does not have (a standby that lags, or a primary that lost its newest entries).
 * - `diverged`: another lineage, or the same revision with another digest.
 */
export type OffTrack = {
  readonly status: 'compacted' | 'ahead' | 'diverged'
  readonly head: Head
}

/**
 * Identifies a call of `commit`. A network may deliver a call long after its caller has abandoned it and sent the batch again. The attempt
 * tells the store which of the two is the later one.
 */
export interface CommitCall {
  /** UUID, in lower case. Every process that commits makes one when it starts. */
  readonly writer: string
  /** Counts the calls of the writer from 1 on. A batch that is sent again has a new attempt. */
  readonly attempt: number
}

/**
 * The store knows a call of the same writer that is not older than this one, and did not judge the batch. The call was delivered twice, or
 * a later one overtook it. Whether the batch was stored is unknown until the caller sends it again with a new attempt.
 */
export type Superseded = { readonly status: 'superseded' }

/** If a reply is off track, no commit of the batch was judged, and nothing was written. */
export type CommitReply =
  | OffTrack
  | Superseded
  | {
      readonly status: 'ok'
      /** One for each commit, in order. */
      readonly results: readonly CommitResult[]
      /** The journal after the caller's position: the commits of this batch and those of others. */
      readonly entries: readonly Entry[]
      /** Whether the journal continues after `entries`. */
      readonly more: boolean
    }

export type ChangesReply =
  | OffTrack
  | {
      readonly status: 'ok'
      readonly entries: readonly Entry[]
      readonly more: boolean
      /** The version of the tokens when the reply was made: see `AccessState`. */
      readonly accessVersion: string
      /** When the reply was made, so that every coordinator notices a change of it. */
      readonly mode: StoreMode
    }

export interface HistoryPage {
  /** The head when the page was read. The page has every entry below `before` that the record had then, newest first, up to the limit. */
  readonly position: Position
  /** Entries that wrote the record, newest first, each with all its writes. */
  readonly entries: readonly Entry[]
  /** For each entry, the previous revision of the record; 0 if it did not exist. */
  readonly previous: readonly Revision[]
  /** Pass it as `before` for the next page; absent on the last one. */
  readonly next?: Revision
  /**
   * Whether the last page reaches the first entry of the record; `false` if compaction removed older ones. A compacted deletion leaves no
   * trace: the record counts as new when it is created again.
   */
  readonly complete: boolean
}

export interface HistoryOptions {
  /** Only entries below this revision. @default all */
  readonly before?: Revision
  /** How many entries a page may have. @default 100 */
  readonly limit?: number
}

/**
 * The reader of the journal: the coordinator itself, to follow, or a client that asks about the past. If there are few
 * connections, one of them is only for following, so that questions of clients never delay it.
 */
export type JournalReader = 'follower' | 'client'

/** A moment of the past: a revision, or the newest revision at or before a time (epoch milliseconds). */
export type Moment = { readonly revision: Revision } | { readonly at: number }

/** The newest revision, independent of any clock. */
export const NOW: Moment = { at: Number.POSITIVE_INFINITY }

export interface AsOfFilter {
  readonly kind?: string
  /** Only together with `kind`. */
  readonly id?: string
}

/**
 * A part of the records at one revision, sorted by kind, then id, by code points (the order of UTF-8 bytes). The first page always comes,
 * even if it is empty.
 */
export interface AsOfPage {
  readonly position: Position
  readonly records: readonly StoredRecord[]
}

export interface Store {
  readonly backend: BackendName
  /** Whether acknowledged commits survive this process. */
  readonly durable: boolean
  /** The tokens of clients. They are no records, and no part of the journal. */
  readonly access: AccessStore

  /** Connects, and migrates or checks the schema. It is called once, before everything else. It may be called again after a failure. */
  open(): Promise<Head>
  head(): Promise<Head>
  /** All records and tombstones. Pages may come from different revisions: apply `changes` from a head that was read before. */
  load(): AsyncIterable<LoadPage>

  /**
   * Judges commits in the order of the array, which is the order of revisions: first a known `commitId` (among those that changed nothing,
   * only if the commit has a fingerprint), then every `expect`, then equality of `data`. A conflict stores nothing, and does not stop the
   * others. It takes one round trip and one durable transaction. An empty batch checks whether writing works: it makes a write that is as
   * durable as any other, and leaves everything unchanged.
   *
   * The store keeps the newest attempt of each writer for at least a day, and records it before it answers anything else. An abandoned call
   * therefore never takes effect after a later call of the same writer was answered. An answer is a reply; a call that throws may not have
   * been recorded.
   *
   * @param after the caller's position; `entries` of the reply start after it
   * @throws COORD_COMMIT_REFUSED if one of the commits makes the database refuse the whole batch: smaller batches find the faulty one
   */
  commit(after: Position, batch: readonly Commit[], call: CommitCall): Promise<CommitReply>

  /**
   * The journal after a position. At most `limit` entries, or fewer if they are large.
   *
   * @param reader who reads. @default 'follower'
   */
  changes(after: Position, limit: number, reader?: JournalReader): Promise<ChangesReply>
  history(kind: string, id: string, options?: HistoryOptions): Promise<HistoryPage>

  /**
   * Records as they were at a moment. Exact for every revision from the floor on.
   *
   * @throws COORD_REVISION_COMPACTED below the floor (also for a time before the entry of the floor), COORD_REVISION_FUTURE above the head
   */
  asOf(moment: Moment, filter?: AsOfFilter): AsyncIterable<AsOfPage>

  /**
   * Deletes history below `floor`. For every record, its newest version at or below the floor stays, even if the record is changed later.
   * The commit ids of deleted entries are free again. The floor rises first, then rows are deleted in chunks. A floor at or below the
   * present one changes nothing; one above the head means the head.
   */
  compact(floor: Revision): Promise<Head>

  /**
   * Starts a new lineage at the head, if the head is still `from`; otherwise changes nothing. The present lineage becomes the newest of its
   * ancestors. The digest stays, unless it is the lineage itself: no entry was stored yet. The first coordinator that sees a contradiction to its history calls this.
   */
  fork(from: Position): Promise<Head>

  /**
   * Notes that the present history also continues another one: its lineage becomes the newest of the ancestors. Nothing else changes, and
   * nothing at all if it is the present lineage. Coordinators that serve the other history follow this one from then on.
   *
   * @param lineage UUID, in lower case
   */
  adopt(lineage: string): Promise<Head>

  /**
   * Makes the head the end of what is stored, and starts a new lineage, also where the head contradicts the journal or the records, so that
   * every other call throws COORD_STORE_DAMAGED. Records that no entry wrote become commits. A store in mode `copy` or
   * `frozen` becomes open, because it now has a history of its own; one in mode `seeding` stays, because it is not whole. Works before
   * `open`. Absent if nobody but the store itself can change its content.
   */
  mendHead?(): Promise<Head>

  /**
   * Changes the mode, if it is still `from`. Allowed are: `open` to `frozen` and back; `open` to `seeding` or `copy` of an empty store, which
   * never stored an entry (it may have tokens); `seeding` to `copy` and to `open`; `copy` to `seeding` and to `open`; `frozen` to `copy`, to
   * follow the store that took its place. Nobody but the owner of the database may, never the public key of a Supabase project. Repeating a
   * change that took effect is answered with the head.
   *
   * In every mode but `open`, `compact`, `adopt`, changes by hand and changes of tokens throw COORD_STORE_FROZEN, an empty batch of `commit`,
   * too; a commit whose id is known gets its first result, and every other one that is not refused anyway is `refused` with
   * COORD_STORE_FROZEN. `fork` throws it in `copy`, and in `seeding` also `load`, `asOf`, `history` and `changes` for a client.
   *
   * @throws COORD_STORE_MODE if the mode is another one, or the change is not allowed; COORD_STORE_NOT_EMPTY
   */
  setMode(from: StoreMode, to: StoreMode): Promise<Head>

  /**
   * Puts records of one moment into a store in mode `seeding`, a part in each call, in any order. If the store was not seeded at this very
   * position, or has entries after it, what it holds is removed first, also its commit ids: it is the rest of another, unfinished seed.
   * Tokens stay. Records that are there stay as they are, so that a call can be repeated.
   *
   * The revision of `point` becomes head and floor, and the first of this history: its digest is known though it has no entry, and a fork
   * there keeps it. `asOf` stays exact from there on when a record changes later; earlier times are compacted, unless the revision is 0. The
   * history of a record ends before the point, with `complete: false`; the first later entry of the record has the seeded revision as
   * `previous`. Tombstones are not seeded: a record that is created again has no earlier history. Nor are the ids of commits: those of the
   * entries up to the point are free, and those of commits that changed nothing are forgotten.
   *
   * @param records their times and revisions are kept; none is newer than `point`. An empty list only sets the head
   * @throws COORD_STORE_MODE; COORD_COMMIT_REFUSED if no store can hold one of the records, or the point. Nothing was changed
   */
  seed(point: SeedPoint, records: readonly StoredRecord[]): Promise<Head>

  /**
   * Appends entries of the journal of another store as they are, with their revisions, times, actors, commit ids, fingerprints and digests,
   * to a store in mode `seeding` or `copy`. It judges neither `expect` nor equality. Entries that are there with the same digest are
   * skipped; with another one, the reply is `diverged`. Together they are durable or not stored at all.
   *
   * A commit id may come again: the other store forgot it when it compacted its first entry. It then belongs to the newest entry with it;
   * the older ones keep it in what `changes` and `history` answer.
   *
   * @param after the position before the first entry
   * @throws COORD_STORE_MODE; COORD_COMMIT_REFUSED if the entries have a gap, a digest that does not follow from the one before, times that
   * decrease, or what no store can hold
   */
  replay(after: Position, entries: readonly Entry[]): Promise<ReplayReply>

  /** Ends calls in progress. Afterwards every other call throws. Closing twice does nothing. */
  close(): Promise<void>

  readonly migrator?: Migrator
  readonly inspector?: Inspector
  readonly pool?: () => PoolFigures
  /** Absent if the store reads from no replicas. */
  readonly replicas?: () => ReplicaReport
  /** The history that is kept in this process. Absent if it is kept elsewhere. */
  readonly historyInMemory?: HistoryInMemory
  /** Reports from now on each call that got a connection, or stopped waiting for one. Only if there is a pool. */
  observePool?(observer: PoolObserver): void
}

/** The memory of this process that history takes, without the newest versions of the records. */
export interface HistoryInMemory {
  /** The approximate number of bytes. */
  bytes(): number
  /** The lowest floor with which the history takes at most this many bytes; the head if no lower floor is enough. */
  floorWithin(bytes: number): Revision
}
