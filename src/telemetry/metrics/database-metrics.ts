import { DatabaseCalls } from './database-calls.ts'
import { errorClassOf, errorCodeLabel, outcomeOf, queryOutcomes } from './error-labels.ts'
import type { Meters } from './meters.ts'
import { each } from './series.ts'

/** The operations of a store. The label `operation` takes these values and no others; it is never SQL. */
export const databaseOperations = [
  'open',
  'head',
  'load',
  'commit',
  'changes',
  'history',
  'as_of',
  'compact',
  'fork',
  'adopt',
  'set_mode',
  'seed',
  'replay',
  'access',
  'migrate',
  'inspect',
  'examine',
] as const
export type DatabaseOperation = (typeof databaseOperations)[number]

/** The purposes of connections. */
const connectionRoles = ['writer', 'follower', 'reader'] as const
type ConnectionRole = (typeof connectionRoles)[number]

const connectionStates = ['idle', 'used', 'waiting'] as const
const liveStates = ['memory', 'connecting', 'loading', 'ready', 'degraded', 'copy', 'frozen'] as const

interface ConnectionFigures {
  readonly idle: number
  readonly used: number
  /** Callers that wait for a connection. */
  readonly waiting: number
  readonly max: number
}

export interface DatabaseSources {
  /** The state of the live layer. */
  status(): (typeof liveStates)[number]
  /** Connections of the store, where it has any. */
  connections(): Readonly<Record<ConnectionRole, ConnectionFigures>>
}

/** Bounds of histograms of calls to the database, and of waits for them. */
export const databaseSeconds = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
]

/** Calls to the database, and connections to it. */
export function databaseMetrics(meters: Meters, backend: string, sources: Partial<DatabaseSources>) {
  const ofBackend = { backend: [backend] }
  const ofRole = { ...ofBackend, role: connectionRoles }
  const ofOperation = { ...ofBackend, operation: databaseOperations }
  meters.gaugeBy(
    { ...ofRole, state: connectionStates },
    {
      name: 'coordinator_database_connections',
      help: 'Connections to the database, and callers that wait for one, by role and state.',
      read: ({ role, state }) => sources.connections?.()[role][state],
    },
  )
  meters.gaugeBy(ofRole, {
    name: 'coordinator_database_connections_max',
    help: 'Connections that a role may have.',
    read: ({ role }) => sources.connections?.()[role].max,
  })
  const queries = meters.counter(
    'coordinator_database_queries_total',
    `Calls to the database, by operation and outcome (${queryOutcomes.join(', ')}).`,
    { ...ofOperation, outcome: queryOutcomes },
  )
  const errors = meters.counter(
    'coordinator_database_errors_total',
    'Calls to the database that failed. code is a SQLSTATE, a PGRST code, or other.',
    { ...ofOperation, class: ['unavailable'], code: ['other'] },
  )
  const queryDuration = meters.histogram(
    'coordinator_database_query_duration_seconds',
    'How long calls to the database took, failed ones included.',
    { labels: ofOperation, bounds: databaseSeconds },
  )
  const acquires = meters.counter(
    'coordinator_database_acquires_total',
    'Connections taken from the pool.',
    ofRole,
  )
  const emptyAcquires = meters.counter(
    'coordinator_database_empty_acquires_total',
    'Connections taken from the pool after a wait, because none was free.',
    ofRole,
  )
  const acquireTimeouts = meters.counter(
    'coordinator_database_acquire_timeouts_total',
    'Callers that waited for a connection and did not get one in time.',
    ofRole,
  )
  const connectionWait = meters.histogram(
    'coordinator_database_connection_wait_seconds',
    'How long callers waited for a connection.',
    { labels: ofRole, bounds: databaseSeconds },
  )
  meters.gaugeBy(
    { ...ofBackend, status: liveStates },
    {
      name: 'coordinator_database_status',
      help: `1 for the status that holds (${liveStates.join(', ')}), 0 for the others.`,
      read: ({ status }) => Number(status === sources.status?.()),
    },
  )

  const calls = new DatabaseCalls()
  const series = each(databaseOperations, (operation) => ({
    duration: queryDuration.of({ backend, operation }),
    outcomes: each(queryOutcomes, (outcome) => queries.of({ backend, operation, outcome })),
  }))
  const finish = (operation: DatabaseOperation, startedAt: number, thrown?: { readonly error: unknown }) => {
    const durationMs = performance.now() - startedAt
    const { duration, outcomes } = series[operation]
    duration.observe(durationMs / 1_000)
    const outcome = thrown === undefined ? 'ok' : outcomeOf(thrown.error)
    outcomes[outcome].add()
    calls.add(operation, durationMs, outcome === 'error' ? thrown : undefined)
    if (outcome !== 'error') return
    const [errorClass, code] = [errorClassOf(thrown?.error), errorCodeLabel(thrown?.error)]
    errors.of({ backend, operation, class: errorClass, code }).add()
  }
  return {
    /** The newest calls: latencies and failures. */
    calls,

    /** Runs one call to the database and counts it, however it ends. */
    async measure<T>(operation: DatabaseOperation, run: () => Promise<T>): Promise<T> {
      const startedAt = performance.now()
      try {
        const result = await run()
        finish(operation, startedAt)
        return result
      } catch (error) {
        finish(operation, startedAt, { error })
        throw error
      }
    },

    /** Measures calls that answer in pages. Each page counts. The time that the reader of a page takes does not count. */
    async *measurePages<T>(operation: DatabaseOperation, pages: AsyncIterable<T>): AsyncIterable<T> {
      const iterator = pages[Symbol.asyncIterator]()
      try {
        while (true) {
          const startedAt = performance.now()
          const page = await iterator.next().catch((error: unknown) => {
            finish(operation, startedAt, { error })
            throw error
          })
          if (page.done === true) return
          finish(operation, startedAt)
          yield page.value
        }
      } finally {
        await iterator.return?.()
      }
    },

    /** A caller got a connection. `waited`: none was free when it asked. */
    acquired(role: ConnectionRole, { waitMs, waited }: { waitMs: number; waited: boolean }): void {
      acquires.of({ backend, role }).add()
      if (waited) emptyAcquires.of({ backend, role }).add()
      connectionWait.of({ backend, role }).observe(waitMs / 1_000)
    },

    /** A caller gave up waiting for a connection. */
    acquireTimedOut(role: ConnectionRole): void {
      acquireTimeouts.of({ backend, role }).add()
    },
  }
}
