import { guardStore } from '../database/guard-store.ts'
import type {
  AsOfFilter,
  AsOfPage,
  ChangesReply,
  HistoryOptions,
  HistoryPage,
  Moment,
  Store,
} from '../database/store.ts'
import type { JsonObject } from '../records/canonical-json.ts'
import type { Commit, Position, Revision } from '../records/record.ts'
import { within } from '../scheduling/backoff.ts'
import { currentClient } from '../scheduling/client-question.ts'
import type { CommitOutcome } from './committing/commit-queue.ts'
import { Committer } from './committing/committer.ts'
import { ClockWatch } from './following/clock-watch.ts'
import { Examiner } from './following/examiner.ts'
import { Follower } from './following/follower.ts'
import { Starter } from './following/starter.ts'
import { type MemoryBudget, processMemory } from './memory/memory-budget.ts'
import { StoreReader } from './reading/store-reader.ts'
import { KnownHistory } from './state/known-history.ts'
import { LIVE_DEFAULTS, type LiveOptions } from './state/live-options.ts'
import { type LiveStatus, StatusBoard } from './state/status.ts'
import { HeadWatch } from './view/head-watch.ts'
import { type LiveObserver, LiveObservers } from './view/live-observer.ts'
import type { Domain } from './view/projection.ts'
import { ServedView } from './view/served-view.ts'
import type { View } from './view/view.ts'

/** How long the store may take to close, in milliseconds. */
const closeTimeoutMs = 2_000
/** How often the age of the view is checked while no requests come, in milliseconds. */
const watchIntervalMs = 100

/**
 * The live copy of a store. Reads come from memory, writes are gathered into batches and stored, and the commits of others are followed. It
 * survives outages of the store. It is the same for every backend.
 */
export class Live {
  readonly store: Store
  readonly memory: MemoryBudget
  readonly #observers = new LiveObservers()
  readonly #board: StatusBoard
  readonly #history: KnownHistory
  readonly #served: ServedView
  readonly #follower: Follower
  readonly #starter: Starter
  readonly #reader: StoreReader
  readonly #committer: Committer
  readonly #examiner: Examiner
  readonly #clock: ClockWatch
  readonly #requiredSince: (() => Revision | null) | undefined
  readonly #stop = new AbortController()
  readonly #last: ((leftMs: number) => Promise<void>)[] = []
  #starting: Promise<void> | undefined
  #watch: NodeJS.Timeout | undefined

  constructor(bare: Store, domain: Domain, options: Partial<LiveOptions> = {}) {
    const given = { ...LIVE_DEFAULTS, ...options }
    const history = new KnownHistory()
    const store = guardStore(bare, given.meter, history)
    const memory = given.memory ?? processMemory()
    const observers = this.#observers
    const board = new StatusBoard({
      durable: store.durable,
      unconfirmedMaxMs: given.pollMaxMs + given.confirmationMarginMs,
      changed: (status) => observers.tell('status', status),
    })
    const heads = new HeadWatch(observers, board)
    this.#history = history
    const context = { store, memory, board, history, observers, heads, options: given }
    this.store = store
    this.memory = memory
    this.#board = board
    this.#served = new ServedView(context, domain)
    this.#follower = new Follower(context, this.#served)
    this.#starter = new Starter(context, this.#served)
    this.#reader = new StoreReader(context, this.#served, this.#follower)
    this.#committer = new Committer(context, this.#served, this.#follower)
    this.#examiner = new Examiner(context)
    this.#clock = new ClockWatch(context, this.#served)
    this.#requiredSince = given.requiredSince
  }

  observe(observer: LiveObserver): void {
    this.#observers.add(observer)
  }

  get status(): LiveStatus {
    return this.#board.status
  }

  /** Whether there is a view to read. */
  get loaded(): boolean {
    return this.#served.current !== undefined
  }

  /** @throws COORD_NOT_LOADED before the first load */
  get view(): View {
    return this.#served.view
  }

  /** The lineages that the served history descends from, the oldest first. */
  get ancestors(): readonly string[] {
    return this.#history.ancestors
  }

  /** The newest revision when credentials were first demanded; `null` if they never were. */
  get requiredSince(): Revision | null {
    return this.#requiredSince?.() ?? null
  }

  /** Whether an entry is from before credentials were first demanded: its author is only what the client said. */
  isUnproven(revision: Revision): boolean {
    const since = this.requiredSince
    return since !== null && revision <= since
  }

  /** Figures for metrics and for people. */
  get figures() {
    const view = this.#served.current
    return {
      queueDepth: this.#committer.depth,
      headRevision: this.#served.head,
      viewRevision: view?.revision ?? 0,
      floor: this.#served.floor,
      /** Whether the database has a history that may not take the place of the served one. */
      isReplaced: this.#history.refusal !== undefined,
      /** How long ago the store confirmed that the view was complete; 0 before the first load. */
      ageMs: this.#board.ageMs,
      loadedRecords: this.#served.loadedRecords,
      refusedRecords: view?.refusedCount ?? 0,
      past: this.#reader.figures,
    }
  }

  /**
   * Opens the store and loads the view. It tries until it succeeds, or until `stop`. If the store cannot be reached for some seconds, and
   * there is a snapshot, it resolves as soon as that is served, and goes on by itself.
   *
   * @throws the first definite answer, such as a wrong password or a schema that cannot be migrated, if no snapshot is served by then
   */
  start(): Promise<void> {
    this.#starting ??= this.#start(this.#stop.signal)
    return this.#starting
  }

  async #start(stop: AbortSignal): Promise<void> {
    if (stop.aborted) return
    this.#served.watchMemory(stop)
    await this.#starter.start(stop, () => this.#watchStore(stop))
  }

  #watchStore(stop: AbortSignal): void {
    this.#follower.start()
    this.#examiner.start(stop)
    this.#watch = setInterval(() => {
      this.#board.lookAtClock()
      this.#clock.look()
    }, watchIntervalMs).unref()
  }

  /**
   * Stores a commit. Resolves when the view has it.
   *
   * @param values the parsed `data` of each write, if the caller has made it, so that it need not be parsed and checked again
   * @param askedAt the start of the time limit, on the monotonic clock. @default now
   * @throws COORD_NOT_LOADED, COORD_MEMORY_FULL, COORD_COMMIT_REFUSED, COORD_COMMIT_QUEUE_FULL, COORD_SHUTTING_DOWN, or a
   * COORD_STORE_* error with `outcome`
   */
  commit(
    commit: Commit,
    values?: readonly JsonObject[],
    askedAt = performance.now(),
  ): Promise<CommitOutcome> {
    const view = this.#served.current
    if (view === undefined) return Promise.reject(this.#served.notLoaded.withOutcome('not_written'))
    const refusal = this.#history.refusal ?? this.#served.storeRefusal
    if (refusal !== undefined) return Promise.reject(refusal)
    // The present lineage: when there is memory for the commit, the view may have another history than its conditions.
    const client = currentClient() ?? ''
    return this.#committer.commit({ commit, values, lineage: view.lineage, askedAt, client })
  }

  /**
   * Waits until the view has a revision.
   *
   * @throws COORD_REVISION_WAIT_TIMEOUT
   */
  waitForRevision(revision: Revision): Promise<void> {
    return this.#reader.waitForRevision(revision)
  }

  /**
   * Brings the view up to everything that was committed before this call. Needs the store.
   *
   * @throws COORD_REVISION_WAIT_TIMEOUT, and what the store throws
   */
  catchUp(): Promise<void> {
    return this.#reader.catchUp()
  }

  /**
   * Does the same as `catchUp`, within the time limit of a write.
   *
   * @param askedAt the start of the time limit, on the monotonic clock
   * @throws COORD_STORE_TIMEOUT, and what `catchUp` throws
   */
  catchUpInTime(askedAt: number): Promise<void> {
    return this.#reader.catchUpInTime(askedAt)
  }

  /** A part of the journal. Needs the store; waits in the queue of reads of the past: see `PastQueue`. */
  changes(after: Position, limit: number): Promise<ChangesReply> {
    return this.#reader.changes(after, limit)
  }

  /**
   * The history of one record. Needs the store; waits in the queue of reads of the past: see `PastQueue`. Resolves when the view has the
   * commits of the page.
   *
   * @throws COORD_REVISION_WAIT_TIMEOUT, COORD_STORE_BUSY, and what the store throws
   */
  history(kind: string, id: string, options?: HistoryOptions): Promise<HistoryPage> {
    return this.#reader.history(kind, id, options)
  }

  /**
   * Records as they were at a moment. Needs the store; each page waits in the queue of reads of the past: see `PastQueue`. The first page
   * comes when the view has reached that moment.
   *
   * @throws COORD_REVISION_WAIT_TIMEOUT, COORD_STORE_BUSY, and what the store throws; COORD_REVISION_FUTURE
   * also for a time in the future
   */
  asOf(moment: Moment, filter?: AsOfFilter): AsyncGenerator<AsOfPage> {
    return this.#reader.asOf(moment, filter)
  }

  /**
   * Does some work at the stop, when the last commits are stored and the store is still open.
   *
   * @param work gets the milliseconds that are left, and is abandoned afterwards. It must not reject
   */
  beforeClose(work: (leftMs: number) => Promise<void>): void {
    this.#last.push(work)
  }

  /**
   * Stops in order: stores the waiting commits, and does the work for the end, for at most `timeoutMs`; then closes the store. It takes
   * little longer even if the store hangs.
   */
  async stop(timeoutMs = 5_000): Promise<void> {
    const end = performance.now() + timeoutMs
    this.#stop.abort()
    this.#board.stop()
    clearInterval(this.#watch)
    // `start` itself reports its failure. Here it only matters that it is over.
    const started = this.#starting?.catch(() => undefined)
    await Promise.all([
      this.#committer.close(timeoutMs),
      within(timeoutMs, this.#follower.stop()),
      within(timeoutMs, started),
      within(timeoutMs, this.#starter.ended()),
    ])
    const leftMs = Math.max(0, end - performance.now())
    await Promise.all(this.#last.map((work) => within(leftMs, work(leftMs))))
    this.#served.end()
    await within(closeTimeoutMs, this.store.close())
  }
}
