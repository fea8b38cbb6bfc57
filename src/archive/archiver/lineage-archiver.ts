import type { OffTrack, Store } from '../../database/store.ts'
import { CoordinatorError } from '../../errors.ts'
import type { Revision } from '../../records/record.ts'
import type { Destination } from '../destination/destination.ts'
import type { ArchivedLineage, NewFile } from '../format/archive-format.ts'
import { type Mark, newestBase, readTrail, TrailCollector } from '../inventory/trail.ts'
import { AccessWriter } from './access-writer.ts'
import type { ArchiveSource, RecordsAtOnce } from './archive-source.ts'
import type { BackupObserver } from './backup-figures.ts'
import { BaseSchedule } from './base-schedule.ts'
import { findStart } from './find-start.ts'
import { contradiction, LogWriter } from './log-writer.ts'
import { pruneArchive } from './prune-archive.ts'
import { putFile } from './put-file.ts'
import { rewriteLogs } from './rewrite-logs.ts'
import { writeWholeBase } from './write-whole-base.ts'

/**
 * A contradiction counts only if so many questions in a row found it. A coordinator whose database lost commits begins a new lineage
 * meanwhile, and a standby catches up.
 */
const CONTRADICTIONS = 6
/** How often it is looked whether the newest base is still there, in milliseconds. */
const SEE_MS = 3_600_000

export interface LineageArchiverParts {
  readonly store: Pick<Store, 'changes' | 'access'>
  readonly destination: Destination
  readonly source: ArchiveSource
  readonly history: ArchivedLineage
  readonly recipients: readonly string[]
  readonly baseHours: number
  readonly keepDays: number
  /** The longest wait after a failure, in milliseconds. */
  readonly retryMaxMs: number
  /** Epoch milliseconds. */
  readonly clock: () => number
  readonly observer: BackupObserver
  readonly wrote: (bytes: number) => void
  /** Told how a base, or the work after it, ended. */
  readonly based: (fault: unknown) => void
  readonly stop: AbortSignal
}

/** Archives one lineage, as long as it is served. */
export class LineageArchiver {
  readonly #parts: LineageArchiverParts
  readonly #ending = new AbortController()
  readonly #signal: AbortSignal
  readonly #schedule: BaseSchedule
  readonly #access: AccessWriter
  #log: LogWriter | undefined
  /** Where to go on if the journal no longer reaches back to the first mark. */
  #laterMarks: readonly Mark[] = []
  #base: Promise<void> | undefined
  #newestBase: (Mark & { readonly writtenAt: number }) | undefined
  /** The moment of the base that is being written. */
  #begunBase: Mark | undefined
  /** The log goes on after a gap, and the base there is not complete yet. Nothing after the gap can be restored without it. */
  #gap: { readonly before: Revision; readonly after: Revision } | undefined
  #contradictions = 0
  /** When the newest base was last found in the archive. Epoch milliseconds. */
  #seenAt = 0

  constructor(parts: LineageArchiverParts) {
    this.#parts = parts
    this.#signal = AbortSignal.any([parts.stop, this.#ending.signal])
    this.#schedule = new BaseSchedule(parts)
    const { store, destination, recipients, clock } = parts
    const write = (file: NewFile) => this.#write(file)
    this.#access = new AccessWriter(
      { access: store.access, destination, recipients, clock, write },
      parts.history,
    )
  }

  get lineage(): string {
    return this.#parts.history.lineage
  }

  /** The newest revision that can be restored. Without a base, that is none. */
  get archived(): Revision {
    return this.#newestBase === undefined ? 0 : (this.#gap?.before ?? this.#log?.position.revision ?? 0)
  }

  /** When the newest base was written. Epoch milliseconds; 0 if there is none. */
  get baseAt(): number {
    return this.#newestBase?.writtenAt ?? 0
  }

  /** Finds where the archive ends. */
  async begin(): Promise<void> {
    const { history, observer } = this.#parts
    const { trail, marks } = await findStart(this.#parts, history, this.#signal)
    const newest = newestBase(trail)
    if (newest !== undefined) this.#know(newest)
    const [first, ...later] = marks
    if (first !== undefined) this.#startLog(first)
    this.#laterMarks = later
    const from = first?.revision ?? this.#parts.source.served()?.revision ?? 0
    observer.begun?.({ lineage: this.lineage, from, hasBase: newest !== undefined })
  }

  /**
   * Archives what the journal has now, and the tokens if they changed. Begins a base if one is due.
   *
   * @returns whether everything is archived. Otherwise it is worth asking again soon
   * @throws COORD_ARCHIVE_CONTRADICTION, and what the store and the destination throw
   */
  async archive(): Promise<boolean> {
    if (this.#newestBase !== undefined && this.#base === undefined) await this.#see(this.#newestBase)
    if (this.#newestBase === undefined) await this.#firstBase()
    else if (this.#schedule.isDue && this.#base === undefined) await this.#nextBase()
    if (this.#log === undefined) return false
    const copied = await this.#log.copy(this.#signal)
    if (copied.status === 'off track') return this.#offTrack(this.#log, copied.reply)
    this.#contradictions = 0
    this.#laterMarks = []
    await this.#access.copy(copied.accessVersion, this.#signal)
    return this.#newestBase !== undefined && this.#gap === undefined
  }

  /** After a failure: the destination that comes back may be another one, or empty. */
  look(): void {
    this.#seenAt = 0
  }

  /** Ends the work under way. */
  async end(): Promise<void> {
    this.#ending.abort()
    await this.ended()
  }

  /** Resolves when nothing is under way any more. */
  async ended(): Promise<void> {
    await this.#base
  }

  /** Somebody may have emptied the archive. Without its base, nothing that is written into it can be restored. */
  async #see({ revision, digest }: Mark): Promise<void> {
    const { destination, clock, observer } = this.#parts
    const now = clock()
    if (Math.abs(now - this.#seenAt) < SEE_MS) return
    const found = new TrailCollector(this.lineage)
    const prefix = `${this.lineage}/base/${String(revision).padStart(16, '0')}-${digest}-`
    for await (const file of destination.list(prefix, this.#signal)) found.add(file)
    this.#seenAt = now
    if (newestBase(found.trail()) !== undefined) return
    this.#newestBase = undefined
    observer.lost?.({ revision })
  }

  #offTrack(log: LogWriter, { status, head }: OffTrack): boolean {
    // The coordinator soon serves the other history.
    if (head.position.lineage !== this.lineage) return false
    if (status === 'compacted') {
      this.#skip(log)
      return false
    }
    // A copy that is not complete yet, or a frozen store whose place another one has taken: that one archives the rest.
    if (status === 'ahead' && head.mode !== 'open') return false
    this.#contradictions += 1
    if (this.#contradictions < CONTRADICTIONS) return false
    const { revision } = log.position
    throw contradiction(
      status === 'ahead'
        ? `The archive has revision ${revision}, and the database only ${head.position.revision} of the same history.`
        : `The archive has another revision ${revision} than the database, in the same history.`,
    )
  }

  /** The journal no longer has what follows the end of the archive. The log goes on after a base, as soon as there is a newer one. */
  #skip(log: LogWriter): void {
    const { revision } = log.position
    const next = this.#laterMarks.find((mark) => mark.revision > revision)
    this.#laterMarks = []
    if (next !== undefined) return log.skipTo(next)
    const newest = this.#begunBase ?? this.#newestBase
    if (newest !== undefined && newest.revision > revision) {
      if (newest !== this.#newestBase)
        this.#gap = { before: this.#gap?.before ?? revision, after: newest.revision }
      log.skipTo(newest)
      return this.#parts.observer.gap?.({ from: revision + 1, to: newest.revision })
    }
    this.#schedule.needed()
    if (this.#schedule.isDue || this.#base !== undefined) return
    throw new CoordinatorError('COORD_REVISION_COMPACTED', {
      detail: `The journal after revision ${revision} was compacted before it was archived. The next base makes later moments restorable.`,
      hint: 'Raise JOURNAL_KEEP_REVISIONS and JOURNAL_KEEP_HOURS, so that the journal outlasts an outage of the destination of the backups.',
    })
  }

  /** Without a base, logs are of no use. Its failure is that of the attempt under way. */
  async #firstBase(): Promise<void> {
    const snapshot = this.#snapshot()
    if (snapshot === undefined) return
    if (this.#log === undefined) this.#startLog(snapshot.point)
    await this.#writeBase(snapshot)
    this.#inBackground(() => this.#tidy(snapshot.point.revision))
  }

  /** Another coordinator may have written one. */
  async #nextBase(): Promise<void> {
    const { destination, clock } = this.#parts
    const newest = newestBase(await readTrail(destination, this.lineage, this.#signal))
    if (newest !== undefined && newest.revision > (this.#newestBase?.revision ?? -1)) {
      this.#know(newest)
      if (!this.#schedule.isDue) return
    }
    const snapshot = this.#snapshot()
    if (snapshot === undefined) return
    if (snapshot.point.revision !== newest?.revision) return this.#startBase(snapshot)
    // Without a change there would be the same files again. A base that failed before is no longer missed.
    this.#schedule.done(clock())
    this.#parts.based(undefined)
  }

  #startBase(snapshot: RecordsAtOnce): void {
    this.#inBackground(async () => {
      await this.#writeBase(snapshot)
      await this.#tidy(snapshot.point.revision)
    })
  }

  #inBackground(work: () => Promise<void>): void {
    const tell = (fault: unknown) => {
      // What was cut off when the lineage ended is no fault.
      if (!this.#signal.aborted) this.#parts.based(fault)
    }
    this.#base = work()
      .then(() => tell(undefined), tell)
      .finally(() => {
        this.#base = undefined
        this.#begunBase = undefined
      })
  }

  async #writeBase(snapshot: RecordsAtOnce): Promise<void> {
    const { recipients, clock, observer, destination, retryMaxMs } = this.#parts
    const { revision, digest } = snapshot.point
    this.#schedule.begun()
    this.#begunBase = { revision, digest }
    let [files, bytes] = [0, 0]
    await writeWholeBase(snapshot, {
      recipients,
      clock,
      write: async (file) => {
        await putFile(destination, file, { signal: this.#signal, retryMaxMs })
        files += 1
        bytes += file.content.length
        this.#parts.wrote(file.content.length)
      },
    })
    this.#begunBase = undefined
    this.#know({ revision, digest, writtenAt: clock() })
    this.#access.look()
    observer.based?.({ revision, files, bytes })
  }

  /** The work after a base. */
  async #tidy(until: Revision): Promise<void> {
    const { history, keepDays, clock, destination, observer } = this.#parts
    const write = (file: NewFile) => this.#write(file)
    await rewriteLogs({ ...this.#parts, write }, { history, until }, this.#signal)
    const options = { keepDays, now: clock(), signal: this.#signal }
    const { removed, removedBytes } = await pruneArchive(destination, history, options)
    if (removed.length > 0) observer.pruned?.({ files: removed.length, bytes: removedBytes })
  }

  #know({ revision, digest, writtenAt }: Mark & { readonly writtenAt: number }): void {
    this.#newestBase = { revision, digest, writtenAt }
    this.#seenAt = this.#parts.clock()
    if (this.#gap !== undefined && revision >= this.#gap.after) this.#gap = undefined
    this.#schedule.done(writtenAt)
  }

  /** Every record of this lineage; `undefined` if another one is served by now. */
  #snapshot(): RecordsAtOnce | undefined {
    const snapshot = this.#parts.source.snapshot()
    return snapshot?.point.lineage === this.lineage ? snapshot : undefined
  }

  #startLog(from: Mark): void {
    const { store, destination, recipients, history } = this.#parts
    const write = (file: NewFile) => this.#write(file)
    this.#log = new LogWriter({ store, destination, recipients, write }, history, from)
  }

  async #write(file: NewFile): Promise<void> {
    await this.#parts.destination.write(file.name, file.content, this.#signal)
    this.#parts.wrote(file.content.length)
  }
}
