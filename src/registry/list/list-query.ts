import type { Health } from '../../records/health.ts'
import type { ServiceStatus } from '../answers/answers.ts'

/** What a service must fulfil to be listed: all of it. */
export interface ServiceFilters {
  /** Exactly this serviceName. */
  readonly name?: string
  /** A semver range, as npm reads it; a version that is not semantic fulfils only exactly its own text. */
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

/** Services on a page, where the client does not say. */
export const LIST_LIMIT_DEFAULT = 100
export const LIST_LIMIT_MAX = 1_000
