import type { FastifyRequest } from 'fastify'
import type { Principal } from '../../access/principal.ts'
import { clientOf } from '../../text/client-of.ts'
import { addressOf } from './address-of.ts'

/**
 * Whose share of memory, places in queues and limits a request uses: that of its principal, or where nobody proves who they are, that of its
 * client. The ids of principals never look like addresses.
 */
export function shareOf(request: FastifyRequest & { readonly principal?: Principal }): string {
  return request.principal?.id || clientOf(addressOf(request))
}
