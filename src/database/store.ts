/**
 * The Store port: the durable home of records and their journal. One backend implements it; everything clever (retries,
 * batching, following, metrics) is built on top and works for all of them.
 *
 * - **record**: `{kind, id, data, revision, createdAt, updatedAt}`; `data` is canonical JSON text.
 * - **commit**: writes that happen together; an accepted one becomes one **entry** of the journal and takes one **revision**.
 * - **head**: the newest revision. **floor**: the oldest one that `asOf` answers exactly. Both are 0 in an empty store.
 * - **lineage**: the UUID of one history. **position**: `{lineage, revision, digest}`.
 * - **tombstone**: the mark of a deleted record, until the floor passes its deletion.
 * - **writer**: a process that commits; it has a UUID of its own. **attempt**: a call of `commit` by a writer.
 *
 * Rules that hold for every method:
 * - It makes one attempt under a deadline. Only the live layer retries.
 * - It throws nothing but `CoordinatorError`. A fault of the database is never an empty answer. `retryable` says whether
 *   the same call may succeed later; a failed `commit` carries `outcome`.
 * - Times, revisions and digests come from the store, under its lock, never from the caller.
 * - A call that its caller has given up may still arrive. After a later call was answered, it does no harm: `commit` compares attempts,
 *   `fork` compares the head with the position in the call, and `compact` never lowers the floor.
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
import type { Inspector } from './inspector.ts'
import type { Migrator } from './migrator.ts'
import type { PoolFigures, PoolObserver } from './pool.ts'

export type * from './inspector.ts'
export type * from './migrator.ts'
export type * from './pool.ts'

/** Names a backend in answers and metrics: `memory`, `sqlite`, `postgres`, `supabase`, or what a store of your own calls itself. */
export type BackendName = string

export interface Head {
  readonly position: Position
  readonly floor: Revision
  /** Time of the newest entry; of the store's creation where there is none. Epoch milliseconds. */
  readonly at: number
}

/**
 * A part of all records, in whatever order the store reads them fastest. Pages may come from different revisions. A key
 * comes twice only where it was deleted, forgotten, and made again between two pages: the later one counts.
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
  /** For each write the revision that its record had: 0 where it did not exist. */
  readonly previous: readonly Revision[]
}

/** The commit was stored by this call. */
export interface Stored extends StoredResult {
  readonly replayed: false
}

/** The commit was accepted earlier: this is its first result. */
export interface Replayed extends StoredResult {
  readonly replayed: true
  /** The writes of the first call, as the journal keeps them: the commit that was sent now may have others. */
  readonly writes: readonly EntryWrite[]
}

/**
 * Every write wanted what was stored already. The journal has no entry for it. A commit with a fingerprint is remembered by its id for at least
 * a day, unless 100,000 newer ones replace it. The id of a commit without a fingerprint stays unused.
 */
export type Unchanged = FoundUnchanged | RepeatedUnchanged

interface UnchangedResult {
  readonly outcome: 'unchanged'
  /** For each write the revision that its record had when the commit was judged: 0 where it did not exist. */
  readonly revisions: readonly Revision[]
}

export interface FoundUnchanged extends UnchangedResult {
  readonly replayed: false
}

/** The commit changed nothing when it came first: this is its first result, whatever the records are now. */
export interface RepeatedUnchanged extends UnchangedResult {
  readonly replayed: true
  /** The records of that time, as writes that would have made them; absent where the journal has forgotten one. */
  readonly writes?: readonly EntryWrite[]
}

/** A write's `expect` did not hold: nothing of the commit was stored. */
export interface Conflict {
  readonly outcome: 'conflict'
  readonly kind: string
  readonly id: string
  readonly expected: Revision
  /** The revision the record has: 0 where it does not exist. */
  readonly actual: Revision
}

/** The id belongs to another commit: an accepted one, or one that changed nothing, with another fingerprint. */
export interface Reused {
  readonly outcome: 'reused'
  /** The revision of the commit that has the id; where that changed nothing, the newest that it found, 0 for none. */
  readonly revision: Revision
}

/** This commit alone cannot be stored (`COORD_COMMIT_REFUSED`); the others of the batch were judged without it. */
export interface Refused {
  readonly outcome: 'refused'
  readonly error: CoordinatorError
}

/**
 * Why a caller cannot be followed up from its position:
 * - `compacted`: it is below the floor.
 * - `ahead`: it knows a revision that this server does not have (a standby that lags, or a primary that lost its tail).
 * - `diverged`: another lineage, or the same revision with another digest.
 */
export type OffTrack = {
  readonly status: 'compacted' | 'ahead' | 'diverged'
  readonly head: Head
}

/**
 * Identifies a call of `commit`. A network may deliver a call long after its caller has given it up and sent the batch again. The attempt
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
export interface Superseded {
  readonly status: 'superseded'
}

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
      /** Whether the journal goes on after `entries`. */
      readonly more: boolean
    }

export type ChangesReply =
  | OffTrack
  | { readonly status: 'ok'; readonly entries: readonly Entry[]; readonly more: boolean }

export interface HistoryPage {
  /** The head when the page was read: every entry below `before` that the record had then, newest first, up to the limit. */
  readonly position: Position
  /** Entries that wrote the record, newest first. They carry all their writes. */
  readonly entries: readonly Entry[]
  /** For each entry the revision that the record had before it: 0 where it did not exist. */
  readonly previous: readonly Revision[]
  /** Pass it as `before` for the next page; absent on the last one. */
  readonly next?: Revision
  /**
   * Whether the last page reaches the record's first entry; `false` where compaction removed older ones. A deletion that
   * compaction has forgotten leaves no trace: the record counts as new when it comes back.
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
 * The reader of the journal: the coordinator that follows it, or a client that asks about the past. If connections are few, the follower has
 * one of its own, so that it never waits for the questions of clients.
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
 * A part of the records as they stood at one revision, in order of kind, then id, by code points (the order of UTF-8 bytes).
 * The first page always comes, even when it is empty.
 */
export interface AsOfPage {
  readonly position: Position
  readonly records: readonly StoredRecord[]
}

export interface Store {
  readonly backend: BackendName
  /** Whether what was acknowledged outlives this process. */
  readonly durable: boolean

  /** Connects, and migrates or checks the schema. Called once, before everything else; may be called again after it failed. */
  open(): Promise<Head>
  head(): Promise<Head>
  /** All records and tombstones. May be inconsistent between pages: heal it with `changes` from a head read before. */
  load(): AsyncIterable<LoadPage>

  /**
   * Judges commits in array order, which is revision order: first a known `commitId` (among those that changed nothing only
   * where the commit has a fingerprint), then every `expect`, then equality of `data`. A conflict stores nothing and does not
   * stop the others. One round trip, one durable transaction. An empty batch asks whether writes work: it makes a write that is
   * as durable as any, and leaves everything as it is.
   *
   * The store keeps the newest attempt of each writer for at least a day, and records it before it answers anything else:
   * a call that was given up never takes effect once a later call of the same writer was answered. An answer is a reply; a
   * call that throws may not have been recorded.
   *
   * @param after the caller's position; `entries` of the reply start behind it
   * @throws COORD_COMMIT_REFUSED where the database refuses the batch as a whole because of what one of its commits holds: nothing
   * of it was written, and smaller batches find the culprit
   */
  commit(after: Position, batch: readonly Commit[], call: CommitCall): Promise<CommitReply>

  /**
   * The journal after a position. At most `limit` entries, or fewer where they are large.
   *
   * @param reader who reads. @default 'follower'
   */
  changes(after: Position, limit: number, reader?: JournalReader): Promise<ChangesReply>
  history(kind: string, id: string, options?: HistoryOptions): Promise<HistoryPage>

  /**
   * Records as they stood. Exact for every revision from the floor on.
   *
   * @throws COORD_REVISION_COMPACTED below the floor (a time before the floor's entry too), COORD_REVISION_FUTURE above the head
   */
  asOf(moment: Moment, filter?: AsOfFilter): AsyncIterable<AsOfPage>

  /**
   * Forgets history below `floor`, keeping for every record its newest version at or below it, also of those that are
   * changed only later. The commit ids of forgotten entries are free again. The floor rises first, then rows go in chunks. A floor at or below the present one changes nothing; one above the head counts as the head.
   */
  compact(floor: Revision): Promise<Head>

  /**
   * Starts a new lineage at the head, if the head still is `from`; otherwise changes nothing. Called by the first
   * coordinator that saw a history which contradicts what it had been told.
   */
  fork(from: Position): Promise<Head>

  /** Ends what is under way; afterwards every other call throws. Closing twice does nothing. */
  close(): Promise<void>

  readonly migrator?: Migrator
  readonly inspector?: Inspector
  readonly pool?: () => PoolFigures
  /** History that is kept in this process. Absent where it lies elsewhere. */
  readonly historyInMemory?: HistoryInMemory
  /** Tells from now on of every connection that a call got or gave up waiting for. Where there is a pool. */
  observePool?(observer: PoolObserver): void
}

/** The memory of this process that history takes, without the newest versions of the records. */
export interface HistoryInMemory {
  /** About so many bytes. */
  bytes(): number
  /** The lowest floor with which the history takes no more than so many bytes; the head if no lower floor is enough. */
  floorWithin(bytes: number): Revision
}
