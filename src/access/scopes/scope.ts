import { DEFAULT_NAMESPACE } from '../../records/service/namespace.ts'

/** What a route, or an operation of the library, may demand of its caller. */
export type Scope = 'read' | 'register' | 'graph' | 'metrics' | 'admin'

/** Which services a `register:` scope covers. */
export interface RegisterPattern {
  readonly namespace: NamePattern
  readonly name: NamePattern
}

/** A name, or with `prefix` all names that begin with the text. */
export interface NamePattern {
  readonly text: string
  readonly prefix: boolean
}

export type ParsedScope = Exclude<Scope, 'register'> | RegisterPattern

const plain: ReadonlySet<string> = new Set<Scope>(['read', 'graph', 'metrics', 'admin'])
/** The longest text of a scope: two names of 255 characters, percent-encoded, with some room. */
const scopeMaxLength = 2_048
const registerPrefix = 'register:'
/** Spaces would end a scope in the claim of a JWT; control characters and halves of surrogate pairs cannot be stored. */
const mustBeEncoded = /[\p{C}\p{Z}]/u

/**
 * Reads the text of a scope: `read`, `graph`, `metrics`, `admin`, or `register:[namespace/]name`. Both names are percent-encoded, at least
 * `%`, `/`, `*`, spaces and control characters in them. `*` stands at the end of a name only, for all names that begin like that. Without
 * a namespace, `default` is meant. Upper and lower case differ, and Unicode is not normalized, as in the names of services.
 *
 * @returns `undefined` if the text is not a scope
 */
export function parseScope(text: string): ParsedScope | undefined {
  if (text.length > scopeMaxLength) return undefined
  if (plain.has(text)) return text as Exclude<Scope, 'register'>
  if (!text.startsWith(registerPrefix) || mustBeEncoded.test(text)) return undefined
  const parts = text.slice(registerPrefix.length).split('/')
  if (parts.length > 2) return undefined
  const names = parts.map(parseName)
  const name = names.pop()
  const namespace = parts.length === 1 ? { text: DEFAULT_NAMESPACE, prefix: false } : names[0]
  return name === undefined || namespace === undefined ? undefined : { namespace, name }
}

function parseName(text: string): NamePattern | undefined {
  const prefix = text.endsWith('*')
  const encoded = prefix ? text.slice(0, -1) : text
  if (encoded.includes('*') || (encoded === '' && !prefix)) return undefined
  try {
    return { text: decodeURIComponent(encoded), prefix }
  } catch {
    return undefined
  }
}

/** Whether a pattern covers a name. */
export function covers({ text, prefix }: NamePattern, name: string): boolean {
  return prefix ? name.startsWith(text) : name === text
}
