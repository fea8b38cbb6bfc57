import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { DatabaseCalls } from './database-calls.ts'
import { errorClass, errorCodeLabel, outcomeOf } from './error-labels.ts'
import { createIncomingMetrics } from './incoming-metrics.ts'

/** What a store is asked. The label `operation` takes these values and no others; it is never SQL. */
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
  'migrate',
  'inspect',
  'examine',
] as const
export type DatabaseOperation = (typeof databaseOperations)[number]

/** What the connections of a pool are for. */
export const connectionRoles = ['writer', 'follower', 'reader'] as const
export type ConnectionRole = (typeof connectionRoles)[number]

const connectionStates = ['idle', 'used', 'waiting'] as const
/** How commits are answered: `replayed` where one had been accepted earlier. */
const commitOutcomes = ['accepted', 'replayed', 'unchanged', 'conflict', 'reused', 'failed'] as const
const liveStates = ['memory', 'connecting', 'loading', 'ready', 'degraded'] as const
const memoryStates = ['free', 'full', 'exhausted'] as const

/** Answers that gauges ask for when they are scraped. Until one is given its gauges are 0. */
export interface MetricSources {
  /** The state of the live layer. */
  status(): (typeof liveStates)[number]
  /** Connections of the store, where it has any. */
  connections(): Readonly<Record<ConnectionRole, ConnectionFigures>>
  live(): LiveFigures
  memory(): MemoryFigures
  registeredServices(): number
  graph(): GraphFigures
  /** Clients that follow the journal over HTTP. */
  streams(): number
  /** Of those, how many were cut off so far because they read too slowly. */
  streamsCut(): number
  /** What waits for clients over HTTP. */
  outgoing(): OutgoingFigures
  /** Streams of the whole state. */
  wholeStreams(): { readonly open: number; readonly refused: number }
}

export interface OutgoingFigures {
  /** Bytes that clients have not read yet. */
  readonly bytes: number
  /** Answers that wait for memory. */
  readonly waiting: number
  /** Connections that were closed so far because other answers needed their memory. */
  readonly cut: number
}

export interface GraphFigures {
  readonly nodes: number
  readonly edges: number
  /** Nodes that are needed and that nobody states. */
  readonly unresolved: number
  readonly edgesByType: ReadonlyMap<string, number>
  /** What the last comparison with a graph derived anew has found. */
  readonly rebuildDifferences: number
}

export interface ConnectionFigures {
  readonly idle: number
  readonly used: number
  /** Callers that wait for a connection. */
  readonly waiting: number
  readonly max: number
}

export interface LiveFigures {
  readonly queueDepth: number
  readonly headRevision: number
  readonly viewRevision: number
  readonly floor: number
  /** How long ago the store confirmed that the view was complete, in milliseconds. */
  readonly ageMs: number
  readonly refusedRecords: number
  /** Reads of the past. */
  readonly past: { readonly reading: number; readonly waiting: number; readonly refused: number }
}

/** The heap, in bytes. */
export interface MemoryFigures {
  readonly state: (typeof memoryStates)[number]
  readonly usedBytes: number
  readonly limitBytes: number
  /** History that is kept in memory. */
  readonly journalBytes: number
}

export interface MetricsOptions {
  /** The label `backend` of every database metric. */
  readonly backend: string
  /** For `coordinator_build_info`. @default 'unknown' */
  readonly version?: string
  /** Whether memory, CPU, event loop and garbage collection of the process are told too. @default true */
  readonly process?: boolean
}

const noConnections: ConnectionFigures = { idle: 0, used: 0, waiting: 0, max: 0 }
const noFigures: LiveFigures = {
  queueDepth: 0,
  headRevision: 0,
  viewRevision: 0,
  floor: 0,
  ageMs: 0,
  refusedRecords: 0,
  past: { reading: 0, waiting: 0, refused: 0 },
}

const noMemoryFigures: MemoryFigures = { state: 'free', usedBytes: 0, limitBytes: 0, journalBytes: 0 }

const querySeconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const requestSeconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]

export type Metrics = ReturnType<typeof createMetrics>

/**
 * Every metric of a coordinator, in a registry of its own. Every series whose labels are known beforehand exists from the
 * first scrape on, with 0, so that a rate or an alert over it works before anything has happened.
 */
export function createMetrics({
  backend,
  version = 'unknown',
  process: processMetrics = true,
}: MetricsOptions) {
  const registry = new Registry()
  const registers = [registry]
  const sources: Partial<MetricSources> = {}

  const connections = new Gauge({
    name: 'coordinator_database_connections',
    help: 'Connections to the database, and callers that wait for one, by role and state.',
    labelNames: ['backend', 'role', 'state'],
    registers,
    collect() {
      for (const role of connectionRoles) {
        const figures = sources.connections?.()[role] ?? noConnections
        for (const state of connectionStates) connections.set({ backend, role, state }, figures[state])
      }
    },
  })
  const connectionsMax = new Gauge({
    name: 'coordinator_database_connections_max',
    help: 'Connections that a role may have.',
    labelNames: ['backend', 'role'],
    registers,
    collect() {
      for (const role of connectionRoles) {
        connectionsMax.set({ backend, role }, sources.connections?.()[role].max ?? 0)
      }
    },
  })
  const queries = new Counter({
    name: 'coordinator_database_queries_total',
    help: 'Calls to the database, by operation and outcome (ok, refused, error).',
    labelNames: ['backend', 'operation', 'outcome'],
    registers,
  })
  const errors = new Counter({
    name: 'coordinator_database_errors_total',
    help: 'Calls to the database that failed. code is a SQLSTATE, a PGRST code, or other.',
    labelNames: ['backend', 'operation', 'class', 'code'],
    registers,
  })
  const queryDuration = new Histogram({
    name: 'coordinator_database_query_duration_seconds',
    help: 'How long calls to the database took, failed ones included.',
    labelNames: ['backend', 'operation'],
    buckets: querySeconds,
    registers,
  })
  const acquires = new Counter({
    name: 'coordinator_database_acquires_total',
    help: 'Connections taken from the pool.',
    labelNames: ['backend', 'role'],
    registers,
  })
  const emptyAcquires = new Counter({
    name: 'coordinator_database_empty_acquires_total',
    help: 'Connections taken from the pool after a wait, because none was free.',
    labelNames: ['backend', 'role'],
    registers,
  })
  const acquireTimeouts = new Counter({
    name: 'coordinator_database_acquire_timeouts_total',
    help: 'Waits for a connection that ended without one.',
    labelNames: ['backend', 'role'],
    registers,
  })
  const connectionWait = new Histogram({
    name: 'coordinator_database_connection_wait_seconds',
    help: 'How long callers waited for a connection.',
    labelNames: ['backend', 'role'],
    buckets: querySeconds,
    registers,
  })
  const status = new Gauge({
    name: 'coordinator_database_status',
    help: '1 for the status that holds (memory, connecting, loading, ready, degraded), 0 for the others.',
    labelNames: ['backend', 'status'],
    registers,
    collect() {
      const current = sources.status?.()
      for (const state of liveStates) status.set({ backend, status: state }, state === current ? 1 : 0)
    },
  })

  const commits = new Counter({
    name: 'coordinator_commits_total',
    help: `Commits that were answered, by outcome (${commitOutcomes.join(', ')}).`,
    labelNames: ['backend', 'outcome'],
    registers,
  })
  const commitDuration = new Histogram({
    name: 'coordinator_commit_duration_seconds',
    help: 'How long commits took from being asked for to being durable and visible.',
    labelNames: ['backend'],
    buckets: querySeconds,
    registers,
  })
  const batchSize = new Histogram({
    name: 'coordinator_commit_batch_size',
    help: 'How many commits went to the database together.',
    labelNames: ['backend'],
    buckets: [1, 2, 5, 10, 20, 50, 100, 200, 512],
    registers,
  })
  const reloads = new Counter({
    name: 'coordinator_view_reloads_total',
    help: 'How often the live view was built anew after the first load.',
    registers,
  })
  const forks = new Counter({
    name: 'coordinator_history_forks_total',
    help: 'How often the database contradicted what was known, and another lineage began.',
    registers,
  })

  const gauge = (name: string, help: string, read: () => number): void => {
    const metric: Gauge = new Gauge({
      name,
      help,
      registers,
      collect(): void {
        metric.set(read())
      },
    })
  }
  const live = () => sources.live?.() ?? noFigures
  gauge('coordinator_commit_queue_depth', 'Commits that have no answer yet.', () => live().queueDepth)
  gauge(
    'coordinator_head_revision',
    'Newest revision that the database has named.',
    () => live().headRevision,
  )
  gauge('coordinator_view_revision', 'Revision of the live view.', () => live().viewRevision)
  gauge(
    'coordinator_floor_revision',
    'Oldest revision that history still answers exactly.',
    () => live().floor,
  )
  gauge('coordinator_view_lag_revisions', 'Revisions that the live view is behind the database.', () =>
    Math.max(0, live().headRevision - live().viewRevision),
  )
  gauge(
    'coordinator_view_age_seconds',
    'Time since the database confirmed that the live view is complete.',
    () => live().ageMs / 1_000,
  )
  gauge(
    'coordinator_view_refused_records',
    'Records that are not served because they break the rules of their kind.',
    () => live().refusedRecords,
  )
  const memory = () => sources.memory?.() ?? noMemoryFigures
  gauge(
    'coordinator_memory_limit_bytes',
    'Size of the heap at which the process would die, in bytes.',
    () => memory().limitBytes,
  )
  gauge(
    'coordinator_memory_used_bytes',
    'Estimate of the heap in use without garbage, in bytes.',
    () => memory().usedBytes,
  )
  gauge(
    'coordinator_memory_journal_bytes',
    'Estimate of the memory that history takes, where it is kept in memory, in bytes.',
    () => memory().journalBytes,
  )
  const memoryState = new Gauge({
    name: 'coordinator_memory_state',
    help: '1 for the present state (free; full: writes that need memory are refused; exhausted: the journal is not followed), 0 for the others.',
    labelNames: ['state'],
    registers,
    collect() {
      for (const state of memoryStates) memoryState.set({ state }, state === memory().state ? 1 : 0)
    },
  })
  const memoryRefused = new Counter({
    name: 'coordinator_memory_refused_commits_total',
    help: 'Commits that were refused because there was no memory for them.',
    registers,
  })
  gauge(
    'coordinator_past_reads_waiting',
    'Reads of the past that wait for a connection.',
    () => live().past.waiting,
  )
  gauge(
    'coordinator_past_reads_under_way',
    'Reads of the past that the database is working on.',
    () => live().past.reading,
  )
  gauge(
    'coordinator_registered_services',
    'Services in the registry.',
    () => sources.registeredServices?.() ?? 0,
  )
  gauge('coordinator_graph_nodes', 'Nodes of the knowledge graph.', () => sources.graph?.().nodes ?? 0)
  gauge('coordinator_graph_edges', 'Edges of the knowledge graph.', () => sources.graph?.().edges ?? 0)
  gauge(
    'coordinator_graph_unresolved_nodes',
    'Nodes of the knowledge graph that are needed and that nobody states.',
    () => sources.graph?.().unresolved ?? 0,
  )
  gauge(
    'coordinator_graph_rebuild_differences',
    'Differences that the last comparison with a graph derived anew has found; there must be none.',
    () => sources.graph?.().rebuildDifferences ?? 0,
  )
  const edgesByType = new Gauge({
    name: 'coordinator_graph_edges_by_type',
    help: 'Edges of the knowledge graph by type; those of rare types together as other.',
    labelNames: ['type'],
    registers,
    collect() {
      edgesByType.reset()
      edgesByType.set({ type: 'depends_on' }, 0)
      for (const [type, count] of largestTypes(sources.graph?.().edgesByType ?? new Map()))
        edgesByType.set({ type }, count)
    },
  })
  const pastRefused = new Counter({
    name: 'coordinator_past_reads_refused_total',
    help: 'Reads of the past that were refused because too many waited, or because they waited too long.',
    registers,
    collect() {
      pastRefused.reset()
      pastRefused.inc(live().past.refused)
    },
  })
  const streamsCut = new Counter({
    name: 'coordinator_http_streams_cut_total',
    help: 'Clients that followed the journal and were cut off because they read too slowly.',
    registers,
    collect() {
      streamsCut.reset()
      streamsCut.inc(sources.streamsCut?.() ?? 0)
    },
  })
  gauge('coordinator_http_streams', 'Clients that follow the journal.', () => sources.streams?.() ?? 0)
  gauge(
    'coordinator_http_unsent_bytes',
    'Bytes of answers that clients have not read yet. Bytes that several answers share count once.',
    () => sources.outgoing?.().bytes ?? 0,
  )
  gauge(
    'coordinator_http_answers_waiting',
    'Answers that wait for memory because too many bytes are unsent.',
    () => sources.outgoing?.().waiting ?? 0,
  )
  gauge(
    'coordinator_http_whole_streams',
    'Streams of the whole state that are open.',
    () => sources.wholeStreams?.().open ?? 0,
  )
  const count = (name: string, help: string, read: () => number): void => {
    const metric: Counter = new Counter({
      name,
      help,
      registers,
      collect(): void {
        metric.reset()
        metric.inc(read())
      },
    })
  }
  count(
    'coordinator_http_clients_cut_total',
    'Connections that were closed because their clients read nothing for 5 seconds and other answers needed the memory.',
    () => sources.outgoing?.().cut ?? 0,
  )
  count(
    'coordinator_http_whole_streams_refused_total',
    'Streams of the whole state that were answered with 503.',
    () => sources.wholeStreams?.().refused ?? 0,
  )
  gauge('coordinator_uptime_seconds', 'Time since the process started.', () => process.uptime())

  const requestDuration = new Histogram({
    name: 'coordinator_http_request_duration_seconds',
    help: 'How long HTTP requests took, by route pattern; its count is the number of requests.',
    labelNames: ['method', 'route', 'status'],
    buckets: requestSeconds,
    registers,
  })
  const incoming = createIncomingMetrics(registers)
  new Gauge({
    name: 'coordinator_build_info',
    help: 'Always 1; the labels say what runs.',
    labelNames: ['version', 'node', 'backend'],
    registers,
  }).set({ version, node: process.version, backend }, 1)
  if (processMetrics) collectDefaultMetrics({ register: registry })

  for (const operation of databaseOperations) {
    for (const outcome of ['ok', 'refused', 'error']) queries.inc({ backend, operation, outcome }, 0)
    errors.inc({ backend, operation, class: 'unavailable', code: 'other' }, 0)
    queryDuration.zero({ backend, operation })
  }
  for (const role of connectionRoles) {
    for (const counter of [acquires, emptyAcquires, acquireTimeouts]) counter.inc({ backend, role }, 0)
    connectionWait.zero({ backend, role })
  }
  for (const outcome of commitOutcomes) {
    commits.inc({ backend, outcome }, 0)
  }
  commitDuration.zero({ backend })
  batchSize.zero({ backend })

  const calls = new DatabaseCalls()
  const finish = (
    operation: DatabaseOperation,
    startedAt: number,
    thrown?: { readonly error: unknown },
  ): void => {
    const durationMs = performance.now() - startedAt
    queryDuration.observe({ backend, operation }, durationMs / 1_000)
    const outcome = thrown === undefined ? 'ok' : outcomeOf(thrown.error)
    queries.inc({ backend, operation, outcome })
    calls.add(operation, durationMs, outcome === 'error' ? thrown : undefined)
    if (outcome !== 'error') return
    errors.inc({ backend, operation, class: errorClass(thrown?.error), code: errorCodeLabel(thrown?.error) })
  }

  return {
    contentType: registry.contentType,
    registry,

    /** The text of `GET /metrics`. */
    text: (): Promise<string> => registry.metrics(),

    /** Tells gauges where to ask. May be called again; later sources replace earlier ones. */
    ask(more: Partial<MetricSources>): void {
      Object.assign(sources, more)
    },

    database: {
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

      /** The same for calls that answer in pages: each page counts, and the time its reader takes does not. */
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
        acquires.inc({ backend, role })
        if (waited) emptyAcquires.inc({ backend, role })
        connectionWait.observe({ backend, role }, waitMs / 1_000)
      },

      /** A caller gave up waiting for a connection. */
      acquireTimedOut(role: ConnectionRole): void {
        acquireTimeouts.inc({ backend, role })
      },
    },

    live: {
      /** A batch was answered. */
      batch({ commits: size }: { readonly commits: number }): void {
        batchSize.observe({ backend }, size)
      },

      /** A commit was answered, or failed. */
      committed(outcome: (typeof commitOutcomes)[number], durationMs: number): void {
        commits.inc({ backend, outcome })
        commitDuration.observe({ backend }, durationMs / 1_000)
      },

      reloaded(): void {
        reloads.inc()
      },

      forked(): void {
        forks.inc()
      },

      /** A commit was refused, because there was no memory for it. */
      memoryRefused(): void {
        memoryRefused.inc()
      },
    },

    incoming,

    http: {
      /**
       * Counts a request.
       *
       * @param route the pattern, such as `/services/:serviceId`, never the path that was asked for
       */
      request({ method, route, status: code, durationMs }: HttpRequestFigures): void {
        requestDuration.observe({ method, route, status: code }, durationMs / 1_000)
      },
    },
  }
}

/** Types come from whoever asserts edges: their number must not become that of series. */
function largestTypes(
  types: ReadonlyMap<string, number>,
): readonly (readonly [type: string, count: number])[] {
  const sorted = [...types].sort((left, right) => right[1] - left[1])
  const rest = sorted.slice(20).reduce((sum, [, count]) => sum + count, 0)
  return rest === 0 ? sorted.slice(0, 20) : [...sorted.slice(0, 20), ['other', rest]]
}

export interface HttpRequestFigures {
  readonly method: string
  readonly route: string
  readonly status: number
  readonly durationMs: number
}
