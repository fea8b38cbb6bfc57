import type { IncomingHttpHeaders } from 'node:http'
import { LINEAGE_MARK_LENGTH, type Precondition } from '../../live/writing/preconditions.ts'
import { HEALTHS, type Health } from '../../records/health.ts'
import type { Revision } from '../../records/record.ts'
import { invalidHeader } from './invalid-header.ts'

/**
 * Makes every ETag that is sent, and reads those that clients return. The ETag of an answer changes whenever something in the answer
 * changes, except `lastHeartbeat`: it changes with every heartbeat, and readers would fetch unchanged services again and again. The ETag
 * includes the `health`, which follows from the heartbeats.
 */

/** The history and the revision that an answer shows. */
interface Shown {
  readonly lineage: string
  readonly revision: Revision
}

/** The first part of every ETag. In another history the same revision means something else. */
function lineageMark(lineage: string): string {
  return lineage.slice(0, LINEAGE_MARK_LENGTH)
}

/** The ETag of a stored record, for the answer to a write. */
export function recordEtag({ lineage, revision }: Shown): string {
  return `"${lineageMark(lineage)}-${revision}"`
}

/** The ETag of a service with its health. */
export function serviceEtag({ lineage, revision, health }: Shown & { readonly health: Health }): string {
  return `"${lineageMark(lineage)}-${revision}-${health}"`
}

/** The ETag of the graph, or of a part of it, in one format. */
export function graphEtag({ lineage, revision, format }: Shown & { readonly format: string }): string {
  return `"${lineageMark(lineage)}-${revision}-${format}-lines"`
}

/** The set of services that a list shows. Both halves of the digest are 32-bit integers. */
interface ShownSet {
  readonly lineage: string
  readonly total: number
  readonly digest: { readonly high: number; readonly low: number }
}

/** The ETag of a list, as a page of JSON or as JSON lines. */
export function listEtag({ lineage, total, digest }: ShownSet, form: 'page' | 'lines'): string {
  const hex = (half: number) => (half >>> 0).toString(16).padStart(8, '0')
  const content = `${lineageMark(lineage)}-${total}-${hex(digest.high)}${hex(digest.low)}`
  // The same records in another format are another representation.
  return form === 'page' ? `"${content}"` : `"${content}-lines"`
}

/**
 * Whether `If-None-Match` of a read names an entity tag (RFC 9110 section 13.1.2): weak comparison, `*` matches everything.
 *
 * @param header one or several tags, as they were sent
 */
export function matchesEtag(header: string, etag: string): boolean {
  if (header === etag || header === '*') return true
  if (header.length === etag.length) return false
  const plain = withoutWeakness(etag)
  return header.split(',').some((tag) => {
    const trimmed = tag.trim()
    return trimmed === '*' || withoutWeakness(trimmed) === plain
  })
}

function withoutWeakness(etag: string): string {
  return etag.startsWith('W/') ? etag.slice(2) : etag
}

/**
 * Reads the conditional headers of a write. The health in an ETag is ignored, because it is not stored.
 *
 * @returns `undefined` if there are none
 * @throws COORD_HEADER_INVALID
 */
export function readPrecondition(headers: IncomingHttpHeaders): Precondition | undefined {
  const ifMatch = headers['if-match']
  const ifNoneMatch = headers['if-none-match']
  if (ifMatch === undefined && ifNoneMatch === undefined) return undefined
  if (ifNoneMatch === undefined) return readIfMatch((ifMatch as string).trim())
  if (ifMatch !== undefined) throw invalidHeader('If-Match', 'may not come together with If-None-Match')
  if (ifNoneMatch.trim() === '*') return { kind: 'absent' }
  throw invalidHeader('If-None-Match', 'of a write must be *')
}

const recordEtagForm = new RegExp(
  `^"([0-9a-f]{${LINEAGE_MARK_LENGTH}})-(\\d{1,16})(?:-(?:${HEALTHS.join('|')}))?"$`,
)

function readIfMatch(text: string): Precondition {
  if (text === '*') return { kind: 'exists' }
  const [, lineage, digits] = recordEtagForm.exec(text) ?? []
  const revision = Number(digits)
  if (lineage === undefined || revision < 1 || !Number.isSafeInteger(revision))
    throw invalidHeader('If-Match', 'must be an ETag as it was sent, or *')
  return { kind: 'revision', lineage, revision }
}
