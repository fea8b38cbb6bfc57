import type { Store } from '../../database/store.ts'
import { type CoordinatorError, toCoordinatorError } from '../../errors.ts'
import { Backoff, pause, within } from '../../scheduling/backoff.ts'
import { forNobody } from '../../scheduling/client-question.ts'
import type { Destination } from '../destination/destination.ts'
import type { ArchiveSource } from './archive-source.ts'
import type { BackupFigures, BackupObserver, BackupState, DrillResult } from './backup-figures.ts'
import { LineageArchiver } from './lineage-archiver.ts'
import { repeatDrill } from './repeat-drill.ts'

export interface ArchiverOptions {
  readonly store: Pick<Store, 'changes' | 'access'>
  readonly destination: Destination
  readonly source: ArchiveSource
  /** See BACKUP_INTERVAL_MS. @default 10_000 */
  readonly intervalMs?: number
  /** See BACKUP_BASE_HOURS. @default 24 */
  readonly baseHours?: number
  /** See BACKUP_KEEP_DAYS. @default 35 */
  readonly keepDays?: number
  /** See BACKUP_RECIPIENTS. @default none: not encrypted */
  readonly recipients?: readonly string[]
  /** See BACKUP_DRILL_HOURS. @default 24; 0 never */
  readonly drillHours?: number
  /** Rehearses a restore, in another process. @default there are no drills */
  readonly drill?: (lineage: string, signal: AbortSignal) => Promise<DrillResult>
  /** How often it is looked whether a drill is due. @default 60_000 (milliseconds) */
  readonly drillLookMs?: number
  readonly observer?: BackupObserver
  /** Epoch milliseconds. @default the clock of this machine */
  readonly clock?: () => number
  /** The longest wait after a failure. @default 30_000 (milliseconds) */
  readonly retryMaxMs?: number
}

/** Journal and bases are archived independently of each other. */
type Work = 'journal' | 'base'

/**
 * Archives what a coordinator serves: the journal at every interval, all records now and then. It follows the journal by itself, so nothing
 * that happens to the destination delays a write. Several coordinators may archive the same database.
 */
export class Archiver {
  readonly #options: ArchiverOptions
  readonly #observer: BackupObserver
  readonly #clock: () => number
  readonly #stop = new AbortController()
  readonly #wake = new AbortController()
  readonly #backoff: Backoff
  #of: LineageArchiver | undefined
  #loop: Promise<void> | undefined
  /** What failed, and did not succeed since. */
  readonly #faults = new Map<Work, CoordinatorError>()
  #lastSuccessAt = 0
  #coveredAt: number
  #writtenBytes = 0
  #failures = 0
  #gaps = 0
  #drill: DrillResult | undefined

  constructor(options: ArchiverOptions) {
    this.#options = options
    this.#observer = options.observer ?? {}
    this.#clock = options.clock ?? Date.now
    this.#coveredAt = performance.now()
    this.#backoff = new Backoff({ firstMs: 500, maxMs: options.retryMaxMs ?? 30_000 })
  }

  /** Begins. It never throws: what fails is told, and tried again. */
  start(): void {
    this.#loop ??= forNobody(() => this.#run())
    const { drill, drillLookMs, destination } = this.#options
    const drillHours = this.#drillHours
    if (drill === undefined || drillHours === 0) return
    void repeatDrill(
      {
        ...{ destination, drillHours, clock: this.#clock },
        lineage: () => this.#of?.lineage,
        drill: (lineage) => drill(lineage, this.#stop.signal),
        drilled: (result) => this.#drilled(result),
      },
      this.#stop.signal,
      drillLookMs,
    )
  }

  get figures(): BackupFigures {
    const fault = this.#faults.get('journal') ?? this.#faults.get('base')
    const served = this.#options.source.served()
    const archivedRevision = this.#of?.lineage === served?.lineage ? (this.#of?.archived ?? 0) : 0
    const unarchivedRevisions = Math.max(0, (served?.revision ?? 0) - archivedRevision)
    return {
      url: this.#options.destination.shownUrl,
      state: this.#state,
      ...(fault === undefined ? {} : { reason: fault.message, code: fault.code }),
      ...{ archivedRevision, unarchivedRevisions },
      unarchivedSeconds: unarchivedRevisions === 0 ? 0 : (performance.now() - this.#coveredAt) / 1_000,
      lastSuccessAt: this.#lastSuccessAt,
      baseAt: this.#of?.baseAt ?? 0,
      ...{ writtenBytes: this.#writtenBytes, failures: this.#failures, gaps: this.#gaps },
      drillHours: this.#drillHours,
      ...(this.#drill === undefined ? {} : { drill: this.#drill }),
    }
  }

  get #drillHours(): number {
    const { drill, drillHours = 24 } = this.#options
    return drill === undefined ? 0 : drillHours
  }

  get #state(): BackupState {
    if (this.#faults.get('journal')?.code === 'COORD_ARCHIVE_CONTRADICTION') return 'stopped'
    if (this.#faults.size > 0) return 'failing'
    return this.#lastSuccessAt === 0 ? 'waiting' : 'ok'
  }

  /**
   * Archives what is left, and ends. Call it when the last commits are stored, and the store is still open.
   *
   * @param leftMs how long that may take, in milliseconds. Then it is abandoned: the next start goes on where the archive ends
   */
  async finish(leftMs: number): Promise<void> {
    const last = async () => {
      this.#wake.abort()
      await this.#loop
      // A round that was under way may have begun before the last commits.
      await this.#tryRound()
    }
    if (this.#loop !== undefined) await within(leftMs, last())
    this.#stop.abort()
    await within(Math.min(leftMs, 1_000), Promise.all([this.#loop, this.#of?.ended()]))
    await within(1_000, this.#options.destination.close())
  }

  async #run(): Promise<void> {
    const { intervalMs = 10_000 } = this.#options
    const { signal } = this.#wake
    while (!signal.aborted) {
      const isDone = await this.#tryRound()
      // Several coordinators that were started together should not write at the same moments.
      await pause(isDone ? intervalMs * (0.95 + Math.random() / 10) : this.#backoff.next(), signal)
    }
  }

  /** @returns whether everything is archived */
  async #tryRound(): Promise<boolean> {
    try {
      if (!(await this.#archive())) return false
      this.#lastSuccessAt = this.#clock()
      this.#backoff.reset()
      this.#ended('journal', undefined)
      return true
    } catch (thrown) {
      this.#ended('journal', thrown)
      this.#of?.look()
      return false
    }
  }

  /** @returns whether everything that is served is archived; `false` while there is nothing that could be */
  async #archive(): Promise<boolean> {
    const served = this.#options.source.served()
    if (served === undefined) return false
    if (this.#of?.lineage !== served.lineage) await this.#begin(served.lineage)
    const askedAt = performance.now()
    const isComplete = (await this.#of?.archive()) === true
    if (isComplete) this.#coveredAt = askedAt
    return isComplete
  }

  /** Goes on in the lineage that is served now. */
  async #begin(lineage: string): Promise<void> {
    await this.#of?.end()
    this.#of = undefined
    this.#faults.delete('base')
    const {
      source,
      store,
      destination,
      recipients = [],
      baseHours = 24,
      keepDays = 35,
      retryMaxMs = 30_000,
    } = this.#options
    const served = source.served()
    if (served?.lineage !== lineage) return
    const { ancestors } = served
    const of = new LineageArchiver({
      ...{ store, destination, source, recipients, baseHours, keepDays, retryMaxMs, clock: this.#clock },
      history: { lineage, ancestors },
      observer: {
        ...this.#observer,
        gap: (facts) => {
          this.#gaps += 1
          this.#observer.gap?.(facts)
        },
      },
      wrote: (bytes) => {
        this.#writtenBytes += bytes
      },
      based: (fault) => this.#ended('base', fault),
      stop: this.#stop.signal,
    })
    await of.begin()
    this.#of = of
  }

  /** Some work ended well, or with a fault. Only what differs from before is told. */
  #ended(work: Work, thrown: unknown): void {
    if (this.#stop.signal.aborted) return
    const before = this.#faults.get(work)
    if (thrown === undefined) {
      this.#faults.delete(work)
      if (before !== undefined && this.#faults.size === 0) this.#observer.recovered?.()
      return
    }
    const error = toCoordinatorError(thrown)
    this.#failures += 1
    this.#faults.set(work, error)
    if (before?.code === error.code) return
    if (this.#state === 'stopped') this.#observer.stopped?.(error)
    else this.#observer.failing?.(error)
  }

  #drilled(result: DrillResult): void {
    this.#drill = result
    this.#observer.drilled?.(result)
  }
}
