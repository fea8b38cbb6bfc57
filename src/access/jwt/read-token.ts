import { invalidJwt } from './refusals.ts'

/** How a token may be signed. `none` and everything else is refused. */
export type JwtAlgorithm = 'ES256' | 'RS256' | 'EdDSA' | 'HS256'

export type Claims = Readonly<Record<string, unknown>>

/** What a token says about itself. None of it is proven before its signature was checked. */
export interface UnverifiedToken {
  readonly algorithm: JwtAlgorithm
  readonly keyId: string | undefined
  readonly claims: Claims
}

/** The longest token, in characters. All headers of a request together may have twice as many. */
export const TOKEN_MAX_LENGTH = 8_192

const algorithms: ReadonlySet<unknown> = new Set<JwtAlgorithm>(['ES256', 'RS256', 'EdDSA', 'HS256'])
/** RFC 9068 names access tokens `at+jwt`. Other types, such as `logout+jwt`, are messages and no credentials. */
const types: ReadonlySet<string> = new Set(['jwt', 'at+jwt', 'jose'])

/**
 * Reads a token without checking its signature. That is cheap, and enough to refuse most tokens that cannot count.
 *
 * @throws COORD_CREDENTIAL_INVALID
 */
export function readToken(token: string): UnverifiedToken {
  if (token.length > TOKEN_MAX_LENGTH)
    throw invalidJwt(`The token has more than ${TOKEN_MAX_LENGTH} characters.`)
  const parts = token.split('.')
  if (parts.length === 5)
    throw invalidJwt('The token is encrypted (JWE). Only signed tokens (JWS) are accepted.')
  const [head, body, signature] = parts
  if (parts.length !== 3 || head === undefined || body === undefined)
    throw invalidJwt('The token is not a JWT: it does not have three parts.')
  const header = readPart(head, 'header')
  const algorithm = readHeader(header)
  if (signature === undefined || !/^[\w-]+$/.test(signature))
    throw invalidJwt('The token has no signature that can be read.')
  return { algorithm, keyId: readKeyId(header), claims: readPart(body, 'claims') }
}

function readHeader(header: Claims): JwtAlgorithm {
  const { alg, typ } = header
  if (typeof alg === 'string' && alg.toLowerCase() === 'none')
    throw invalidJwt('The token is not signed (its alg is none).')
  if (!algorithms.has(alg))
    throw invalidJwt(
      'The token is signed with an algorithm that is not accepted. ES256, RS256 and EdDSA are; HS256 is where AUTH_JWT_SECRET is set.',
    )
  // RFC 7515, 4.1.11: a reader that does not know an extension which the token demands must refuse the token.
  if (header['crit'] !== undefined || header['b64'] !== undefined)
    throw invalidJwt('The token demands extensions (crit, b64) that the coordinator does not know.')
  if (typ !== undefined && !isTokenType(typ)) throw invalidJwt('The token is not an access token (typ).')
  return alg as JwtAlgorithm
}

function isTokenType(typ: unknown): boolean {
  return typeof typ === 'string' && types.has(typ.toLowerCase().replace(/^application\//, ''))
}

function readKeyId(header: Claims): string | undefined {
  const { kid } = header
  if (kid !== undefined && typeof kid !== 'string')
    throw invalidJwt('The id of the key (kid) of the token is not a text.')
  return kid
}

function readPart(part: string, name: string): Claims {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString())
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Claims
  } catch {
    // Refused below: the text of the error could hold a part of the token.
  }
  throw invalidJwt(`The ${name} of the token cannot be read.`)
}
