import { z } from 'zod'
import type { Principal } from '../access/principal.ts'
import type { View } from '../live/view/view.ts'
import { readBody } from '../records/body/read-body.ts'
import type { JsonObject } from '../records/canonical-json.ts'
import { unknownFields } from '../records/service/parse-registration.ts'
import { SERVICE_KIND } from '../records/service/service.ts'
import type { HeartbeatAnswer } from './answers/answers.ts'
import { serviceIndex } from './index/service-index.ts'
import type { Leases } from './leases/leases.ts'
import { notOwned } from './owned-service.ts'

/** The body of a heartbeat. Without a body, the heartbeat says `up`. */
export const heartbeatSchema = z.object({
  status: z.enum(['up', 'down']).default('up').meta({ description: 'Whether the service can do its work.' }),
})

interface Heartbeat {
  readonly serviceId: string
  readonly body?: unknown
  readonly principal: Principal
}

/**
 * Takes a heartbeat. Nothing is stored: other coordinators do not learn of it, and no revision changes.
 *
 * @throws COORD_SERVICE_NOT_FOUND, and the faults of the body
 */
export function takeHeartbeat(
  view: View,
  leases: Leases,
  { serviceId, body = {}, principal }: Heartbeat,
): HeartbeatAnswer {
  const number = view.records.find(SERVICE_KIND, serviceId)
  const index = view.projection(serviceIndex)
  if (number === -1 || !principal.grants.mayRegister(index.nameOf(number).text, index.namespaces.of(number)))
    throw notOwned(view, principal, serviceId)
  const { status } = readBody(heartbeatSchema, body)
  // If a client puts `down` into a wrong member, the heartbeat means `up`. The answer therefore warns about unknown members.
  const warnings = unknownFields(body as JsonObject, Object.keys(heartbeatSchema.shape))
  const lastHeartbeat = leases.renew(serviceId, status)
  const ttlSeconds = index.facts.ttlSeconds(number)
  return {
    serviceId,
    health: status,
    lastHeartbeat,
    ...(ttlSeconds === 0 ? {} : { ttlSeconds, expiresAt: lastHeartbeat + ttlSeconds * 1_000 }),
    ...(warnings.length === 0 ? {} : { warnings }),
  }
}
