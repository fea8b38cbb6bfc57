import { isJsonObject, type JsonObject, type JsonValue } from '../../../records/canonical-json.ts'
import { mapOf, wordOf } from '../reading/file-value.ts'
import { MEMBER_EFFORT, type ReadingBuilder } from '../reading/format-reading.ts'

/** The services of a compose file, each with what it takes over by `extends` from another service of the same file. */
export function extendServices(
  services: JsonObject,
  reading: ReadingBuilder,
): ReadonlyMap<string, JsonObject> {
  const extended = new Map<string, JsonObject>()
  for (const [name, service] of Object.entries(services)) {
    if (isJsonObject(service)) extended.set(name, whole(name, service))
    else reading.cannotRead(`services.${name}`, 'it is not a map')
  }
  return extended

  function whole(name: string, service: JsonObject): JsonObject {
    let result = service
    const seen = new Set([name])
    for (let extend = service['extends']; extend !== undefined && extend !== null; ) {
      const where = `services.${name}.extends`
      const file = wordOf(mapOf(extend)['file'])
      const base = wordOf(mapOf(extend)['service']) ?? wordOf(extend)
      if (file !== undefined) {
        reading.cannotKnow(
          where,
          `the file ${file} is not read: what the service takes over from there is missing`,
        )
        break
      }
      const parent = base === undefined || !Object.hasOwn(services, base) ? undefined : services[base]
      if (base === undefined || !isJsonObject(parent) || seen.has(base)) {
        reading.cannotKnow(where, 'it names no other service of this file')
        break
      }
      seen.add(base)
      result = merge(parent, result)
      reading.spend(MEMBER_EFFORT * membersIn(result))
      extend = parent['extends']
    }
    return result
  }
}

/** Compose adds lists, and members of maps, to those of the base; other values replace those of the base. */
function merge(base: JsonObject, own: JsonObject): JsonObject {
  const merged: Record<string, JsonValue> = { __proto__: null, ...base } as Record<string, JsonValue>
  for (const [key, value] of Object.entries(own)) merged[key] = mergeMember(key, base[key], value)
  return merged
}

/** How many members a service has, and members of its members. */
function membersIn(service: JsonObject): number {
  const sizes = Object.values(service).map((value) =>
    typeof value === 'object' && value !== null ? Object.keys(value).length : 1,
  )
  return sizes.reduce((sum, size) => sum + size, 1)
}

/** Lists of a command are replaced as a whole. */
const replaced = new Set(['command', 'entrypoint', 'healthcheck', 'extends'])

function mergeMember(key: string, base: JsonValue | undefined, own: JsonValue): JsonValue {
  if (base === undefined || base === null || replaced.has(key)) return own
  if (Array.isArray(base) && Array.isArray(own)) return [...base, ...own]
  if (isJsonObject(base) && isJsonObject(own))
    return { __proto__: null, ...base, ...own } as unknown as JsonObject
  const [left, right] = [membersOf(base), membersOf(own)]
  return left === undefined || right === undefined
    ? own
    : ({ __proto__: null, ...left, ...right } as unknown as JsonObject)
}

/** The same as a map: `depends_on`, `environment` and `labels` may be lists in one service and maps in the other. */
function membersOf(value: JsonValue): JsonObject | undefined {
  if (isJsonObject(value)) return value
  if (!Array.isArray(value)) return undefined
  const members: Record<string, JsonValue> = Object.create(null)
  for (const item of value) {
    const [key = '', text] = splitPair(wordOf(item) ?? '')
    members[key] = text ?? null
  }
  return members
}

/** `KEY=VALUE` as two texts; the second is missing if there is no `=`. */
export function splitPair(text: string): [string, string | undefined] {
  const equals = text.indexOf('=')
  return equals < 0 ? [text, undefined] : [text.slice(0, equals), text.slice(equals + 1)]
}
