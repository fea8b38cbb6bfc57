import { identifyCommit } from '../live/writing/idempotency.ts'
import { mustExist, mustHaveExisted } from '../live/writing/preconditions.ts'
import type { RecordWriter } from '../live/writing/record-writer.ts'
import { SERVICE_KIND } from '../records/service/service.ts'
import type { DeregisterAnswer, WriteContext } from './answers/answers.ts'
import { checkServiceId, serviceNotFound } from './answers/service-not-found.ts'

/**
 * Removes a service. Its history stays.
 *
 * @throws COORD_SERVICE_NOT_FOUND, and what `RecordWriter.change` throws
 */
export async function deregisterService(
  writer: RecordWriter,
  serviceId: string,
  context: WriteContext,
): Promise<DeregisterAnswer> {
  const route = `DELETE /services/${serviceId}`
  writer.requireLoaded()
  checkServiceId(serviceId)
  const request = { ...identifyCommit(context.idempotencyKey, { route }), actor: context.actor }
  return writer.change({ kind: SERVICE_KIND, id: serviceId }, { request, context }, () => ({
    op: 'delete',
    answer: ({ changed, revision, replayed }, view) => {
      // The store was asked even if the view has no such service, because the view may be behind.
      const { precondition } = context
      if (!changed) throw mustHaveExisted(precondition) ? mustExist() : serviceNotFound(view, serviceId)
      return { serviceId, revision, changed, replayed }
    },
  }))
}
