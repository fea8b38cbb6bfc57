import { CoordinatorError } from '../errors.ts'
import { EVERYBODY, type Principal } from './principal.ts'

export type AccessMode = 'open' | 'required' | 'off'
export interface TokenInfo {
  readonly id: string
  readonly name: string
  readonly scopes: readonly string[]
  readonly createdAt: number
  readonly createdBy: string
  readonly expiresAt: number | null
  readonly revokedAt: number | null
  readonly revokedBy: string | null
  readonly lastUsedAt: number | null
}
export class Access {
  readonly mode: AccessMode
  readonly hasAdministrator: boolean = false
  get servesStrangers(): boolean {
    return this.mode !== 'required'
  }
  constructor({ mode }: { mode: AccessMode }) {
    this.mode = mode
  }
  identify(_authorization: string | undefined, _address: string): Principal | Promise<Principal> {
    if (this.mode === 'required') throw new CoordinatorError('COORD_AUTH_REQUIRED')
    return EVERYBODY
  }
  createToken(
    _wish: { name: string; scopes: readonly string[]; expiresAt: number | null },
    _by: string,
  ): Promise<{ token: string; info: TokenInfo }> {
    throw new CoordinatorError('COORD_INTERNAL')
  }
  listTokens(): readonly TokenInfo[] {
    return []
  }
  revokeToken(_id: string, _by: string): Promise<TokenInfo> {
    throw new CoordinatorError('COORD_INTERNAL')
  }
}
