import type { ServiceStatus } from './answers.ts'
import type { Health } from './leases.ts'

/** What a service must fulfil to be listed: all of it. */
export interface ServiceFilters {
  /** Exactly this serviceName. */
  readonly name?: string
  /** A semver range; versions that are not semver match where they are exactly this text. */
  readonly version?: string
  readonly tags: readonly string[]
  readonly capabilities: readonly string[]
  /** Members of `metadata` whose value, as text, is exactly this. */
  readonly metadata: readonly (readonly [key: string, text: string])[]
  readonly status?: ServiceStatus
  readonly health?: Health
}

export interface ListQuery {
  readonly filters: ServiceFilters
  /** Services on a page. */
  readonly limit: number
  readonly cursor?: string
  /** Only these members of each service, in this order. */
  readonly fields?: readonly string[]
}

/** Text values of a query string; repeated parameters come as arrays. */
export type QueryParameters = Readonly<Record<string, string | readonly string[] | undefined>>

/**
 * Reads the query string of a list.
 *
 * @throws COORD_QUERY_INVALID with every problem
 */
export function parseListQuery(_parameters: QueryParameters): ListQuery {
  return { filters: { tags: [], capabilities: [], metadata: [] }, limit: 100 }
}
