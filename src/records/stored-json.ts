import { isJsonObject, type JsonObject } from './canonical-json.ts'

/**
 * The value of a stored text; `undefined` where it is no JSON. People change databases by hand, and disks damage them: that
 * must not keep the rest from being served.
 */
export function storedJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The same where nothing but an object has a meaning. */
export function storedObject(text: string): JsonObject | undefined {
  const value = storedJson(text)
  return isJsonObject(value) ? value : undefined
}
