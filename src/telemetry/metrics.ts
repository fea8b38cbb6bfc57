import { accessMetrics } from './metrics/access-metrics.ts'
import { type BackupSources, backupMetrics } from './metrics/backup-metrics.ts'
import { type DatabaseSources, databaseMetrics } from './metrics/database-metrics.ts'
import { type GraphSources, graphMetrics } from './metrics/graph-metrics.ts'
import { type HttpSources, httpMetrics } from './metrics/http-metrics.ts'
import { type LiveSources, liveMetrics } from './metrics/live-metrics.ts'
import { Meters } from './metrics/meters.ts'
import { processMetrics } from './metrics/process-metrics.ts'
import { type ReplicaSources, replicaMetrics } from './metrics/replica-metrics.ts'

/** The sources that gauges read at each scrape. Until a source is given, its gauges are 0. */
export interface MetricSources
  extends DatabaseSources,
    ReplicaSources,
    LiveSources,
    GraphSources,
    HttpSources,
    BackupSources {}

export interface MetricsOptions {
  /** The label `backend` of every database metric. */
  readonly backend: string
  /** For `coordinator_build_info`. @default 'unknown' */
  readonly version?: string
  /** Whether to report memory, CPU, event loop and garbage collection of the process. @default true */
  readonly process?: boolean
}

export type Metrics = ReturnType<typeof createMetrics>

/** Every metric of a coordinator, in a registry of its own. Each subject has its own file. */
export function createMetrics({ backend, version = 'unknown', process: usual = true }: MetricsOptions) {
  const meters = new Meters()
  const { registry } = meters
  const sources: Partial<MetricSources> = {}
  const database = databaseMetrics(meters, backend, sources)
  replicaMetrics(meters, sources)
  const live = liveMetrics(meters, backend, sources)
  graphMetrics(meters, sources)
  const http = httpMetrics(meters, sources)
  const access = accessMetrics(meters)
  backupMetrics(meters, sources)
  processMetrics(meters, { version, backend, usual })
  return {
    contentType: registry.contentType,
    registry,

    /** The text of `GET /metrics`. */
    text: async (): Promise<string> => registry.text(),

    /** Tells gauges what to read. May be called again; later sources replace earlier ones. */
    ask(more: Partial<MetricSources>): void {
      Object.assign(sources, more)
    },

    database,
    live,
    http,
    access,
  }
}
