import { isUtf8 } from 'node:buffer'
import type { FastifyRequest } from 'fastify'
import { EVERYBODY, type Principal } from '../../access/principal.ts'
import type { WriteContext } from '../../live/writing/write-context.ts'
import { addressOf } from '../client/address-of.ts'
import { readPrecondition } from './etag.ts'
import { invalidHeader } from './invalid-header.ts'

const actorMaxLength = 256

/**
 * The author and the conditions of a write, from its headers.
 *
 * @throws COORD_HEADER_INVALID
 */
export function writeContext(request: FastifyRequest & { readonly principal?: Principal }): WriteContext {
  const { headers, principal = EVERYBODY } = request
  const proposed = headers['x-coordinator-actor']
  const actor = proposed === undefined ? `http:${addressOf(request)}` : readActor(String(proposed))
  const idempotencyKey = headers['idempotency-key'] as string | undefined
  const isConditional = headers['if-match'] !== undefined || headers['if-none-match'] !== undefined
  // Most registrations have none of these headers.
  if (idempotencyKey === undefined && !isConditional) return { actor, principal }
  const precondition = readPrecondition(headers)
  return {
    actor,
    principal,
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    ...(precondition === undefined ? {} : { precondition }),
  }
}

function readActor(header: string): string {
  // Node decodes header values as Latin-1, but most clients send UTF-8.
  const bytes = Buffer.from(header, 'latin1')
  const actor = isUtf8(bytes) ? bytes.toString() : ''
  if (actor.length > actorMaxLength || !/^[^\p{C}\p{Z}](?:[^\p{C}]*[^\p{C}\p{Z}])?$/u.test(actor))
    throw invalidHeader(
      'X-Coordinator-Actor',
      `must be a text of 1 to ${actorMaxLength} characters in UTF-8, without control characters`,
    )
  return actor
}
