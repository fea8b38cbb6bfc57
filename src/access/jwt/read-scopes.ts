import { parseScope } from '../scopes/scope.ts'
import type { Claims } from './read-token.ts'

/**
 * The scopes that a token grants: a text with spaces between them (RFC 8693, 4.2), or a list of texts. Whatever is no scope of the
 * coordinator, such as `openid`, grants nothing.
 *
 * @param path the name of a claim, or a path with dots to a member inside one: `app_metadata.coordinator`
 */
export function readScopes(claims: Claims, path: string): string[] {
  const value = memberAt(claims, path)
  const texts: readonly unknown[] =
    typeof value === 'string' ? value.split(' ') : Array.isArray(value) ? value : []
  return [
    ...new Set(texts.filter((text) => typeof text === 'string' && parseScope(text) !== undefined)),
  ] as string[]
}

/** A name may have dots itself, such as `https://example.org/scopes`: the longest name that is there counts first. */
function memberAt(object: unknown, path: string): unknown {
  if (typeof object !== 'object' || object === null || Array.isArray(object)) return undefined
  if (Object.hasOwn(object, path)) return (object as Claims)[path]
  for (let dot = path.lastIndexOf('.'); dot > 0; dot = path.lastIndexOf('.', dot - 1)) {
    const name = path.slice(0, dot)
    const found = Object.hasOwn(object, name)
      ? memberAt((object as Claims)[name], path.slice(dot + 1))
      : undefined
    if (found !== undefined) return found
  }
  return undefined
}
