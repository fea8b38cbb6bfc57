import type {
  AsOfFilter,
  AsOfPage,
  Head,
  HistoryOptions,
  HistoryPage,
  Moment,
  OffTrack,
  Store,
} from '../database/store.ts'
import { CoordinatorError, toCoordinatorError } from '../errors.ts'
import type { Commit, Entry, Position, Revision } from '../records/record.ts'
import { Backoff } from './backoff.ts'
import { type CommitOutcome, Committer } from './committer.ts'
import { Follower } from './follower.ts'
import { loadView } from './load-view.ts'
import type { Domain } from './projection.ts'
import { retain } from './retention.ts'
import { RevisionWaiters } from './revision-waiters.ts'
import { type LiveStatus, StatusBoard } from './status.ts'
import type { View } from './view.ts'

/** All times in milliseconds unless the name says otherwise. */
export interface LiveOptions {
  /** How long a commit may take. @default 10_000 */
  readonly commitTimeoutMs: number
  /** How many commits may wait. @default 20_000 */
  readonly queueMax: number
  /** Commits in a batch. @default 512 */
  readonly batchMaxCommits: number
  /** Size of `data` in a batch, in UTF-16 code units. @default 1_048_576 */
  readonly batchMaxSize: number
  /** Wait between questions to the journal while it moves. @default 100 */
  readonly pollMinMs: number
  /** The same while it rests. @default 500 */
  readonly pollMaxMs: number
  /** How long the view may stay behind without progress. @default 10_000 */
  readonly stallTimeoutMs: number
  /** How long `waitForRevision` waits. @default 3_000 */
  readonly revisionTimeoutMs: number
  /** History younger than this is kept; `0`: no such rule. @default 720 (hours) */
  readonly keepHours: number
  /** So many of the newest revisions are kept. @default 100_000 */
  readonly keepRevisions: number
  /** How often history is forgotten, with a jitter of a tenth. @default 3_600_000 */
  readonly retentionIntervalMs: number
}

export const LIVE_DEFAULTS: LiveOptions = {
  commitTimeoutMs: 10_000,
  queueMax: 20_000,
  batchMaxCommits: 512,
  batchMaxSize: 1_048_576,
  pollMinMs: 100,
  pollMaxMs: 500,
  stallTimeoutMs: 10_000,
  revisionTimeoutMs: 3_000,
  keepHours: 720,
  keepRevisions: 100_000,
  retentionIntervalMs: 3_600_000,
}

/** Hears what happens, for logs, metrics and streams. Must not throw, and must not wait. */
export interface LiveObserver {
  status?(status: LiveStatus): void
  /** An entry was applied to the served view. */
  entry?(entry: Entry): void
  /** Another view is served: everything derived from entries has to start anew from its position. */
  replaced?(view: View, reason: string): void
  batch?(batch: { readonly commits: number; readonly durationMs: number }): void
  /** The database contradicted the view, and a new lineage was started or found. */
  contradicted?(reply: OffTrack, known: Position): void
  compacted?(head: Head): void
  /** Work in the background failed; it will be tried again. */
  backgroundFailure?(task: 'retention', error: CoordinatorError): void
}

/**
 * The live copy of a store: reads come from memory, writes are gathered and stored, the commits of others are followed,
 * and outages are sat out. The same for every backend.
 */
export class Live {
  readonly store: Store
  readonly #domain: Domain
  readonly #options: LiveOptions
  readonly #observers: LiveObserver[] = []
  readonly #board: StatusBoard
  readonly #committer: Committer
  readonly #follower: Follower
  readonly #waiters = new RevisionWaiters()
  readonly #stop = new AbortController()
  #view: View | undefined
  #knownHead: Revision = 0
  #floor: Revision = 0
  #confirmedAt = 0
  #loadedRecords = 0
  #reloading: Promise<void> | undefined
  #retentionTimer: NodeJS.Timeout | undefined
  #retaining = false

  constructor(store: Store, domain: Domain, options: Partial<LiveOptions> = {}) {
    this.store = store
    this.#domain = domain
    this.#options = { ...LIVE_DEFAULTS, ...options }
    this.#board = new StatusBoard(store.durable, (status) =>
      this.#tell((observer) => observer.status?.(status)),
    )
    const port = {
      store,
      board: this.#board,
      position: () => this.view.position,
      knownHead: () => this.#knownHead,
      apply: (entries: readonly Entry[]) => this.#apply(entries),
      confirmed: () => this.#confirm(),
      drain: () => this.#follower.drain(),
      realign: (reply: OffTrack) => this.#realign(reply),
      reload: (reason: string) => this.#reload(reason),
      sent: (batch: { commits: number; durationMs: number }) =>
        this.#tell((observer) => observer.batch?.(batch)),
    }
    this.#committer = new Committer(port, this.#options)
    this.#follower = new Follower(port, this.#options)
  }

  observe(observer: LiveObserver): void {
    this.#observers.push(observer)
  }

  get status(): LiveStatus {
    return this.#board.status
  }

  /** Whether a view is there to be read. */
  get loaded(): boolean {
    return this.#view !== undefined
  }

  /** @throws COORD_NOT_LOADED before the first load */
  get view(): View {
    if (this.#view !== undefined) return this.#view
    const loading = this.status.state === 'loading' ? ` ${this.#loadedRecords} records have arrived.` : ''
    throw new CoordinatorError('COORD_NOT_LOADED', {
      detail: `The coordinator is ${this.status.state}.${loading}${this.status.reason === undefined ? '' : ` ${this.status.reason}`}`,
      retryAfterSeconds: 1,
    })
  }

  /** Figures for metrics and for people. */
  get figures() {
    return {
      queueDepth: this.#committer.depth,
      headRevision: this.#knownHead,
      viewRevision: this.#view?.revision ?? 0,
      floor: this.#floor,
      /** How long ago the store confirmed that the view was complete; 0 before the first load. */
      ageMs: this.#confirmedAt === 0 ? 0 : Date.now() - this.#confirmedAt,
      loadedRecords: this.#loadedRecords,
      refusedRecords: this.#view?.refusedCount ?? 0,
    }
  }

  /**
   * Opens the store and loads the view, for as long as it takes.
   *
   * @throws the first definite answer, such as a wrong password or a schema that cannot be migrated
   */
  async start(): Promise<void> {
    const backoff = new Backoff({ firstMs: 100, maxMs: 2_000 })
    while (!this.#stop.signal.aborted) {
      try {
        this.#board.enter('connecting')
        await this.store.open()
        this.#board.enter('loading')
        this.#serve(await this.#load(), 'start')
        this.#follower.start()
        this.#scheduleRetention()
        return
      } catch (thrown) {
        const error = toCoordinatorError(thrown)
        // A local file does not come back by itself, as a server does.
        if (!error.retryable || error.exitCode === 74) throw error
        this.#board.failed('read', error)
        await backoff.wait(this.#stop.signal)
      }
    }
  }

  /**
   * Stores a commit. Resolves when the view has it.
   *
   * @throws COORD_NOT_LOADED, COORD_COMMIT_REFUSED, COORD_COMMIT_QUEUE_FULL, COORD_SHUTTING_DOWN, or a COORD_STORE_*
   * error with `outcome`
   */
  commit(commit: Commit): Promise<CommitOutcome> {
    if (this.#view === undefined) return Promise.reject(this.#notLoaded())
    return this.#committer.commit(commit)
  }

  /**
   * Waits until the view has a revision.
   *
   * @throws COORD_REVISION_WAIT_TIMEOUT
   */
  async waitForRevision(revision: Revision): Promise<void> {
    if (this.view.revision >= revision) return
    this.#follower.poke()
    await this.#waiters.wait(revision, this.#options.revisionTimeoutMs, () => this.view.revision)
  }

  /** Brings the view up to everything that was committed before this call. Needs the store. */
  async catchUp(): Promise<void> {
    const { lineage } = this.view
    const head = await this.#ask(() => this.store.head())
    if (head.position.lineage !== lineage) await this.#follower.drain()
    this.#noteHead(head)
    await this.waitForRevision(head.position.revision)
  }

  /** What happened to one record. Needs the store. */
  history(kind: string, id: string, options?: HistoryOptions): Promise<HistoryPage> {
    return this.#ask(() => this.store.history(kind, id, options))
  }

  /** Records as they stood. Needs the store. */
  async *asOf(moment: Moment, filter?: AsOfFilter): AsyncGenerator<AsOfPage> {
    this.view
    try {
      yield* this.store.asOf(moment, filter)
    } catch (thrown) {
      throw toCoordinatorError(thrown, 'COORD_STORE_FAULT')
    }
  }

  /** Ends in order: what waits is stored, for at most `timeoutMs`; then the store is closed. */
  async stop(timeoutMs = 5_000): Promise<void> {
    this.#stop.abort()
    clearTimeout(this.#retentionTimer)
    await this.#committer.close(timeoutMs)
    await this.#follower.stop()
    await this.store.close()
  }

  #notLoaded(): CoordinatorError {
    try {
      this.view
    } catch (thrown) {
      return toCoordinatorError(thrown).withOutcome('not_written')
    }
    return new CoordinatorError('COORD_NOT_LOADED', { outcome: 'not_written' })
  }

  async #ask<T>(question: () => Promise<T>): Promise<T> {
    this.view
    try {
      return await question()
    } catch (thrown) {
      throw toCoordinatorError(thrown, 'COORD_STORE_FAULT')
    }
  }

  #apply(entries: readonly Entry[]): void {
    const fresh = this.view.apply(entries)
    if (fresh.length === 0) return
    this.#knownHead = Math.max(this.#knownHead, this.view.revision)
    this.#waiters.reached(this.view.revision)
    if (this.#observers.some(({ entry }) => entry !== undefined))
      for (const entry of fresh) this.#tell((observer) => observer.entry?.(entry))
    this.#confirm()
    this.#retainSoon()
  }

  #confirm(): void {
    this.#confirmedAt = Date.now()
  }

  #noteHead({ position, floor }: Head): void {
    this.#floor = floor
    if (position.lineage === this.#view?.lineage)
      this.#knownHead = Math.max(this.#knownHead, position.revision)
  }

  /** The view and the store do not agree. Where the store contradicts it, clients must learn so: by a new lineage. */
  async #realign(reply: OffTrack): Promise<void> {
    const known = this.view.position
    if (reply.status === 'compacted')
      return this.#reload(`The journal after revision ${known.revision} is gone.`)
    if (this.#reloading !== undefined) return this.#reloading
    this.#tell((observer) => observer.contradicted?.(reply, known))
    if (reply.head.position.lineage === known.lineage) await this.store.fork(reply.head.position)
    await this.#reload(
      `The database has another history (${reply.status} at revision ${known.revision}): it was restored or lost its newest commits.`,
    )
  }

  #reload(reason: string): Promise<void> {
    this.#reloading ??= this.#replaceView(reason).finally(() => {
      this.#reloading = undefined
    })
    return this.#reloading
  }

  async #replaceView(reason: string): Promise<void> {
    this.#board.markStale(reason)
    this.#serve(await this.#load(), reason)
    this.#board.markStale(undefined)
  }

  async #load(): Promise<View> {
    this.#loadedRecords = 0
    return loadView(this.store, this.#domain, (records) => {
      this.#loadedRecords = records
    })
  }

  #serve(view: View, reason: string): void {
    this.#view = view
    this.#knownHead = view.revision
    this.#confirm()
    this.#board.succeeded('read')
    this.#board.enter('serving')
    this.#waiters.reached(view.revision)
    this.#tell((observer) => observer.replaced?.(view, reason))
  }

  #scheduleRetention(): void {
    const { retentionIntervalMs } = this.#options
    const delay = retentionIntervalMs * (0.95 + Math.random() / 10)
    this.#retentionTimer = setTimeout(() => {
      this.#retain().finally(() => {
        if (!this.#stop.signal.aborted) this.#scheduleRetention()
      })
    }, delay).unref()
  }

  /** Without a rule by age the journal may outgrow its limit long before an hour is over. */
  #retainSoon(): void {
    const { keepHours, keepRevisions } = this.#options
    if (keepHours > 0 || this.#retaining) return
    if (this.view.revision - this.#floor > keepRevisions * 1.25) void this.#retain()
  }

  async #retain(): Promise<void> {
    this.#retaining = true
    try {
      const head = await retain(this.store, this.#options)
      const rose = head.floor > this.#floor
      this.#noteHead(head)
      this.#view?.forgetDeletionsUpTo(head.floor)
      if (rose) this.#tell((observer) => observer.compacted?.(head))
    } catch (thrown) {
      const error = toCoordinatorError(thrown, 'COORD_STORE_FAULT')
      this.#tell((observer) => observer.backgroundFailure?.('retention', error))
    } finally {
      this.#retaining = false
    }
  }

  #tell(what: (observer: LiveObserver) => void): void {
    for (const observer of this.#observers) what(observer)
  }
}
