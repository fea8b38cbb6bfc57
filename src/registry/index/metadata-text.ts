import { hash } from 'node:crypto'
import type { JsonValue } from '../../records/canonical-json.ts'

/** Longer texts are indexed under their hash, because an index must not hold the values a second time. */
const INDEXED_LENGTH = 128

/** A metadata value as text, to compare with filters; `undefined` for arrays and objects. */
export function metadataText(value: JsonValue | undefined): string | undefined {
  if (typeof value === 'string') return value
  return value === undefined || typeof value === 'object' ? undefined : String(value)
}

/** The key of a text in the index. No text contains NUL, so a hash cannot be confused with a short text. */
export function indexKey(text: string): string {
  return text.length <= INDEXED_LENGTH ? text : `\0${hash('sha256', text, 'base64')}`
}
