import { CoordinatorError } from '../../errors.ts'

/** A JWT that does not count. `detail` says why, without any part of the token. */
export function invalidJwt(detail: string): CoordinatorError {
  return new CoordinatorError('COORD_CREDENTIAL_INVALID', {
    detail,
    hint: 'Get a new access token from the issuer, and compare it with the AUTH_JWT_* settings of the coordinator; docs/access-jwt.md shows what a token must contain.',
  })
}

/** A JWT that counted until its claim `exp`. */
export function expiredJwt(): CoordinatorError {
  return new CoordinatorError('COORD_CREDENTIAL_EXPIRED', {
    detail: 'The token has expired (exp).',
    hint: 'Get a new access token from its issuer: refresh the session, or sign in again.',
  })
}

/** Whether a token counts cannot be said at the moment. Clients learn nothing about the fault itself; the log has it. */
export function cannotCheckJwt(detail: string, retryAfterSeconds: number): CoordinatorError {
  return new CoordinatorError('COORD_AUTH_UNAVAILABLE', { detail, retryAfterSeconds })
}
