import { isJsonObject } from '../../records/canonical-json.ts'
import { type CoordinatorClient, notCoordinator } from '../context/coordinator-client.ts'

/** A token, as a coordinator describes it. The secret is never part of it. */
export interface TokenInfo {
  readonly id: string
  readonly name: string
  readonly scopes: readonly string[]
  readonly createdAt?: string
  readonly createdBy?: string
  /** `null` if it does not expire. */
  readonly expiresAt: string | null
  readonly revokedAt?: string | null
  readonly revokedBy?: string | null
  /** Known only since the coordinator started. */
  readonly lastUsedAt?: string | null
  /** Absent in answers of older coordinators. */
  readonly state?: string
}

/** Every token that the coordinator knows, revoked ones too. @throws COORD_CLI_UNREACHABLE for a server that is no coordinator */
export async function fetchTokens(client: CoordinatorClient): Promise<readonly TokenInfo[]> {
  const { status, body } = await client.get('/tokens')
  if (!isJsonObject(body) || !Array.isArray(body['tokens'])) throw notCoordinator(client.baseUrl, status)
  return body['tokens'] as unknown as readonly TokenInfo[]
}

/**
 * `active`, `expired`, `revoked`, or `refused` (by AUTH_NOT_BEFORE), as the coordinator says.
 *
 * @param now epoch milliseconds. Where the coordinator says nothing, the clock of this machine decides.
 */
export function stateOf({ state, revokedAt, expiresAt }: TokenInfo, now: number): string {
  if (state !== undefined) return state
  if (revokedAt !== undefined && revokedAt !== null) return 'revoked'
  return expiresAt !== null && Date.parse(expiresAt) <= now ? 'expired' : 'active'
}
