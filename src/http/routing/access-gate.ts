import type { FastifyRequest } from 'fastify'
import type { Access } from '../../access/access.ts'
import type { Principal } from '../../access/principal.ts'
import { Grants } from '../../access/scopes/grants.ts'
import type { Scope } from '../../access/scopes/scope.ts'
import { CoordinatorError } from '../../errors.ts'
import { isLockedOut, lockedOutHint } from '../answering/first-credential.ts'
import { addressOf } from '../client/address-of.ts'
import type { Operation } from '../reading/operation.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who sends the request; set before its handler begins. Nobody, who may do nothing, on public routes. */
    principal: Principal
  }
}

/** What an operation demands of its caller. */
export type Demand = Pick<Operation, 'scope' | 'dryRunScope'>

const nobody: Principal = { kind: 'anonymous', id: '', actor: undefined, grants: Grants.NONE }

/** What is demanded of a request that no route handles: it says which paths exist, and that is not public. */
export const noRouteDemand: Demand = { scope: 'caller' }

/** Decides whether a request may use the route that it was matched to. The text of its URL plays no part. */
export class AccessGate {
  readonly #access: Access
  #lockedOut = false
  #lookedAt = Number.NEGATIVE_INFINITY

  constructor(access: Access) {
    this.#access = access
  }

  /**
   * Identifies the caller as `request.principal`, and checks that it has the scope of the route.
   *
   * @returns a promise only if `Access.identify` returns one
   * @throws COORD_SCOPE_MISSING, and what `Access.identify` throws
   */
  admit(request: FastifyRequest, demand: Demand): Promise<void> | undefined {
    if (demand.scope === 'public') {
      request.principal = nobody
      return undefined
    }
    const address = this.#access.mode === 'required' ? addressOf(request) : ''
    const found = this.#identify(request.raw.headers.authorization, address)
    if (found instanceof Promise) return found.then((principal) => allow(request, demand, principal))
    allow(request, demand, found)
    return undefined
  }

  #identify(authorization: string | undefined, address: string): Principal | Promise<Principal> {
    try {
      return this.#access.identify(authorization, address)
    } catch (thrown) {
      if (thrown instanceof CoordinatorError && thrown.code === 'COORD_AUTH_REQUIRED' && this.#isLockedOut)
        throw thrown.with({ hint: lockedOutHint })
      throw thrown
    }
  }

  /** Whether nobody can create a token, as far as is known. It takes a look at every token, so it is remembered for a second. */
  get #isLockedOut(): boolean {
    const now = performance.now()
    if (now - this.#lookedAt > 1_000) {
      this.#lookedAt = now
      this.#lockedOut = isLockedOut(this.#access)
    }
    return this.#lockedOut
  }
}

function allow(request: FastifyRequest, demand: Demand, principal: Principal): void {
  request.principal = principal
  const scope = scopeOf(request, demand)
  if (scope === 'caller' || scope === 'public') return
  if (
    typeof scope === 'string' ? principal.grants.may(scope) : scope.some((one) => principal.grants.may(one))
  )
    return
  throw scopeMissing([scope].flat())
}

/** Judges the parameter that the handler reads, and not the text of the URL, which can be encoded in many ways. */
function scopeOf({ query }: FastifyRequest, { scope, dryRunScope }: Demand): Operation['scope'] {
  if (dryRunScope === undefined) return scope
  return (query as Readonly<Record<string, unknown>>)['dryRun'] === 'true' ? dryRunScope : scope
}

function scopeMissing(scopes: readonly Scope[]): CoordinatorError {
  return new CoordinatorError('COORD_SCOPE_MISSING', {
    detail: `This takes the scope ${scopes.map((scope) => `\`${scope}\``).join(' or ')}.`,
    outcome: 'not_written',
    extra: { scope: scopes[0] },
  })
}

/**
 * The error with which a request ends if the credential of its caller counts no more.
 *
 * @returns `undefined` as long as it counts
 */
export function endOf({ ended, expiresAt }: Principal): CoordinatorError | undefined {
  if (ended?.aborted === true)
    return ended.reason instanceof CoordinatorError
      ? ended.reason
      : new CoordinatorError('COORD_CREDENTIAL_REVOKED', { outcome: 'not_written' })
  if (expiresAt !== undefined && expiresAt <= Date.now())
    return new CoordinatorError('COORD_CREDENTIAL_EXPIRED', { outcome: 'not_written' })
  return undefined
}
