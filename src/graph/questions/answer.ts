/** What every answer says about how much of the truth it holds. */
export interface Completeness {
  /** Whether nothing that was asked for is missing. */
  readonly complete: boolean
  /**
   * Why something is missing: `limit` more was found than `limit` allows; `budget` the search was ended before it found
   * everything; `size` the answer would have become too large. Absent in complete answers.
   */
  readonly truncated?: 'limit' | 'budget' | 'size'
}

export const COMPLETE: Completeness = { complete: true }

export function cutBy(truncated: NonNullable<Completeness['truncated']>): Completeness {
  return { complete: false, truncated }
}

/** How many items an answer lists where the question does not say. */
export const DEFAULT_LIMIT = 1_000
export const MAX_LIMIT = 10_000
