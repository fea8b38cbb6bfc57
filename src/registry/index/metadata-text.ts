import { hash } from 'node:crypto'
import type { JsonValue } from '../../records/canonical-json.ts'

/** Longer texts are indexed under their hash: an index must not hold the values a second time. */
const INDEXED_LENGTH = 128

/** A metadata value as the text that filters compare with; `undefined` for arrays and objects, which have none. */
export function metadataText(value: JsonValue | undefined): string | undefined {
  if (typeof value === 'string') return value
  return value === undefined || typeof value === 'object' ? undefined : String(value)
}

/** The key under which the index has a text. No text holds NUL, so a hash is never taken for a short text. */
export function indexKey(text: string): string {
  return text.length <= INDEXED_LENGTH ? text : `\0${hash('sha256', text, 'base64')}`
}
