import { isJsonObject, type JsonObject } from './canonical-json.ts'

/**
 * The value of a stored text; `undefined` if it is not JSON. People change databases by hand, and disks damage them: the other records must
 * still be served.
 */
export function storedJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Parses stored text as `storedJson` does. `undefined` also for JSON that is not an object. */
export function storedObject(text: string): JsonObject | undefined {
  const value = storedJson(text)
  return isJsonObject(value) ? value : undefined
}
