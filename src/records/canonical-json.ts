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

/**
 * Writes a JSON value as canonical text. Members whose value is `undefined` are left out, as `JSON.stringify` does.
 *
 * @throws TypeError for what JSON cannot hold: a number that is not finite, a bigint, a function, or a text with half
 * of a surrogate pair (RFC 8785 section 3.2.2.2 wants such input refused).
 */
export function canonicalJson(value: unknown): CanonicalJson {
  return write(value) as CanonicalJson
}

/** Canonical text of a text that holds JSON in any form, such as a `jsonb` value that PostgreSQL printed. */
export function canonicalJsonOf(text: string): CanonicalJson {
  return canonicalJson(JSON.parse(text))
}

function write(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return writeString(value)
    case 'boolean':
      return value ? 'true' : 'false'
    case 'number':
      if (!Number.isFinite(value)) throw new TypeError(`JSON cannot hold the number ${value}`)
      return String(value === 0 ? 0 : value)
    case 'object':
      if (value === null) return 'null'
      return Array.isArray(value) ? writeArray(value) : writeObject(value as Record<string, unknown>)
    default:
      throw new TypeError(`JSON cannot hold a ${typeof value}`)
  }
}

function writeString(text: string): string {
  if (!text.isWellFormed()) throw new TypeError('JSON text holds half of a surrogate pair')
  return JSON.stringify(text)
}

function writeArray(items: readonly unknown[]): string {
  let text = '['
  for (let index = 0; index < items.length; index += 1) {
    if (index > 0) text += ','
    text += write(items[index] ?? null)
  }
  return `${text}]`
}

function writeObject(members: Record<string, unknown>): string {
  let text = ''
  // The default order of `sort` is by UTF-16 code units, which is the order that RFC 8785 asks for.
  for (const key of Object.keys(members).sort()) {
    const value = members[key]
    if (value === undefined) continue
    text += `${text === '' ? '{' : ','}${writeString(key)}:${write(value)}`
  }
  return text === '' ? '{}' : `${text}}`
}
