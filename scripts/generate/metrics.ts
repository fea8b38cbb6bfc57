import { createMetrics } from '../../src/telemetry/metrics.ts'

const labelsOf = (metric: object): string =>
  'labelNames' in metric && Array.isArray(metric.labelNames) && metric.labelNames.length > 0
    ? metric.labelNames.map((label) => `\`${String(label)}\``).join(', ')
    : ''

/** `docs/metrics.md`: what `createMetrics` registers, in its order. */
export async function renderMetrics(): Promise<string> {
  const { registry } = createMetrics({ backend: 'memory', process: false })
  const described = await registry.getMetricsAsJSON()
  const rows = described.map(({ name, help, type }) => {
    const metric = registry.getSingleMetric(name)
    return `| \`${name}\` | ${String(type)} | ${metric === undefined ? '' : labelsOf(metric)} | ${help} |`
  })
  return `<!-- Generated from src/telemetry/metrics/ by \`npm run gen\`: change it there. -->

# Metrics

\`GET /metrics\` answers in the text format of Prometheus. If the labels of a series are known beforehand, the series exists from the
first scrape on, with the value 0, on every backend. \`GET /metrics\` also has the usual \`process_*\` and \`nodejs_*\` metrics.

| name | type | labels | meaning |
|---|---|---|---|
${rows.join('\n')}
`
}
