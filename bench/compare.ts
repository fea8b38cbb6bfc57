import type { LoadResult } from './load/http-client.ts'

/** One side of a comparison: something that can be measured again and again. */
export interface Side {
  readonly name: string
  measure(round: number): Promise<LoadResult>
}

export interface Comparison {
  readonly product: Figures
  readonly peer: Figures
  /** Product by peer, of each round. */
  readonly ratio: Spread
}

export interface Figures {
  readonly name: string
  readonly perSecond: Spread
  readonly p50Ms: number
  readonly p99Ms: number
}

export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

/** Measures both sides in turn, so that a machine that gets slower gets slower for both. */
export async function compare(product: Side, peer: Side, rounds: number): Promise<Comparison> {
  const results: { product: LoadResult; peer: LoadResult }[] = []
  for (let round = 0; round < rounds; round += 1) {
    // Who goes first alternates as well.
    const first = round % 2 === 0
    const one = await (first ? product : peer).measure(round)
    const other = await (first ? peer : product).measure(round)
    results.push(first ? { product: one, peer: other } : { product: other, peer: one })
  }
  return {
    product: figures(
      product.name,
      results.map((result) => result.product),
    ),
    peer: figures(
      peer.name,
      results.map((result) => result.peer),
    ),
    ratio: spread(results.map((result) => result.product.perSecond / result.peer.perSecond)),
  }
}

export function figures(name: string, results: readonly LoadResult[]): Figures {
  return {
    name,
    perSecond: spread(results.map(({ perSecond }) => perSecond)),
    p50Ms: spread(results.map(({ p50Ms }) => p50Ms)).median,
    p99Ms: spread(results.map(({ p99Ms }) => p99Ms)).median,
  }
}

export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((left, right) => left - right)
  const middle = sorted.length >> 1
  const median =
    sorted.length % 2 === 1 ? sorted[middle] : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
  return { median: median ?? Number.NaN, min: sorted[0] ?? Number.NaN, max: sorted.at(-1) ?? Number.NaN }
}
