import type { JsonObject, JsonValue } from '../../records/canonical-json.ts'
import type { StoredRecord } from '../../records/record.ts'

const none: readonly JsonValue[] = []

/** The items of a value that should be a list; none if it is not a list. */
export function itemsOf(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? value : none
}

/** A text that is not empty. */
export function textOf(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

export function dataOf(record: StoredRecord): JsonObject {
  return JSON.parse(record.data) as JsonObject
}
