import type { CanonicalJson } from '../../records/canonical-json.ts'
import type { StoredRecord } from '../../records/record.ts'
import { storedObject } from '../../records/stored-json.ts'
import type { FileLine } from './file-text.ts'
import { looksLikeJson } from './looks-like-json.ts'
import { isCount, isText } from './members.ts'

/**
 * What stands before the stored text. No text inside a line can contain it, because JSON escapes quotation marks inside texts. So the
 * stored text is taken out of the line as it was put in, and never parsed and printed again.
 */
export const DATA = ',"data":'

/** A record as a line. Stored text that does not look like canonical JSON becomes a text of JSON instead. */
export function recordLine({ kind, id, revision, createdAt, updatedAt, data }: StoredRecord): string {
  const key = `{"kind":${JSON.stringify(kind)},"id":${JSON.stringify(id)}`
  return `${key},"revision":${revision},"createdAt":${createdAt},"updatedAt":${updatedAt}${dataMember(data)}}`
}

/** The stored text as the last member of an object. Records that were changed by hand may hold anything. */
export function dataMember(data: CanonicalJson): string {
  return looksLikeJson(data) ? `${DATA}${data}` : `,"text":${JSON.stringify(data)}`
}

/** The record of a line; `undefined` if it has none. */
export function readRecordLine({ line, bytes }: Pick<FileLine, 'line' | 'bytes'>): StoredRecord | undefined {
  const at = line.indexOf(DATA)
  const head = storedObject(at < 0 ? line : `${line.slice(0, at)}}`)
  if (head === undefined || (at >= 0 && !line.endsWith('}'))) return undefined
  const { kind, id, revision, createdAt, updatedAt } = head
  const data = at < 0 ? head['text'] : dataIn({ line, bytes }, at + DATA.length)
  if (!isText(kind) || !isText(id) || !isText(data)) return undefined
  if (!isCount(revision) || revision === 0 || !isCount(createdAt) || !isCount(updatedAt)) return undefined
  return { kind, id, data: data as CanonicalJson, revision, createdAt, updatedAt }
}

/**
 * The stored text that begins at a place of a line, and ends before its last bracket. A part of a string keeps the whole string in memory,
 * and a snapshot serves a million records for hours: so it is read from the bytes again.
 */
function dataIn({ line, bytes }: Pick<FileLine, 'line' | 'bytes'>, from: number): string {
  if (line.length === bytes.length) return bytes.toString('latin1', from, bytes.length - 1)
  return bytes.toString('utf8', Buffer.byteLength(line.slice(0, from)), bytes.length - 1)
}
