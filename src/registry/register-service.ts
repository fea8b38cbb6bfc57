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
import type { ContestedIds } from './contested-ids.ts'
import { neighborWarnings } from './neighbor-warnings.ts'
import { otherVersions } from './other-versions.ts'
import { isForeign } from './owned-service.ts'
import { migrationFileIn, registerAnswer } from './register-answer.ts'

const ROUTE = 'POST /register'

/** What registrations change. */
export interface Registering {
  readonly writer: RecordWriter
  readonly contested: ContestedIds
}

/** A registration as it was sent. */
interface Sent {
  readonly body: unknown
  /** Present in a batch. The batch adds the warnings about other services itself. */
  readonly inBatch?: { readonly index: number; readonly remarks: Remarks }
}

/**
 * Registers a service. A registration replaces the earlier one. A field that it leaves out returns to its default, except that a stored
 * `migrationFile` stays.
 *
 * @throws COORD_SCOPE_MISSING, and what `parseRegistration` and `RecordWriter.change` throw
 */
export function registerService(
  { writer, contested }: Registering,
  { body, inBatch }: Sent,
  context: WriteContext,
): Promise<RegisterAnswer> {
  const { registration, warnings } = parseRegistration(body, inBatch?.remarks)
  const { principal } = context
  requireName(principal, registration)
  const wish = inBatch === undefined ? { route: ROUTE, body } : { route: ROUTE, body, index: inBatch.index }
  const request = { ...identifyCommit(context, wish), actor: context.actor }
  const serviceId = serviceIdOf(registration)
  const isContested = () => contested.note(serviceId, context.actor)
  const wanted = { serviceId, registration, warnings, inBatch: inBatch !== undefined, principal, isContested }
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
  readonly isContested: () => boolean
}

function planRegistration(state: PlanState, wanted: Wanted): PlannedChange<RegisterAnswer> {
  const { serviceId, registration, inBatch, principal } = wanted
  const seesOthers = principal.grants.may('read')
  // A registration with a migration file depends on nothing that is stored. All others must not lose a stored file.
  const complete =
    registration.migrationFile === undefined ? withStoredMigration(registration, state.read()) : registration
  const answer: PlannedChange<RegisterAnswer>['answer'] = (result, view) => {
    const others = seesOthers && result.created ? otherVersions(view, registration, serviceId) : []
    const contested = wanted.isContested() ? [contestedWarning(serviceId)] : []
    const more = others.length + contested.length
    const warnings = more === 0 ? wanted.warnings : [...wanted.warnings, ...others, ...contested]
    const active = complete.migrationFile !== undefined
    const registered = registerAnswer({ serviceId, active, warnings }, result, view)
    return inBatch || !seesOthers ? registered : withWarningsOfOthers(view, registration, registered)
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

function contestedWarning(serviceId: string): Warning {
  return {
    code: 'contested',
    message:
      'Several callers register this id in turn, and each overwrites what the others have sent: give each of them an instanceId, or a namespace of its own. The history of the service names them.',
    serviceId,
  }
}

/** Adds the warnings about a registration and other services. The view already has the registration. */
export function withWarningsOfOthers(
  view: View,
  registration: JsonObject,
  answer: RegisterAnswer,
): RegisterAnswer {
  const near = neighborWarnings(view, registration)
  const found = graphWarnings(view, registration, answer)
  const { length } = answer.warnings
  if (near.length + found.length === 0) return answer
  // The graph returns the same list as long as nothing changes, so its text is made only once.
  if (length + near.length === 0 && found.length <= LIMITS.warnings) return { ...answer, warnings: found }
  return { ...answer, warnings: [...answer.warnings, ...near, ...found].slice(0, LIMITS.warnings) }
}

/** The warnings that a registration would have, if its caller sent it now. @throws what `parseRegistration` throws */
export function warningsOfDryRun(
  { view, contested }: { readonly view: View; readonly contested: ContestedIds },
  body: unknown,
  { actor }: Pick<WriteContext, 'actor'>,
): readonly Warning[] {
  const { registration, warnings } = parseRegistration(body)
  const serviceId = serviceIdOf(registration)
  const isNew = view.get(SERVICE_KIND, serviceId) === undefined
  return [
    ...warnings,
    ...(isNew ? otherVersions(view, registration, serviceId) : []),
    ...(contested.isContested(serviceId, actor) ? [contestedWarning(serviceId)] : []),
    ...neighborWarnings(view, registration),
    ...graphWarnings(view, registration),
  ].slice(0, LIMITS.warnings)
}

function withStoredMigration(registration: Registration, stored: StoredRecord | undefined): Registration {
  const migrationFile = stored === undefined ? undefined : migrationFileIn(stored.data)
  return migrationFile === undefined ? registration : { ...registration, migrationFile }
}
