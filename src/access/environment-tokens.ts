import { hash, timingSafeEqual } from 'node:crypto'
import type { Principal } from './principal.ts'
import { Grants } from './scopes/grants.ts'

const ADMIN: Principal = { kind: 'admin', id: 'admin', actor: 'admin', grants: Grants.ALL }
const METRICS: Principal = { kind: 'metrics', id: 'metrics', actor: 'metrics', grants: Grants.METRICS }

/** A credential that is longer is none of the environment, and not worth a hash. */
const textMaxLength = 4_096

/** The tokens of the settings AUTH_ADMIN_TOKEN and AUTH_METRICS_TOKEN. Only their hashes are kept. */
export class EnvironmentTokens {
  readonly #known: readonly { readonly hash: Buffer; readonly principal: Principal }[]

  constructor({
    admin,
    metrics,
  }: { readonly admin?: string | undefined; readonly metrics?: string | undefined }) {
    const known = [
      { secret: admin, principal: ADMIN },
      { secret: metrics, principal: METRICS },
    ]
    this.#known = known.flatMap(({ secret, principal }) =>
      secret === undefined ? [] : [{ hash: hash('sha256', secret, 'buffer'), principal }],
    )
  }

  identify(text: string): Principal | undefined {
    if (this.#known.length === 0 || text.length > textMaxLength) return undefined
    // The text of a header has one character for each byte.
    const given = hash('sha256', Buffer.from(text, 'latin1'), 'buffer')
    let found: Principal | undefined
    for (const { hash, principal } of this.#known) if (timingSafeEqual(given, hash)) found ??= principal
    return found
  }
}
