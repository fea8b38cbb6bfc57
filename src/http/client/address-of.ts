import type { FastifyInstance, FastifyRequest } from 'fastify'
import { TrustedProxies } from './trusted-proxies.ts'

declare module 'fastify' {
  interface FastifyInstance {
    readonly trustedProxies: TrustedProxies
  }
  interface FastifyRequest {
    /** See `addressOf`; empty until somebody asked. */
    address: string
  }
}

/**
 * Lets `addressOf` know the proxies whose word counts.
 *
 * @param networks the setting TRUSTED_PROXIES
 */
export function trustProxies(app: FastifyInstance, networks: readonly string[] = []): void {
  app.decorate('trustedProxies', new TrustedProxies(networks))
  app.decorateRequest('address', '')
}

/**
 * The address of the client of a request, for the log, the author of a write, and limits. It never gives a right. It stays known after the
 * connection has closed, once somebody has asked.
 */
export function addressOf(request: FastifyRequest): string {
  if (request.address === '') request.address = request.server.trustedProxies.addressOf(request.raw)
  return request.address
}
