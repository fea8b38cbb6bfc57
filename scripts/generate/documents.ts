import { renderAlarms } from './alarms.ts'
import { renderDashboard } from './dashboard.ts'
import { renderErrors } from './errors.ts'
import { renderLicenses } from './licenses.ts'
import { renderMetrics } from './metrics.ts'
import { renderSettings } from './settings.ts'

/** A file whose text comes from the code. */
export interface GeneratedDocument {
  /** From the root of the repository. */
  readonly path: string
  render(): string | Promise<string>
}

export const documents: readonly GeneratedDocument[] = [
  { path: 'docs/errors.md', render: renderErrors },
  { path: 'docs/settings.md', render: renderSettings },
  { path: 'docs/metrics.md', render: renderMetrics },
  { path: 'docs/licenses.md', render: renderLicenses },
  { path: 'docs/alarms.md', render: renderAlarms },
  { path: 'deploy/grafana/coordinator.json', render: renderDashboard },
]
