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

/** What a restore reads, in order. The lineage is the one that is restored, also where files of its ancestors are read. */
export interface RestorePlan extends ArchivedLineage {
  readonly base: PlannedBase
  readonly logs: readonly ArchivedFile[]
  /** The bases after the first one, up to the target: their state digests are compared. */
  readonly passedBases: readonly PlannedBase[]
  /** The newest tokens. Absent if the archive has none. */
  readonly access?: ArchivedFile
  /** Where the restore ends: at the last entry that is not beyond it. Neither member: at the end of the archive. */
  readonly target: { readonly revision?: Revision; readonly at?: number }
  /** The newest revision of `logs`, or that of the base. */
  readonly lastRevision: Revision
}
