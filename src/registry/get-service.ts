import type { View } from '../live/view/view.ts'
import { SERVICE_KIND } from '../records/service/service.ts'
import type { ServiceAnswer } from './answers/answers.ts'
import { serviceJson } from './answers/service-json.ts'
import { serviceNotFound } from './answers/service-not-found.ts'
import { serviceIndex } from './index/service-index.ts'
import type { Leases } from './leases/leases.ts'

/**
 * One service as it is now.
 *
 * @throws COORD_SERVICE_NOT_FOUND
 */
export function getService(view: View, leases: Leases, serviceId: string): ServiceAnswer {
  const index = view.projection(serviceIndex)
  const number = view.records.find(SERVICE_KIND, serviceId)
  if (number === -1) throw serviceNotFound(view, serviceId)
  const record = index.record(number)
  const { facts } = index
  const health = leases.healthOf(serviceId, facts.ttlSeconds(number), record.updatedAt)
  const lastHeartbeat = leases.lastHeartbeat(serviceId)
  return {
    json: serviceJson(record, {
      active: facts.active(number),
      namespaced: facts.namespaced(number),
      health,
      lastHeartbeat,
    }),
    revision: record.revision,
    lineage: view.lineage,
    health,
  }
}
