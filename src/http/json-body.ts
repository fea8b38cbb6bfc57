import { isUtf8 } from 'node:buffer'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { CoordinatorError } from '../errors.ts'
import { parseJsonText } from '../records/check-json.ts'

/** The largest body that is read, in bytes. */
export const BODY_LIMIT_BYTES = 1_048_576

/**
 * Makes bodies JSON and nothing else. What the JSON may hold is judged by those who read it; a body of nothing is
 * `undefined`.
 */
export function acceptJsonOnly(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer', bodyLimit: BODY_LIMIT_BYTES },
    (request, body, done) => {
      try {
        refuseCoding(request)
        refuseOtherCharset(request)
        done(null, parseBody(body as Buffer))
      } catch (error) {
        done(error as Error)
      }
    },
  )
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

function parseBody(bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined
  // Decoding would put U+FFFD for what is wrong, and store something else than was sent.
  if (!isUtf8(bytes)) throw new CoordinatorError('COORD_BODY_NOT_JSON', { detail: 'The body is not UTF-8.' })
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
