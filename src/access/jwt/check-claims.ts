import type { Claims } from './read-token.ts'
import { expiredJwt, invalidJwt } from './refusals.ts'

/** What the claims of a token must say. */
export interface ClaimRules {
  readonly issuer: string
  readonly audience: string
  /** Refuses the keys of a Supabase project, and its users who did not sign in. */
  readonly supabase: boolean
  /** Tokens that were issued earlier are refused; epoch milliseconds. @default none */
  readonly notBefore?: number | undefined
}

/** Claims that count. */
export interface CheckedClaims {
  readonly subject: string
  /** Epoch milliseconds. */
  readonly expiresAt: number
}

/**
 * How far the clock of an issuer may be ahead of ours: a token that was issued a moment ago counts at once. The end of a token has no
 * tolerance, so that it is the same moment for everybody who reads `exp`.
 */
export const CLOCK_TOLERANCE_MS = 30_000

/** The last moment of a `Date` (ECMAScript, 21.4.1.1). */
const TIME_MAX_MS = 8.64e15

/** OpenID Connect Core 1.0, 2, has the same limit. */
const subjectMaxLength = 255

/**
 * Judges the claims of a token.
 *
 * @param now epoch milliseconds
 * @throws COORD_CREDENTIAL_INVALID, COORD_CREDENTIAL_EXPIRED
 */
export function checkClaims(claims: Claims, rules: ClaimRules, now: number): CheckedClaims {
  // First, because the older keys of a project have another issuer, and whoever sends one should learn what is wrong with it.
  if (rules.supabase) checkSupabaseUser(claims)
  checkIssuer(claims['iss'], rules.issuer)
  checkAudience(claims['aud'], rules.audience)
  const expiresAt = timeOf(claims, 'exp')
  if (expiresAt === undefined) throw missing('exp')
  if (expiresAt <= now) throw expiredJwt()
  if ((timeOf(claims, 'nbf') ?? 0) > now + CLOCK_TOLERANCE_MS)
    throw invalidJwt(
      'The token is not valid yet (nbf). Compare the clocks of the issuer and the coordinator.',
    )
  checkIssuedAt(timeOf(claims, 'iat'), rules.notBefore)
  // RFC 7800: whoever sends such a token has to prove that it holds a key. A token that was stolen would count otherwise.
  if (claims['cnf'] !== undefined)
    throw invalidJwt('The token is bound to a key of its holder (cnf), which the coordinator cannot check.')
  return { subject: subjectOf(claims), expiresAt }
}

function checkSupabaseUser({ role, is_anonymous: anonymous }: Claims): void {
  if (role === 'anon' || role === 'service_role')
    throw invalidJwt(
      `The token is the ${role} key of the Supabase project, which proves no user. Sign in, and send the access token of the session.`,
    )
  if (anonymous !== undefined && anonymous !== false)
    throw invalidJwt('The token belongs to an anonymous user (is_anonymous) of the Supabase project.')
}

function checkIssuer(issuer: unknown, expected: string): void {
  if (issuer === undefined) throw missing('iss')
  if (issuer === expected) return
  const bySlash = typeof issuer === 'string' && withoutSlash(issuer) === withoutSlash(expected)
  throw invalidJwt(
    bySlash
      ? 'The issuer (iss) of the token differs from AUTH_JWT_ISSUER by a slash at the end.'
      : 'The token is from another issuer (iss) than AUTH_JWT_ISSUER.',
  )
}

function withoutSlash(url: string): string {
  return url.endsWith('/') ? url.slice(0, -1) : url
}

function checkAudience(audience: unknown, expected: string): void {
  if (audience === undefined) throw missing('aud')
  if (audience === expected || (Array.isArray(audience) && audience.includes(expected))) return
  throw invalidJwt('The token is for another audience (aud) than AUTH_JWT_AUDIENCE.')
}

function checkIssuedAt(issuedAt: number | undefined, notBefore: number | undefined): void {
  if (notBefore === undefined || (issuedAt !== undefined && issuedAt >= notBefore)) return
  throw invalidJwt(
    issuedAt === undefined
      ? 'The token does not say when it was issued (iat), and AUTH_NOT_BEFORE demands that.'
      : 'The token was issued before AUTH_NOT_BEFORE (iat).',
  )
}

function subjectOf({ sub }: Claims): string {
  if (sub === undefined) throw missing('sub')
  const good = typeof sub === 'string' && sub !== '' && sub.length <= subjectMaxLength && sub.isWellFormed()
  if (!good)
    throw invalidJwt(`The subject (sub) of the token is not a text of 1 to ${subjectMaxLength} characters.`)
  return sub
}

/** A time of a token in epoch milliseconds. */
function timeOf(claims: Claims, name: string): number | undefined {
  const seconds = claims[name]
  if (seconds === undefined) return undefined
  if (typeof seconds !== 'number' || !Number.isFinite(seconds))
    throw invalidJwt(`The claim ${name} of the token is not a number.`)
  const ms = seconds * 1000
  // Nobody could show it.
  if (Math.abs(ms) > TIME_MAX_MS)
    throw invalidJwt(`The claim ${name} of the token is no time: it counts seconds, up to the year 275760.`)
  return ms
}

function missing(name: string): Error {
  return invalidJwt(`The token has no claim ${name}.`)
}
