import type { PlannedChange } from '../live/change.ts'
import { identifyCommit } from '../live/idempotency.ts'
import { expectationOf } from '../live/preconditions.ts'
import type { PlanningState, RecordWriter } from '../live/record-writer.ts'
import { canonicalJson, type JsonObject } from '../records/canonical-json.ts'
import { serviceIdOf } from '../records/identity.ts'
import type { StoredRecord } from '../records/record.ts'
import { parseRegistration, type Registration, SERVICE_KIND } from '../records/service.ts'
import type { Warning } from '../records/warning.ts'
import type { RegisterAnswer, WriteContext } from './answers.ts'
import { otherVersions } from './other-versions.ts'
import { serviceEtag, statusOf } from './service-json.ts'
import { refusedService } from './service-not-found.ts'

const ROUTE = 'POST /register'

/**
 * Registers a service. A registration replaces the one before: what it does not name goes back to its default, except
 * that a stored `migrationFile` stays.
 *
 * @param index the place in a batch
 */
export function registerService(
  writer: RecordWriter,
  { body, index }: { readonly body: unknown; readonly index?: number },
  context: WriteContext,
): Promise<RegisterAnswer> {
  const { registration, warnings } = parseRegistration(body)
  const wish = index === undefined ? { route: ROUTE, body } : { route: ROUTE, body, index }
  const request = { ...identifyCommit(context.idempotencyKey, wish), actor: context.actor }
  const serviceId = serviceIdOf(registration)
  return writer.change(serviceId, { request, context }, (state) =>
    planRegistration(state, { serviceId, registration, warnings }),
  )
}

interface Wanted {
  readonly serviceId: string
  readonly registration: Registration
  readonly warnings: readonly Warning[]
}

function planRegistration(state: PlanningState, wanted: Wanted): PlannedChange<RegisterAnswer> {
  const { view } = state
  const { serviceId, registration } = wanted
  const stored = view.get(SERVICE_KIND, serviceId)
  // A registration mends a record that a person made unfit to be served.
  const current = stored?.revision ?? refusedService(view, serviceId)?.revision ?? 0
  const { expect, callers } = expectationOf(state.precondition, { current, attempt: state.attempt })
  const complete =
    registration.migrationFile === undefined ? withStoredMigration(registration, stored) : registration
  // What brings its own migrationFile depends on nothing that is stored; the rest must not wipe out one that we missed.
  const needed = expect ?? (registration.migrationFile === undefined ? current : undefined)
  const warnings =
    stored === undefined ? [...wanted.warnings, ...otherVersions(view, registration)] : wanted.warnings
  return {
    writes: [
      {
        op: 'put',
        kind: SERVICE_KIND,
        id: serviceId,
        data: canonicalJson(complete),
        ...(needed === undefined ? {} : { expect: needed }),
      },
    ],
    // A migration file that was sent is the sender's own: what the view reads must be what is stored.
    ...(registration.migrationFile === undefined ? { values: [complete as unknown as JsonObject] } : {}),
    callersPrecondition: callers,
    answer: registerAnswer({ serviceId, active: complete.migrationFile !== undefined, warnings }),
  }
}

function withStoredMigration(registration: Registration, stored: StoredRecord | undefined): Registration {
  // Looking for the name in the text is cheap, and most texts without a migrationFile do not have it anywhere.
  if (stored === undefined || !stored.data.includes('"migrationFile":')) return registration
  const { migrationFile } = JSON.parse(stored.data) as JsonObject
  return migrationFile === undefined
    ? registration
    : { ...registration, migrationFile: migrationFile as JsonObject }
}

/** Makes the answer to a registration, or to its second stage, from what the store said. */
export function registerAnswer(about: {
  readonly serviceId: string
  readonly active: boolean
  readonly warnings: readonly Warning[]
}): PlannedChange<RegisterAnswer>['answer'] {
  return (outcome, { lineage }) => {
    const accepted = outcome.outcome === 'accepted'
    const revision = accepted ? outcome.revision : (outcome.revisions[0] as number)
    return {
      serviceId: about.serviceId,
      status: statusOf(about.active),
      created: accepted && outcome.previous[0] === 0,
      changed: accepted,
      revision,
      etag: serviceEtag(lineage, revision),
      replayed: outcome.replayed,
      warnings: about.warnings,
    }
  }
}
