import type { ReplicaFigures, ReplicaReport } from '../../src/database/replicas.ts'
import { CoordinatorError } from '../../src/errors.ts'

/** A standby that is up to date, and answered last. */
export const healthyReplica: ReplicaFigures = {
  host: '10.0.0.2:5432',
  role: 'standby',
  state: 'answered',
  revision: 40,
  lagRevisions: 0,
  answeredAt: Date.parse('2026-01-02T03:04:05.000Z'),
  connections: { idle: 2, used: 1, waiting: 0, max: 3 },
}

/** One replica of each kind that people must tell apart. */
export const replicasOfEveryKind: readonly ReplicaFigures[] = [
  healthyReplica,
  { ...healthyReplica, host: '10.0.0.3:5432', state: 'behind', revision: 37, lagRevisions: 3 },
  {
    ...healthyReplica,
    host: '10.0.0.4:5432',
    state: 'failed',
    failure: new CoordinatorError('COORD_STORE_UNAVAILABLE', {
      detail: 'connect ECONNREFUSED <b>10.0.0.4</b>',
    }),
  },
  { ...healthyReplica, host: '10.0.0.5:5432', state: 'other_history' },
  { ...healthyReplica, host: '10.0.0.6:5432', role: 'primary' },
  neverAsked('10.0.0.7:5432'),
]

export function neverAsked(host: string): ReplicaFigures {
  return { host, role: 'unknown', state: 'unknown', revision: undefined, lagRevisions: 0, answeredAt: 0 }
}

const noReads = { answered: 0, behind: 0, other_history: 0, failed: 0, primary: 0 }

export function replicaReport(
  replicas: readonly ReplicaFigures[] = replicasOfEveryKind,
  reads: Partial<ReplicaReport['reads']> = {},
): ReplicaReport {
  return { replicas, reads: { load: noReads, as_of: noReads, history: noReads, ...reads } }
}

/** Some reads of every outcome. */
export const someReads: Partial<ReplicaReport['reads']> = {
  load: { ...noReads, answered: 1 },
  as_of: { answered: 7, behind: 2, other_history: 3, failed: 4, primary: 5 },
}
