import type { Direction } from '../analysis/search.ts'

/** Whether an answer is complete. */
export interface Completeness {
  /** Whether nothing that was asked for is missing. */
  readonly complete: boolean
  /**
   * The reason why something is missing. `limit`: there was more than `limit` allows. `budget`: the search stopped before it
   * found everything. `size`: the answer would have become too large. Absent in complete answers.
   */
  readonly truncated?: 'limit' | 'budget' | 'size'
}

export const COMPLETE: Completeness = { complete: true }

export function cutBy(truncated: NonNullable<Completeness['truncated']>): Completeness {
  return { complete: false, truncated }
}

/** Options that restrict a question. Each question knows some of these. */
export interface QuestionOptions {
  /** How many items to list, the most important first. Each question has its own default. */
  readonly limit?: number | undefined
  /** How many steps to go from a node. @default no bound */
  readonly depth?: number | undefined
  /** @default both */
  readonly direction?: Direction | undefined
  /** Only edges of these types count. @default all */
  readonly edgeTypes?: readonly string[] | undefined
  /** Only nodes of these types are listed; searches also go through others. @default all */
  readonly nodeTypes?: readonly string[] | undefined
  /** Only nodes of this namespace are listed, and the far ends of their edges. @default every node */
  readonly namespace?: string | undefined
}

/** How many items an answer lists by default. */
export const DEFAULT_LIMIT = 1_000
export const MAX_LIMIT = 10_000
