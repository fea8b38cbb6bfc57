import { hash, timingSafeEqual } from 'node:crypto'
import type { Principal } from './principal.ts'
import { Grants } from './scopes/grants.ts'

const ADMIN: Principal = { kind: 'admin', id: 'admin', actor: 'admin', grants: Grants.ALL }
const METRICS: Principal = { kind: 'metrics', id: 'metrics', actor: 'metrics', grants: Grants.METRICS }

/** Credentials up to this length are compared in any case, so that the time does not tell how long the secrets are. */
const usualLength = 256

/** The tokens of the settings AUTH_ADMIN_TOKEN and AUTH_METRICS_TOKEN. Only their hashes are kept. */
export class EnvironmentTokens {
  readonly #known: { readonly hash: Buffer; readonly principal: Principal }[] = []
  readonly #hash = Buffer.alloc(64)
  /** A longer text, such as a JWT, is not worth a hash. */
  #longest = usualLength

  constructor({
    admin,
    metrics,
  }: { readonly admin?: string | undefined; readonly metrics?: string | undefined }) {
    if (admin !== undefined) this.#add(admin, ADMIN)
    if (metrics !== undefined) this.#add(metrics, METRICS)
  }

  #add(secret: string, principal: Principal): void {
    const bytes = Buffer.from(secret)
    this.#known.push({ hash: Buffer.from(hash('sha256', bytes), 'latin1'), principal })
    this.#longest = Math.max(this.#longest, bytes.length)
  }

  /** @param text as a header holds it: one character for each byte */
  identify(text: string): Principal | undefined {
    if (this.#known.length === 0 || text.length > this.#longest) return undefined
    this.#hash.write(hash('sha256', Buffer.from(text, 'latin1')), 'latin1')
    let found: Principal | undefined
    for (const { hash, principal } of this.#known) if (timingSafeEqual(this.#hash, hash)) found ??= principal
    return found
  }
}
