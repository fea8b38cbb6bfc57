/** The answer of `GET /changes/density`. */
export interface Density {
  /** ISO 8601: where the first bucket begins. */
  readonly from: string
  readonly to: string
  readonly buckets: readonly {
    readonly from: string
    readonly changes: number
    /** The newest revision at its end. */
    readonly revision: number
  }[]
  readonly changes: number
  readonly keptFrom: string | null
  /** The oldest revision that can be looked at. */
  readonly floorRevision: number
  readonly revision: number
}

/** How far back the slider reaches. */
export const RANGES = {
  all: { word: 'everything that is kept', ms: undefined },
  day: { word: '24 hours', ms: 86_400_000 },
  hour: { word: '1 hour', ms: 3_600_000 },
  minutes: { word: '10 minutes', ms: 600_000 },
} as const
export type Range = keyof typeof RANGES

/** Fine enough for a slider, coarse enough for bars. */
export const BUCKETS = 200

/**
 * The bucket at whose end a moment is shown.
 *
 * @param moment a revision or a time, as `asOf` has it; `undefined` is now
 */
export function bucketOf({ buckets }: Density, moment: string | undefined): number {
  const last = buckets.length - 1
  if (moment === undefined) return last
  if (/^\d+$/.test(moment)) {
    const revision = Number(moment)
    const at = buckets.findIndex((bucket) => bucket.revision >= revision)
    return at === -1 ? last : at
  }
  const time = Date.parse(moment)
  const after = buckets.findIndex((bucket) => Date.parse(bucket.from) > time)
  return after === -1 ? last : Math.max(0, after - 1)
}

/** When a bucket ends, in epoch milliseconds. */
export function endOf({ buckets, to }: Density, at: number): number {
  return Date.parse(buckets[at + 1]?.from ?? to)
}

/**
 * The moment that a bucket of the slider stands for.
 *
 * @returns a revision; `undefined` at the end, which is now
 */
export function momentAt({ buckets, floorRevision, revision }: Density, at: number): string | undefined {
  const shown = Math.max(floorRevision, buckets[at]?.revision ?? revision)
  return at >= buckets.length - 1 ? undefined : String(shown)
}

/** Two moments, the earlier one first: a slider can be moved past the other one. */
export function inOrder(
  density: Density,
  from: string,
  to: string | undefined,
): readonly [from: string, to: string | undefined] {
  if (to === undefined) return [from, to]
  const places = [from, to].every((moment) => /^\d+$/.test(moment))
    ? ([Number(from), Number(to)] as const)
    : ([bucketOf(density, from), bucketOf(density, to)] as const)
  return places[0] > places[1] ? [to, from] : [from, to]
}
