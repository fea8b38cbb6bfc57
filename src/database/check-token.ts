import { CoordinatorError } from '../errors.ts'
import { type NewToken, TOKEN_NAME, TOKEN_SCOPES_MAX, TOKEN_SCOPES_MAX_LENGTH } from './access-store.ts'
import { isText, MAX_ACTOR_LENGTH } from './check-commit.ts'

const idOfToken = /^[0-9A-Za-z]{12}$/
const sha256 = /^[0-9a-f]{64}$/

/**
 * Refuses what no backend can store as a token. Every store calls this first, so that all backends refuse the same tokens.
 *
 * @throws COORD_COMMIT_REFUSED. It never shows the hash
 */
export function checkToken(token: NewToken): void {
  const reason = faultOf(token)
  if (reason !== undefined) throw refused(reason)
}

/**
 * Refuses a revocation that no backend can store. What is not the id of a token belongs to no token. It may be a whole token that somebody
 * took for its id, so the error does not repeat it.
 *
 * @throws COORD_TOKEN_NOT_FOUND, COORD_COMMIT_REFUSED
 */
export function checkRevocation(id: string, by: string): void {
  if (!idOfToken.test(id)) throw tokenNotFound()
  if (!isText(by, MAX_ACTOR_LENGTH))
    throw refused(`The actor is not a text of 1 to ${MAX_ACTOR_LENGTH} characters.`)
}

export function tokenNotFound(): CoordinatorError {
  return new CoordinatorError('COORD_TOKEN_NOT_FOUND', { outcome: 'not_written' })
}

export function tokenNameTaken(): CoordinatorError {
  return new CoordinatorError('COORD_TOKEN_NAME_TAKEN', { outcome: 'not_written' })
}

export function tooManyTokens(): CoordinatorError {
  return new CoordinatorError('COORD_TOKENS_TOO_MANY', { outcome: 'not_written' })
}

function refused(detail: string): CoordinatorError {
  return new CoordinatorError('COORD_COMMIT_REFUSED', { detail, outcome: 'not_written' })
}

function faultOf({ id, name, scopes, secretHash, createdBy, expiresAt }: NewToken): string | undefined {
  if (!idOfToken.test(id)) return 'The id of a token is not 12 letters and digits.'
  if (!TOKEN_NAME.test(name)) return 'The name of a token is not 1 to 63 of a-z, 0-9, `.`, `_` and `-`.'
  if (!sha256.test(secretHash)) return 'The hash of a token is not 64 hexadecimal digits.'
  if (scopes.length === 0 || scopes.length > TOKEN_SCOPES_MAX)
    return `A token does not have 1 to ${TOKEN_SCOPES_MAX} scopes.`
  if (
    scopes.join('').length > TOKEN_SCOPES_MAX_LENGTH ||
    !scopes.every((scope) => isText(scope, scope.length))
  )
    return `The scopes of a token are not texts of together at most ${TOKEN_SCOPES_MAX_LENGTH} characters.`
  if (!isText(createdBy, MAX_ACTOR_LENGTH))
    return `The actor is not a text of 1 to ${MAX_ACTOR_LENGTH} characters.`
  if (expiresAt !== null && !Number.isSafeInteger(expiresAt))
    return 'The end of a token is not a time in whole milliseconds.'
  return undefined
}
