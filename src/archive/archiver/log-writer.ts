import type { OffTrack, Store } from '../../database/store.ts'
import { CoordinatorError } from '../../errors.ts'
import type { Entry, Position } from '../../records/record.ts'
import type { Destination } from '../destination/destination.ts'
import type { ArchivedLineage, NewFile } from '../format/archive-format.ts'
import { parseFileName } from '../format/file-name.ts'
import { splitLog, writeLog } from '../format/write-log.ts'
import { type ArchivedLog, byRevisions, chainOf, type Mark, markOf } from '../inventory/trail.ts'
import { readJournal } from './read-journal.ts'

/** How a copy of the journal ended. */
export type Copied =
  /** Everything is archived. */
  | { readonly status: 'complete'; readonly accessVersion: string }
  /** The store has no entries after the end of the archive: see `OffTrack`. */
  | { readonly status: 'off track'; readonly reply: OffTrack }

export interface LogWriterParts {
  readonly store: Pick<Store, 'changes'>
  readonly destination: Destination
  readonly recipients: readonly string[]
  /** Writes a file, and counts it. */
  readonly write: (file: NewFile) => Promise<void>
}

/** Copies the journal of one lineage into log files, from a mark on. */
export class LogWriter {
  readonly #parts: LogWriterParts
  readonly #history: ArchivedLineage
  #mark: Mark

  constructor(parts: LogWriterParts, history: ArchivedLineage, from: Mark) {
    this.#parts = parts
    this.#history = history
    this.#mark = { revision: from.revision, digest: from.digest }
  }

  /** The end of what is archived. */
  get position(): Position {
    return { lineage: this.#history.lineage, ...this.#mark }
  }

  /** Leaves out what the journal no longer has. */
  skipTo({ revision, digest }: Mark): void {
    this.#mark = { revision, digest }
  }

  /**
   * Archives everything that the journal has now.
   *
   * @throws COORD_ARCHIVE_CONTRADICTION if another archiver of the same lineage archived other entries, and what the store and the
   * destination throw
   */
  async copy(signal: AbortSignal): Promise<Copied> {
    for (;;) {
      const { entries, more, offTrack, accessVersion } = await readJournal(
        this.#parts.store,
        this.#history.lineage,
        this.#mark,
      )
      if (entries.length > 0 && !(await this.#skipArchived(entries, signal)))
        await this.#write(entries, signal)
      if (offTrack !== undefined) return { status: 'off track', reply: offTrack }
      const reached = this.#mark.revision >= (entries.at(-1)?.revision ?? 0)
      if (!more && reached) return { status: 'complete', accessVersion }
      if (signal.aborted) throw new CoordinatorError('COORD_SHUTTING_DOWN')
    }
  }

  async #write(entries: readonly Entry[], signal: AbortSignal): Promise<void> {
    const { recipients, write } = this.#parts
    const page = { ...this.#history, after: this.position, entries }
    for (const part of splitLog(page)) {
      if (signal.aborted) throw new CoordinatorError('COORD_SHUTTING_DOWN')
      await write(await writeLog(part, { recipients }))
      this.skipTo(part.entries.at(-1) as Entry)
    }
  }

  /**
   * Goes on after what another coordinator has archived since. Otherwise several coordinators would archive everything several times.
   *
   * @returns whether there was such a thing
   */
  async #skipArchived(entries: readonly Entry[], signal: AbortSignal): Promise<boolean> {
    const chain = chainOf(await this.#listNext(signal), this.#mark)
    const last = chain.at(-1)
    if (last === undefined) return false
    const first = (entries[0] as Entry).revision
    for (const log of chain) {
      const same = entries[log.last - first]
      if (same !== undefined && same.digest !== log.digest)
        throw contradiction(
          `The file ${log.file.name} ends with revision ${log.last}, which has another digest in the database.`,
        )
    }
    this.#mark = markOf(last)
    return true
  }

  /** Log files that begin near the end of the archive. The names of a thousand revisions begin alike. */
  async #listNext(signal: AbortSignal): Promise<ArchivedLog[]> {
    const { lineage } = this.#history
    const begins = String(this.#mark.revision + 1)
      .padStart(16, '0')
      .slice(0, -3)
    const logs: ArchivedLog[] = []
    for await (const file of this.#parts.destination.list(`${lineage}/log/${begins}`, signal)) {
      const name = parseFileName(file.name)
      if (name?.kind === 'log') logs.push({ ...name, file })
    }
    return logs.sort(byRevisions)
  }
}

export function contradiction(detail: string): CoordinatorError {
  return new CoordinatorError('COORD_ARCHIVE_CONTRADICTION', { detail })
}
