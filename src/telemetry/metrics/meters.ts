import { type Metric, MetricRegistry, type Sample } from './metric-registry.ts'
import { Count, Observations, SeriesOf } from './series.ts'

/** The labels of a metric, each with the values that have a series from the first scrape on. */
type KnownLabels<N extends string = string> = Readonly<Record<N, readonly string[]>>
/** One value for each of these labels. */
type Combination<L extends KnownLabels> = { readonly [N in keyof L & string]: L[N][number] }

/** A number that has no labels. `undefined` counts as 0. */
type Figure = readonly [help: string, read: () => number | undefined]

interface Described {
  readonly name: string
  readonly help: string
}

/**
 * Makes the metrics of one coordinator, in a registry of their own. Every series whose labels are known beforehand exists from
 * the first scrape on, with 0, so that a rate or an alert over it works before anything has happened.
 */
export class Meters {
  readonly registry = new MetricRegistry()

  /** Values that are read at each scrape, by the names of the metrics. */
  gauges(metrics: Readonly<Record<string, Figure>>): void {
    for (const [name, [help, read]] of Object.entries(metrics))
      this.changingGauge([], { name, help, read: () => [{ labels: {}, value: read() ?? 0 }] })
  }

  /** Numbers that something else counts, by the names of the metrics. They are read at each scrape. */
  totals(metrics: Readonly<Record<string, Figure>>): void {
    for (const [name, [help, read]] of Object.entries(metrics))
      this.#register({ name, help, type: 'counter' }, [], () => [{ labels: {}, value: read() ?? 0 }])
  }

  /** A value for each combination of labels, read at each scrape. */
  gaugeBy<const L extends KnownLabels>(
    labels: L,
    { read, ...described }: Described & { readonly read: (labels: Combination<L>) => number | undefined },
  ): void {
    const combinations = combinationsOf(labels)
    this.changingGauge(Object.keys(labels), {
      ...described,
      read: () => combinations.map((labels) => ({ labels, value: read(labels) ?? 0 })),
    })
  }

  /** Numbers that something else counts, one for each combination of labels. They are read at each scrape. */
  totalBy<const L extends KnownLabels>(
    labels: L,
    { read, ...described }: Described & { readonly read: (labels: Combination<L>) => number | undefined },
  ): void {
    const combinations = combinationsOf(labels)
    this.#register({ ...described, type: 'counter' }, Object.keys(labels), () =>
      combinations.map((labels) => ({ labels, value: read(labels) ?? 0 })),
    )
  }

  /** A gauge whose series come and go. */
  changingGauge(
    labelNames: readonly string[],
    { read, ...described }: Described & { readonly read: () => readonly Sample[] },
  ): void {
    this.#register({ ...described, type: 'gauge' }, labelNames, read)
  }

  counter<N extends string>(name: string, help: string, labels: KnownLabels<N>): SeriesOf<Count, N> {
    const series = knownSeries(labels, () => new Count())
    this.#register({ name, help, type: 'counter' }, Object.keys(labels), () =>
      series.flatMap((labels, { value }) => [{ labels, value }]),
    )
    return series
  }

  histogram<N extends string>(
    name: string,
    help: string,
    { labels, bounds }: { readonly labels: KnownLabels<N>; readonly bounds: readonly number[] },
  ): SeriesOf<Observations, N> {
    const series = knownSeries(labels, () => new Observations(bounds))
    this.#register({ name, help, type: 'histogram' }, Object.keys(labels), () =>
      series.flatMap((sharedLabels, { counts, sum }) => {
        let count = 0
        const buckets = counts.map((inBucket, at) => {
          count += inBucket
          return {
            metricName: `${name}_bucket`,
            labels: { le: bounds[at] ?? '+Inf' },
            value: count,
            sharedLabels,
          }
        })
        return [
          ...buckets,
          { metricName: `${name}_sum`, labels: {}, value: sum, sharedLabels },
          { metricName: `${name}_count`, labels: {}, value: count, sharedLabels },
        ]
      }),
    )
    return series
  }

  #register(
    described: Described & Pick<Metric, 'type'>,
    labelNames: readonly string[],
    read: () => readonly Sample[],
  ): void {
    this.registry.register({ ...described, labelNames, read })
  }
}

function knownSeries<T, N extends string>(labels: KnownLabels<N>, make: () => T): SeriesOf<T, N> {
  const series = new SeriesOf(Object.keys(labels) as N[], make)
  for (const combination of combinationsOf(labels)) series.of(combination)
  return series
}

/** Every combination of the values of all labels. */
function combinationsOf<L extends KnownLabels>(labels: L): Combination<L>[] {
  return Object.entries(labels).reduce<Record<string, string>[]>(
    (all, [name, values]) => all.flatMap((some) => values.map((value) => ({ ...some, [name]: value }))),
    [{}],
  ) as Combination<L>[]
}
