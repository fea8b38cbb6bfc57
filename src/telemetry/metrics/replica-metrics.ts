import type { Meters } from './meters.ts'

/** The reads that a replica may answer. Reads of the present are answered from memory, and writes go to the primary. */
export const replicaOperations = ['load', 'as_of', 'history'] as const
export type ReplicaOperation = (typeof replicaOperations)[number]

/** Why a replica is passed over. */
const reasons = ['behind', 'other_history', 'failed'] as const

/**
 * The outcome of a read that a replica may answer:
 * - `answered`: a replica answered it.
 * - `behind`: a replica was passed over. It did not have yet what was asked for, or already had what the primary does not show yet.
 * - `other_history`: a replica was passed over, because it showed another history than the primary.
 * - `failed`: a replica was passed over, because it did not answer, or broke off.
 * - `primary`: no replica answered it, and the primary did.
 */
export const replicaOutcomes = ['answered', ...reasons, 'primary'] as const
export type ReplicaOutcome = (typeof replicaOutcomes)[number]

/** The newest outcome of a replica; `unknown` before the first. */
export const replicaStates = ['answered', ...reasons, 'unknown'] as const

/** What a server says about itself. `primary`: it was promoted, or was never a replica. `unknown`: it was not asked yet. */
export const replicaRoles = ['standby', 'primary', 'unknown'] as const

const connectionStates = ['idle', 'used', 'waiting'] as const

interface ReplicaFigures {
  readonly role: (typeof replicaRoles)[number]
  readonly state: (typeof replicaStates)[number]
  /** Its newest revision; `undefined` if it is not known. */
  readonly revision: number | undefined
  readonly lagRevisions: number
  /** Epoch milliseconds; 0 if it never answered. */
  readonly answeredAt: number
  /** Why it did not answer last. */
  readonly failure?: unknown
  readonly connections?: Readonly<Record<(typeof connectionStates)[number], number>>
}

export interface ReplicaSources {
  /** Absent if the store reads from no replicas. */
  replicas(): {
    readonly replicas: readonly ReplicaFigures[]
    readonly reads: Readonly<Record<ReplicaOperation, Readonly<Record<ReplicaOutcome, number>>>>
  }
}

/**
 * The replicas, and the reads that they may answer. A replica has no name here but its place in DATABASE_REPLICAS: the first one
 * is 0. Without replicas there is no series of a replica, and the counts of reads are 0.
 */
export function replicaMetrics(meters: Meters, sources: Partial<ReplicaSources>): void {
  const replicas = () => sources.replicas?.().replicas ?? []
  /** Without a revision there is no series: 0 would say that the replica is up to date. */
  const ofKnown = (value: (figures: ReplicaFigures & { readonly revision: number }) => number) => () =>
    replicas().flatMap((figures, at) => {
      const { revision } = figures
      return revision === undefined
        ? []
        : [{ labels: { replica: at }, value: value({ ...figures, revision }) }]
    })
  /** A series for each word: 1 for the one that holds. */
  const wordOfReplica =
    <L extends string>(label: L, words: readonly string[], word: (figures: ReplicaFigures) => string) =>
    () =>
      replicas().flatMap((figures, at) =>
        words.map((each) => ({
          labels: { replica: at, [label]: each },
          value: Number(each === word(figures)),
        })),
      )
  meters.changingGauge(['replica'], {
    name: 'coordinator_database_replica_up',
    help: '1 if the replica answered last, otherwise 0. replica is its place in DATABASE_REPLICAS; the first one is 0.',
    read: () =>
      replicas().map(({ answeredAt, failure }, at) => ({
        labels: { replica: at },
        value: Number(answeredAt > 0 && failure === undefined),
      })),
  })
  meters.changingGauge(['replica'], {
    name: 'coordinator_database_replica_revision',
    help: 'Newest revision of the replica, when it answered last. Absent until then.',
    read: ofKnown(({ revision }) => revision),
  })
  meters.changingGauge(['replica'], {
    name: 'coordinator_database_replica_lag_revisions',
    help: 'Revisions that the replica was behind the primary, when it answered last. Absent until then.',
    read: ofKnown(({ lagRevisions }) => lagRevisions),
  })
  meters.changingGauge(['replica', 'role'], {
    name: 'coordinator_database_replica_role',
    help: `1 for what the server says it is (${replicaRoles.join(', ')}), 0 for the others. A primary was promoted, or was never a replica.`,
    read: wordOfReplica('role', replicaRoles, ({ role }) => role),
  })
  meters.changingGauge(['replica', 'state'], {
    name: 'coordinator_database_replica_state',
    help: `1 for the newest outcome of the replica (${replicaStates.join(', ')}), 0 for the others.`,
    read: wordOfReplica('state', replicaStates, ({ state }) => state),
  })
  meters.changingGauge(['replica', 'state'], {
    name: 'coordinator_database_replica_connections',
    help: 'Connections to the replica, and callers that wait for one, by state.',
    read: () =>
      replicas().flatMap(({ connections }, at) =>
        connections === undefined
          ? []
          : connectionStates.map((state) => ({ labels: { replica: at, state }, value: connections[state] })),
      ),
  })
  meters.totalBy(
    { operation: replicaOperations, outcome: replicaOutcomes },
    {
      name: 'coordinator_replica_reads_total',
      help: 'Reads that a replica may answer, by outcome: answered; primary: no replica did; behind, other_history, failed: a replica was passed over.',
      read: ({ operation, outcome }) => sources.replicas?.().reads[operation][outcome],
    },
  )
}
