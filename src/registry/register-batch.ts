import { CoordinatorError, toCoordinatorError } from '../errors.ts'
import type { Live } from '../live/live.ts'
import { checkKey } from '../live/writing/idempotency.ts'
import { invalidBody } from '../records/body/check-json.ts'
import type { JsonObject } from '../records/canonical-json.ts'
import { LIMITS } from '../records/limits.ts'
import { Remarks } from '../records/remarks.ts'
import { Pace } from '../scheduling/pace.ts'
import { toPromise } from '../scheduling/to-promise.ts'
import type { BatchAnswer, RegisterAnswer, WriteContext } from './answers/answers.ts'
import { type Registering, registerService, withWarningsOfOthers } from './register-service.ts'

/**
 * Registers many services. Each one is judged separately: a fault in one does not keep the others from being stored.
 *
 * @param body an array of registrations, or `{services: [...]}`, like the answer of a list of services
 * @throws COORD_BODY_WRONG_TYPE, COORD_FIELD_TOO_LARGE, COORD_HEADER_INVALID, COORD_NOT_LOADED
 */
export async function registerBatch(
  { live, ...registering }: Registering & { readonly live: Live },
  body: unknown,
  context: WriteContext,
): Promise<BatchAnswer> {
  const registrations = registrationsOf(body)
  checkContext(context)
  // Before the first load each registration would be refused for the same reason.
  registering.writer.requireLoaded()
  const answers: Promise<RegisterAnswer | CoordinatorError>[] = []
  const remarks = new Remarks()
  const pace = new Pace()
  for (const [index, sent] of registrations.entries()) {
    const register = () => registerService(registering, { body: sent, inBatch: { index, remarks } }, context)
    answers.push(toPromise(register).catch(toCoordinatorError))
    if (pace.due) await pace.turn()
  }
  const results = await Promise.all(answers)
  if (!context.principal.grants.may('read')) return { results }
  pace.renew()
  for (const [index, result] of results.entries()) {
    if (result instanceof CoordinatorError) continue
    results[index] = withWarningsOfOthers(live.view, registrations[index] as JsonObject, result)
    if (pace.due) await pace.turn()
  }
  return { results }
}

function registrationsOf(body: unknown): readonly unknown[] {
  const inside = typeof body === 'object' && body !== null && 'services' in body
  const registrations = inside ? body.services : body
  const path = inside ? '/services' : ''
  if (!Array.isArray(registrations))
    throw invalidBody([
      {
        path,
        message: 'must be an array, or an object with an array services',
        code: 'COORD_BODY_WRONG_TYPE',
      },
    ])
  if (registrations.length > LIMITS.batch) {
    const message = `has ${registrations.length} registrations; the limit is ${LIMITS.batch}`
    throw invalidBody([{ path, message, code: 'COORD_FIELD_TOO_LARGE' }])
  }
  return registrations
}

function checkContext({ idempotencyKey, precondition }: WriteContext): void {
  if (idempotencyKey !== undefined) checkKey(idempotencyKey)
  if (precondition === undefined) return
  throw new CoordinatorError('COORD_HEADER_INVALID', {
    detail: 'A precondition is about one service and cannot go with a batch.',
    outcome: 'not_written',
  })
}
