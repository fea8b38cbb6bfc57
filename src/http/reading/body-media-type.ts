import type { IncomingHttpHeaders } from 'node:http'
import { CoordinatorError } from '../../errors.ts'

/**
 * Refuses a body that is not JSON in UTF-8.
 *
 * @throws COORD_BODY_MEDIA_TYPE
 */
export function requireJson(headers: IncomingHttpHeaders): void {
  const type = headers['content-type']
  const coding = headers['content-encoding']
  if (type === undefined || !/^\s*application\/json\s*(?:;|$)/i.test(type))
    throw new CoordinatorError('COORD_BODY_MEDIA_TYPE', {
      detail: 'The body is not sent as application/json.',
    })
  // Bodies are small, and decompressing them could make some of them very large.
  if (coding !== undefined && !/^(identity)?$/i.test(coding))
    throw new CoordinatorError('COORD_BODY_MEDIA_TYPE', {
      detail: `The body is encoded (${coding.slice(0, 40)}); send it plain.`,
      hint: 'Send the body without the header `Content-Encoding`.',
    })
  const charset = /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(type)?.[1]
  if (charset !== undefined && !/^utf-?8$/i.test(charset))
    throw new CoordinatorError('COORD_BODY_MEDIA_TYPE', { detail: 'The body is not sent as UTF-8.' })
}
