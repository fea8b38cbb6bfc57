import type { Metric } from '../../src/telemetry/metrics/metric-registry.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'

const labelsOf = ({ labelNames }: Metric): string => labelNames.map((label) => `\`${label}\``).join(', ')

/** `docs/metrics.md`: what `createMetrics` registers, in its order. */
export function renderMetrics(): string {
  const { registry } = createMetrics({ backend: 'memory', process: false })
  const rows = registry.all.map(
    (metric) => `| \`${metric.name}\` | ${metric.type} | ${labelsOf(metric)} | ${metric.help} |`,
  )
  return `<!-- Generated from src/telemetry/metrics/ by \`npm run gen\`: change it there. -->

# Metrics

\`GET /metrics\` answers in the text format of Prometheus. If the labels of a series are known beforehand, the series exists from the
first scrape on, with the value 0, on every backend. \`GET /metrics\` also has the usual \`process_*\` and \`nodejs_*\` metrics.

| name | type | labels | meaning |
|---|---|---|---|
${rows.join('\n')}
`
}
