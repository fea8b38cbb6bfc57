import { isJsonObject } from '../canonical-json.ts'
import { ADDED_FIELDS, registration } from './service.ts'

const added = new Set(ADDED_FIELDS)

/**
 * The fault in the stored data of a service, or `undefined`. It checks only what every reader of services relies on, because a person may
 * write data into the database that the API would refuse. It runs for every record of a load.
 */
export function serviceCheck(data: unknown): string | undefined {
  if (!isJsonObject(data)) return 'it is not an object'
  const fault = registration.storedFault(data)
  if (fault !== undefined) return fault
  for (const key in data) if (added.has(key)) return `it must not hold ${key}, which is added when it is sent`
  return undefined
}
