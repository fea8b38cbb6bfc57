import type { Principal } from '../access/principal.ts'
import { CoordinatorError } from '../errors.ts'
import { graphWarnings } from '../graph/warnings/graph-warnings.ts'
import type { View } from '../live/view/view.ts'
import type { PlannedChange, PlanState } from '../live/writing/change.ts'
import { identifyCommit } from '../live/writing/idempotency.ts'
import type { RecordWriter } from '../live/writing/record-writer.ts'
import { requireName } from '../live/writing/required-scope.ts'
import { canonicalJson, type JsonObject } from '../records/canonical-json.ts'
import { LIMITS } from '../records/limits.ts'
import type { StoredRecord } from '../records/record.ts'
import type { Remarks } from '../records/remarks.ts'
import { serviceIdOf } from '../records/service/identity.ts'
import { parseRegistration } from '../records/service/parse-registration.ts'
import { type Registration, SERVICE_KIND } from '../records/service/service.ts'
import type { Warning } from '../records/warning.ts'
import type { RegisterAnswer, WriteContext } from './answers/answers.ts'
import { otherVersions } from './other-versions.ts'
import { isForeign } from './owned-service.ts'
import { migrationFileIn, registerAnswer } from './register-answer.ts'

const ROUTE = 'POST /register'

/** A registration as it was sent. */
interface Sent {
  readonly body: unknown
  /** Present in a batch. The batch adds the warnings of the graph itself. */
  readonly inBatch?: { readonly index: number; readonly remarks: Remarks }
}

/**
 * Registers a service. A registration replaces the earlier one. A field that it leaves out returns to its default, except that a stored
 * `migrationFile` stays.
 *
 * @throws COORD_SCOPE_MISSING, and what `parseRegistration` and `RecordWriter.change` throw
 */
export function registerService(
  writer: RecordWriter,
  { body, inBatch }: Sent,
  context: WriteContext,
): Promise<RegisterAnswer> {
  const { registration, warnings } = parseRegistration(body, inBatch?.remarks)
  const { principal } = context
  requireName(principal, registration)
  const wish = inBatch === undefined ? { route: ROUTE, body } : { route: ROUTE, body, index: inBatch.index }
  const request = { ...identifyCommit(context, wish), actor: context.actor }
  const serviceId = serviceIdOf(registration)
  const wanted = { serviceId, registration, warnings, inBatch: inBatch !== undefined, principal }
  return writer.change({ kind: SERVICE_KIND, id: serviceId }, { request, context }, (state) =>
    planRegistration(state, wanted),
  )
}

interface Wanted {
  readonly serviceId: string
  readonly registration: Registration
  readonly warnings: readonly Warning[]
  readonly inBatch: boolean
  readonly principal: Principal
}

function planRegistration(state: PlanState, wanted: Wanted): PlannedChange<RegisterAnswer> {
  const { serviceId, registration, inBatch, principal } = wanted
  const seesOthers = principal.grants.may('read')
  // A registration with a migration file depends on nothing that is stored. All others must not lose a stored file.
  const complete =
    registration.migrationFile === undefined ? withStoredMigration(registration, state.read()) : registration
  const answer: PlannedChange<RegisterAnswer>['answer'] = (result, view) => {
    const others = seesOthers && result.created ? otherVersions(view, registration, serviceId) : []
    const warnings = others.length === 0 ? wanted.warnings : [...wanted.warnings, ...others]
    const active = complete.migrationFile !== undefined
    const registered = registerAnswer({ serviceId, active, warnings }, result, view)
    return inBatch || !seesOthers ? registered : withGraphWarnings(view, registration, registered)
  }
  // The id is made from the name, but a person may have given the stored record another name.
  if (isForeign(state, principal)) return { op: 'refuse', why: heldByOther, answer }
  return {
    op: 'put',
    data: canonicalJson(complete),
    // The caller may still change a migration file. The view has to read what is stored.
    ...(registration.migrationFile === undefined ? { value: complete } : {}),
    answer,
  }
}

function heldByOther(): CoordinatorError {
  return new CoordinatorError('COORD_SCOPE_MISSING', {
    detail: 'The record with the id of this service has another name, and this credential does not cover it.',
    outcome: 'not_written',
  })
}

/** Adds the warnings about a registration in the graph, which holds the registration by now. */
export function withGraphWarnings(
  view: View,
  registration: JsonObject,
  answer: RegisterAnswer,
): RegisterAnswer {
  const { warnings } = answer
  const found = graphWarnings(view, registration, answer)
  if (found.length === 0) return answer
  // The graph returns the same list as long as nothing changes, so its text is made only once.
  if (warnings.length === 0 && found.length <= LIMITS.warnings) return { ...answer, warnings: found }
  return { ...answer, warnings: [...warnings, ...found].slice(0, LIMITS.warnings) }
}

function withStoredMigration(registration: Registration, stored: StoredRecord | undefined): Registration {
  const migrationFile = stored === undefined ? undefined : migrationFileIn(stored.data)
  return migrationFile === undefined ? registration : { ...registration, migrationFile }
}
