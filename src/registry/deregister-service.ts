import { identifyCommit } from '../live/idempotency.ts'
import { mustExist, type Precondition } from '../live/preconditions.ts'
import type { RecordWriter } from '../live/record-writer.ts'
import { SERVICE_KIND } from '../records/service.ts'
import type { DeregisterAnswer, WriteContext } from './answers.ts'
import { checkServiceId, serviceNotFound } from './service-not-found.ts'

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
  checkServiceId(writer.view, serviceId)
  const request = { ...identifyCommit(context.idempotencyKey, { route }), actor: context.actor }
  return writer.change(serviceId, { request, context }, ({ precondition }) => ({
    writes: [{ op: 'delete', kind: SERVICE_KIND, id: serviceId, ...expectOf(precondition) }],
    callersPrecondition: true,
    answer: (outcome, view) => {
      // The store has been asked even where the view has no such service: the view may be behind.
      if (outcome.outcome === 'unchanged')
        throw precondition.kind === 'exists' ? mustExist() : serviceNotFound(view, serviceId)
      return { serviceId, revision: outcome.revision, changed: true, replayed: outcome.replayed }
    },
  }))
}

function expectOf(precondition: Precondition): { readonly expect?: number } {
  if (precondition.kind === 'absent') return { expect: 0 }
  return precondition.kind === 'revision' ? { expect: precondition.revision } : {}
}
