import type { AccessState, AccessStore } from '../../database/store.ts'
import type { CoordinatorError } from '../../errors.ts'
import type { Revision } from '../../records/record.ts'
import { pause, within } from '../../scheduling/backoff.ts'
import { forNobody } from '../../scheduling/client-question.ts'
import type { ArchiveSource } from '../archiver/archive-source.ts'
import { writeWholeBase } from '../archiver/write-whole-base.ts'
import { accessDigest, writeAccess } from '../format/access-file.ts'
import type { BasePoint } from '../format/archive-format.ts'
import { snapshotFault } from './snapshot-faults.ts'
import type { SnapshotFolder } from './snapshot-folder.ts'
import type { NotedAccess, SnapshotNote } from './snapshot-note.ts'

/** The shortest pause after a snapshot, or its note, was written. Milliseconds. */
const REST_MS = 1_000
/** How long the database may take to tell the tokens, in milliseconds. */
const ACCESS_TIMEOUT_MS = 2_000

/** What is served, and how far the database has confirmed it. */
export interface SnapshotSource extends ArchiveSource {
  /** `undefined` while nothing is served, or the database has not confirmed it since the start. */
  confirmed(): { readonly confirmedAt: number; readonly floor: Revision } | undefined
}

export interface SnapshotObserver {
  /** All records were written. */
  written?(facts: { readonly revision: Revision; readonly bytes: number; readonly durationMs: number }): void
  /** A snapshot could not be written. Told again only after one could. */
  failing?(error: CoordinatorError): void
  recovered?(): void
}

export interface SnapshotWriterOptions {
  readonly source: SnapshotSource
  readonly access: Pick<AccessStore, 'load'>
  readonly folder: SnapshotFolder
  /** See `snapshotNameOf`. */
  readonly database: string
  /** How often a snapshot is written if something has changed. @default 300_000 (milliseconds) */
  readonly intervalMs?: number
  /** The part of the time in which records may be written. @default 0.01 */
  readonly share?: number
  readonly observer?: SnapshotObserver
  /** Epoch milliseconds. @default the clock of this machine */
  readonly clock?: () => number
}

/** Tokens, and when the database was asked for them. */
interface KnownAccess {
  readonly state: AccessState
  readonly confirmedAt: number
}

/** A snapshot that is whole. */
interface Whole {
  readonly folder: string
  readonly note: SnapshotNote
  /** The digest of the tokens in it. */
  readonly tokens: string | undefined
}

/**
 * Keeps snapshots of what a coordinator serves. A new one is written when something has changed; otherwise only the time of the last one is
 * renewed. A snapshot that cannot be written disturbs nothing else.
 */
export class SnapshotWriter {
  readonly #options: SnapshotWriterOptions
  readonly #observer: SnapshotObserver
  readonly #clock: () => number
  readonly #intervalMs: number
  readonly #share: number
  readonly #stop = new AbortController()
  #wake = new AbortController()
  #loop: Promise<void> | undefined
  readonly #end = new AbortController()
  #whole: Whole | undefined
  #access: KnownAccess | undefined
  /** When the next snapshot with all records may be written, on the monotonic clock. */
  #notBefore = Number.NEGATIVE_INFINITY
  #isFailing = false

  constructor(options: SnapshotWriterOptions) {
    this.#options = options
    this.#observer = options.observer ?? {}
    this.#clock = options.clock ?? Date.now
    this.#intervalMs = options.intervalMs ?? 300_000
    this.#share = options.share ?? 0.01
  }

  /** Begins. It never throws: what fails is told, and tried again. */
  start(): void {
    this.#loop ??= forNobody(() => this.#run())
  }

  /** The database has confirmed what is served for the first time, or its tokens have changed: the snapshot follows at once. */
  look(): void {
    this.#wake.abort()
  }

  /**
   * Writes what has changed, and ends.
   *
   * @param leftMs how long that may take, in milliseconds. Then it is abandoned, and the snapshot before counts
   */
  async finish(leftMs: number): Promise<void> {
    if (this.#loop === undefined) return
    const last = async () => {
      this.#end.abort()
      this.#wake.abort()
      await this.#loop
      this.#notBefore = Number.NEGATIVE_INFINITY
      await this.#tryWrite()
    }
    await within(leftMs, last())
    this.#stop.abort()
  }

  async #run(): Promise<void> {
    const { signal } = this.#end
    while (!signal.aborted) {
      await this.#tryWrite()
      await pause(REST_MS, signal)
      const intervalMs = this.#intervalMs * (0.95 + Math.random() / 10)
      await pause(Math.max(intervalMs, this.#notBefore - performance.now()), this.#wake.signal)
      if (!signal.aborted) this.#wake = new AbortController()
    }
  }

  async #tryWrite(): Promise<void> {
    try {
      await this.#write()
      if (this.#isFailing) this.#observer.recovered?.()
      this.#isFailing = false
    } catch (thrown) {
      if (this.#stop.signal.aborted) return
      if (!this.#isFailing) this.#observer.failing?.(snapshotFault(thrown))
      this.#isFailing = true
    }
  }

  async #write(): Promise<void> {
    if (this.#options.source.confirmed() === undefined) return
    await this.#readAccess()
    const served = this.#options.source.served()
    if (served === undefined) return
    const isSame = this.#whole !== undefined && isSamePoint(this.#whole.note.point, served)
    if (isSame || performance.now() < this.#notBefore) await this.#confirm(served)
    else await this.#writeWhole()
  }

  /** If the database does not tell the tokens, those that are known count, with the time at which they were read. */
  async #readAccess(): Promise<void> {
    const confirmedAt = this.#clock()
    const state = this.#options.access.load().then((read) => {
      this.#access = { state: read, confirmedAt }
    })
    // The live layer reports faults of the database.
    await within(
      ACCESS_TIMEOUT_MS,
      state.catch(() => undefined),
    )
  }

  /** Renews the times of the newest snapshot, and its tokens. */
  async #confirm(served: BasePoint): Promise<void> {
    const [whole, confirmed] = [this.#whole, this.#options.source.confirmed()]
    if (whole === undefined || confirmed === undefined) return
    // While the records have changed and must wait, only the tokens are renewed.
    const times = isSamePoint(whole.note.point, served) ? confirmed : whole.note
    await this.#note(whole.folder, { ...whole.note, ...timesOf(times) })
  }

  async #writeWhole(): Promise<void> {
    const { source, folder: snapshots, database } = this.#options
    const { signal } = this.#stop
    const startedAt = performance.now()
    const [confirmed, taken] = [source.confirmed(), source.snapshot()]
    if (confirmed === undefined || taken === undefined) return
    const folder = snapshots.newFolder(this.#clock())
    const files: string[] = []
    let bytes = 0
    try {
      await writeWholeBase(taken, {
        ...{ recipients: [], clock: this.#clock },
        write: async ({ name, content }) => {
          await snapshots.write(folder, name, content, signal)
          files.push(name)
          bytes += content.length
        },
      })
      await this.#note(folder, { database, point: taken.point, files, ...timesOf(confirmed) })
    } catch (thrown) {
      // On a full disk, what is there of it would be missed by others.
      await snapshots.remove(folder)
      throw thrown
    } finally {
      const durationMs = performance.now() - startedAt
      this.#notBefore = performance.now() + Math.max(this.#intervalMs * 0.9, durationMs / this.#share)
    }
    const durationMs = performance.now() - startedAt
    this.#observer.written?.({ revision: taken.point.revision, bytes, durationMs: Math.round(durationMs) })
    await snapshots.prune(this.#clock(), folder)
  }

  /** Writes the note of a snapshot, and before it the tokens, if the snapshot has others. */
  async #note(folder: string, { access: _, ...note }: SnapshotNote): Promise<void> {
    const access = await this.#writeAccess(folder, note.point)
    const written = access === undefined ? note : { ...note, access: access.noted }
    const isThere = await this.#options.folder.writeNote(folder, written, this.#stop.signal)
    // Another one is then written as soon as the share of the time permits.
    this.#whole = isThere ? { folder, note: written, tokens: access?.digest } : undefined
  }

  async #writeAccess(
    folder: string,
    point: BasePoint,
  ): Promise<{ noted: NotedAccess; digest: string } | undefined> {
    const known = this.#access
    if (known === undefined) return undefined
    const { state, confirmedAt } = known
    const digest = accessDigest(state)
    const whole = this.#whole?.folder === folder ? this.#whole : undefined
    const before = whole?.tokens === digest ? whole.note.access?.file : undefined
    if (before !== undefined) return { noted: { file: before, confirmedAt }, digest }
    const { name, content } = await writeAccess(state, point, { at: this.#clock() })
    await this.#options.folder.write(folder, name, content, this.#stop.signal)
    return { noted: { file: name, confirmedAt }, digest }
  }
}

function timesOf({ confirmedAt, floor }: Pick<SnapshotNote, 'confirmedAt' | 'floor'>) {
  return { confirmedAt, floor }
}

function isSamePoint(left: BasePoint, right: BasePoint): boolean {
  return left.lineage === right.lineage && left.revision === right.revision && left.digest === right.digest
}
