import { isJsonObject, type JsonObject, type JsonValue } from '../../records/canonical-json.ts'

/** JSON Merge Patch (RFC 7396): objects are merged, `null` removes a member, everything else replaces. */
export function mergePatch(target: JsonValue | undefined, patch: JsonValue): JsonValue {
  if (!isJsonObject(patch)) return patch
  const merged: Record<string, JsonValue> = isJsonObject(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(patch))
    if (value === null) delete merged[key]
    else merged[key] = mergePatch(merged[key], value)
  return merged as JsonObject
}
