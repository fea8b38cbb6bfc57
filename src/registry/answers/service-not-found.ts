import { MAX_ID_LENGTH } from '../../database/check-commit.ts'
import { CoordinatorError } from '../../errors.ts'
import type { RefusedRecord, View } from '../../live/view/view.ts'
import type { Revision } from '../../records/record.ts'
import { SERVICE_KIND } from '../../records/service/service.ts'
import { serviceIndex } from '../index/service-index.ts'

/** The entry about a service whose record a person changed so that it is not served. */
function refusedService(view: View, serviceId: string): RefusedRecord | undefined {
  if (view.refusedCount === 0) return undefined
  return view.refused.find(({ kind, id }) => kind === SERVICE_KIND && id === serviceId)
}

/**
 * The error about a service that does not exist, with the revision of its deletion if that is known.
 *
 * @param at the revision at which it does not exist. @default that of the view
 */
export function serviceNotFound(view: View, serviceId: string, at?: Revision): CoordinatorError {
  const refused = refusedService(view, serviceId)
  const deletedAtRevision = view.deletedAt(SERVICE_KIND, serviceId)
  const detail =
    refused !== undefined
      ? `The record of this service was changed in the database, and is not served: ${refused.reason}.`
      : deletedAtRevision !== undefined
        ? `The service was deregistered at revision ${deletedAtRevision}.`
        : `No service has this id.${byThatName(view, serviceId)}`
  return new CoordinatorError('COORD_SERVICE_NOT_FOUND', {
    detail,
    extra: {
      ...(deletedAtRevision === undefined ? {} : { deletedAtRevision }),
      ...(at === undefined ? {} : { revision: at }),
    },
  })
}

/** Many know a service by its name, and take that for its id. */
function byThatName(view: View, text: string): string {
  const named = view.projection(serviceIndex).byName.get(text)
  return named === undefined
    ? ''
    : ' But it is the name of a service: `GET /services?name=NAME` shows its id.'
}

/**
 * Refuses ids that no record can have, before it asks a database.
 *
 * @throws COORD_SERVICE_NOT_FOUND
 */
export function checkServiceId(serviceId: string): void {
  if (isServiceId(serviceId)) return
  throw new CoordinatorError('COORD_SERVICE_NOT_FOUND', { detail: 'No service has this id.' })
}

/** Whether a record can have this id. */
export function isServiceId(serviceId: string): boolean {
  return (
    serviceId !== '' &&
    serviceId.length <= MAX_ID_LENGTH &&
    serviceId.isWellFormed() &&
    !serviceId.includes('\0')
  )
}
