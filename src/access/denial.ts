import { CoordinatorError, type ErrorCode, type ErrorOptions } from '../errors.ts'
import type { DenialReason } from '../telemetry/metrics/access-metrics.ts'

/** Not a member of the error: clients must not learn which part of a credential was wrong. */
const reasons = new WeakMap<CoordinatorError, DenialReason>()

const reasonsOfCodes: Readonly<Partial<Record<ErrorCode, DenialReason>>> = {
  COORD_AUTH_REQUIRED: 'missing',
  // Only the verifier of JWTs gives no reason.
  COORD_CREDENTIAL_INVALID: 'jwt',
  COORD_CREDENTIAL_EXPIRED: 'expired',
  COORD_CREDENTIAL_REVOKED: 'revoked',
  COORD_SCOPE_MISSING: 'scope',
  COORD_AUTH_UNAVAILABLE: 'unavailable',
}

/** An error that denies a request, with its reason for metrics and the log. What the request asked for was not done. */
export function denial(reason: DenialReason, code: ErrorCode, options: ErrorOptions = {}): CoordinatorError {
  const error = new CoordinatorError(code, { outcome: 'not_written', ...options })
  reasons.set(error, reason)
  return error
}

/** Why an error denies a request; `undefined` if it does not. */
export function denialReasonOf(error: unknown): DenialReason | undefined {
  if (!(error instanceof CoordinatorError)) return undefined
  return reasons.get(error) ?? reasonsOfCodes[error.code]
}
