import type { Health } from '../../records/health.ts'
import type { ServiceStatus } from '../answers/answers.ts'

/** The conditions for a service to be listed. It must fulfill all of them. */
export interface ServiceFilters {
  /** Exactly this serviceName. */
  readonly name?: string
  /** Exactly this namespace. */
  readonly namespace?: string
  /** A semver range, as npm reads it. A stored version that cannot be compared with it matches only if it equals this text. */
  readonly version?: string
  readonly tags: readonly string[]
  readonly capabilities: readonly string[]
  /** Members of `metadata` whose value as text is exactly this one. */
  readonly metadata: readonly (readonly [key: string, text: string])[]
  /** Words that must all be in its name, its tags, its capabilities or the values of its metadata, in upper or lower case. */
  readonly words?: readonly string[]
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

/** Services on a page, if the client does not set a limit. */
export const LIST_LIMIT_DEFAULT = 100
export const LIST_LIMIT_MAX = 1_000
