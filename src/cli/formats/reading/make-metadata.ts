import type { JsonObject, JsonValue } from '../../../records/canonical-json.ts'
import { LIMITS } from '../../../records/limits.ts'
import { MEMBER_EFFORT, type ReadingBuilder } from './format-reading.ts'
import { isSecret } from './is-secret.ts'

/** An import adds the name of its source. */
const MAX_BYTES = LIMITS.metadataBytes - 1_024

/**
 * The `metadata` of a registration: labels of the file under their own names, and what we say about it. Labels that do not fit, or seem to
 * be secrets, are left out and listed.
 *
 * @param own wins over a label of the same name
 */
export function makeMetadata(
  own: JsonObject,
  labels: ReadonlyMap<string, string>,
  { where, reading }: { readonly where: string; readonly reading: ReadingBuilder },
): JsonObject {
  const metadata: Record<string, JsonValue> = {}
  const left: string[] = []
  const secret: string[] = []
  let room = MAX_BYTES - bytesOf(own)
  for (const [key, text] of labels) {
    reading.spend(MEMBER_EFFORT + text.length)
    if (Object.hasOwn(own, key)) continue
    if (isSecret(key, text)) {
      secret.push(key)
      continue
    }
    room -= bytesOf(key) + bytesOf(text) + 2
    if (key === '__proto__') reading.cannotKnow(where, 'metadata can have no member __proto__')
    else if (room < 0) left.push(key)
    else metadata[key] = text
  }
  if (secret.length > 0)
    reading.cannotKnow(
      where,
      `everybody could read them, and they seem to be secrets: ${someOf(secret)} left out`,
    )
  if (left.length > 0) reading.cannotKnow(where, `only ${MAX_BYTES} bytes fit: ${someOf(left)} left out`)
  return { ...metadata, ...own }
}

function bytesOf(value: JsonValue): number {
  return Buffer.byteLength(JSON.stringify(value))
}

/** A few of some names, for a message. */
export function someOf(names: readonly string[]): string {
  return names.length <= 5 ? names.join(', ') : `${names.slice(0, 5).join(', ')} and ${names.length - 5} more`
}
