import type { Head, OffTrack } from '../../database/store.ts'
import { CoordinatorError, toCoordinatorError } from '../../errors.ts'
import type { Entry, Position, Revision } from '../../records/record.ts'
import { forNobody } from '../../scheduling/client-question.ts'
import { keptBytes } from '../memory/kept-bytes.ts'
import type { MemoryState } from '../memory/memory-budget.ts'
import { exhausted } from '../memory/memory-faults.ts'
import type { StartSnapshot } from '../state/start-snapshot.ts'
import type { LiveContext } from './live-context.ts'
import { advanceView, type LoadedView } from './load-view.ts'
import type { Domain } from './projection.ts'
import { Retainer } from './retention.ts'
import { RevisionWaiters } from './revision-waiters.ts'
import type { KnownValues, View } from './view.ts'
import { ViewLoader } from './view-loader.ts'

/**
 * The served view, with what is known about the store. It takes the entries in the replies of the store. It is loaded again if the store
 * cannot say what follows it.
 */
export class ServedView {
  readonly #context: LiveContext
  readonly #loader: ViewLoader
  readonly #retainer: Retainer
  readonly #waiters = new RevisionWaiters()
  #view: View | undefined
  /** The position of the view that was dropped to make room for the next one. */
  #dropped: Position | undefined
  #head: Revision = 0
  #floor: Revision = 0
  #reloading: Promise<void> | undefined
  /** The position of the view when the store contradicted it. Observers are told once, even if the fork needs several attempts. */
  #contradictedAt: Position | undefined
  #toldMemory: MemoryState = 'free'

  constructor(context: LiveContext, domain: Domain) {
    this.#context = context
    this.#loader = new ViewLoader(context, domain)
    this.#retainer = new Retainer(context, this)
  }

  /** The view; `undefined` while there is none to be read. */
  get current(): View | undefined {
    return this.#view
  }

  /** @throws COORD_NOT_LOADED before the first load */
  get view(): View {
    if (this.#view !== undefined) return this.#view
    throw this.notLoaded
  }

  get notLoaded(): CoordinatorError {
    const { state, reason } = this.#context.board.status
    const loading = state === 'loading' ? ` ${this.loadedRecords} records have arrived.` : ''
    return new CoordinatorError('COORD_NOT_LOADED', {
      detail: `The coordinator is ${state}.${loading}${reason === undefined ? '' : ` ${reason}`}`,
      retryAfterSeconds: 1,
      // The caller may have written just before it reads the view.
      ...(this.#dropped === undefined ? {} : { outcome: 'unknown' as const }),
    })
  }

  /** The position of the view, or of the last view if it was dropped. */
  get position(): Position {
    return this.#view === undefined && this.#dropped !== undefined ? this.#dropped : this.view.position
  }

  /** The newest revision in any answer of the store. */
  get head(): Revision {
    return this.#head
  }

  /** The oldest revision that is known to be kept. */
  get floor(): Revision {
    return this.#floor
  }

  /** How many records of the last load have arrived. */
  get loadedRecords(): number {
    return this.#loader.loadedRecords
  }

  /** Loads the first view, unless `stop` is aborted in the meantime. */
  async start(stop: AbortSignal): Promise<void> {
    this.#context.board.enter('loading')
    const loaded = await this.#load()
    if (stop.aborted) return
    this.#serve(loaded, 'start')
    this.keepHistory(stop)
  }

  /** Builds a view of a snapshot. It is not served yet. See `ViewLoader.loadSnapshot`. */
  prepare(snapshot: StartSnapshot, stop: AbortSignal): Promise<View | undefined> {
    return this.#loader.loadSnapshot(snapshot, stop)
  }

  /** Serves a snapshot until the store confirms or replaces it. Only before the first load. */
  serveSnapshot(view: View, { head, confirmedAt }: Pick<StartSnapshot, 'head' | 'confirmedAt'>): void {
    const { board, history, observers } = this.#context
    history.serve(head)
    this.#view = view
    this.#head = view.revision
    this.#floor = head.floor
    this.#reportMemory()
    board.servesSnapshot(confirmedAt)
    observers.tell('replaced', view, 'start')
  }

  /** The store is open: deletes old history from now on, until `stop` is aborted. */
  keepHistory(stop: AbortSignal): void {
    this.#retainer.start(stop)
  }

  /** Why the store cannot be asked; `undefined` if it can. While a snapshot is served, it may not even be open. */
  get storeRefusal(): CoordinatorError | undefined {
    const { snapshotAt, reason } = this.#context.board.status
    if (snapshotAt === undefined) return undefined
    return new CoordinatorError('COORD_STORE_UNAVAILABLE', {
      ...(reason === undefined ? {} : { detail: reason }),
      outcome: 'not_written',
      retryAfterSeconds: 2,
    })
  }

  /** Reports the state of the memory from now on, until `stop` is aborted. */
  watchMemory(stop: AbortSignal): void {
    const forget = this.#context.memory.watch(() => this.#reportMemory())
    stop.addEventListener('abort', forget)
  }

  /** Nothing will arrive any more. */
  end(): void {
    this.#waiters.end()
  }

  /** Waits until the view has a revision. @throws COORD_REVISION_WAIT_TIMEOUT, COORD_SHUTTING_DOWN */
  wait(revision: Revision): Promise<void> {
    const { revisionTimeoutMs } = this.#context.options
    return this.#waiters.wait(revision, revisionTimeoutMs, () => this.position.revision)
  }

  /** The store has this revision in the history of the view. */
  noteRevision(revision: Revision): void {
    this.#head = Math.max(this.#head, revision)
  }

  /** Notes a head from an answer of the store. A head of another history is ignored. */
  noteHead({ position, floor }: Head): void {
    if (position.lineage !== this.#view?.lineage) return
    this.#floor = Math.max(this.#floor, floor)
    this.noteRevision(position.revision)
  }

  /** The floor was read, and perhaps raised. */
  retained(head: Head): void {
    const rose = head.floor > this.#floor
    this.noteHead(head)
    this.#view?.forgetDeletionsUpTo(head.floor)
    if (!rose) return
    this.#context.memory.shrank()
    this.#context.observers.tell('compacted', head)
  }

  /**
   * Applies the entries after a position to the view.
   *
   * @param values the parsed `data` of writes by revision, if the caller has it
   * @returns `false` if they belong to another history, or there was no view
   * @throws COORD_MEMORY_EXCEEDED, and what the view throws; the view is then loaded again
   */
  async take(entries: readonly Entry[], asked: Position, values?: KnownValues): Promise<boolean> {
    if (this.#view === undefined) {
      await this.reload('The view was dropped, to make room for the next one.')
      return false
    }
    const { memory } = this.#context
    const bytes = bytesOf(entries)
    // Deletions always have room, because they free memory.
    if (bytes > 0 && !memory.hasRoom(bytes, 'exhausted') && !(await memory.confirmRoom(bytes, 'exhausted')))
      throw exhausted(memory)
    // The view may show another history than the one that the question was about: its revisions mean something else. A late answer may also
    // come from a history that is over, such as that of a database that has failed over since.
    if (this.view.lineage !== asked.lineage || this.#contradicts(entries, asked)) return false
    try {
      const fresh = this.view.apply(entries, values)
      if (fresh.length > 0) this.#advanced(fresh, fresh === entries ? bytes : bytesOf(fresh))
      return true
    } catch (thrown) {
      await this.reload(toCoordinatorError(thrown).message)
      throw thrown
    }
  }

  /** Whether the view has other entries than these at the same revisions. */
  #contradicts(entries: readonly Entry[], asked: Position): boolean {
    const common = Math.min(entries.length, this.view.revision - asked.revision)
    const known = entries[common - 1]
    return known !== undefined && this.view.digestAt(known.revision) !== known.digest
  }

  #advanced(entries: readonly Entry[], bytes: number): void {
    const { memory, observers, history } = this.#context
    history.advanced()
    this.noteRevision(this.view.revision)
    this.#waiters.reached(this.view.revision)
    memory.grew(bytes)
    for (const entry of entries) {
      if (entry.writes.some(({ op }) => op === 'delete')) memory.shrank()
      observers.tell('entry', entry)
    }
    this.#retainer.grown()
  }

  /**
   * The store has answered from the position of the view. The view is therefore complete, and need not be loaded again.
   *
   * @param askedAt when the question was sent, on the monotonic clock
   */
  confirm(askedAt: number): void {
    this.#context.board.confirmed(askedAt)
    if (this.#reloading === undefined) this.#context.board.markStale(undefined)
  }

  /**
   * Loads the view again, because the store cannot say what follows it. If the store contradicts the view, it starts a new lineage first.
   */
  async realign(reply: OffTrack, asked: Position): Promise<void> {
    const { lineage, revision } = this.position
    // The view has changed since the question, so the answer says nothing about its present position.
    if (lineage !== asked.lineage || revision !== asked.revision) return
    if (reply.status === 'compacted') await this.reload(`The journal after revision ${revision} is gone.`)
    else
      await this.reload(
        `The database has another history (${reply.status} at revision ${revision}): it was restored, or replaced, or lost its newest commits.`,
        reply,
      )
  }

  /** Loads the view again. Callers in the meantime wait for the same load. */
  reload(reason: string, contradiction?: OffTrack): Promise<void> {
    this.#reloading ??= forNobody(() => this.#replace(reason, contradiction)).finally(() => {
      this.#reloading = undefined
    })
    return this.#reloading
  }

  async #replace(reason: string, contradiction: OffTrack | undefined): Promise<void> {
    const { board, store } = this.#context
    board.markStale(reason)
    if (contradiction !== undefined) await this.#fork(contradiction)
    const loaded = await this.#load()
    const { view } = loaded
    // Commits may have been answered from the old view in the meantime. Within a lineage, no reader may see the view go back.
    while (view.lineage === this.position.lineage && view.revision < this.position.revision)
      await advanceView(store, view, this.position.revision)
    // This comes before `#serve`. If no view was served until now, `#serve` would otherwise report the status `degraded` again.
    board.markStale(undefined)
    this.#serve(loaded, reason)
  }

  /** Starts a new lineage, which tells clients that the database has lost what they saw. */
  async #fork(reply: OffTrack): Promise<void> {
    const { store, history } = this.#context
    const known = this.position
    let { head } = reply
    // Whoever fills the store decides what its history is. A copy that is made again is behind the view for a while.
    if (head.mode !== 'open' && history.isEarlier(head))
      throw new CoordinatorError('COORD_STORE_FROZEN', {
        detail: `The database is in mode \`${head.mode}\`, and its history ends at revision ${head.position.revision}, before the one that is served.`,
        outcome: 'not_written',
      })
    // The backup is from before earlier forks. The other coordinators serve one of these lineages, and follow what descends from it.
    if (history.isEarlier(head) && head.position.lineage !== known.lineage)
      for (const lineage of history.unknownTo(head)) await store.adopt(lineage)
    // Others may write before the fork. If the coordinator continued in the old lineage, their entries would replace those that clients
    // have seen.
    while (history.isEarlier(head)) head = await store.fork(head.position)
    // A database that was filled after it was served empty has lost nothing.
    if (this.#contradictedAt === known || known.revision === 0) return
    this.#contradictedAt = known
    this.#context.observers.tell('contradicted', reply, known)
  }

  #load(): Promise<LoadedView> {
    return this.#loader.load(() => this.#drop())
  }

  /** Drops the view, to make room for the next one. @returns whether there was one */
  #drop(): boolean {
    if (this.#view === undefined) return false
    const { board, observers } = this.#context
    const reason = board.status.reason ?? 'The view is built anew.'
    this.#dropped = this.#view.position
    this.#view = undefined
    board.enter('loading')
    observers.tell('dropped', reason)
    return true
  }

  #serve({ view, head, askedAt }: LoadedView, reason: string): void {
    const { board, history, observers, heads } = this.#context
    history.serve(head)
    this.#view = view
    this.#dropped = undefined
    this.#head = view.revision
    this.#floor = head.floor
    this.confirm(askedAt)
    this.#reportMemory()
    board.succeeded('read')
    board.sawMode(head.mode)
    board.enter('serving')
    this.#waiters.reached(view.revision)
    observers.tell('replaced', view, reason)
    heads.seen(head)
  }

  #reportMemory(): void {
    const { memory, board, observers } = this.#context
    const { state, usedBytes, limitBytes } = memory
    const fault = state === 'exhausted' ? exhausted(memory) : this.#loader.tooLarge
    if (fault === undefined) board.succeeded('memory')
    else board.failed('memory', fault)
    // Without a view nobody can write, so observers need no report then. They get one at the end of the load.
    if (this.#view === undefined || state === this.#toldMemory) return
    this.#toldMemory = state
    observers.tell('memory', state, { usedBytes, limitBytes })
  }
}

function bytesOf(entries: readonly Entry[]): number {
  let bytes = 0
  for (const { writes } of entries) bytes += keptBytes(writes)
  return bytes
}
