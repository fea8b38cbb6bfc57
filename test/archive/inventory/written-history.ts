import { writeAccess } from '../../../src/archive/format/access-file.ts'
import type { ArchivedLineage, NewFile } from '../../../src/archive/format/archive-format.ts'
import { recordSize, writeBase } from '../../../src/archive/format/write-base.ts'
import { writeLog } from '../../../src/archive/format/write-log.ts'
import type { Entry } from '../../../src/records/record.ts'
import {
  collected,
  inPages,
  newLineage,
  pointAfter,
  recordsAfter,
  SAMPLE_START,
  sampleEntries,
} from '../../support/archive-samples.ts'

/** A history that is written to an archive in pieces. */
export class WrittenHistory implements ArchivedLineage {
  readonly lineage: string
  readonly ancestors: readonly string[]
  /** All entries from the beginning on, those of its ancestors, too. */
  readonly entries: Entry[]
  recipients: readonly string[] = []

  /** The digest of revision 0: the lineage that the history began with. */
  readonly start: string

  constructor(
    { lineage, ancestors }: ArchivedLineage = newLineage(),
    { entries, start }: { entries: readonly Entry[]; start: string } = { entries: [], start: lineage },
  ) {
    this.start = start
    this.lineage = lineage
    this.ancestors = ancestors
    this.entries = [...entries]
  }

  /** Commits more. */
  grow(count: number): this {
    this.entries.push(...sampleEntries(this.#markAt(this.entries.length), count))
    return this
  }

  /** A history that has the first revisions of this one, and then goes its own way. */
  fork(revision = this.entries.length): WrittenHistory {
    const lineage = newLineage([...this.ancestors, this.lineage])
    return new WrittenHistory(lineage, {
      entries: this.entries.slice(0, revision),
      // A history without any commit begins anew with its lineage.
      start: revision === 0 ? lineage.lineage : this.start,
    })
  }

  async base(revision: number, recordBytes?: number): Promise<NewFile[]> {
    const entries = this.entries.slice(0, revision)
    const records = recordsAfter(entries)
    const point = { ...pointAfter(this, entries), ...this.#markAt(revision) }
    return collected(
      writeBase(point, inPages(records), {
        recordBytes: recordBytes ?? records.reduce((sum, record) => sum + recordSize(record), 0),
        at: () => SAMPLE_START,
        recipients: this.recipients,
      }),
    )
  }

  log(first: number, last: number): Promise<NewFile> {
    const { lineage, ancestors, recipients } = this
    const after = { lineage, ...this.#markAt(first - 1) }
    return writeLog(
      { lineage, ancestors, after, entries: this.entries.slice(first - 1, last) },
      { recipients },
    )
  }

  access(at: number): Promise<NewFile> {
    return writeAccess({ requiredSince: null, tokens: [] }, this, { at, recipients: this.recipients })
  }

  timeOf(revision: number): number {
    return this.entries[revision - 1]?.at ?? 0
  }

  #markAt(revision: number): { revision: number; digest: string } {
    return { revision, digest: this.entries[revision - 1]?.digest ?? this.start }
  }
}
