import { canonicalJson, isJsonObject, type JsonObject, type JsonValue } from '../records/canonical-json.ts'
import type { FieldChange } from './answers/answers.ts'

/** A larger value is named and not shown, in UTF-16 code units of JSON: a history must not repeat whole documents. */
const SHOWN_MAX = 1_024

/** Fields whose members are compared one by one. */
const documents = new Set(['metadata', 'migrationFile'])

/** What is different between two versions of a service, field by field, in order of their names. */
export function fieldChanges(before: JsonObject, after: JsonObject): readonly FieldChange[] {
  const [from, to] = [flattened(before), flattened(after)]
  return [...new Set([...from.keys(), ...to.keys()])].sort().flatMap((field) => {
    const [old, now] = [from.get(field), to.get(field)]
    return old !== undefined && now !== undefined && canonicalJson(old) === canonicalJson(now)
      ? []
      : [fieldChange(field, old, now)]
  })
}

function fieldChange(
  field: string,
  before: JsonValue | undefined,
  after: JsonValue | undefined,
): FieldChange {
  return {
    field,
    change: before === undefined ? 'added' : after === undefined ? 'removed' : 'changed',
    ...(isShown(before) ? { before } : {}),
    ...(isShown(after) ? { after } : {}),
  }
}

function flattened(data: JsonObject): ReadonlyMap<string, JsonValue> {
  const fields = new Map<string, JsonValue>()
  // What a person wrote by hand may be anything there.
  for (const [field, value] of Object.entries(data))
    if (documents.has(field) && isJsonObject(value)) {
      const members = Object.entries(value)
      // An empty document is a value of its own: its coming and going must not be lost.
      if (members.length === 0) fields.set(field, value)
      for (const [key, member] of members) fields.set(`${field}.${key}`, member)
    } else fields.set(field, value)
  return fields
}

function isShown(value: JsonValue | undefined): value is JsonValue {
  return value !== undefined && JSON.stringify(value).length <= SHOWN_MAX
}
