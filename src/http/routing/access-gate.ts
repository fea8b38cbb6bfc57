import type { Socket } from 'node:net'
import type { FastifyRequest } from 'fastify'
import type { Access } from '../../access/access.ts'
import { denial, denialReasonOf } from '../../access/denial.ts'
import type { Principal } from '../../access/principal.ts'
import { Grants } from '../../access/scopes/grants.ts'
import type { Scope } from '../../access/scopes/scope.ts'
import { CoordinatorError } from '../../errors.ts'
import { within } from '../../scheduling/backoff.ts'
import { isLockedOut, lockedOutHint } from '../answering/first-credential.ts'
import { addressOf } from '../client/address-of.ts'
import { prefersEventStream } from '../reading/accepts.ts'
import { isDryRun } from '../reading/is-dry-run.ts'
import type { Operation } from '../reading/operation.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who sends the request; set before its handler begins. Nobody, who may do nothing, on public routes. */
    principal: Principal
  }
}

/** What an operation demands of its caller. */
export type Demand = Pick<Operation, 'scope' | 'dryRunScope' | 'streams'>

/** How long a stream may wait until its credential can be checked, in milliseconds. Nothing is sent meanwhile. */
const heldMs = 60_000
/** How many streams may wait for that. */
const heldMax = 1_000

/**
 * How long a connection is known to belong to a caller, in milliseconds. Checking a token takes a tenth of the time of a small read. It
 * also notes when the token was used, which therefore lags behind by this time.
 */
const rememberedMs = 1_000

/** The caller behind a connection, as long as it sends the same credential, whose text is kept no longer than the connection. */
interface KnownCaller {
  readonly authorization: string
  readonly principal: Principal
  /** By `performance.now()`. */
  readonly until: number
}

const nobody: Principal = { kind: 'anonymous', id: '', actor: undefined, grants: Grants.NONE }

/** What is demanded of a request that no route handles: it says which paths exist, and that is not public. */
export const noRouteDemand: Demand = { scope: 'caller' }

/** Decides whether a request may use the route that it was matched to. The text of its URL plays no part. */
export class AccessGate {
  readonly #access: Access
  /** The last caller of each connection. */
  readonly #known = new WeakMap<Socket, KnownCaller>()
  readonly #draining: AbortSignal
  /** Ends the wait of each stream whose credential cannot be checked yet. */
  readonly #held = new Set<() => void>()
  #watching = false
  #lockedOut = false
  #lookedAt = Number.NEGATIVE_INFINITY

  constructor(access: Access, draining: AbortSignal) {
    this.#access = access
    this.#draining = draining
  }

  /**
   * Identifies the caller as `request.principal`, and checks that it has the scope of the route. After a start, streams wait until the
   * tokens are known: an EventSource gives up for ever when it gets an error.
   *
   * @returns a promise only if `Access.identify` returns one
   * @throws COORD_SCOPE_MISSING, and what `Access.identify` throws
   */
  admit(request: FastifyRequest, demand: Demand): Promise<void> | undefined {
    const admitted = this.#admit(request, demand)
    if (admitted === undefined || this.#access.tokensKnown || demand.streams !== true) return admitted
    if (!prefersEventStream(request.headers.accept)) return admitted
    return admitted.catch(async (thrown: unknown) => {
      const isFull = this.#held.size >= heldMax
      if (denialReasonOf(thrown) !== 'unavailable' || isFull || this.#draining.aborted) throw thrown
      await this.#untilTokensKnown(request.raw.socket)
      await this.#admit(request, demand)
    })
  }

  /** Waits until the tokens are known, the client is gone, the server stops, or the time is over. */
  async #untilTokensKnown(socket: Socket): Promise<void> {
    this.#watch()
    const { promise, resolve: end } = Promise.withResolvers<void>()
    this.#held.add(end)
    socket.once('close', end)
    try {
      await within(heldMs, promise)
    } finally {
      this.#held.delete(end)
      socket.off('close', end)
    }
  }

  /** Listens once for all streams: what listens to the first load stays until then. */
  #watch(): void {
    if (this.#watching) return
    this.#watching = true
    const endAll = () => {
      for (const end of this.#held) end()
    }
    this.#draining.addEventListener('abort', endAll, { once: true })
    // Whoever started the access hears of its failure. Here it only means that the wait is over.
    this.#access.untilTokensKnown().then(endAll, endAll)
  }

  #admit(request: FastifyRequest, demand: Demand): Promise<void> | undefined {
    if (demand.scope === 'public') {
      request.principal = nobody
      return undefined
    }
    if (this.#access.mode !== 'required') {
      allow(request, demand, this.#access.identify(undefined, '') as Principal)
      return undefined
    }
    const { headers, socket } = request.raw
    const { authorization } = headers
    const known = authorization === undefined ? undefined : this.#knownCaller(socket, authorization)
    const found = known ?? this.#identify(authorization, addressOf(request))
    if (found instanceof Promise)
      return found.then((principal) => {
        this.#remember(socket, authorization, principal)
        allow(request, demand, principal)
      })
    if (known === undefined) this.#remember(socket, authorization, found)
    allow(request, demand, found)
    return undefined
  }

  /** The caller, if the same connection has sent the same credential a moment ago. */
  #knownCaller(socket: Socket, authorization: string): Principal | undefined {
    const known = this.#known.get(socket)
    if (known === undefined || known.authorization !== authorization) return undefined
    const { principal, until } = known
    return performance.now() < until && principal.ended?.aborted !== true ? principal : undefined
  }

  #remember(socket: Socket, authorization: string | undefined, principal: Principal): void {
    if (authorization === undefined) return
    const leftMs = principal.expiresAt === undefined ? rememberedMs : principal.expiresAt - Date.now()
    const until = performance.now() + Math.min(rememberedMs, leftMs)
    this.#known.set(socket, { authorization, principal, until })
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
  // Whoever proved nothing can do better than somebody whose credential does not suffice.
  if (principal.kind === 'anonymous') throw denial('missing', 'COORD_AUTH_REQUIRED')
  throw scopeMissing([scope].flat())
}

function scopeOf(request: FastifyRequest, demand: Demand): Operation['scope'] {
  const { scope, dryRunScope = scope } = demand
  return isDryRun(request, demand) ? dryRunScope : scope
}

function scopeMissing(scopes: readonly Scope[]): CoordinatorError {
  return new CoordinatorError('COORD_SCOPE_MISSING', {
    detail: neededText(scopes),
    outcome: 'not_written',
    extra: { scope: scopes[0] },
  })
}

/** A token cannot have the scope `register` without a name, and the name is known only when the body has arrived. */
function neededText(scopes: readonly Scope[]): string {
  if (scopes.length === 1 && scopes[0] === 'register')
    return 'This needs a scope `register:NAME` for the service.'
  const needed = scopes.map((scope) => (scope === 'register' ? '`register:NAME`' : `\`${scope}\``))
  return `This needs the scope ${needed.join(' or ')}.`
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
