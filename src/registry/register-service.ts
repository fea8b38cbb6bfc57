import type { View } from '../live/view/view.ts'
import type { ChangeResult, PlannedChange, PlanState } from '../live/writing/change.ts'
import { identifyCommit } from '../live/writing/idempotency.ts'
import type { RecordWriter } from '../live/writing/record-writer.ts'
import { canonicalJson, type JsonObject } from '../records/canonical-json.ts'
import type { StoredRecord } from '../records/record.ts'
import type { Remarks } from '../records/remarks.ts'
import { serviceIdOf } from '../records/service/identity.ts'
import { parseRegistration, type Registration, SERVICE_KIND } from '../records/service/service.ts'
import type { Warning } from '../records/warning.ts'
import type { RegisterAnswer, WriteContext } from './answers.ts'
import { otherVersions } from './other-versions.ts'
import { statusOf } from './service-json.ts'

const ROUTE = 'POST /register'

/** A registration as it was sent. */
interface Sent {
  readonly body: unknown
  /** The place in a batch. */
  readonly index?: number
  /** Shared by a batch. */
  readonly remarks?: Remarks
}

/**
 * Registers a service. A registration replaces the one before: what it does not name goes back to its default, except
 * that a stored `migrationFile` stays.
 */
export function registerService(
  writer: RecordWriter,
  { body, index, remarks }: Sent,
  context: WriteContext,
): Promise<RegisterAnswer> {
  const { registration, warnings } = parseRegistration(body, remarks)
  const wish = index === undefined ? { route: ROUTE, body } : { route: ROUTE, body, index }
  const request = { ...identifyCommit(context.idempotencyKey, wish), actor: context.actor }
  const serviceId = serviceIdOf(registration)
  return writer.change({ kind: SERVICE_KIND, id: serviceId }, { request, context }, (state) =>
    planRegistration(state, { serviceId, registration, warnings }),
  )
}

interface Wanted {
  readonly serviceId: string
  readonly registration: Registration
  readonly warnings: readonly Warning[]
}

function planRegistration(state: PlanState, wanted: Wanted): PlannedChange<RegisterAnswer> {
  const { serviceId, registration } = wanted
  // What brings its own migrationFile depends on nothing that is stored; the rest must not wipe out one that we missed.
  const complete =
    registration.migrationFile === undefined ? withStoredMigration(registration, state.read()) : registration
  return {
    op: 'put',
    data: canonicalJson(complete),
    // A migration file that was sent is the sender's own: what the view reads must be what is stored.
    ...(registration.migrationFile === undefined ? { value: complete as unknown as JsonObject } : {}),
    answer: (result, view) => {
      const others = result.created ? otherVersions(view, registration, serviceId) : []
      const warnings = others.length === 0 ? wanted.warnings : [...wanted.warnings, ...others]
      const active = complete.migrationFile !== undefined
      return registerAnswer({ serviceId, active, warnings }, result, view)
    },
  }
}

function withStoredMigration(registration: Registration, stored: StoredRecord | undefined): Registration {
  const migrationFile = stored === undefined ? undefined : migrationFileIn(stored.data)
  return migrationFile === undefined ? registration : { ...registration, migrationFile }
}

function migrationFileIn(data: string): JsonObject | undefined {
  // Looking for the name in the text is cheap, and most texts without a migrationFile do not have it anywhere.
  if (!data.includes('"migrationFile":')) return undefined
  return (JSON.parse(data) as JsonObject)['migrationFile'] as JsonObject | undefined
}

/**
 * The answer to a registration, or to its second stage, from what the store said.
 *
 * @param about `active`: whether what was planned has a `migrationFile`; `warnings` are of now, also where the rest is the
 * first result of a request that was sent before
 */
export function registerAnswer(
  about: { readonly serviceId: string; readonly active: boolean; readonly warnings: readonly Warning[] },
  { changed, created, revision, replayed, replayedData }: ChangeResult,
  { lineage }: View,
): RegisterAnswer {
  const { serviceId, warnings } = about
  const active = replayedData === undefined ? about.active : migrationFileIn(replayedData) !== undefined
  return { serviceId, status: statusOf(active), created, changed, revision, lineage, replayed, warnings }
}
