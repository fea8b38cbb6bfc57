import { canonicalJson, isJsonObject, type JsonObject, type JsonValue } from '../records/canonical-json.ts'
import type { FieldChange } from './answers/answers.ts'

/**
 * The size of the largest value that a history shows, in UTF-16 code units of JSON: it must not repeat whole documents. Larger values are
 * only named.
 */
const SHOWN_MAX = 1_024

/** The differences between two versions of a service, field by field, in order of their names. */
export function fieldChanges(before: JsonObject, after: JsonObject): readonly FieldChange[] {
  const [from, to] = [flattened(before), flattened(after)]
  return [...new Set([...from.keys(), ...to.keys()])].sort().flatMap((field) => {
    const [old, now] = [from.get(field), to.get(field)]
    if (old !== undefined && now !== undefined && canonicalJson(old) === canonicalJson(now)) return []
    const change = old === undefined ? 'added' : now === undefined ? 'removed' : 'changed'
    return [
      { field, change, ...(isShown(old) ? { before: old } : {}), ...(isShown(now) ? { after: now } : {}) },
    ]
  })
}

/** The fields. An object is replaced by its members, which are compared one by one. */
function flattened(data: JsonObject): ReadonlyMap<string, JsonValue> {
  const fields = new Map<string, JsonValue>()
  for (const [field, value] of Object.entries(data)) {
    const members = isJsonObject(value) ? Object.entries(value) : []
    // An empty object is a value, too: the history must show when it appears or disappears.
    if (members.length === 0) fields.set(field, value)
    for (const [key, member] of members) fields.set(`${field}.${key}`, member)
  }
  return fields
}

function isShown(value: JsonValue | undefined): value is JsonValue {
  return value !== undefined && JSON.stringify(value).length <= SHOWN_MAX
}
