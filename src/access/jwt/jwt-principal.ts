import type { Principal } from '../principal.ts'
import type { Grants } from '../scopes/grants.ts'

export interface JwtPrincipalOptions {
  readonly issuer: string
  readonly subject: string
  readonly grants: Grants
  /** Epoch milliseconds. */
  readonly expiresAt: number
  /** Whose key signed the token: when it goes, the principal goes with it. */
  readonly keyName: string
  /** Called when somebody wants to know the end of the principal. Most are never asked. */
  readonly onWatch: (principal: JwtPrincipal) => void
}

/** Who sends a token that counts. */
export class JwtPrincipal implements Principal {
  readonly kind = 'jwt'
  readonly id: string
  readonly actor: string
  readonly grants: Grants
  readonly expiresAt: number
  readonly keyName: string
  readonly #onWatch: (principal: JwtPrincipal) => void
  #controller: AbortController | undefined
  #over = false

  constructor({ issuer, subject, grants, expiresAt, keyName, onWatch }: JwtPrincipalOptions) {
    this.id = `jwt:${issuer} ${subject}`
    this.actor = `jwt:${encodeURIComponent(subject)}`
    this.grants = grants
    this.expiresAt = expiresAt
    this.keyName = keyName
    this.#onWatch = onWatch
  }

  /** Made when it is first asked for: only streams do, and it costs more than the rest of the principal. */
  get ended(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#over) this.#controller.abort()
      else this.#onWatch(this)
    }
    return this.#controller.signal
  }

  /** Whether it ended: a request that comes later needs a new principal. */
  get isOver(): boolean {
    return this.#over
  }

  /** Ends its streams. */
  end(): void {
    this.#over = true
    this.#controller?.abort()
  }
}
