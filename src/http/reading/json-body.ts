import { isUtf8 } from 'node:buffer'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { CoordinatorError } from '../../errors.ts'
import { checkStructure } from '../../records/body/body-structure.ts'
import { parseJsonText } from '../../records/body/check-json.ts'
import type { BodyReceiver } from './receive-body.ts'

/**
 * Makes bodies JSON and nothing else. What the JSON may hold is judged by those who read it; a body of nothing is
 * `undefined`.
 */
export function acceptJsonOnly(app: FastifyInstance, bodies: BodyReceiver): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', (request, payload, done) => {
    try {
      refuseCoding(request)
      refuseOtherCharset(request)
    } catch (error) {
      payload.resume()
      done(error as Error)
      return
    }
    bodies.receive(payload, (error, bytes) => {
      if (bytes === undefined) done(error)
      else read(bytes, done)
    })
  })
  app.addHook('onClose', (_, done) => {
    bodies.close()
    done()
  })
}

/**
 * The body of a request that must have one.
 *
 * @throws COORD_BODY_NOT_JSON where there is none
 */
export function requiredBody(request: FastifyRequest): unknown {
  if (request.body !== undefined) return request.body
  throw new CoordinatorError('COORD_BODY_NOT_JSON', {
    detail: 'The request has no body.',
    outcome: 'not_written',
  })
}

function read(bytes: Buffer, done: (error: Error | null, body?: unknown) => void): void {
  let body: unknown
  try {
    body = parseBody(bytes)
  } catch (error) {
    done(error as Error)
    return
  }
  done(null, body)
}

function parseBody(bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined
  // Decoding would put U+FFFD for what is wrong, and store something else than was sent.
  if (!isUtf8(bytes)) throw new CoordinatorError('COORD_BODY_NOT_JSON', { detail: 'The body is not UTF-8.' })
  checkStructure(bytes)
  const text = bytes.toString()
  return parseJsonText(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text)
}

/** Bodies are small, and unpacking them would make some of them very large. */
function refuseCoding(request: FastifyRequest): void {
  const coding = request.headers['content-encoding']
  if (coding === undefined || /^(identity)?$/i.test(coding)) return
  throw new CoordinatorError('COORD_BODY_MEDIA_TYPE', {
    detail: `The body is encoded (${coding.slice(0, 40)}); send it plain.`,
    hint: 'Send the body without the header `Content-Encoding`.',
  })
}

function refuseOtherCharset(request: FastifyRequest): void {
  const type = request.headers['content-type']
  if (type === undefined || type === 'application/json') return
  const charset = /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(type)?.[1]
  if (charset !== undefined && !/^utf-?8$/i.test(charset))
    throw new CoordinatorError('COORD_BODY_MEDIA_TYPE', { detail: 'The body is not sent as UTF-8.' })
}
