import type { Problem } from '../../errors.ts'
import { HEALTHS, type Health } from '../../records/health.ts'
import { invalidQuery } from '../../records/invalid-query.ts'
import { isTooLongForRange, RANGE_LIMITS } from '../../records/version-range.ts'
import { closestWord } from '../../text/closest-word.ts'
import type { ServiceStatus } from '../answers/answers.ts'
import { SERVICE_FIELDS } from '../answers/service-json.ts'

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

/** Text values of a query string; repeated parameters come as arrays. */
export type QueryParameters = Readonly<Record<string, string | readonly string[] | undefined>>

const STATUSES: readonly ServiceStatus[] = ['pending_migration', 'active']
const METADATA = 'metadata.'
/** Longer than any text that can be registered. */
const VALUE_MAX = 16_384

/** Parameters of every read, which are not ours to understand. */
const elsewhere = ['minRevision', 'consistency', 'asOf']
const single = ['name', 'version', 'status', 'health', 'limit', 'cursor', 'fields'] as const
const repeated = ['tag', 'capability'] as const
const known: readonly string[] = [...single, ...repeated, `${METADATA}<key>`, ...elsewhere]

/**
 * Reads the query string of a list. `tag`, `capability` and `metadata.<key>` may be repeated: all of them count. The
 * parameters of every read (`minRevision`, `consistency`, `asOf`) may be there and are left alone.
 *
 * @throws COORD_QUERY_INVALID with every problem
 */
export function parseListQuery(parameters: QueryParameters): ListQuery {
  const values = new QueryValues(parameters)
  const filters = {
    ...optional('name', values.text('name')),
    ...optional('version', values.range('version')),
    ...optional('status', values.oneOf('status', STATUSES)),
    ...optional('health', values.oneOf('health', HEALTHS)),
    tags: values.set('tag'),
    capabilities: values.set('capability'),
    metadata: values.metadata(),
  }
  const query = {
    filters,
    limit: values.limit(),
    ...optional('cursor', values.text('cursor')),
    ...optional('fields', values.fields()),
  }
  values.throwProblems()
  return query
}

/** Reads parameters one by one, and gathers what is wrong with them. */
class QueryValues {
  readonly #values = new Map<string, readonly string[]>()
  readonly #problems: Problem[] = []

  constructor(parameters: QueryParameters) {
    for (const [key, value] of Object.entries(parameters)) {
      if (value === undefined) continue
      this.#values.set(key, typeof value === 'string' ? [value] : value)
      this.#check(key, typeof value === 'string' ? [value] : value)
    }
  }

  text(key: (typeof single)[number]): string | undefined {
    const [value, second] = this.#values.get(key) ?? []
    if (second !== undefined) this.#add(key, 'may be given only once')
    return value
  }

  /** A version or a range of versions. */
  range(key: 'version'): string | undefined {
    const value = this.text(key)
    if (value === undefined || !isTooLongForRange(value)) return value
    const { length, alternatives } = RANGE_LIMITS
    this.#add(
      key,
      value.length > length
        ? `has more than ${length} characters`
        : `has more than ${alternatives} alternatives, which || separates`,
    )
    return undefined
  }

  oneOf<T extends string>(key: 'status' | 'health', allowed: readonly T[]): T | undefined {
    const value = this.text(key)
    if (value === undefined || (allowed as readonly string[]).includes(value)) return value as T | undefined
    this.#add(key, `must be one of ${allowed.join(', ')}${meant(value, allowed)}`)
    return undefined
  }

  /** In one order, so that the order in which they are sent makes no difference. */
  set(key: (typeof repeated)[number]): readonly string[] {
    return [...new Set(this.#values.get(key))].sort()
  }

  metadata(): readonly (readonly [string, string])[] {
    return [...this.#values.keys()]
      .filter((key) => key.startsWith(METADATA))
      .sort()
      .flatMap((key) =>
        [...new Set(this.#values.get(key))].sort().map((text) => [key.slice(METADATA.length), text] as const),
      )
  }

  limit(): number {
    const value = this.text('limit')
    if (value === undefined) return LIST_LIMIT_DEFAULT
    const limit = /^\d{1,9}$/.test(value) ? Number(value) : 0
    if (limit >= 1 && limit <= LIST_LIMIT_MAX) return limit
    this.#add('limit', `must be a whole number from 1 to ${LIST_LIMIT_MAX}`)
    return LIST_LIMIT_DEFAULT
  }

  fields(): readonly string[] | undefined {
    const value = this.text('fields')
    if (value === undefined) return undefined
    const fields = [...new Set(value.split(',').map((field) => field.trim()))]
    for (const field of fields)
      if (!SERVICE_FIELDS.includes(field))
        this.#add(
          'fields',
          `names ${shown(field)}, which services do not have${meant(field, SERVICE_FIELDS)}`,
        )
    return fields
  }

  throwProblems(): void {
    if (this.#problems.length > 0) throw invalidQuery(this.#problems)
  }

  #check(key: string, values: readonly string[]): void {
    if (!known.includes(key) && !(key.startsWith(METADATA) && key.length > METADATA.length))
      return this.#add(shown(key), `is not a known parameter${meant(key, known)}`)
    for (const value of values) {
      const empty = value === '' && !key.startsWith(METADATA)
      if (empty) this.#add(key, 'is empty')
      else if (value.length > VALUE_MAX) this.#add(key, `has more than ${VALUE_MAX} characters`)
      else if (value.includes('\0') || !value.isWellFormed()) this.#add(key, 'is not text that can be stored')
    }
  }

  #add(key: string, message: string): void {
    this.#problems.push({ path: `query.${key}`, message, code: 'COORD_QUERY_INVALID' })
  }
}

function optional<K extends string, T>(key: K, value: T | undefined): { [key in K]?: T } {
  return value === undefined ? {} : ({ [key]: value } as { [key in K]: T })
}

function meant(given: string, allowed: readonly string[]): string {
  const word = closestWord(given, allowed)
  return word === undefined ? '' : `; did you mean ${word}?`
}

/** A name from a request may be long and of any content: enough of it to be recognised. */
function shown(name: string): string {
  return JSON.stringify(name.slice(0, 64).toWellFormed()).slice(1, -1)
}
