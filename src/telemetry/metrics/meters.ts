import { Counter, Gauge, Histogram, Registry } from 'prom-client'

/** The labels of a metric, each with the values that have a series from the first scrape on. */
type Labels = Readonly<Record<string, readonly string[]>>
type Series<L extends Labels> = { readonly [N in keyof L & string]: L[N][number] }

interface Described {
  readonly name: string
  readonly help: string
}

/** A number that has no labels. `undefined` counts as 0. */
type Figure = readonly [help: string, read: () => number | undefined]

/**
 * Makes the metrics of one coordinator, in a registry of their own. Every series whose labels are known beforehand exists from
 * the first scrape on, with 0, so that a rate or an alert over it works before anything has happened.
 */
export class Meters {
  readonly registry = new Registry()
  readonly #registers = [this.registry]

  /** Values that are read at each scrape, by the names of the metrics. */
  gauges(metrics: Readonly<Record<string, Figure>>): void {
    for (const [name, [help, read]] of Object.entries(metrics)) this.gaugesBy({}, { name, help, read })
  }

  /** A gauge for each combination of labels. */
  gaugesBy<const L extends Labels>(
    labels: L,
    { name, help, read }: Described & { readonly read: (series: Series<L>) => number | undefined },
  ): void {
    this.changingGauges(Object.keys(labels), {
      ...{ name, help },
      collect(gauge) {
        for (const series of seriesOf(labels)) gauge.set(series, read(series) ?? 0)
      },
    })
  }

  /** A gauge whose series come and go. */
  changingGauges(
    labelNames: string[],
    { name, help, collect }: Described & { readonly collect: (gauge: Gauge) => void },
  ): void {
    const registers = this.#registers
    const gauge: Gauge = new Gauge({ name, help, labelNames, registers, collect: () => collect(gauge) })
  }

  /** Numbers that something else counts, by the names of the metrics. They are read at each scrape. */
  totals(metrics: Readonly<Record<string, Figure>>): void {
    for (const [name, [help, read]] of Object.entries(metrics)) {
      const counter: Counter = new Counter({
        ...{ name, help, registers: this.#registers },
        collect() {
          counter.reset()
          counter.inc(read() ?? 0)
        },
      })
    }
  }

  counter<const L extends Labels>(name: string, help: string, labels: L): Counter<keyof L & string> {
    const counter = new Counter({ name, help, labelNames: Object.keys(labels), registers: this.#registers })
    for (const series of seriesOf(labels)) counter.inc(series, 0)
    return counter
  }

  /** Counters with the same labels, by their names. */
  counters<const L extends Labels, N extends string>(
    labels: L,
    helps: Readonly<Record<N, string>>,
  ): Record<N, Counter<keyof L & string>> {
    const counters = Object.entries<string>(helps).map(([name, help]) => [
      name,
      this.counter(name, help, labels),
    ])
    return Object.fromEntries(counters)
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
