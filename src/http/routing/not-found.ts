import type { FastifyInstance } from 'fastify'
import { CoordinatorError } from '../../errors.ts'
import { closestWord } from '../../text/closest-word.ts'

/** Knows every route, and can therefore say what is wrong with a request that no route handles. */
export class RouteTable {
  readonly #methods = new Map<string, Set<string>>()

  /** Must be called before the routes are added. */
  watch(app: FastifyInstance): void {
    app.addHook('onRoute', ({ method, url }) => {
      const methods = this.#methods.get(url) ?? new Set()
      for (const one of [method].flat()) methods.add(one)
      this.#methods.set(url, methods)
    })
  }

  /** @param path the path of the request, without the query string */
  explain(method: string, path: string): CoordinatorError {
    // The router takes no notice of a slash at the end.
    const segments = (path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path).split('/')
    const methods = [...this.#methods].flatMap(([pattern, known]) =>
      fits(pattern, segments) ? [...known] : [],
    )
    if (methods.length > 0) {
      const allow = [...new Set(methods)].sort()
      return new CoordinatorError('COORD_METHOD_NOT_ALLOWED', {
        detail: `${shorten(path)} takes ${allow.join(', ')}, not ${method}.`,
        extra: { allow },
      })
    }
    const pages = [...this.#methods.keys()].filter((pattern) => pattern.length > 1 && !/[:*]/.test(pattern))
    const meant = closestWord(path, pages)
    return new CoordinatorError('COORD_ROUTE_NOT_FOUND', {
      detail: `There is no ${shorten(path)}${meant === undefined ? '.' : `; did you mean ${meant}?`}`,
    })
  }
}

function fits(pattern: string, segments: readonly string[]): boolean {
  const parts = pattern.split('/')
  // A wildcard stands for everything that follows.
  if (parts.at(-1) === '*') {
    const known = parts.slice(0, -1)
    return segments.length >= parts.length && known.every((part, index) => part === segments[index])
  }
  if (parts.length !== segments.length) return false
  return parts.every((part, index) =>
    part.startsWith(':') ? segments[index] !== '' : part === segments[index],
  )
}

function shorten(path: string): string {
  return path.length <= 200 ? path : `${path.slice(0, 200)}...`
}
