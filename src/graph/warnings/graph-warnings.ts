import type { View } from '../../live/view/view.ts'
import type { JsonObject } from '../../records/canonical-json.ts'
import type { Revision } from '../../records/record.ts'
import { SERVICE_KIND } from '../../records/service/service.ts'
import type { Warning } from '../../records/warning.ts'
import { graphProjection } from '../model/graph-projection.ts'
import { registerWarnings } from './register-warnings.ts'
import { rememberWarnings } from './remember-warnings.ts'

/**
 * Warnings about a registration in the graph of a view.
 *
 * @param data the fields of the registration
 * @param registered the answer to it; absent for a registration that is not stored
 */
export function graphWarnings(
  view: View,
  data: JsonObject,
  registered?: { readonly serviceId: string; readonly revision: Revision },
): readonly Warning[] {
  const graph = view.projection(graphProjection)
  if (registered === undefined) return registerWarnings(graph, data)
  const { serviceId, revision } = registered
  const record = view.get(SERVICE_KIND, serviceId)
  // Another client may have registered the service again: the graph then holds that registration, and not this one.
  if (record?.revision !== revision) return registerWarnings(graph, data)
  return rememberWarnings(graph, { slot: view.records.find(SERVICE_KIND, serviceId), record }, data)
}
