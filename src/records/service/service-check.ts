import { isJsonObject } from '../canonical-json.ts'

/** Members that are added when a service is sent. Stored ones would contradict them. */
const addedWhenSent = new Set([
  'serviceId',
  'id',
  'status',
  'health',
  'registeredAt',
  'updatedAt',
  'lastHeartbeat',
  'revision',
])

/**
 * Says what is wrong with the stored data of a service, or `undefined`. Only what everything that reads services relies
 * on: a person may write into the database what the API would not take. Runs for every record of a load.
 */
export function serviceCheck(data: unknown): string | undefined {
  if (!isJsonObject(data)) return 'it is not an object'
  if (!isText(data['serviceName'])) return 'serviceName is not a text of at least one character'
  if (!isText(data['version'])) return 'version is not a text of at least one character'
  if (!isText(data['endpoint'])) return 'endpoint is not a text of at least one character'
  return optionalFault(data) ?? dependenciesFault(data['dependencies']) ?? addedFault(data)
}

function optionalFault(data: Record<string, unknown>): string | undefined {
  const { healthCheck, description, instanceId, ttlSeconds, metadata, migrationFile } = data
  if (healthCheck !== undefined && typeof healthCheck !== 'string') return 'healthCheck is not a text'
  if (description !== undefined && typeof description !== 'string') return 'description is not a text'
  if (instanceId !== undefined && typeof instanceId !== 'string') return 'instanceId is not a text'
  if (ttlSeconds !== undefined && !isTtl(ttlSeconds)) return 'ttlSeconds is not a whole number above 0'
  if (metadata !== undefined && !isJsonObject(metadata)) return 'metadata is not an object'
  if (migrationFile !== undefined && !isJsonObject(migrationFile)) return 'migrationFile is not an object'
  if (!isTextList(data['tags'])) return 'tags is not an array of texts'
  if (!isTextList(data['capabilities'])) return 'capabilities is not an array of texts'
  return undefined
}

function dependenciesFault(dependencies: unknown): string | undefined {
  if (dependencies === undefined) return undefined
  if (!Array.isArray(dependencies)) return 'dependencies is not an array'
  for (const dependency of dependencies) {
    if (typeof dependency === 'string' ? dependency !== '' : isDependency(dependency)) continue
    return 'a dependency is neither a text nor an object with a serviceName'
  }
  return undefined
}

function isDependency(value: unknown): boolean {
  if (!isJsonObject(value) || !isText(value['serviceName'])) return false
  const { version, type } = value
  return (
    (version === undefined || typeof version === 'string') && (type === undefined || typeof type === 'string')
  )
}

function addedFault(data: Record<string, unknown>): string | undefined {
  for (const key in data)
    if (addedWhenSent.has(key)) return `it must not hold ${key}, which is added when it is sent`
  return undefined
}

function isTextList(value: unknown): boolean {
  if (value === undefined) return true
  if (!Array.isArray(value)) return false
  for (const item of value) if (typeof item !== 'string') return false
  return true
}

function isTtl(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) > 0 && (value as number) <= 0x7fffffff
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
