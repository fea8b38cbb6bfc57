import { TOKEN_NAME, TOKEN_SCOPES_MAX, TOKEN_SCOPES_MAX_LENGTH } from '../database/access-store.ts'
import { CoordinatorError, type Problem } from '../errors.ts'
import { parseScope } from './scopes/scope.ts'

/** How long a token lives unless its creator says something else: 90 days, in milliseconds. */
export const TOKEN_LIFETIME_MS = 90 * 86_400_000

/** The last moment that a `Date` can hold, in epoch milliseconds. */
const lastTime = 8_640_000_000_000_000

/** What somebody wants a new token to be. */
export interface TokenWish {
  /** 1 to 63 of the characters a-z, 0-9, `.`, `_` and `-`. A name is never used twice. */
  readonly name: string
  /** 1 to 64 scopes; see `parseScope`. */
  readonly scopes: readonly string[]
  /** Epoch milliseconds; `null` for a token that does not expire. */
  readonly expiresAt: number | null
}

/**
 * Checks what a new token shall be.
 *
 * @throws COORD_FIELD_INVALID, with a problem for each field that is wrong
 */
export function checkTokenWish(wish: TokenWish, now: number): void {
  const errors = [...nameProblems(wish), ...scopeProblems(wish), ...expiryProblems(wish, now)]
  if (errors.length === 0) return
  const detail = errors.map(({ path, message }) => `\`${path.slice(1)}\` ${message}.`).join(' ')
  throw new CoordinatorError('COORD_FIELD_INVALID', {
    detail: detail.slice(0, 1_000),
    hint: 'Correct the fields named in `errors`.',
    errors,
  })
}

function nameProblems({ name }: TokenWish): Problem[] {
  if (TOKEN_NAME.test(name)) return []
  return [{ path: '/name', message: 'must be 1 to 63 of the characters a-z, 0-9, ".", "_" and "-"' }]
}

function scopeProblems({ scopes }: TokenWish): Problem[] {
  if (scopes.length < 1 || scopes.length > TOKEN_SCOPES_MAX)
    return [{ path: '/scopes', message: `must have 1 to ${TOKEN_SCOPES_MAX} scopes` }]
  if (scopes.join('').length > TOKEN_SCOPES_MAX_LENGTH)
    return [{ path: '/scopes', message: `must have at most ${TOKEN_SCOPES_MAX_LENGTH} characters together` }]
  return scopes.flatMap((scope, at) => (parseScope(scope) === undefined ? [scopeProblem(at)] : []))
}

function scopeProblem(at: number): Problem {
  return {
    path: `/scopes/${at}`,
    message:
      'must be read, graph, metrics, admin or register:[namespace/]name, with percent-encoded names; * may only end a name',
  }
}

function expiryProblems({ expiresAt }: TokenWish, now: number): Problem[] {
  if (expiresAt === null) return []
  if (!Number.isInteger(expiresAt) || expiresAt > lastTime)
    return [{ path: '/expiresAt', message: 'must be a moment, or null for a token that does not expire' }]
  return expiresAt > now ? [] : [{ path: '/expiresAt', message: 'must be in the future' }]
}
