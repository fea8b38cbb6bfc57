import type { IncomingMessage } from 'node:http'
import { CoordinatorError } from '../../errors.ts'

/** What a PATCH is: a JSON merge patch (RFC 7396). It may also be sent as plain JSON. */
export const MERGE_PATCH_TYPE = 'application/merge-patch+json'
const jsonType = 'application/json'
/** A list of operations (RFC 6902), which is another language. */
const jsonPatchType = 'application/json-patch+json'

/** JSON, or a format that is written in JSON (RFC 6839, 3.1). */
const typeForm = /^\s*(application\/(?:json|[\w.+-]{1,100}\+json))\s*(?:;|$)/i

/** The types in which a body of a method may be sent. */
export function bodyTypes(method: string | undefined): readonly string[] {
  return method === 'PATCH' ? [jsonType, MERGE_PATCH_TYPE] : [jsonType]
}

/**
 * Refuses a body that is not JSON in UTF-8. All types whose name ends with `+json` are JSON, but a patch is taken only where it is meant as
 * one.
 *
 * @throws COORD_BODY_MEDIA_TYPE
 */
export function requireJson({ headers, method }: Pick<IncomingMessage, 'headers' | 'method'>): void {
  const sent = headers['content-type']
  const coding = headers['content-encoding']
  const type = sent === undefined ? undefined : typeForm.exec(sent)?.[1]?.toLowerCase()
  if (type === undefined) throw refused(method, { detail: 'The body is not sent as application/json.' })
  if (type === jsonPatchType)
    throw refused(method, {
      detail: 'The body is a JSON patch (RFC 6902), which the coordinator does not understand.',
      hint: 'Send the members that change as a merge patch (RFC 7396): PATCH with `Content-Type: application/merge-patch+json`.',
    })
  if (type === MERGE_PATCH_TYPE && method !== 'PATCH')
    throw refused(method, {
      detail: `The body is a merge patch (RFC 7396), which belongs to PATCH, not to ${method}.`,
      hint: 'Send the whole body with the header `Content-Type: application/json`.',
    })
  // Bodies are small, and decompressing them could make some of them very large.
  if (coding !== undefined && !/^(identity)?$/i.test(coding))
    throw new CoordinatorError('COORD_BODY_MEDIA_TYPE', {
      detail: `The body is encoded (${coding.slice(0, 40)}); send it plain.`,
      hint: 'Send the body without the header `Content-Encoding`.',
    })
  const charset = /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(sent as string)?.[1]
  // ASCII is a part of UTF-8.
  if (charset !== undefined && !/^(?:utf-?8|us-ascii)$/i.test(charset))
    throw refused(method, {
      detail: 'The body is not sent as UTF-8.',
      hint: 'Encode the body as UTF-8, and send it as `Content-Type: application/json`.',
    })
}

function refused(
  method: string | undefined,
  about: { readonly detail: string; readonly hint?: string },
): CoordinatorError {
  return new CoordinatorError('COORD_BODY_MEDIA_TYPE', { ...about, extra: { accept: bodyTypes(method) } })
}
