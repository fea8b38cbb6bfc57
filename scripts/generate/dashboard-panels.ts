/** A query of a panel. */
export interface Query {
  readonly expr: string
  /** The name of each series; `{{label}}` stands for the value of a label. */
  readonly legend: string
  /** Whether only the newest value is asked for. @default false */
  readonly instant?: boolean
}

/** A panel without its place. */
export interface DashboardPanel {
  readonly type: 'stat' | 'timeseries' | 'state-timeline'
  readonly title: string
  readonly description: string
  /** A unit of Grafana, such as `s` or `reqps`. */
  readonly unit: string
  readonly queries: readonly Query[]
  /** Of the 24 columns. */
  readonly width: number
  readonly height: number
  readonly max?: number
  /** Colors from a value on. */
  readonly steps?: readonly (readonly [from: number | null, color: string])[]
  readonly noValue?: string
  readonly options: Readonly<Record<string, unknown>>
  readonly custom?: Readonly<Record<string, unknown>>
  /** Colors of the series whose names match. */
  readonly overrides: readonly (readonly [pattern: string, color: string])[]
}

type Shown = Pick<DashboardPanel, 'title' | 'description' | 'unit' | 'queries'> & Partial<DashboardPanel>

/** What is chosen at the top of the dashboard. */
const chosen = 'job=~"$job", instance=~"$instance"'

/** The series of a metric that are chosen. */
const of = (metric: string, more = ''): string => `${metric}{${chosen}${more === '' ? '' : `, ${more}`}}`
const rate = (metric: string, more?: string): string => `rate(${of(metric, more)}[$__rate_interval])`
const sumBy = (labels: string, expr: string): string => `sum by (${labels}) (${expr})`
const quantile = (share: number, metric: string, more?: string): string =>
  `histogram_quantile(${share}, ${sumBy('instance, le', rate(`${metric}_bucket`, more))})`

/** Probes and scrapes are no clients. */
const ofClients = 'route!~"/health.*|/metrics"'
/** These answers wait for changes, or go on as long as their client reads: their duration says nothing. */
const ofReads = 'method="GET", route!~"/health.*|/metrics|/changes|/snapshot"'

const green: readonly [null, string] = [null, 'green']

function stat(shown: Shown): DashboardPanel {
  return {
    ...{ type: 'stat', width: 3, height: 4, steps: [green], overrides: [] },
    options: { reduceOptions: { calcs: ['lastNotNull'] }, colorMode: 'background', graphMode: 'none' },
    ...shown,
  }
}

function graph(shown: Shown): DashboardPanel {
  return {
    ...{ type: 'timeseries', width: 6, height: 5, overrides: [] },
    options: {
      legend: { displayMode: 'list', placement: 'bottom', showLegend: true },
      tooltip: { mode: 'multi', sort: 'desc' },
    },
    custom: { fillOpacity: 8, lineWidth: 1, showPoints: 'never' },
    ...shown,
  }
}

const health: readonly DashboardPanel[] = [
  {
    type: 'state-timeline',
    title: 'State',
    description: 'The state of each coordinator. docs/operations.md describes the states.',
    unit: 'none',
    width: 12,
    height: 4,
    queries: [{ expr: `${of('coordinator_database_status')} == 1`, legend: '{{instance}} {{status}}' }],
    options: { showValue: 'never', rowHeight: 0.8, mergeValues: true, legend: { showLegend: false } },
    custom: { fillOpacity: 80 },
    overrides: [
      ['/ (ready|memory)$/', 'green'],
      ['/ (connecting|loading|copy|frozen)$/', 'orange'],
      ['/ degraded$/', 'red'],
    ],
  },
  stat({
    title: 'Coordinators up',
    description: 'Coordinators that Prometheus can scrape, of all.',
    unit: 'percentunit',
    max: 1,
    steps: [
      [null, 'red'],
      [1, 'green'],
    ],
    queries: [{ expr: `avg(${of('up')})`, legend: 'up' }],
  }),
  stat({
    title: 'Alarms',
    description: 'Alarms of rules.yaml that fire.',
    unit: 'none',
    steps: [green, [1, 'red']],
    queries: [
      {
        expr: 'count(ALERTS{job=~"$job", alertname=~"Coordinator.+", alertstate="firing"}) or vector(0)',
        legend: 'firing',
      },
    ],
  }),
  stat({
    title: 'Services',
    description: 'Registered services. All coordinators of a database should show the same.',
    unit: 'none',
    queries: [{ expr: `max(${of('coordinator_registered_services')})`, legend: 'services' }],
  }),
  stat({
    title: 'Oldest view',
    description: 'How long ago the database confirmed that the records in memory are complete.',
    unit: 's',
    steps: [green, [5, 'orange'], [10, 'red']],
    queries: [{ expr: `max(${of('coordinator_view_age_seconds')})`, legend: 'age' }],
  }),
]

const requests: readonly DashboardPanel[] = [
  graph({
    title: 'Requests by status',
    description: 'Requests of clients, without probes of health checks and scrapes.',
    unit: 'reqps',
    overrides: [
      ['/^5/', 'red'],
      ['/^4/', 'orange'],
    ],
    queries: [
      {
        expr: sumBy('status', rate('coordinator_http_request_duration_seconds_count', ofClients)),
        legend: '{{status}}',
      },
    ],
  }),
  graph({
    title: 'Time of reads',
    description: 'Answers to GET, without those that wait for changes and without streams of all records.',
    unit: 's',
    queries: [0.5, 0.99].map((share) => ({
      expr: quantile(share, 'coordinator_http_request_duration_seconds', ofReads),
      legend: `{{instance}} p${share * 100}`,
    })),
  }),
  graph({
    title: 'Errors by code',
    description: 'The ten most frequent codes of errors. docs/errors.md says what to do about each.',
    unit: 'reqps',
    queries: [
      { expr: `topk(10, ${sumBy('code', rate('coordinator_http_problems_total'))} > 0)`, legend: '{{code}}' },
    ],
  }),
  graph({
    title: 'Connections and streams',
    description: 'Open connections of clients, and clients that follow the journal or read all records.',
    unit: 'none',
    queries: [
      { expr: of('coordinator_http_connections'), legend: '{{instance}} connections' },
      { expr: of('coordinator_http_streams'), legend: '{{instance}} followers' },
      { expr: of('coordinator_http_whole_streams'), legend: '{{instance}} streams of all records' },
    ],
  }),
]

const writes: readonly DashboardPanel[] = [
  graph({
    title: 'Writes by outcome',
    description: 'Commits. failed: the database did not take it in time, or too many waited.',
    unit: 'wps',
    overrides: [['/failed/', 'red']],
    queries: [{ expr: sumBy('outcome', rate('coordinator_commits_total')), legend: '{{outcome}}' }],
  }),
  graph({
    title: 'Time of writes',
    description: 'From the request until the commit is durable and visible.',
    unit: 's',
    queries: [0.5, 0.99].map((share) => ({
      expr: quantile(share, 'coordinator_commit_duration_seconds'),
      legend: `{{instance}} p${share * 100}`,
    })),
  }),
  graph({
    title: 'Writes that wait, and batches',
    description: 'Commits without an answer, and how many go to the database together on average.',
    unit: 'none',
    queries: [
      { expr: of('coordinator_commit_queue_depth'), legend: '{{instance}} waiting' },
      {
        expr: `${rate('coordinator_commit_batch_size_sum')} / ${rate('coordinator_commit_batch_size_count')}`,
        legend: '{{instance}} in a batch',
      },
    ],
  }),
  graph({
    title: 'Time of calls to the database',
    description: 'The slowest of a hundred calls, by operation.',
    unit: 's',
    queries: [
      {
        expr: `histogram_quantile(0.99, ${sumBy('operation, le', rate('coordinator_database_query_duration_seconds_bucket'))})`,
        legend: '{{operation}}',
      },
    ],
  }),
]

const database: readonly DashboardPanel[] = [
  graph({
    title: 'Errors of the database by class',
    description: 'Calls to the database that failed.',
    unit: 'ops',
    queries: [
      {
        expr: sumBy('instance, class', rate('coordinator_database_errors_total')),
        legend: '{{instance}} {{class}}',
      },
    ],
  }),
  graph({
    title: 'Connections to the database',
    description: 'In use, and callers that wait for one. A reader answers questions about the past.',
    unit: 'none',
    queries: [
      {
        expr: of('coordinator_database_connections', 'state=~"used|waiting"'),
        legend: '{{instance}} {{role}} {{state}}',
      },
      { expr: sumBy('instance', of('coordinator_database_connections_max')), legend: '{{instance}} maximum' },
      { expr: of('coordinator_past_reads_waiting'), legend: '{{instance}} questions that wait' },
    ],
  }),
  graph({
    title: 'Age of the view',
    description: 'How long ago the database confirmed that the records in memory are complete.',
    unit: 's',
    queries: [{ expr: of('coordinator_view_age_seconds'), legend: '{{instance}}' }],
  }),
  graph({
    title: 'View behind the database',
    description: 'Revisions that a coordinator has not applied yet, and how often it built its view anew.',
    unit: 'none',
    queries: [
      { expr: of('coordinator_view_lag_revisions'), legend: '{{instance}} revisions' },
      {
        expr: `increase(${of('coordinator_view_reloads_total')}[$__rate_interval])`,
        legend: '{{instance}} reloads',
      },
      {
        expr: `increase(${of('coordinator_history_forks_total')}[$__rate_interval])`,
        legend: '{{instance}} new lineages',
      },
    ],
  }),
]

const replicas: readonly DashboardPanel[] = [
  {
    type: 'state-timeline',
    title: 'Replicas',
    description:
      'What became of the newest read of each replica. Numbers are places in DATABASE_REPLICAS. Empty without replicas.',
    unit: 'none',
    width: 6,
    height: 5,
    noValue: 'no replicas',
    queries: [
      {
        expr: `${of('coordinator_database_replica_state')} == 1`,
        legend: '{{instance}} replica {{replica}} {{state}}',
      },
    ],
    options: { showValue: 'never', rowHeight: 0.8, mergeValues: true, legend: { showLegend: false } },
    custom: { fillOpacity: 80 },
    overrides: [
      ['/ answered$/', 'green'],
      ['/ (behind|unknown)$/', 'orange'],
      ['/ (failed|other_history)$/', 'red'],
    ],
  },
  graph({
    title: 'Replicas behind the primary',
    description: 'Revisions that each replica lacked when it answered last.',
    unit: 'none',
    noValue: 'no replicas',
    queries: [
      { expr: of('coordinator_database_replica_lag_revisions'), legend: '{{instance}} replica {{replica}}' },
    ],
  }),
  graph({
    title: 'Reads of replicas by outcome',
    description:
      'answered: by a replica. primary: no replica answered. The others: a replica was passed over, and why.',
    unit: 'reqps',
    overrides: [
      ['/answered/', 'green'],
      ['/other_history|failed/', 'red'],
    ],
    queries: [{ expr: sumBy('outcome', rate('coordinator_replica_reads_total')), legend: '{{outcome}}' }],
  }),
  graph({
    title: 'Connections to replicas',
    description:
      'In use, and callers that wait for one. The panel Connections to the database has the primary.',
    unit: 'none',
    noValue: 'no replicas',
    queries: [
      {
        expr: of('coordinator_database_replica_connections', 'state=~"used|waiting"'),
        legend: '{{instance}} replica {{replica}} {{state}}',
      },
    ],
  }),
]

const resources: readonly DashboardPanel[] = [
  graph({
    title: 'Heap in use',
    description: 'At 85 % writes that need memory are refused.',
    unit: 'percentunit',
    max: 1,
    queries: [
      {
        expr: `${of('coordinator_memory_used_bytes')} / ${of('coordinator_memory_limit_bytes')}`,
        legend: '{{instance}}',
      },
    ],
  }),
  graph({
    title: 'Processor and event loop',
    description: 'Processor seconds in a second, and how late the event loop begins work.',
    unit: 's',
    queries: [
      { expr: rate('process_cpu_seconds_total'), legend: '{{instance}} processor' },
      { expr: of('nodejs_eventloop_lag_p99_seconds'), legend: '{{instance}} event loop p99' },
    ],
  }),
  graph({
    title: 'Graph',
    description:
      'Nodes and edges of the knowledge graph. unresolved: others refer to them, and nobody has registered them.',
    unit: 'none',
    queries: [
      { expr: `max(${of('coordinator_graph_nodes')})`, legend: 'nodes' },
      { expr: `max by (type) (${of('coordinator_graph_edges_by_type')})`, legend: 'edges {{type}}' },
      { expr: `max(${of('coordinator_graph_unresolved_nodes')})`, legend: 'unresolved' },
    ],
  }),
  graph({
    title: 'Refused',
    description: 'Credentials, clients at their limits, connections and bodies that were refused.',
    unit: 'reqps',
    queries: [
      {
        expr: `${sumBy('reason', rate('coordinator_access_denied_total'))} > 0`,
        legend: 'access: {{reason}}',
      },
      { expr: `${sumBy('limit', rate('coordinator_limited_total'))} > 0`, legend: 'limit: {{limit}}' },
      {
        expr: `${sumBy('reason', rate('coordinator_http_connections_refused_total'))} > 0`,
        legend: 'connection: {{reason}}',
      },
      {
        expr: `${sumBy('reason', rate('coordinator_http_bodies_refused_total'))} > 0`,
        legend: 'body: {{reason}}',
      },
      { expr: `sum(${rate('coordinator_memory_refused_commits_total')}) > 0`, legend: 'write: no memory' },
    ],
  }),
]

const backups: readonly DashboardPanel[] = [
  graph({
    title: 'Missing in the archive',
    description: 'For how long something may have been missing.',
    unit: 's',
    queries: [{ expr: of('coordinator_backup_unarchived_seconds'), legend: '{{instance}}' }],
  }),
  graph({
    title: 'Backup failures',
    description: 'Attempts to write to the archive that failed, and parts of the history that it lacks.',
    unit: 'none',
    queries: [
      {
        expr: `increase(${of('coordinator_backup_failures_total')}[$__rate_interval])`,
        legend: '{{instance}} failures',
      },
      {
        expr: `increase(${of('coordinator_backup_gaps_total')}[$__rate_interval])`,
        legend: '{{instance}} gaps',
      },
    ],
  }),
  graph({
    title: 'Since the last rehearsed restore',
    description: 'Only coordinators that have rehearsed one since they started.',
    unit: 's',
    queries: [
      {
        expr: `time() - (${of('coordinator_backup_last_drill_timestamp_seconds')} > 0)`,
        legend: '{{instance}}',
      },
    ],
  }),
  graph({
    title: 'Version',
    description: 'Coordinators by version. All should have the same.',
    unit: 'none',
    queries: [
      {
        expr: `count by (version, node) (${of('coordinator_build_info')})`,
        legend: '{{version}} on {{node}}',
      },
    ],
  }),
]

/** All panels, in the order in which they are read. */
export const panels: readonly DashboardPanel[] = [
  ...health,
  ...requests,
  ...writes,
  ...database,
  ...replicas,
  ...resources,
  ...backups,
]
