import type { PlannedChange } from '../live/change.ts'
import { identifyCommit } from '../live/idempotency.ts'
import { expectationOf } from '../live/preconditions.ts'
import { type PlanningState, probe, type RecordWriter } from '../live/record-writer.ts'
import { canonicalJson, type JsonObject } from '../records/canonical-json.ts'
import { parseMigration, SERVICE_KIND } from '../records/service.ts'
import type { Warning } from '../records/warning.ts'
import type { RegisterAnswer, WriteContext } from './answers.ts'
import { registerAnswer } from './register-service.ts'
import { checkServiceId, serviceNotFound } from './service-not-found.ts'

/**
 * The second stage of a registration: what the service brings along. It makes a `pending_migration` service `active`, and
 * replaces what an active one brought before.
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
  checkServiceId(writer.view, serviceId)
  const request = { ...identifyCommit(context.idempotencyKey, { route, body }), actor: context.actor }
  return writer.change(serviceId, { request, context }, (state) =>
    planMigration(state, { serviceId, migrationFile, warnings }),
  )
}

interface Wanted {
  readonly serviceId: string
  readonly migrationFile: JsonObject
  readonly warnings: readonly Warning[]
}

function planMigration(state: PlanningState, wanted: Wanted): PlannedChange<RegisterAnswer> {
  const { view, precondition, attempt } = state
  const { serviceId, migrationFile, warnings } = wanted
  const answer = registerAnswer({ serviceId, active: true, warnings })
  const stored = view.get(SERVICE_KIND, serviceId)
  if (stored === undefined) {
    // The first time the store is asked: this view may be behind, and the commit may have been stored earlier.
    if (attempt > 1) throw serviceNotFound(view, serviceId)
    return { writes: [probe({ kind: SERVICE_KIND, id: serviceId })], answer }
  }
  const { expect, callers } = expectationOf(precondition, { current: stored.revision, attempt })
  const data = canonicalJson({ ...(JSON.parse(stored.data) as JsonObject), migrationFile })
  return {
    writes: [{ op: 'put', kind: SERVICE_KIND, id: serviceId, data, expect: expect ?? stored.revision }],
    callersPrecondition: callers,
    answer,
  }
}
