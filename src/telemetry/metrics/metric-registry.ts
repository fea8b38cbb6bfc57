import type { Labels } from './series.ts'

/** A number of a metric. */
export interface Sample {
  readonly labels: Labels
  readonly value: number
  /** The name of the number. @default the name of the metric */
  readonly metricName?: string
  /** Labels that several samples have in common. They are written after the others. */
  readonly sharedLabels?: Labels
}

export interface Metric {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly labelNames: readonly string[]
  readonly read: () => readonly Sample[]
}

/** The metrics of one coordinator, and their text in the format of Prometheus. */
export class MetricRegistry {
  readonly contentType = 'text/plain; version=0.0.4; charset=utf-8'
  readonly #metrics = new Map<string, Metric>()

  /** @throws Error if there is a metric of this name: a second one would hide the first */
  register(metric: Metric): void {
    if (this.#metrics.has(metric.name)) throw new Error(`there are two metrics ${metric.name}`)
    this.#metrics.set(metric.name, metric)
  }

  /** Every metric, in the order in which they were registered. */
  get all(): readonly Metric[] {
    return [...this.#metrics.values()]
  }

  /** The text of `GET /metrics`. Every metric is read now. */
  text(): string {
    return `${this.all.map(textOf).join('\n\n')}\n`
  }
}

function textOf({ name, help, type, read }: Metric): string {
  const lines = read().map(({ metricName = name, labels, sharedLabels = {}, value }) => {
    const pairs = [labels, sharedLabels].flatMap(Object.entries<string | number>)
    const text = pairs.map(([label, given]) => `${label}="${escapeLabel(String(given))}"`).join(',')
    return `${metricName}${text === '' ? '' : `{${text}}`} ${numberText(value)}`
  })
  return [`# HELP ${name} ${escapeHelp(help)}`, `# TYPE ${name} ${type}`, ...lines].join('\n')
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}

function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"')
}

function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf'
  if (value === Number.NEGATIVE_INFINITY) return '-Inf'
  return String(value)
}
