import {
  type Dashboard,
  DashboardCursorSync,
  type DataSourceRef,
  type Panel,
  ThresholdsMode,
  type VariableModel,
  VariableRefresh,
  VariableSort,
} from '@grafana/schema'
import { type DashboardPanel, panels, type Query } from './dashboard-panels.ts'

/** The data source that is chosen at the top of the dashboard. */
const datasource: DataSourceRef = { type: 'prometheus', uid: '$datasource' }

/** Of the grid of Grafana, which has 24 columns. */
const columns = 24

/** `deploy/grafana/coordinator.json`. */
export function renderDashboard(): string {
  return `${JSON.stringify(dashboard(), undefined, 2)}\n`
}

function dashboard(): Dashboard {
  return {
    uid: 'coordinator',
    title: 'Coordinator',
    description:
      'Coordinators and what they serve. docs/monitoring.md says how to set it up, docs/alarms.md what to do.',
    tags: ['coordinator'],
    schemaVersion: 39,
    version: 1,
    editable: true,
    graphTooltip: DashboardCursorSync.Crosshair,
    refresh: '30s',
    time: { from: 'now-1h', to: 'now' },
    timezone: 'browser',
    templating: {
      list: [
        { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus' },
        labelVariable({ name: 'job', label: 'Job', query: 'label_values(coordinator_build_info, job)' }),
        labelVariable({
          name: 'instance',
          label: 'Coordinator',
          query: 'label_values(coordinator_build_info{job=~"$job"}, instance)',
        }),
      ],
    },
    panels: placed(panels),
  }
}

function labelVariable({
  name,
  label,
  query,
}: {
  name: string
  label: string
  query: string
}): VariableModel {
  return {
    ...{ name, label, datasource, type: 'query' },
    query: { query, refId: name },
    refresh: VariableRefresh.onTimeRangeChanged,
    sort: VariableSort.alphabeticalAsc,
    multi: true,
    includeAll: true,
    allValue: '.+',
    current: { selected: true, text: 'All', value: '$__all' },
  }
}

/** Puts panels side by side, and begins another line where the next one does not fit. */
function placed(list: readonly DashboardPanel[]): Panel[] {
  let [x, y, lineHeight] = [0, 0, 0]
  return list.map((panel, at) => {
    if (x + panel.width > columns) [x, y, lineHeight] = [0, y + lineHeight, 0]
    const gridPos = { x, y, w: panel.width, h: panel.height }
    x += panel.width
    lineHeight = Math.max(lineHeight, panel.height)
    return { id: at + 1, gridPos, ...drawn(panel) }
  })
}

function drawn(panel: DashboardPanel): Omit<Panel, 'id' | 'gridPos'> {
  const { type, title, description, unit, queries, max, steps, options, custom, overrides, noValue } = panel
  return {
    ...{ type, title, description, datasource },
    targets: queries.map(target),
    options: { ...options },
    fieldConfig: {
      defaults: {
        unit,
        min: 0,
        ...(max === undefined ? {} : { max }),
        ...(noValue === undefined ? {} : { noValue }),
        ...(steps === undefined
          ? {}
          : {
              thresholds: {
                mode: ThresholdsMode.Absolute,
                steps: steps.map(([value, color]) => ({ value, color })),
              },
            }),
        ...(custom === undefined ? {} : { custom: { ...custom } }),
      },
      overrides: overrides.map(([pattern, color]) => ({
        matcher: { id: 'byRegexp', options: pattern },
        properties: [{ id: 'color', value: { mode: 'fixed', fixedColor: color } }],
      })),
    },
  }
}

function target({ expr, legend, instant = false }: Query, at: number): Record<string, unknown> {
  const refId = String.fromCharCode(65 + at)
  return { refId, datasource, expr, legendFormat: legend, instant, range: !instant, editorMode: 'code' }
}
