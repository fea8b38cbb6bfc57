import type { View } from '../live/view.ts'
import { SERVICE_KIND } from '../records/service.ts'
import type { ServiceAnswer } from './answers.ts'
import type { Leases } from './leases.ts'
import { sentJson } from './list-services.ts'
import { serviceIndex } from './service-index.ts'
import { serviceEtag } from './service-json.ts'
import { serviceNotFound } from './service-not-found.ts'

/**
 * One service as it is now.
 *
 * @throws COORD_SERVICE_NOT_FOUND
 */
export function getService(view: View, leases: Leases, serviceId: string): ServiceAnswer {
  const index = view.projection(serviceIndex)
  const slot = view.records.find(SERVICE_KIND, serviceId)
  if (slot === -1) throw serviceNotFound(view, serviceId)
  const record = index.record(slot)
  const { facts } = index
  return {
    json: sentJson({ record, active: facts.active(slot), ttlSeconds: facts.ttlSeconds(slot) }, leases),
    etag: serviceEtag(view.lineage, record.revision),
    revision: record.revision,
  }
}
