import type { CoordinatorError } from '../../errors.ts'
import type { Credential } from './credential.ts'

const askForToken = 'An administrator creates a token with `coordinator token create`.'

/**
 * The next step of a person whose command was refused.
 *
 * @returns `undefined` for other errors, and where the coordinator has a hint that fits better than the one of the table
 */
export function refusalHint(error: CoordinatorError, sent: Credential | undefined): string | undefined {
  const { code, hint, entry } = error
  if (hint !== entry.hint) return undefined
  const isRefusal = code === 'COORD_AUTH_REQUIRED' || code === 'COORD_SCOPE_MISSING'
  if (sent === undefined)
    return isRefusal ? `Set COORDINATOR_TOKEN, or give --token-file. ${askForToken}` : undefined
  switch (code) {
    case 'COORD_AUTH_REQUIRED':
      return 'The command sent a token, but it did not arrive: check whether a proxy removes the header Authorization.'
    case 'COORD_CREDENTIAL_INVALID':
      return `Check the token in ${sent.source}: it must be a whole token of this coordinator. ${askForToken}`
    case 'COORD_CREDENTIAL_EXPIRED':
    case 'COORD_CREDENTIAL_REVOKED':
      return `Put a new token into ${sent.source}. ${askForToken}`
    case 'COORD_SCOPE_MISSING':
      return `\`coordinator status\` shows the scopes of the token in ${sent.source}. ${askForToken}`
    default:
      return undefined
  }
}
