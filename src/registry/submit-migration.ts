import type { Principal } from '../access/principal.ts'
import type { PlannedChange, PlanState } from '../live/writing/change.ts'
import { identifyCommit } from '../live/writing/idempotency.ts'
import type { RecordWriter } from '../live/writing/record-writer.ts'
import { canonicalJson, type JsonObject } from '../records/canonical-json.ts'
import { parseMigration } from '../records/service/parse-registration.ts'
import { SERVICE_KIND } from '../records/service/service.ts'
import type { Warning } from '../records/warning.ts'
import type { RegisterAnswer, WriteContext } from './answers/answers.ts'
import { isServiceId } from './answers/service-not-found.ts'
import { isOwned, notOwned, ownsAll } from './owned-service.ts'
import { registerAnswer } from './register-answer.ts'

/**
 * The second stage of a registration: the service sends its migration file. A `pending_migration` service becomes `active`. An active
 * service replaces its earlier file.
 *
 * @throws COORD_SERVICE_NOT_FOUND, and what `RecordWriter.change` and `parseMigration` throw
 */
export async function submitMigration(
  writer: RecordWriter,
  { serviceId, body }: { readonly serviceId: string; readonly body: unknown },
  context: WriteContext,
): Promise<RegisterAnswer> {
  const { migrationFile, warnings } = parseMigration(body)
  const route = `POST /register/${serviceId}/migration`
  const view = writer.requireLoaded()
  const { principal } = context
  if (!isServiceId(serviceId)) throw notOwned(view, principal, serviceId)
  const request = { ...identifyCommit(context, { route, body }), actor: context.actor }
  return writer.change({ kind: SERVICE_KIND, id: serviceId }, { request, context }, (state) =>
    planMigration(state, { serviceId, migrationFile, warnings, principal }),
  )
}

interface Wanted {
  readonly serviceId: string
  readonly migrationFile: JsonObject
  readonly warnings: readonly Warning[]
  readonly principal: Principal
}

function planMigration(state: PlanState, wanted: Wanted): PlannedChange<RegisterAnswer> {
  const { serviceId, migrationFile, warnings, principal } = wanted
  const answer: PlannedChange<RegisterAnswer>['answer'] = (result, view) =>
    registerAnswer({ serviceId, active: true, warnings }, result, view)
  const stored = state.read()
  if (stored === undefined || !(ownsAll(principal) || isOwned(state, principal)))
    return { op: 'refuse', why: (view) => notOwned(view, principal, serviceId), answer }
  const data = canonicalJson({ ...(JSON.parse(stored.data) as JsonObject), migrationFile })
  return { op: 'put', data, answer }
}
