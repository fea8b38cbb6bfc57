import type { View } from '../live/view/view.ts'
import type { JsonObject } from '../records/canonical-json.ts'
import { endpointHref } from '../records/service/endpoint.ts'
import { namespaceIn } from '../records/service/namespace.ts'
import type { Registration } from '../records/service/service.ts'
import type { Warning } from '../records/warning.ts'
import { serviceIndex } from './index/service-index.ts'

/** The largest number of warnings: this runs for every new service. */
const WARNINGS_MAX = 10

/**
 * Warns if another version with the same name and endpoint is still registered. A client that increases its version should deregister the
 * old id, or send an `instanceId`. The same version may still be registered under the id that it had when endpoints such as
 * `grpc://Cart:7070/` had another canonical form.
 *
 * @param serviceId the id of the new service
 */
export function otherVersions(view: View, registration: Registration, serviceId: string): readonly Warning[] {
  if (registration.instanceId !== undefined) return []
  const index = view.projection(serviceIndex)
  const warnings: Warning[] = []
  for (const number of index.atEndpoint(registration.serviceName, registration.endpoint)) {
    const { id, data } = index.record(number)
    if (id === serviceId) continue
    const other = JSON.parse(data) as JsonObject
    if (replaces(registration, other))
      warnings.push({
        code: 'other_version',
        message: `${registration.serviceName} ${other['version']} is still registered at the same endpoint; deregister it if this one replaces it, or send an instanceId.`,
        path: '/version',
        serviceId: id,
      })
    if (warnings.length === WARNINGS_MAX) break
  }
  return warnings
}

function replaces(registration: Registration, other: JsonObject): boolean {
  const endpoint = other['endpoint'] as string
  return (
    other['serviceName'] === registration.serviceName &&
    namespaceIn(other) === namespaceIn(registration) &&
    other['instanceId'] === undefined &&
    endpointHref(endpoint) === endpointHref(registration.endpoint)
  )
}
