import { sortFew } from '../text/sort-few.ts'

declare const canonical: unique symbol

/**
 * JSON text in the form of RFC 8785: no white space, members sorted by UTF-16 code units, numbers as ECMAScript prints
 * them. Two values are equal exactly when their canonical texts are, on every coordinator and every backend.
 */
export type CanonicalJson = string & { readonly [canonical]: true }

export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue }
export type JsonObject = { readonly [key: string]: JsonValue }

/** Whether a value that was read from JSON is an object. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * Writes a JSON value as canonical text. Members whose value is `undefined` are left out, as `JSON.stringify` does.
 *
 * @throws TypeError for what JSON cannot hold: a number that is not finite, a bigint, a function, or a text with half
 * of a surrogate pair (RFC 8785 section 3.2.2.2 wants such input refused).
 */
export function canonicalJson(value: unknown): CanonicalJson {
  const ordered = inOrder(value)
  // JSON.stringify writes numbers and texts as RFC 8785 demands, and is faster than our own code.
  const text = ordered === notByEngine ? write(value) : JSON.stringify(ordered)
  // JSON.stringify writes half of a surrogate pair as an escape. A text with a backslash may look the same.
  if (text.includes('\\ud') && ordered !== notByEngine) write(value)
  return text as CanonicalJson
}

/** The engine does not keep the order of members that RFC 8785 demands. */
const notByEngine = Symbol('not by the engine')

/** The value with the members of every object in order. This is usually the value itself. */
function inOrder(value: unknown): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      return Number.isFinite(value) ? value : notByEngine
    case 'object':
      if (value === null) return null
      return Array.isArray(value) ? itemsInOrder(value) : membersInOrder(value as Record<string, unknown>)
    default:
      return notByEngine
  }
}

function itemsInOrder(items: readonly unknown[]): unknown {
  let copy: unknown[] | undefined
  for (let index = 0; index < items.length; index += 1) {
    const item = items[index] ?? null
    const ordered = typeof item === 'string' ? item : inOrder(item)
    if (ordered === notByEngine) return notByEngine
    if (ordered !== item) {
      copy ??= [...items]
      copy[index] = ordered
    }
  }
  return copy ?? items
}

function membersInOrder(members: Record<string, unknown>): unknown {
  let keys = Object.keys(members)
  let copy: Record<string, unknown> | undefined
  if (!isSorted(keys)) {
    // The engine always places names that look like numbers before all other names, so that sorting cannot work.
    if (keys.some(isPlacedByEngine)) return notByEngine
    keys = sortFew(keys)
    copy = {}
  }
  for (let index = 0; index < keys.length; index += 1) {
    const key = keys[index] as string
    const member = members[key]
    const ordered = typeof member === 'string' || member === undefined ? member : inOrder(member)
    if (ordered === notByEngine) return notByEngine
    if (copy === undefined && ordered !== member) copy = { ...members }
    if (copy !== undefined) copy[key] = ordered
  }
  return copy ?? members
}

/** Whether names are sorted by UTF-16 code units, as RFC 8785 demands, and as `sort` compares. */
function isSorted(keys: readonly string[]): boolean {
  for (let index = 1; index < keys.length; index += 1)
    if ((keys[index - 1] as string) > (keys[index] as string)) return false
  return true
}

function isPlacedByEngine(key: string): boolean {
  const first = key.charCodeAt(0)
  return (first >= 48 && first <= 57) || key === '__proto__'
}

function write(value: unknown): string {
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw new TypeError('JSON text holds half of a surrogate pair')
    return JSON.stringify(value)
  }
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new TypeError(`JSON cannot hold the number ${value}`)
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return JSON.stringify(value)
  if (typeof value !== 'object') throw new TypeError(`JSON cannot hold a ${typeof value}`)
  if (Array.isArray(value)) return `[${Array.from(value, (item) => write(item ?? null)).join(',')}]`
  const members = Object.entries(value).filter(([, member]) => member !== undefined)
  members.sort(([left], [right]) => (left < right ? -1 : 1))
  return `{${members.map(([key, member]) => `${write(key)}:${write(member)}`).join(',')}}`
}
