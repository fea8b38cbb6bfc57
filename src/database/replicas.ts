import type { CoordinatorError } from '../errors.ts'
import type { Position, Revision } from '../records/record.ts'
import type {
  ReplicaOperation,
  ReplicaOutcome,
  replicaRoles,
  replicaStates,
} from '../telemetry/metrics/replica-metrics.ts'
import type { ConnectionFigures } from './pool.ts'

// The metrics have the same words.
export type { ReplicaOperation, ReplicaOutcome } from '../telemetry/metrics/replica-metrics.ts'
export {
  replicaOperations,
  replicaOutcomes,
  replicaRoles,
  replicaStates,
} from '../telemetry/metrics/replica-metrics.ts'

/**
 * How long a question waits for a replica that is behind, in milliseconds. A busy primary is ahead of its standbys for a moment after each
 * commit.
 */
export const REPLICA_PATIENCE_MS = 250

/** What is known about a replica without asking it now. */
export interface ReplicaFigures {
  /** The server that answered last, or the first one of its URL: `10.0.0.2:5432`. For people, never for a metric. */
  readonly host: string
  readonly role: (typeof replicaRoles)[number]
  readonly state: (typeof replicaStates)[number]
  /** Its newest revision when it answered last. `undefined` before, and if its schema is too old to tell. */
  readonly revision: Revision | undefined
  /** How many revisions the primary was ahead when the replica answered last. 0 before, which says nothing: see `revision`. */
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
      /** Whether its history is that of the primary, as far as can be told: it may have a commit that the primary does not show yet. */
      readonly sameHistory: boolean
      readonly lagRevisions: number
      /** Whether the primary keeps old row versions for its reads (`hot_standby_feedback`). */
      readonly keepsOldVersions: boolean
      /** After this time a read may be ended because it holds up the replay (`max_standby_streaming_delay`). -1: never. */
      readonly longestReadMs: number
    }
)
