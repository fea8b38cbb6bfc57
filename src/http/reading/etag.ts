import type { IncomingHttpHeaders } from 'node:http'
import { CoordinatorError } from '../../errors.ts'
import { LINEAGE_MARK_LENGTH, type Precondition, type RecordState } from '../../live/writing/preconditions.ts'
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

/** An entity tag as a client sent it, without the `W/` of a weak one. */
interface EntityTag {
  readonly text: string
  readonly isWeak: boolean
}

const tagForm = /[\t ,]*(W\/)?("[\x21\x23-\x7e\x80-\xff]*")[\t ]*(?=,|$)/y

/** Reads a list of entity tags (RFC 9110, 8.8.3 and 5.6.1). @returns `undefined` if it is malformed, or empty */
function entityTags(header: string): readonly EntityTag[] | undefined {
  const tags: EntityTag[] = []
  let at = 0
  while (at < header.length) {
    tagForm.lastIndex = at
    const [, weak, text] = tagForm.exec(header) ?? []
    if (text === undefined) break
    tags.push({ text, isWeak: weak !== undefined })
    at = tagForm.lastIndex
  }
  // A list may end with empty elements.
  return tags.length > 0 && /^[\t ,]*$/.test(header.slice(at)) ? tags : undefined
}

/**
 * Whether `If-None-Match` of a read names an entity tag (RFC 9110, 13.1.2): weak comparison, `*` matches everything. A malformed header
 * matches nothing, and the client gets the whole answer.
 *
 * @param header one or several tags, as they were sent
 * @param etag a strong one, as all of the coordinator are
 */
export function matchesEtag(header: string, etag: string): boolean {
  if (header === etag || header === '*') return true
  if (header.length <= etag.length) return false
  return entityTags(header)?.some(({ text }) => text === etag) === true
}

/**
 * Checks `If-Match` of a read (RFC 9110, 13.1.1): strong comparison, which a weak tag never passes.
 *
 * @throws COORD_PRECONDITION_FAILED, COORD_HEADER_INVALID
 */
export function checkIfMatch({ 'if-match': header }: IncomingHttpHeaders, etag: string): void {
  if (header === undefined || header === etag || header === '*') return
  if (readTags('If-Match', header).some(({ text, isWeak }) => !isWeak && text === etag)) return
  throw new CoordinatorError('COORD_PRECONDITION_FAILED', {
    detail: `The answer has the ETag ${etag}, which is none of those in If-Match.`,
    hint: 'Read again without `If-Match`. To learn whether something has changed, send the `ETag` as `If-None-Match`.',
  })
}

/** @throws COORD_HEADER_INVALID */
function readTags(name: 'If-Match' | 'If-None-Match', header: string): readonly EntityTag[] {
  const tags = entityTags(header)
  if (tags === undefined)
    throw invalidHeader(name, 'must be an ETag as it was sent, in double quotes, or several, or *')
  return tags
}

/**
 * Reads the conditional headers of a write. The health in an ETag is ignored, because it is not stored.
 *
 * @returns `undefined` if there are none
 * @throws COORD_HEADER_INVALID
 */
export function readPrecondition(headers: IncomingHttpHeaders): Precondition | undefined {
  const ifMatch = headers['if-match']?.trim()
  const ifNoneMatch = headers['if-none-match']?.trim()
  if (ifMatch !== undefined && ifNoneMatch !== undefined)
    throw invalidHeader('If-Match', 'may not come together with If-None-Match')
  if (ifMatch === '*') return { kind: 'exists' }
  if (ifNoneMatch === '*') return { kind: 'absent' }
  if (ifMatch !== undefined) {
    // Strong comparison: a weak tag never matches.
    const states = statesOf(readTags('If-Match', ifMatch).filter(({ isWeak }) => !isWeak))
    const [only] = states
    return only !== undefined && states.length === 1
      ? { kind: 'revision', ...only }
      : { kind: 'among', states }
  }
  if (ifNoneMatch === undefined) return undefined
  return { kind: 'not-among', states: statesOf(readTags('If-None-Match', ifNoneMatch)) }
}

const recordEtagForm = new RegExp(
  `^"([0-9a-f]{${LINEAGE_MARK_LENGTH}})-(\\d{1,16})(?:-(?:${HEALTHS.join('|')}))?"$`,
)

/** The states of a record that tags name. Other tags, such as those of lists, are of no record. */
function statesOf(tags: readonly EntityTag[]): readonly RecordState[] {
  return tags.flatMap(({ text }) => {
    const [, lineage, digits] = recordEtagForm.exec(text) ?? []
    const revision = Number(digits)
    return lineage === undefined || revision < 1 || !Number.isSafeInteger(revision)
      ? []
      : [{ lineage, revision }]
  })
}
