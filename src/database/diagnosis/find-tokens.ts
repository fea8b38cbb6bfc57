import { type AccessStore, type StoredToken, TOKENS_MAX } from '../access-store.ts'
import { type Finding, flaw, ok } from './finding.ts'

/** What the settings say about access. */
export interface AccessFacts {
  /** Whether requests need a credential. */
  readonly isRequired: boolean
  /** The setting that lets somebody create tokens without a stored one; `undefined` if there is none. */
  readonly administrator?: string | undefined
  /** Tokens that were created earlier are refused, in epoch milliseconds. @default none is */
  readonly notBefore?: number | undefined
}

/** From this number of tokens on, somebody should change something before there are too many. */
const manyTokens = TOKENS_MAX * 0.9

/** Whether tokens can be read, how many there are, and whether somebody can create more. Hashes appear nowhere. */
export async function findTokens(
  { access }: { readonly access: AccessStore },
  { isRequired, administrator, notBefore = Number.NEGATIVE_INFINITY }: AccessFacts,
): Promise<readonly Finding[]> {
  const { tokens } = await access.load()
  const now = Date.now()
  const unended = tokens.filter((token) => isActiveToken(token, now))
  const active = unended.filter(({ createdAt }) => createdAt >= notBefore)
  const findings = [judgeNumbers(tokens, { active: active.length, refused: unended.length - active.length })]
  if (!isRequired) return findings
  const found = active.find(({ scopes }) => scopes.includes('admin'))
  if (administrator !== undefined) findings.push(ok('administrator', `${administrator} is set.`))
  else if (found !== undefined)
    findings.push(ok('administrator', `The token ${found.name} has the scope admin.`))
  else
    findings.push(
      flaw('administrator', 'warning', {
        found: 'Nobody can create or revoke tokens: no token with the scope admin is active.',
        repair: 'Set AUTH_ADMIN_TOKEN to a secret of at least 32 characters, and restart the coordinators.',
      }),
    )
  return findings
}

interface Numbers {
  readonly active: number
  /** By AUTH_NOT_BEFORE alone. */
  readonly refused: number
}

function judgeNumbers(tokens: readonly StoredToken[], { active, refused }: Numbers): Finding {
  if (tokens.length === 0) return ok('tokens', 'Tokens can be stored. There are none yet.')
  const revoked = tokens.filter(({ revokedAt }) => revokedAt !== null).length
  const expired = tokens.length - active - refused - revoked
  const old = refused === 0 ? '' : ` Refused by AUTH_NOT_BEFORE: ${refused}.`
  const found = `Active tokens: ${active}. Expired: ${expired}. Revoked: ${revoked}.${old}`
  if (tokens.length < manyTokens) return ok('tokens', found)
  return flaw('tokens', 'warning', {
    found: `${found} The database takes at most ${TOKENS_MAX}.`,
    repair: 'Use JWTs for clients that come and go (AUTH_JWT_ISSUER), or tokens that live longer.',
  })
}

/** Whether a token is neither revoked nor expired. @param now epoch milliseconds */
export function isActiveToken({ revokedAt, expiresAt }: StoredToken, now: number): boolean {
  return revokedAt === null && (expiresAt === null || expiresAt > now)
}
