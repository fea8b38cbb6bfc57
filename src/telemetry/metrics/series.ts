/** Values of labels, by their names. */
export type Labels<N extends string = string> = Readonly<Record<N, string | number>>

/** The count of one series. */
export class Count {
  value = 0

  add(): void {
    this.value += 1
  }
}

/** The durations or sizes of one series, counted in buckets. */
export class Observations {
  readonly #bounds: readonly number[]
  /** One for each upper bound, and one for what is larger than all of them. */
  readonly counts: number[]
  sum = 0

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
    this.counts = Array.from({ length: bounds.length + 1 }, () => 0)
  }

  observe(value: number): void {
    let at = 0
    while (at < this.#bounds.length && value > (this.#bounds[at] as number)) at += 1
    this.counts[at] = (this.counts[at] as number) + 1
    this.sum += value
  }
}

/**
 * The series of one metric. Code that counts often looks its series up once. A counter of prom-client builds a text from the labels
 * at each count, which took a tenth of the time of a registration.
 */
export class SeriesOf<T, N extends string = string> {
  readonly #names: readonly N[]
  readonly #make: () => T
  readonly #series = new Map<string, { readonly labels: Labels<N>; readonly series: T }>()

  constructor(names: readonly N[], make: () => T) {
    this.#names = names
    this.#make = make
  }

  of(labels: Labels<N>): T {
    const key = this.#names.map((name) => labels[name]).join('\n')
    const known = this.#series.get(key) ?? { labels, series: this.#make() }
    this.#series.set(key, known)
    return known.series
  }

  flatMap<R>(use: (labels: Labels<N>, series: T) => readonly R[]): R[] {
    return [...this.#series.values()].flatMap(({ labels, series }) => use(labels, series))
  }
}

/** Makes something for each word, such as the series of each value of a label. */
export function each<W extends string, T>(words: readonly W[], make: (word: W) => T): Readonly<Record<W, T>> {
  return Object.fromEntries(words.map((word) => [word, make(word)])) as Record<W, T>
}
