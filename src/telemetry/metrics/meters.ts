import { Counter, Gauge, Histogram, Registry } from 'prom-client'

/** The labels of a metric, each with the values that have a series from the first scrape on. */
type Labels = Readonly<Record<string, readonly string[]>>
type Series<L extends Labels> = { readonly [N in keyof L & string]: L[N][number] }

/**
 * Makes the metrics of one coordinator, in a registry of their own. Every series whose labels are known beforehand exists from
 * the first scrape on, with 0, so that a rate or an alert over it works before anything has happened.
 */
export class Meters {
  readonly registry = new Registry()
  readonly #registers = [this.registry]

  /** A value that is read at each scrape. `undefined` counts as 0. */
  gauge(name: string, help: string, read: () => number | undefined): void {
    this.gauges(name, help, { labels: {}, read })
  }

  /** The same for each combination of labels. */
  gauges<const L extends Labels>(
    name: string,
    help: string,
    { labels, read }: { readonly labels: L; readonly read: (series: Series<L>) => number | undefined },
  ): void {
    this.changingGauges(name, help, {
      labelNames: Object.keys(labels),
      collect(gauge) {
        for (const series of seriesOf(labels)) gauge.set(series, read(series) ?? 0)
      },
    })
  }

  /** A gauge whose series come and go. */
  changingGauges(
    name: string,
    help: string,
    { labelNames, collect }: { readonly labelNames: string[]; readonly collect: (gauge: Gauge) => void },
  ): void {
    const registers = this.#registers
    const gauge: Gauge = new Gauge({ name, help, labelNames, registers, collect: () => collect(gauge) })
  }

  /** A number that something else counts. It is read at each scrape. `undefined` counts as 0. */
  total(name: string, help: string, read: () => number | undefined): void {
    const counter: Counter = new Counter({
      name,
      help,
      registers: this.#registers,
      collect() {
        counter.reset()
        counter.inc(read() ?? 0)
      },
    })
  }

  counter<const L extends Labels = Record<never, never>>(
    name: string,
    help: string,
    labels: L = {} as L,
  ): Counter<keyof L & string> {
    const counter = new Counter({ name, help, labelNames: Object.keys(labels), registers: this.#registers })
    for (const series of seriesOf(labels)) counter.inc(series, 0)
    return counter
  }

  histogram<const L extends Labels>(
    name: string,
    help: string,
    { labels, buckets }: { readonly labels: L; readonly buckets: readonly number[] },
  ): Histogram<keyof L & string> {
    const labelNames = Object.keys(labels)
    const histogram = new Histogram({
      name,
      help,
      labelNames,
      buckets: [...buckets],
      registers: this.#registers,
    })
    for (const series of seriesOf(labels)) histogram.zero(series)
    return histogram
  }
}

/** Every combination of the values of all labels. */
function seriesOf<L extends Labels>(labels: L): Series<L>[] {
  return Object.entries(labels).reduce<Record<string, string>[]>(
    (all, [name, values]) => all.flatMap((series) => values.map((value) => ({ ...series, [name]: value }))),
    [{}],
  ) as Series<L>[]
}
