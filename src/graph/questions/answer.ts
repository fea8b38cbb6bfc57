/** Whether an answer is complete. */
export interface Completeness {
  /** Whether nothing that was asked for is missing. */
  readonly complete: boolean
  /**
   * Why something is missing. `limit`: there was more than `limit` allows. `budget`: the search stopped before it found everything. `size`:
   * the answer would have become too large. Absent in complete answers.
   */
  readonly truncated?: 'limit' | 'budget' | 'size'
}

export const COMPLETE: Completeness = { complete: true }

export function cutBy(truncated: NonNullable<Completeness['truncated']>): Completeness {
  return { complete: false, truncated }
}

/** How many items an answer lists by default. */
export const DEFAULT_LIMIT = 1_000
export const MAX_LIMIT = 10_000
