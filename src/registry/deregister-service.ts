import type { View } from '../live/view/view.ts'
import type { PlannedChange } from '../live/writing/change.ts'
import { identifyCommit } from '../live/writing/idempotency.ts'
import { mustExist, mustHaveExisted } from '../live/writing/preconditions.ts'
import type { RecordWriter } from '../live/writing/record-writer.ts'
import { SERVICE_KIND } from '../records/service/service.ts'
import type { DeregisterAnswer, WriteContext } from './answers/answers.ts'
import { isServiceId } from './answers/service-not-found.ts'
import { isOwned, notOwned, ownsAll } from './owned-service.ts'

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
  const view = writer.requireLoaded()
  const { precondition, principal } = context
  if (!isServiceId(serviceId)) throw notOwned(view, principal, serviceId)
  const request = { ...identifyCommit(context, { route }), actor: context.actor }
  const missing = (view: View) => notOwned(view, principal, serviceId)
  return writer.change({ kind: SERVICE_KIND, id: serviceId }, { request, context }, (state) => {
    const answer: PlannedChange<DeregisterAnswer>['answer'] = ({ changed, revision, replayed }, view) => {
      // The store was asked even if the view has no such service, because the view may be behind.
      if (!changed) throw mustHaveExisted(precondition) ? mustExist() : missing(view)
      return { serviceId, revision, changed, replayed }
    }
    // Not even a precondition may tell strangers whether the service exists.
    if (!ownsAll(principal) && !isOwned(state, principal)) return { op: 'refuse', why: missing, answer }
    return { op: 'delete', answer }
  })
}
