import type { CoordinatorError } from '../errors.ts'
import type { Position, Revision } from '../records/record.ts'
import type { ConnectionFigures } from './pool.ts'

/** The reads that a replica may answer. Reads of the present are answered from memory, and writes go to the primary. */
export const replicaOperations = ['load', 'as_of', 'history'] as const
export type ReplicaOperation = (typeof replicaOperations)[number]

/**
 * What became of a read that a replica may answer:
 * - `answered`: a replica answered it.
 * - `behind`: a replica had not yet what was asked for, or already what the primary does not show yet, and was passed over.
 * - `other_history`: a replica showed another history than the primary, and was passed over.
 * - `failed`: a replica did not answer, or broke off, and was passed over.
 * - `primary`: no replica answered it, and the primary did.
 */
export const replicaOutcomes = ['answered', 'behind', 'other_history', 'failed', 'primary'] as const
export type ReplicaOutcome = (typeof replicaOutcomes)[number]

/** What is known about a replica without asking it now. */
export interface ReplicaFigures {
  /** The server that answered last, or the first one of its URL: `10.0.0.2:5432`. For people, never for a metric. */
  readonly host: string
  /** What the server said about itself when it was asked last. `primary`: it was promoted, or was never a replica. */
  readonly role: 'standby' | 'primary' | 'unknown'
  /** The newest outcome of it; `unknown` before the first. */
  readonly state: Exclude<ReplicaOutcome, 'primary'> | 'unknown'
  /** Its newest revision, as far as is known. */
  readonly revision: Revision | undefined
  /** How many revisions the primary was ahead when the replica answered last; 0 before. */
  readonly lagRevisions: number
  /** When it answered last. Epoch milliseconds; 0 if it never did. */
  readonly answeredAt: number
  /** Why it did not answer last, without secrets. Absent if it did. */
  readonly failure?: CoordinatorError
  /** Connections to it. They are not part of `Store.pool`, which has those to the primary. Absent if it is asked without any. */
  readonly connections?: ConnectionFigures
}

/** The replicas of a store in the order of the settings, and the reads since it was made. */
export interface ReplicaReport {
  readonly replicas: readonly ReplicaFigures[]
  readonly reads: Readonly<Record<ReplicaOperation, Readonly<Record<ReplicaOutcome, number>>>>
}

/** A replica that was asked just now, for `coordinator doctor`. */
export type ReplicaInspection = {
  readonly host: string
} & (
  | { readonly failure: CoordinatorError }
  | {
      readonly failure?: undefined
      /** Whether the server replays the journal of another server. */
      readonly standby: boolean
      readonly position: Position
      /** Whether its history is that of the primary. */
      readonly sameHistory: boolean
      readonly lagRevisions: number
      /** Whether the primary keeps old row versions for its reads (`hot_standby_feedback`). */
      readonly keepsOldVersions: boolean
      /** After this time a read may be ended because it holds up the replay (`max_standby_streaming_delay`). -1: never. */
      readonly longestReadMs: number
    }
)
