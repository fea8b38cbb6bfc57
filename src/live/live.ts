import { checkContinuity } from '../database/check-continuity.ts'
import {
  type AsOfFilter,
  type AsOfPage,
  type ChangesReply,
  type Head,
  type HistoryOptions,
  type HistoryPage,
  type Moment,
  NOW,
  type OffTrack,
  type Store,
} from '../database/store.ts'
import { CoordinatorError, toCoordinatorError } from '../errors.ts'
import type { JsonObject } from '../records/canonical-json.ts'
import type { Commit, Entry, Position, Revision } from '../records/record.ts'
import { Backoff, within } from '../scheduling/backoff.ts'
import { currentQuestion, forNobody } from '../scheduling/client-question.ts'
import { ClockWatch } from './following/clock-watch.ts'
import { Examiner } from './following/examiner.ts'
import { Follower } from './following/follower.ts'
import { LatestHead } from './following/latest-head.ts'
import { RevisionWaiters } from './following/revision-waiters.ts'
import type { LiveObserver } from './live-observer.ts'
import { LIVE_DEFAULTS, type LiveOptions } from './live-options.ts'
import { keptBytes } from './memory/kept-bytes.ts'
import { type MemoryBudget, type MemoryState, processMemory } from './memory/memory-budget.ts'
import { exhausted } from './memory/memory-faults.ts'
import { PastQueue } from './questions/past-queue.ts'
import { type LiveStatus, StatusBoard } from './status.ts'
import { advanceView, type LoadedView } from './view/load-view.ts'
import type { Domain } from './view/projection.ts'
import { Retainer } from './view/retention.ts'
import type { KnownValues, View } from './view/view.ts'
import { ViewLoader } from './view/view-loader.ts'
import { CommitAdmission } from './writing/commit-admission.ts'
import { type Answered, type CommitOutcome, Committer } from './writing/committer.ts'

/** How long the store may take to close, in milliseconds. */
const closeTimeoutMs = 2_000
/** How many reads of the past run at the same time if the store has no connections for them. */
const placesWithoutPool = 2
/** How often the age of the view is checked while no requests come, in milliseconds. */
const watchIntervalMs = 100
/** How far ahead of this machine's clock that of the database may be. A time so near counts as now. */
const clockToleranceMs = 60_000

/**
 * The live copy of a store: reads come from memory, writes are gathered and stored, the commits of others are followed,
 * and outages are sat out. The same for every backend.
 */
export class Live {
  readonly store: Store
  readonly memory: MemoryBudget
  readonly #options: LiveOptions
  readonly #observers: LiveObserver[] = []
  readonly #board: StatusBoard
  readonly #committer: Committer
  readonly #follower: Follower
  readonly #retainer: Retainer
  readonly #admission: CommitAdmission
  readonly #loader: ViewLoader
  readonly #examiner: Examiner
  readonly #clock: ClockWatch
  readonly #waiters = new RevisionWaiters()
  readonly #past: PastQueue
  readonly #head: LatestHead
  readonly #stop = new AbortController()
  #view: View | undefined
  /** The position of the view that was dropped to make room for the next one. */
  #dropped: Position | undefined
  #toldMemory: MemoryState = 'free'
  #knownHead: Revision = 0
  #floor: Revision = 0
  #reloading: Promise<void> | undefined
  #starting: Promise<void> | undefined
  /** Where the view stood when the store contradicted it: that is told once, also when mending it takes several tries. */
  #contradictedAt: Position | undefined
  #watch: NodeJS.Timeout | undefined

  constructor(bare: Store, domain: Domain, options: Partial<LiveOptions> = {}) {
    const store = checkContinuity(bare)
    this.store = store
    this.#options = { ...LIVE_DEFAULTS, ...options }
    this.memory = this.#options.memory ?? processMemory()
    this.#board = new StatusBoard({
      durable: store.durable,
      unconfirmedMaxMs: this.#options.pollMaxMs + this.#options.confirmationMarginMs,
      changed: (status) => this.#tell((observer) => observer.status?.(status)),
    })
    // A store without connections of its own for them has none to count.
    this.#past = new PastQueue({ places: () => store.pool?.().reader.max || placesWithoutPool })
    this.#head = new LatestHead(() => forNobody(() => store.head()))
    const port = {
      store,
      board: this.#board,
      position: () => this.#position,
      knownHead: () => this.#knownHead,
      noteHead: (head: Head) => this.#noteHead(head),
      take: (entries: readonly Entry[], asked: Position, values?: KnownValues) =>
        this.#take(entries, asked, values),
      confirmed: (askedAt: number) => this.#confirm(askedAt),
      drain: () => this.#follower.drain(),
      realign: (reply: OffTrack, asked: Position) => this.#realign(reply, asked),
      reload: (reason: string) => this.#reload(reason),
      sent: (batch: { commits: number; durationMs: number }) =>
        this.#tell((observer) => observer.batch?.(batch)),
      answered: (how: Answered, durationMs: number) =>
        this.#tell((observer) => observer.committed?.(how, durationMs)),
    }
    this.#committer = new Committer(port, this.#options)
    this.#follower = new Follower(
      { ...port, canFollow: () => this.memory.state !== 'exhausted' },
      this.#options,
    )
    this.#loader = new ViewLoader({
      store,
      domain,
      memory: this.memory,
      drop: () => this.#drop(),
      failed: (error) => this.#board.failed('memory', error),
    })
    this.#admission = new CommitAdmission(this.memory, {
      view: () => this.#view,
      knownHead: () => this.#knownHead,
      refused: () => this.#tell((observer) => observer.memoryRefused?.()),
    })
    this.#retainer = new Retainer(
      {
        store,
        floor: () => this.#floor,
        viewRevision: () => this.#position.revision,
        retained: (head) => this.#retained(head),
        failed: (error) => this.#tell((observer) => observer.backgroundFailure?.('retention', error)),
      },
      this.#options,
    )
    this.#clock = new ClockWatch({
      store,
      at: () => this.#view?.at,
      told: (aheadMs) => this.#tell((observer) => observer.clock?.(aheadMs)),
      failed: (error) => this.#tell((observer) => observer.backgroundFailure?.('clock', error)),
    })
    this.#examiner = new Examiner(
      {
        store,
        examined: (damage) => this.#board.examined(damage),
        failed: (error) => this.#tell((observer) => observer.backgroundFailure?.('examination', error)),
      },
      this.#options,
    )
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
    const loading =
      this.status.state === 'loading' ? ` ${this.#loader.loadedRecords} records have arrived.` : ''
    throw new CoordinatorError('COORD_NOT_LOADED', {
      detail: `The coordinator is ${this.status.state}.${loading}${this.status.reason === undefined ? '' : ` ${this.status.reason}`}`,
      retryAfterSeconds: 1,
      // A caller that reads the view after a write may be the one that wrote.
      ...(this.#dropped === undefined ? {} : { outcome: 'unknown' as const }),
    })
  }

  /** The position of the view, or of the last one if it was dropped. */
  get #position(): Position {
    return this.#view === undefined && this.#dropped !== undefined ? this.#dropped : this.view.position
  }

  /** Figures for metrics and for people. */
  get figures() {
    return {
      queueDepth: this.#committer.depth,
      headRevision: this.#knownHead,
      viewRevision: this.#view?.revision ?? 0,
      floor: this.#floor,
      /** How long ago the store confirmed that the view was complete; 0 before the first load. */
      ageMs: this.#board.ageMs,
      loadedRecords: this.#loader.loadedRecords,
      refusedRecords: this.#view?.refusedCount ?? 0,
      past: this.#past.figures,
    }
  }

  /**
   * Opens the store and loads the view, for as long as it takes, or until `stop`.
   *
   * @throws the first definite answer, such as a wrong password or a schema that cannot be migrated
   */
  start(): Promise<void> {
    this.#starting ??= this.#start()
    return this.#starting
  }

  async #start(): Promise<void> {
    const forget = this.memory.watch((state) => this.#memoryChanged(state))
    this.#stop.signal.addEventListener('abort', forget)
    const backoff = new Backoff({ firstMs: 100, maxMs: 2_000 })
    for (let opened = false; !this.#stop.signal.aborted; ) {
      try {
        if (!opened) await this.store.open()
        opened = true
        this.#board.enter('loading')
        const loaded = await this.#loader.load()
        if (this.#stop.signal.aborted) return
        this.#serve(loaded, 'start')
        this.#follower.start()
        this.#retainer.start()
        this.#examiner.start()
        this.#watch = setInterval(() => this.#lookAtClocks(), watchIntervalMs)
        this.#watch.unref()
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
   * @param values what the `data` of each write says, where that is at hand: it need not be parsed again
   * @param askedAt from when on its time counts, on the monotonic clock. @default now
   * @throws COORD_NOT_LOADED, COORD_MEMORY_FULL, COORD_COMMIT_REFUSED, COORD_COMMIT_QUEUE_FULL, COORD_SHUTTING_DOWN, or a
   * COORD_STORE_* error with `outcome`
   */
  commit(commit: Commit, values?: readonly JsonObject[], askedAt?: number): Promise<CommitOutcome> {
    if (this.#view === undefined) return Promise.reject(this.#notLoaded())
    // Now: it may have to wait for memory, and the history that its conditions are about may be another one by then.
    const { lineage } = this.#view
    return this.#admission.run(commit, () => this.#committer.commit(commit, { values, lineage, askedAt }))
  }

  /**
   * Waits until the view has a revision.
   *
   * @throws COORD_REVISION_WAIT_TIMEOUT
   */
  async waitForRevision(revision: Revision): Promise<void> {
    if (this.view.revision >= revision) return
    this.#follower.poke()
    const waiting = this.#waiters.wait(
      revision,
      this.#options.revisionTimeoutMs,
      () => this.#position.revision,
    )
    await (currentQuestion()?.orEnd(waiting) ?? waiting)
  }

  /**
   * Brings the view up to everything that was committed before this call. Needs the store.
   *
   * @throws COORD_REVISION_WAIT_TIMEOUT, and what the store throws
   */
  async catchUp(): Promise<void> {
    const known = this.view.position
    const head = await this.#ask(() => this.#head.ask())
    // The store has another position than the view. The follower finds out why.
    if (head.position.lineage !== known.lineage || head.position.revision < known.revision)
      await this.#ask(() => this.#follower.drain())
    this.#noteHead(head)
    await this.waitForRevision(head.position.revision)
  }

  /**
   * The same for a write that was asked for at a moment of the monotonic clock: in the time that the write has.
   *
   * @throws COORD_STORE_TIMEOUT, and what `catchUp` throws
   */
  async catchUpInTime(askedAt: number): Promise<void> {
    const { commitTimeoutMs } = this.#options
    const leftMs = askedAt + commitTimeoutMs - performance.now()
    let caughtUp = false
    const noting = async () => {
      await this.catchUp()
      caughtUp = true
    }
    if (leftMs > 0) await within(leftMs, noting())
    if (!caughtUp)
      throw new CoordinatorError('COORD_STORE_TIMEOUT', {
        detail: `The database did not answer within ${commitTimeoutMs} ms.`,
        retryAfterSeconds: 2,
      })
  }

  /** A part of the journal. Needs the store, in turn with others: see `PastQueue`. */
  changes(after: Position, limit: number): Promise<ChangesReply> {
    return this.#ask(() => this.#past.run(() => this.store.changes(after, limit, 'client')))
  }

  /**
   * What happened to one record. Needs the store, in turn with others: see `PastQueue`. Resolves when the view has what the
   * page shows.
   *
   * @throws COORD_REVISION_WAIT_TIMEOUT, COORD_STORE_BUSY, and what the store throws
   */
  async history(kind: string, id: string, options?: HistoryOptions): Promise<HistoryPage> {
    const page = await this.#ask(() => this.#past.run(() => this.store.history(kind, id, options)))
    await this.#reach(page.position)
    return page
  }

  /**
   * Records as they stood. Needs the store, for each page in turn with others: see `PastQueue`. The first page comes when
   * the view has that moment.
   *
   * @throws COORD_REVISION_WAIT_TIMEOUT, COORD_STORE_BUSY, and what the store throws; COORD_REVISION_FUTURE
   * also for a time in the future
   */
  async *asOf(moment: Moment, filter?: AsOfFilter): AsyncGenerator<AsOfPage> {
    const { at } = this.view
    const now = Date.now()
    // `now` means the newest revision, even if its time is ahead of the clock of this machine.
    const asked = 'at' in moment && moment.at >= now && moment.at <= now + clockToleranceMs ? NOW : moment
    if ('at' in asked && asked !== NOW && asked.at > Math.max(at, now) + clockToleranceMs)
      throw new CoordinatorError('COORD_REVISION_FUTURE', {
        detail: 'That time is still to come.',
        extra: { head: this.view.revision },
      })
    let reached = false
    const pages = this.store.asOf(asked, filter)[Symbol.asyncIterator]()
    try {
      for (;;) {
        const { done, value } = await this.#past.run(() => pages.next())
        if (done === true) return
        if (!reached) await this.#reach(value.position)
        reached = true
        yield value
      }
    } catch (thrown) {
      throw toCoordinatorError(thrown, 'COORD_STORE_FAULT')
    } finally {
      // A page that is still being read ends by itself, and nobody waits for it.
      void pages.return?.().catch(() => undefined)
    }
  }

  /**
   * Ends in order: what waits is stored, for at most `timeoutMs`; then the store is closed. Takes little longer even where
   * the store hangs.
   */
  async stop(timeoutMs = 5_000): Promise<void> {
    this.#stop.abort()
    this.#board.stop()
    clearInterval(this.#watch)
    this.#retainer.stop()
    this.#examiner.stop()
    // A failure to start is the answer of `start`; here it only matters that it is over.
    const started = this.#starting?.catch(() => undefined)
    await Promise.all([
      this.#committer.close(timeoutMs),
      within(timeoutMs, this.#follower.stop()),
      within(timeoutMs, started),
    ])
    this.#waiters.end()
    await within(closeTimeoutMs, this.store.close())
  }

  #lookAtClocks(): void {
    this.#board.lookAtClock()
    this.#clock.look()
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
      const asked = question()
      const answer = await (currentQuestion()?.orEnd(asked) ?? asked)
      this.#follower.storeAnswered()
      return answer
    } catch (thrown) {
      throw toCoordinatorError(thrown, 'COORD_STORE_FAULT')
    }
  }

  /**
   * Waits until the view has the revision that an answer of the store shows. Otherwise the next answer could show an older state.
   *
   * @throws COORD_REVISION_WAIT_TIMEOUT, COORD_STORE_BUSY where the view is of another history
   */
  async #reach({ lineage, revision }: Position): Promise<void> {
    // The store has another position than the view. The follower finds out why.
    if (this.view.lineage !== lineage) await this.#ask(() => this.#follower.drain())
    else this.#knownHead = Math.max(this.#knownHead, revision)
    await this.waitForRevision(revision)
    if (this.view.lineage !== lineage)
      throw new CoordinatorError('COORD_STORE_BUSY', { detail: 'The history changed while it was read.' })
  }

  async #take(entries: readonly Entry[], asked: Position, values?: KnownValues): Promise<boolean> {
    if (this.#view === undefined) {
      await this.#reload('The view was dropped, to make room for the next one.')
      return false
    }
    await this.#makeRoomFor(entries)
    // Another history than the one that was asked about: its revisions mean something else. A late answer may come from
    // one that is over, such as that of a database which has failed over since.
    if (this.view.lineage !== asked.lineage || this.#contradicts(entries, asked)) return false
    try {
      this.#apply(entries, values)
      return true
    } catch (thrown) {
      const { message } = toCoordinatorError(thrown)
      await this.#reload(message)
      throw thrown
    }
  }

  /** Deletions always have room, because they free memory. @throws COORD_MEMORY_EXCEEDED */
  async #makeRoomFor(entries: readonly Entry[]): Promise<void> {
    let bytes = 0
    for (const { writes } of entries) bytes += keptBytes(writes)
    if (bytes === 0 || this.memory.hasRoom(bytes, 'exhausted')) return
    if (!(await this.memory.claimRoom(bytes, 'exhausted'))) throw exhausted(this.memory)
  }

  #memoryChanged(state: MemoryState): void {
    const fault = state === 'exhausted' ? exhausted(this.memory) : this.#loader.tooLarge
    if (fault === undefined) this.#board.succeeded('memory')
    else this.#board.failed('memory', fault)
    // Nothing is written while records are loaded, and the end of the load is reported in any case.
    if (this.#view !== undefined) this.#tellMemory(state)
    if (state !== 'exhausted') this.#follower.poke()
  }

  #tellMemory(state: MemoryState): void {
    if (state === this.#toldMemory) return
    this.#toldMemory = state
    const { usedBytes, limitBytes } = this.memory
    this.#tell((observer) => observer.memory?.(state, { usedBytes, limitBytes }))
  }

  /** Whether the view has another entry in the place of one of these. */
  #contradicts(entries: readonly Entry[], asked: Position): boolean {
    const common = Math.min(entries.length, this.view.revision - asked.revision)
    const known = entries[common - 1]
    return known !== undefined && this.view.digestAt(known.revision) !== known.digest
  }

  #apply(entries: readonly Entry[], values: KnownValues | undefined): void {
    const fresh = this.view.apply(entries, values)
    if (fresh.length === 0) return
    this.#knownHead = Math.max(this.#knownHead, this.view.revision)
    this.#waiters.reached(this.view.revision)
    for (const { writes } of fresh) {
      this.memory.grew(keptBytes(writes))
      if (writes.some(({ op }) => op === 'delete')) this.memory.shrank()
    }
    if (this.#observers.some(({ entry }) => entry !== undefined))
      for (const entry of fresh) this.#tell((observer) => observer.entry?.(entry))
    this.#retainer.grown()
  }

  /** The store has answered from where the view is, so it is right as it is, and no reload is owed any more. */
  #confirm(askedAt: number): void {
    this.#board.confirmed(askedAt)
    if (this.#reloading === undefined) this.#board.markStale(undefined)
  }

  #noteHead({ position, floor }: Head): void {
    if (position.lineage !== this.#view?.lineage) return
    this.#floor = Math.max(this.#floor, floor)
    this.#knownHead = Math.max(this.#knownHead, position.revision)
  }

  /** The store cannot say what follows the view, or contradicts it. */
  async #realign(reply: OffTrack, asked: Position): Promise<void> {
    const { lineage, revision } = this.#position
    // The view has moved on since the question: the answer says nothing about where it is now.
    if (lineage !== asked.lineage || revision !== asked.revision) return
    if (reply.status === 'compacted') await this.#reload(`The journal after revision ${revision} is gone.`)
    else
      await this.#reload(
        `The database has another history (${reply.status} at revision ${revision}): it was restored or lost its newest commits.`,
        reply,
      )
  }

  #reload(reason: string, contradiction?: OffTrack): Promise<void> {
    this.#reloading ??= forNobody(() => this.#replaceView(reason, contradiction)).finally(() => {
      this.#reloading = undefined
    })
    return this.#reloading
  }

  async #replaceView(reason: string, contradiction: OffTrack | undefined): Promise<void> {
    this.#board.markStale(reason)
    if (contradiction !== undefined) await this.#contradict(contradiction)
    const loaded = await this.#loader.load()
    const [view, shown] = [loaded.view, () => this.#position]
    // Commits may have been answered from the old view meanwhile: within a lineage no reader may see it go back.
    while (view.lineage === shown().lineage && view.revision < shown().revision)
      await advanceView(this.store, view, shown().revision)
    // Before: else it would be told as degraded once more where nothing was served meanwhile.
    this.#board.markStale(undefined)
    this.#serve(loaded, reason)
  }

  /** Clients that saw what the database no longer knows must learn so: by a new lineage. */
  async #contradict(reply: OffTrack): Promise<void> {
    const known = this.#position
    let { head } = reply
    // Others may write before the fork comes. To go on in the old lineage would put their entries in the place of those that
    // clients have seen.
    while (head.position.lineage === known.lineage) head = await this.store.fork(head.position)
    if (this.#contradictedAt === known) return
    this.#contradictedAt = known
    this.#tell((observer) => observer.contradicted?.(reply, known))
  }

  /** Lets go of the view, to make room for the next one. Says whether there was one. */
  #drop(): boolean {
    if (this.#view === undefined) return false
    const reason = this.#board.status.reason ?? 'The view is built anew.'
    this.#dropped = this.#view.position
    this.#view = undefined
    this.#board.enter('loading')
    this.#tell((observer) => observer.dropped?.(reason))
    return true
  }

  #serve({ view, head, askedAt }: LoadedView, reason: string): void {
    this.#view = view
    this.#dropped = undefined
    this.#knownHead = view.revision
    this.#floor = head.floor
    this.#confirm(askedAt)
    this.#memoryChanged(this.memory.state)
    this.#board.succeeded('read')
    this.#board.enter('serving')
    this.#waiters.reached(view.revision)
    this.#tell((observer) => observer.replaced?.(view, reason))
  }

  #retained(head: Head): void {
    const rose = head.floor > this.#floor
    this.#noteHead(head)
    this.#view?.forgetDeletionsUpTo(head.floor)
    if (rose) this.memory.shrank()
    if (rose) this.#tell((observer) => observer.compacted?.(head))
  }

  #tell(what: (observer: LiveObserver) => void): void {
    for (const observer of this.#observers) what(observer)
  }
}
