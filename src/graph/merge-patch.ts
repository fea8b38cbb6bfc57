import type { JsonObject, JsonValue } from '../records/canonical-json.ts'
import { isObject } from './derive-sink.ts'

/** JSON Merge Patch (RFC 7396): objects are merged, `null` removes a member, everything else replaces. */
export function mergePatch(target: JsonValue | undefined, patch: JsonValue): JsonValue {
  if (!isObject(patch)) return patch
  const merged: Record<string, JsonValue> = isObject(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(patch))
    if (value === null) delete merged[key]
    else merged[key] = mergePatch(merged[key], value)
  return merged as JsonObject
}
