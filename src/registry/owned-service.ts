import type { Principal } from '../access/principal.ts'
import { CoordinatorError } from '../errors.ts'
import type { View } from '../live/view/view.ts'
import type { PlanState } from '../live/writing/change.ts'
import { serviceNotFound } from './answers/service-not-found.ts'
import { serviceIndex } from './index/service-index.ts'

/** Whether a principal may change every service, so that nobody has to look whose service it is. */
export function ownsAll({ grants }: Principal): boolean {
  return grants.may('admin')
}

/**
 * The name and the namespace of the stored service that a plan changes; `undefined` if there is none. The plan then depends on the record.
 * They come from the index, because reading them from a large record takes so long that a stranger could measure whether the service
 * exists.
 */
function storedName(state: PlanState): { readonly name: string; readonly namespace: string } | undefined {
  return state.derived(serviceIndex, (index, number) => ({
    name: index.nameOf(number).text,
    namespace: index.namespaces.of(number),
  }))
}

/** Whether the service that a plan changes exists, and belongs to the principal. */
export function isOwned(state: PlanState, principal: Principal): boolean {
  const stored = storedName(state)
  return stored !== undefined && principal.grants.mayRegister(stored.name, stored.namespace)
}

/** Whether the service that a plan changes exists, and belongs to somebody else. */
export function isForeign(state: PlanState, principal: Principal): boolean {
  return !ownsAll(principal) && storedName(state) !== undefined && !isOwned(state, principal)
}

/**
 * The error about a service that does not exist, or belongs to somebody else. Who may not change every service gets the same answer in both
 * cases, and no word about a deletion: there is nobody left to whom the service belongs.
 */
export function notOwned(view: View, principal: Principal, serviceId: string): CoordinatorError {
  if (ownsAll(principal)) return serviceNotFound(view, serviceId)
  return new CoordinatorError('COORD_SERVICE_NOT_FOUND', {
    detail: 'This credential may change no service with this id.',
    hint: 'Register the service with `POST /register`; `GET /access` shows which names the credential covers.',
  })
}
