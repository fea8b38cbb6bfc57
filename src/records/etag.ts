import { HEALTHS, type Health } from './health.ts'
import type { Revision } from './record.ts'

/**
 * Every ETag that is sent, and the reading of those that come back. The ETag of an answer changes whenever something changes
 * that the answer shows. Not so for clocks: `lastHeartbeat` moves with every heartbeat, which would make a reader fetch
 * anew what is as it was; what follows from it, `health`, is in.
 */

/** The first part of every ETag: in another history the same revision means something else. */
export function lineageMark(lineage: string): string {
  return lineage.slice(0, 8)
}

/** Of a record as it is stored: what a write answers. */
export function recordEtag(lineage: string, revision: Revision): string {
  return `"${lineageMark(lineage)}-${revision}"`
}

/** Of a service as it is shown. */
export function serviceEtag(lineage: string, revision: Revision, health: Health): string {
  return `"${lineageMark(lineage)}-${revision}-${health}"`
}

/** Of the whole graph, or of a part of it, in one format. */
export function graphEtag(lineage: string, revision: Revision, format: string): string {
  return `"${lineageMark(lineage)}-${revision}-${format}"`
}

/** Of a list, by a number of 64 bits for all that it shows. Both halves are 32-bit integers. */
export function listEtag(lineage: string, total: number, digest: { high: number; low: number }): string {
  const hex = (half: number) => (half >>> 0).toString(16).padStart(8, '0')
  return `"${lineageMark(lineage)}-${total}-${hex(digest.high)}${hex(digest.low)}"`
}

/** The ETag of the same content in another form. */
export function etagOfForm(etag: string, form: string): string {
  return `${etag.slice(0, -1)}-${form}"`
}

/** What the ETag of a record says about it, whether or not it also says how the service was. */
export interface RecordEtag {
  readonly lineageMark: string
  readonly revision: Revision
}

const recordEtagForm = new RegExp(`^"([0-9a-f]{8})-(\\d{1,16})(?:-(?:${HEALTHS.join('|')}))?"$`)

/** Reads the ETag of a record, or of a service; `undefined` for any other text. */
export function readRecordEtag(text: string): RecordEtag | undefined {
  const [, mark, digits] = recordEtagForm.exec(text) ?? []
  const revision = Number(digits)
  return mark !== undefined && revision >= 1 && Number.isSafeInteger(revision)
    ? { lineageMark: mark, revision }
    : undefined
}
