import type { View } from '../live/view.ts'
import { serviceIdOf } from '../records/identity.ts'
import { type Registration, SERVICE_KIND } from '../records/service.ts'
import type { Warning } from '../records/warning.ts'
import { serviceIndex } from './service-index.ts'

/** Services of the name that are looked at, and versions among them. */
const SERVICES_MAX = 1_000
const VERSIONS_MAX = 100

/**
 * Warns where a service of the same name and endpoint stays registered under another version: a client that counts its
 * version up should deregister the old id, or send an `instanceId`. The ids are computed, not searched: they follow from
 * name, version and endpoint.
 */
export function otherVersions(view: View, registration: Registration): readonly Warning[] {
  if (registration.instanceId !== undefined) return []
  const index = view.projection(serviceIndex)
  const versions = new Set<string>()
  let seen = 0
  for (const chunk of index.name(registration.serviceName)?.chunks ?? [])
    for (const slot of chunk) {
      if (seen === SERVICES_MAX || versions.size === VERSIONS_MAX) break
      versions.add(index.versionOf(slot).text)
      seen += 1
    }
  versions.delete(registration.version)
  return [...versions].flatMap((version) => {
    const serviceId = serviceIdOf({ ...registration, version })
    return view.get(SERVICE_KIND, serviceId) === undefined ? [] : [warning(registration, version, serviceId)]
  })
}

function warning({ serviceName }: Registration, version: string, serviceId: string): Warning {
  return {
    code: 'other_version',
    message: `${serviceName} ${version} is still registered at the same endpoint; deregister it if this one replaces it, or send an instanceId.`,
    path: '/version',
    serviceId,
  }
}
