import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { type KnownMetrics, knownMetrics } from './known-metrics.ts'
import { promqlFaults } from './promql-faults.ts'

interface Panel {
  readonly id: number
  readonly title: string
  readonly type: string
  readonly description: string
  readonly datasource: { readonly uid: string }
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly targets: readonly {
    readonly expr: string
    readonly legendFormat: string
    readonly datasource: { readonly uid: string }
  }[]
}
interface Variable {
  readonly name: string
  readonly type: string
  readonly query: string | { readonly query: string }
}
const dashboard = JSON.parse(readFileSync('deploy/grafana/coordinator.json', 'utf8')) as {
  readonly panels: readonly Panel[]
  readonly templating: { readonly list: readonly Variable[] }
}
const { panels, templating } = dashboard
const queries = panels.flatMap(({ title, targets }) => targets.map((target) => ({ title, ...target })))

/** A query as Prometheus gets it. */
const filledIn = (expr: string) =>
  expr.replaceAll('$__rate_interval', '1m').replaceAll(/\$(job|instance)\b/g, '.+')

// `npm run gen:check` keeps the file equal to what the generator makes, and `tsc` checks that against the types of Grafana.
describe('deploy/grafana/coordinator.json', () => {
  let known: KnownMetrics
  beforeAll(async () => {
    known = await knownMetrics()
  })

  it.each(queries)('$title asks for what coordinators have: $expr', ({ expr }) => {
    expect(filledIn(expr)).not.toContain('$')
    expect(promqlFaults(filledIn(expr), known)).toEqual([])
  })

  it.each(queries)('$title shows only what is chosen at its top: $expr', ({ expr, datasource }) => {
    expect(datasource.uid).toBe('$datasource')
    const selected = [...expr.matchAll(/\b(?:up|(?:coordinator|process|nodejs)_\w+)\b(?=\{|\[| |\))/g)]
    const isOfAlarms = expr.includes('ALERTS{')
    expect(selected.length > 0 || isOfAlarms).toBe(true)
    for (const { 0: name, index } of selected)
      expect(expr.slice(index)).toMatch(new RegExp(`^${name}\\{job=~"\\$job", instance=~"\\$instance"`))
  })

  it.each(queries)('$title names series by labels that its query leaves: $legendFormat', (query) => {
    const { expr, legendFormat } = query
    for (const [, label = ''] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) {
      const groups = [...expr.matchAll(/\bby \(([^)]*)\)/g)].map(([, labels = '']) => labels.split(', '))
      if (groups.length > 0) expect(groups.every((labels) => labels.includes(label))).toBe(true)
      // A label that no metric has would be a fault of the query, if it were grouped by it.
      else expect(promqlFaults(`sum by (${label}) (${filledIn(expr)})`, known)).toEqual([])
    }
  })

  it.each([
    ['state', 'coordinator_database_status'],
    ['reads and requests', 'coordinator_http_request_duration_seconds_bucket'],
    ['errors by code', 'coordinator_http_problems_total'],
    ['writes', 'coordinator_commits_total'],
    ['the time of writes', 'coordinator_commit_duration_seconds_bucket'],
    ['waiting writes', 'coordinator_commit_queue_depth'],
    ['the age of the view', 'coordinator_view_age_seconds'],
    ['its lag', 'coordinator_view_lag_revisions'],
    ['connections to the database', 'coordinator_database_connections'],
    ['the lag of replicas', 'coordinator_database_replica_lag_revisions'],
    ['what replicas answer', 'coordinator_replica_reads_total'],
    ['errors of the database by class', 'coordinator_database_errors_total'],
    ['services', 'coordinator_registered_services'],
    ['the graph', 'coordinator_graph_edges_by_type'],
    ['streams', 'coordinator_http_streams'],
    ['memory', 'coordinator_memory_used_bytes'],
    ['backups', 'coordinator_backup_unarchived_seconds'],
    ['alarms', 'ALERTS'],
  ])('shows %s', (_, metric) => {
    expect(queries.some(({ expr }) => expr.includes(`${metric}{`))).toBe(true)
  })

  it('lets the reader choose data source, job and coordinators', () => {
    expect(templating.list.map(({ name }) => name)).toEqual(['datasource', 'job', 'instance'])
    for (const { type, query } of templating.list) {
      const text = typeof query === 'string' ? query : query.query
      if (type === 'datasource') expect(text).toBe('prometheus')
      else {
        const [, selector = '', label] = /^label_values\((.+), (job|instance)\)$/.exec(text) ?? []
        expect(label).toBeDefined()
        expect(promqlFaults(filledIn(selector), known)).toEqual([])
      }
    }
  })

  it('has panels that do not overlap, in lines of full width, each with a title and a description', () => {
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, at) => `${x + (at % w)},${y + Math.floor(at / w)}`),
    )
    expect(new Set(cells).size).toBe(cells.length)
    const height = Math.max(...panels.map(({ gridPos: { y, h } }) => y + h))
    expect(cells.length).toBe(24 * height)
    for (const { title, description } of panels)
      expect([title, description].every((text) => text.length > 4)).toBe(true)
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
  })
})

describe('the check of the dashboard finds', () => {
  it.each([
    ['rate(coordinator_commit_total{job=~"$job", instance=~"$instance"}[$__rate_interval])', 'no metric'],
    ['sum by (operation) (coordinator_commits_total{job=~"$job"})', 'no label operation'],
  ])('the mistake in %s', async (expr, fault) => {
    expect(promqlFaults(filledIn(expr), await knownMetrics()).join()).toContain(fault)
  })
})
