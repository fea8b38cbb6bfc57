import type { Revision } from '../../records/record.ts'

/**
 * What a restore does at the moment:
 * - `seed`: it stores the records of a base.
 * - `replay`: it stores the entries after the base.
 * - `finish`: it stores the tokens, begins the new lineage, compares what the database has with the base, and opens it.
 */
export type RestorePhase = 'seed' | 'replay' | 'finish'

export interface RestoreProgress {
  readonly phase: RestorePhase
  /** The revision that the database has reached. */
  readonly revision: Revision
  /** The revision of the base, where the replay begins. */
  readonly baseRevision: Revision
  /** The revision where the restore ends. */
  readonly lastRevision: Revision
  /** Records of the base that were stored so far. */
  readonly records: number
  /** Records that were read from the database and compared, at the end. */
  readonly comparedRecords: number
  /** The size of the files that were read, and of all files of the plan, in bytes. */
  readonly bytes: number
  readonly ofBytes: number
}

export interface RestoreReport {
  /** The lineage that was restored. It is the newest ancestor of `lineage`. */
  readonly previous: string
  /** The lineage that the restored history has from now on. */
  readonly lineage: string
  readonly revision: Revision
  /** Time of the entry of that revision. Epoch milliseconds. */
  readonly at: number
  /** The revision from which on the history of records is complete, and `asOf` answers. */
  readonly floor: Revision
  /** Tokens that the database has now, without those that were revoked or have expired. */
  readonly activeTokens: number
  /** Bases whose state digest was compared with what the entries give, besides the first one. */
  readonly comparedBases: readonly Revision[]
  /** Whether an earlier, interrupted restore had begun. */
  readonly resumed: boolean
  readonly bytes: number
  /** Milliseconds. */
  readonly tookMs: number
}
