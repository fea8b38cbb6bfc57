import { readAlarmRules } from '../../scripts/generate/alarm-rules.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import { withServer } from '../http/with-server.ts'
import { replicaReport } from '../support/replica-report.ts'

/** What a scrape has under one name. */
export interface KnownMetric {
  /** `counter` also for the parts of a histogram. */
  readonly type: 'counter' | 'gauge'
  /** Its labels, each with its values; `undefined` where the values depend on what happens. */
  readonly labels: ReadonlyMap<string, ReadonlySet<string> | undefined>
}

export type KnownMetrics = ReadonlyMap<string, KnownMetric>

/** Labels whose values are not known before something happens. */
const openLabels: Readonly<Record<string, readonly string[]>> = {
  coordinator_http_request_duration_seconds: ['method'],
  coordinator_database_errors_total: ['class', 'code'],
  coordinator_graph_edges_by_type: ['type'],
  coordinator_database_replica_up: ['replica'],
  coordinator_database_replica_revision: ['replica'],
  coordinator_database_replica_lag_revisions: ['replica'],
  coordinator_database_replica_role: ['replica'],
  coordinator_database_replica_state: ['replica'],
  coordinator_database_replica_connections: ['replica'],
  coordinator_build_info: ['version', 'node'],
}

const none = new Set<string>()

/** Every name that `GET /metrics` has on some backend, with its labels, and what Prometheus itself adds. */
export async function knownMetrics(): Promise<KnownMetrics> {
  const known = new Map<string, { type: 'counter' | 'gauge'; labels: Map<string, Set<string> | undefined> }>()
  known.set('up', { type: 'gauge', labels: new Map() })
  const alertLabels = new Map([
    ['alertname', new Set(readAlarmRules().map(({ alert }) => alert))],
    ['alertstate', new Set(['pending', 'firing'])],
    ['severity', new Set(['page', 'ticket'])],
  ])
  known.set('ALERTS', { type: 'gauge', labels: alertLabels })
  const routes = await servedRoutes()
  for (const backend of ['memory', 'sqlite', 'postgres', 'supabase']) {
    const metrics = createMetrics({ backend })
    metrics.ask({ replicas: () => replicaReport() })
    for (const route of routes)
      for (const status of [200, 404, 503])
        metrics.http.request({ method: 'GET', route, status, durationMs: 1 })
    let [family, type] = ['', '']
    for (const line of (await metrics.text()).split('\n')) {
      const described = /^# TYPE (\S+) (\S+)/.exec(line)
      if (described !== null) [, family = '', type = ''] = described
      const [, name, labels = ''] = /^(\w+)(?:\{(.*)\})? /.exec(line) ?? []
      if (name === undefined) continue
      const metric = known.get(name) ?? { type: type === 'gauge' ? 'gauge' : 'counter', labels: new Map() }
      known.set(name, metric)
      for (const [, label = '', value = ''] of labels.matchAll(/(\w+)="([^"]*)"/g)) {
        const isOpen = label === 'le' || openLabels[family]?.includes(label) === true
        metric.labels.set(label, isOpen ? undefined : new Set([...(metric.labels.get(label) ?? none), value]))
      }
    }
  }
  return known
}

async function servedRoutes(): Promise<readonly string[]> {
  const patterns = new Set<string>()
  await withServer(async ({ server }) => {
    for (const { pattern } of server.routes) patterns.add(pattern)
  })
  return [...patterns]
}
