import type { Service } from '../../api/types.ts'

/** What the list needs of each service. Bodies of `migrationFile` can be large, so the list does not ask for them. */
export const LIST_FIELDS = [
  'serviceId',
  'serviceName',
  'namespace',
  'version',
  'health',
  'endpoint',
  'tags',
  'capabilities',
  'metadata',
  'dependencies',
  'instanceId',
  'registeredAt',
  'updatedAt',
  'lastHeartbeat',
  'revision',
] as const

export type ListedService = Pick<Service, (typeof LIST_FIELDS)[number]>

export interface ServiceRow {
  readonly service: ListedService
  readonly owner: string | undefined
  /** Everything that the search looks at, in small letters. */
  readonly haystack: string
}

export function rowOf(service: ListedService): ServiceRow {
  const { serviceName, namespace, tags = [], capabilities = [], metadata = {} } = service
  const owner = ownerOf(metadata)
  const texts = [serviceName, namespace, ...tags, ...capabilities, ...textsOf(metadata)]
  return { service, owner, haystack: texts.join('\n').toLowerCase() }
}

/** Names under which registrations say who is responsible, the most usual first. */
const ownerKeys = ['owner', 'team', 'maintainer', 'contact']

export function ownerOf(metadata: Readonly<Record<string, unknown>>): string | undefined {
  for (const key of ownerKeys) {
    const value = metadata[key]
    if (typeof value === 'string' && value !== '') return value
  }
  return undefined
}

/** The members of metadata as `key value`, however deep. */
function textsOf(value: unknown, depth = 0): readonly string[] {
  if (value === null || depth > 8) return []
  if (typeof value !== 'object') return [String(value)]
  return Object.entries(value).flatMap(([key, member]) => [key, ...textsOf(member, depth + 1)])
}

/** Whether a row has all words of a search. */
export function matcher(search: string): (row: ServiceRow) => boolean {
  const words = search
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '')
  return ({ haystack }) => words.every((word) => haystack.includes(word))
}
