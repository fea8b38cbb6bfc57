import { isUtf8 } from 'node:buffer'
import type { FastifyRequest } from 'fastify'
import { actorOf } from '../../access/actor.ts'
import type { WriteContext } from '../../live/writing/write-context.ts'
import { addressOf } from '../client/address-of.ts'
import { readPrecondition } from './etag.ts'
import { invalidHeader } from './invalid-header.ts'

const claimMaxLength = 256

/**
 * The author and the conditions of a write, from its principal and its headers.
 *
 * @throws COORD_HEADER_INVALID
 */
export function writeContext(request: FastifyRequest): WriteContext {
  const { headers } = request.raw
  const { principal } = request
  const actor = requestActor(request)
  const idempotencyKey = headers['idempotency-key'] as string | undefined
  const isConditional = headers['if-match'] !== undefined || headers['if-none-match'] !== undefined
  // Most registrations have none of these headers.
  if (idempotencyKey === undefined && !isConditional) return { actor, principal }
  const precondition = readPrecondition(headers)
  return {
    ...{ actor, principal },
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    ...(precondition === undefined ? {} : { precondition }),
  }
}

/**
 * Who makes a change, as the journal names it: what the caller proved, and with `as` what it claims in `X-Coordinator-Actor`.
 *
 * @throws COORD_HEADER_INVALID
 */
export function requestActor(request: FastifyRequest): string {
  const proposed = request.raw.headers['x-coordinator-actor']
  const address = addressOf(request)
  return actorOf(
    request.principal,
    proposed === undefined ? { address } : { address, claim: readClaim(String(proposed)) },
  )
}

function readClaim(header: string): string {
  // Node decodes header values as Latin-1, but most clients send UTF-8.
  const bytes = Buffer.from(header, 'latin1')
  const claim = isUtf8(bytes) ? bytes.toString() : ''
  if (claim.length > claimMaxLength || !/^[^\p{C}\p{Z}](?:[^\p{C}]*[^\p{C}\p{Z}])?$/u.test(claim))
    throw invalidHeader(
      'X-Coordinator-Actor',
      `must be a text of 1 to ${claimMaxLength} characters in UTF-8, without control characters`,
    )
  return claim
}
