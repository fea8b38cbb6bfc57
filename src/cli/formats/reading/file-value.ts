import { isJsonObject, type JsonObject, type JsonValue } from '../../../records/canonical-json.ts'

/** The text of a scalar. A file may say `8080`, `"8080"` or `true` where a text is meant. */
export function textOf(value: JsonValue | undefined): string | undefined {
  if (typeof value === 'string') return value
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined
}

/** A text that is not blank. */
export function wordOf(value: JsonValue | undefined): string | undefined {
  const text = textOf(value)?.trim()
  return text === '' ? undefined : text
}

/** A map; an empty one where the file has none, or something else. */
export function mapOf(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : noMembers
}

/** A list; an empty one where the file has none, or something else. */
export function listOf(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? value : []
}

/** The members of a map whose values are texts. */
export function textsOf(value: JsonValue | undefined): ReadonlyMap<string, string> {
  const texts = new Map<string, string>()
  for (const [key, member] of Object.entries(mapOf(value))) {
    const text = textOf(member)
    if (text !== undefined) texts.set(key, text)
  }
  return texts
}

/** The number of a port, or `undefined` for anything else. */
export function portOf(value: JsonValue | undefined): number | undefined {
  const text = wordOf(value)
  if (text === undefined || !/^\d{1,5}$/.test(text)) return undefined
  const port = Number(text)
  return port >= 1 && port <= 65_535 ? port : undefined
}

const noMembers: JsonObject = Object.freeze(Object.create(null))
