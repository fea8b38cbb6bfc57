import { isUtf8 } from 'node:buffer'
import type { FastifyRequest } from 'fastify'
import { CoordinatorError } from '../../errors.ts'
import type { WriteContext } from '../../registry/registry.ts'

const actorMaxLength = 256

/**
 * Who writes, and under which conditions, as the headers say it.
 *
 * @throws COORD_HEADER_INVALID
 */
export function writeContext(request: FastifyRequest): WriteContext {
  const { headers } = request
  const idempotencyKey = headers['idempotency-key'] as string | undefined
  const ifMatch = headers['if-match']
  const ifNoneMatch = headers['if-none-match']
  const actor = actorOf(request)
  // Most registrations carry none of them.
  if (idempotencyKey === undefined && ifMatch === undefined && ifNoneMatch === undefined) return { actor }
  return {
    actor,
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    ...(ifMatch === undefined ? {} : { ifMatch }),
    ...(ifNoneMatch === undefined ? {} : { ifNoneMatch }),
  }
}

function actorOf(request: FastifyRequest): string {
  const header = request.headers['x-coordinator-actor']
  if (header === undefined) return `http:${plainAddress(request.socket.remoteAddress)}`
  const actor = utf8HeaderOf(String(header))
  if (
    actor === undefined ||
    actor.length > actorMaxLength ||
    !/^[^\p{C}\p{Z}](?:[^\p{C}]*[^\p{C}\p{Z}])?$/u.test(actor)
  )
    throw invalidHeader(
      'x-coordinator-actor',
      `must be a text of 1 to ${actorMaxLength} characters in UTF-8, without control characters`,
    )
  return actor
}

/** An IPv4 address that came over an IPv6 socket is shown as what it is. */
function plainAddress(address: string | undefined): string {
  if (address === undefined) return 'unknown'
  return address.startsWith('::ffff:') ? address.slice(7) : address
}

/** Node hands header values over as Latin-1; what was sent is most often UTF-8. */
function utf8HeaderOf(value: string): string | undefined {
  const bytes = Buffer.from(value, 'latin1')
  return isUtf8(bytes) ? bytes.toString() : undefined
}

export function invalidHeader(name: string, message: string): CoordinatorError {
  return new CoordinatorError('COORD_HEADER_INVALID', {
    detail: `The header ${name} ${message}.`,
    errors: [{ path: `header.${name}`, message }],
    outcome: 'not_written',
  })
}
