import { HEALTHS, type Health } from './health.ts'
import type { Revision } from './record.ts'

/**
 * Makes every ETag that is sent, and reads those that come back. The ETag of an answer changes whenever something in the answer changes,
 * except `lastHeartbeat`: it moves with every heartbeat, so that readers would fetch unchanged services again and again. The ETag
 * includes the `health` that follows from it.
 */

/** The first part of every ETag: in another history the same revision means something else. */
export function lineageMark(lineage: string): string {
  return lineage.slice(0, 8)
}

/** The ETag of a stored record, for the answer to a write. */
export function recordEtag(lineage: string, revision: Revision): string {
  return `"${lineageMark(lineage)}-${revision}"`
}

/** The ETag of a service with its health. */
export function serviceEtag(lineage: string, revision: Revision, health: Health): string {
  return `"${lineageMark(lineage)}-${revision}-${health}"`
}

/** The ETag of the graph, or of a part of it, in one format. */
export function graphEtag(lineage: string, revision: Revision, format: string): string {
  return `"${lineageMark(lineage)}-${revision}-${format}"`
}

/** The ETag of a list, from a digest of 64 bits of its content. Both halves are 32-bit integers. */
export function listEtag(lineage: string, total: number, digest: { high: number; low: number }): string {
  const hex = (half: number) => (half >>> 0).toString(16).padStart(8, '0')
  return `"${lineageMark(lineage)}-${total}-${hex(digest.high)}${hex(digest.low)}"`
}

/** The ETag of the same content in another form. */
export function etagOfForm(etag: string, form: string): string {
  return `${etag.slice(0, -1)}-${form}"`
}

/** What the ETag of a record says, with or without a health. */
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
