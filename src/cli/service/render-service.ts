import { countOf, textTable } from '../terminal/text-table.ts'

/** A service as a coordinator of any version shows it. */
export type Service = Readonly<Record<string, unknown>>

/** What people ask about `pending_migration`, because it sounds like a fault. */
export const pendingMigrationText =
  'pending_migration: it can be found and used; it has not sent a migrationFile, which is optional and says what it exposes and uses'

const defaultNamespace = 'default'

/**
 * Services as a table. The namespace has a column as soon as one of them is not in the default one.
 *
 * @param wide whether the columns that most people do not need are there, too
 */
export function servicesTable(services: readonly Service[], wide = false): string {
  const severalNamespaces = services.some(
    ({ namespace }) => typeof namespace === 'string' && namespace !== defaultNamespace,
  )
  const columns = [
    ...(wide || severalNamespaces ? [column('NAMESPACE', 'namespace')] : []),
    ...[column('NAME', 'serviceName'), column('VERSION', 'version'), column('HEALTH', 'health')],
    ...[column('ENDPOINT', 'endpoint'), column('TAGS', 'tags')],
    ...(wide
      ? [
          ...[column('STATUS', 'status'), column('ID', 'serviceId'), column('REVISION', 'revision')],
          ...[column('UPDATED', 'updatedAt'), column('LAST HEARTBEAT', 'lastHeartbeat')],
        ]
      : []),
  ]
  const rows = services.map((service) => columns.map(({ field }) => cellOf(service[field])))
  return textTable([columns.map(({ head }) => head), ...rows])
}

function column(head: string, field: string) {
  return { head, field }
}

function cellOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(cellOf).join(',')
  return ['string', 'number', 'boolean'].includes(typeof value) ? String(value) : ''
}

/** How many services a list shows. */
export function serviceCount(shown: number, total: number): string {
  return shown < total ? `${shown} of ${countOf(total, 'service')}\n` : `${countOf(total, 'service')}\n`
}

/** One service, a row for each field that it has. */
export function serviceText(service: Service, wide: boolean): string {
  const { status, migrationFile } = service
  const rows: readonly (readonly [label: string, text: string | undefined])[] = [
    ['name', cellOf(service['serviceName'])],
    ['namespace', cellOf(service['namespace'])],
    ['version', cellOf(service['version'])],
    ['endpoint', cellOf(service['endpoint'])],
    ['health', healthText(service)],
    ['health check', cellOf(service['healthCheck'])],
    ['description', cellOf(service['description'])],
    ['tags', listText(service['tags'])],
    ['capabilities', listText(service['capabilities'])],
    ['needs', listText(service['dependencies'], dependencyText)],
    ['metadata', metadataText(service['metadata'])],
    ['instance', cellOf(service['instanceId'])],
    ['id', cellOf(service['serviceId'])],
    ['revision', cellOf(service['revision'])],
    ['registered', cellOf(service['registeredAt'])],
    ['updated', cellOf(service['updatedAt'])],
    ['status', wide ? (status === 'pending_migration' ? pendingMigrationText : cellOf(status)) : undefined],
    ['migration file', wide && migrationFile !== undefined ? JSON.stringify(migrationFile) : undefined],
  ]
  return textTable(
    rows.flatMap(([label, text]) => (text === undefined || text === '' ? [] : [[label, text]])),
  )
}

function healthText({ health, lastHeartbeat, ttlSeconds }: Service): string {
  const facts = [
    cellOf(health),
    typeof lastHeartbeat === 'string' ? `last heartbeat ${lastHeartbeat}` : undefined,
    typeof ttlSeconds === 'number' ? `a heartbeat is due every ${ttlSeconds} s` : undefined,
  ]
  return facts.filter((fact) => fact !== undefined && fact !== '').join(', ')
}

function listText(value: unknown, textOf: (item: unknown) => string = cellOf): string {
  return Array.isArray(value) ? value.map(textOf).join(', ') : ''
}

function dependencyText(dependency: unknown): string {
  if (typeof dependency !== 'object' || dependency === null) return cellOf(dependency)
  const { serviceName, version, type, namespace } = dependency as Service
  const place = typeof namespace === 'string' ? ` in ${namespace}` : ''
  return [`${cellOf(serviceName)}${place}`, cellOf(version), typeof type === 'string' ? `(${type})` : '']
    .filter((part) => part !== '')
    .join(' ')
}

function metadataText(metadata: unknown): string {
  if (typeof metadata !== 'object' || metadata === null) return ''
  return Object.entries(metadata)
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ')
}
