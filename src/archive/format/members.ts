import type { JsonObject, JsonValue } from '../../records/canonical-json.ts'

/** Whether a member is a text that is not empty. */
export function isText(value: JsonValue | undefined): value is string {
  return typeof value === 'string' && value !== ''
}

/** Whether a member is a whole number from 0 on: a revision, a time or a number of things. */
export function isCount(value: JsonValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

/** Whether a member is a list of texts. */
export function isTextList(value: JsonValue | undefined): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

/** The member of an object that is itself an object; `undefined` if there is none. */
export function objectIn(object: JsonObject, member: string): JsonObject | undefined {
  const value = object[member]
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as JsonObject)
    : undefined
}
