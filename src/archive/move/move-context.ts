import type { Store } from '../../database/store.ts'
import type { Revision } from '../../records/record.ts'
import type { Patience } from '../restore/with-patience.ts'

/**
 * What a move does at the moment:
 * - `seed`: it stores the records of the oldest revision that the source still knows, and after it
 * - `replay`: the entries since then.
 * - `follow`: the copy has everything, and gets what is new.
 * - `compare`: it compares all records of both databases.
 * - `cutover`: the source is frozen, and the copy gets its last entries.
 */
export type MovePhase = 'seed' | 'replay' | 'follow' | 'compare' | 'cutover'

export interface MoveProgress {
  readonly phase: MovePhase
  /** Records that were stored, or compared, in this phase. */
  readonly records: number
  /** The revision that the copy has reached. */
  readonly revision: Revision
  /** The newest known revision of the source. */
  readonly headRevision: Revision
}

/** Two stores, opened by the caller, and how to work with them. */
export interface MoveContext {
  /** The source. */
  readonly from: Store
  /** The target. */
  readonly to: Store
  /** How long failures that may pass are tried again, and what ends the work. */
  readonly patience: Patience
  /** Called after each step. @default nothing */
  readonly onProgress?: (progress: MoveProgress) => void
}

/** The most entries of one call of a store. */
export const ENTRIES_PER_CALL = 1_000
/** The most records of one call of a store. */
export const RECORDS_PER_CALL = 2_000
