import type { Revision } from '../../records/record.ts'
import type { ArchivedFile } from '../destination/destination.ts'
import type { ArchivedLineage } from '../format/archive-format.ts'

/** A base with all its parts. */
export interface PlannedBase {
  readonly revision: Revision
  /** The digest of the position. */
  readonly digest: string
  /** In order. At least one. */
  readonly files: readonly ArchivedFile[]
}

/** A log file. */
export interface PlannedLog extends ArchivedFile {
  /**
   * Its entries after this revision are not those of the history: they were written before it left that of its ancestor. Absent if all
   * entries belong to it.
   */
  readonly through?: Revision
}

/** What a restore reads, in order. The lineage is the one that is restored, also where files of its ancestors are read. */
export interface RestorePlan extends ArchivedLineage {
  readonly base: PlannedBase
  /** In order. Files may overlap: entries that were read already are passed over. */
  readonly logs: readonly PlannedLog[]
  /** The bases after the first one, up to the target: their state digests are compared. */
  readonly passedBases: readonly PlannedBase[]
  /** The newest tokens. Absent if the archive has none. */
  readonly access?: ArchivedFile
  /**
   * Other files with tokens, of which only the revocations count. Several coordinators write such files, and one whose clock is wrong, or
   * that was stopped for a while, can have written older tokens into the newest file.
   */
  readonly moreAccess: readonly ArchivedFile[]
  /** Where the restore ends. */
  readonly target: { readonly revision: Revision }
  /** The newest revision of `logs`, or that of the base. */
  readonly lastRevision: Revision
  /** The size of `base` and `logs`, in bytes. */
  readonly bytes: number
}
