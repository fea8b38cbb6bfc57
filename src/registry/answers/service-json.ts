import type { JsonObject } from '../../records/canonical-json.ts'
import type { Health } from '../../records/health.ts'
import type { StoredRecord } from '../../records/record.ts'
import { DEFAULT_NAMESPACE } from '../../records/service/namespace.ts'
import { ADDED_FIELDS, registration } from '../../records/service/service.ts'
import type { ServiceStatus } from './answers.ts'

/** The facts about a service that an answer shows in addition to its registration. */
export interface SentFacts {
  readonly active: boolean
  /** Whether the stored data contain a namespace. Without one it is `default`, which answers show, too. */
  readonly namespaced: boolean
  readonly health: Health
  /** Epoch milliseconds. */
  readonly lastHeartbeat: number | undefined
}

/** Every member that a service in an answer may have. */
export const SERVICE_FIELDS: readonly string[] = [...ADDED_FIELDS, ...registration.names]

const DEFAULT_NAMESPACE_JSON = `"namespace":"${DEFAULT_NAMESPACE}",`

export function statusOf(active: boolean): ServiceStatus {
  return active ? 'active' : 'pending_migration'
}

/** The JSON text of a service. The stored part is text already: it is only joined, not parsed. */
export function serviceJson(
  record: StoredRecord,
  { active, namespaced, health, lastHeartbeat }: SentFacts,
): string {
  const id = JSON.stringify(record.id)
  const registered = isoJson(record.createdAt)
  // Most services are never changed, and formatting a time takes as long as all the rest of this function.
  const updated = record.updatedAt === record.createdAt ? registered : isoJson(record.updatedAt)
  const heard = lastHeartbeat === undefined ? 'null' : isoJson(lastHeartbeat)
  return `{"serviceId":${id},"id":${id},"status":"${statusOf(active)}","health":"${health}","registeredAt":${registered},"updatedAt":${updated},"lastHeartbeat":${heard},"revision":${record.revision},${namespaced ? '' : DEFAULT_NAMESPACE_JSON}${record.data.slice(1)}`
}

/** Only some members of a service, in the requested order. */
export function projectJson(json: string, fields: readonly string[]): string {
  const service = JSON.parse(json) as JsonObject
  const members = fields.flatMap((field) =>
    service[field] === undefined ? [] : [`${JSON.stringify(field)}:${JSON.stringify(service[field])}`],
  )
  return `{${members.join(',')}}`
}

/** Epoch milliseconds as ISO 8601 in UTC. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString()
}

function isoJson(ms: number): string {
  return `"${isoTime(ms)}"`
}
