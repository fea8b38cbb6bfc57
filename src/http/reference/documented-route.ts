import type { FastifyInstance } from 'fastify'
import type { Operation } from '../reading/operation.ts'

/** A route of the server. */
export interface ServedRoute {
  readonly method: string
  /** With parameters as `:name`. */
  readonly pattern: string
  /** The function that created its handler; absent if it answers without the records. */
  readonly kind: 'read' | 'write' | undefined
  readonly operation: Operation | undefined
}

/** A route that is part of the reference. */
export interface DocumentedRoute extends ServedRoute {
  readonly operation: Operation
}

/** Collects all routes. It must be called before they are added; the list grows with each one. */
export function gatherRoutes(app: FastifyInstance): readonly ServedRoute[] {
  const routes: ServedRoute[] = []
  app.addHook('onRoute', ({ method, url, config }) => {
    const { kind, operation } = config ?? {}
    // The framework adds a HEAD for each GET, which needs no description of its own.
    for (const one of [method].flat())
      if (one !== 'HEAD') routes.push({ method: one, pattern: url, kind, operation })
  })
  return routes
}

export function isDocumented(route: ServedRoute): route is DocumentedRoute {
  return route.operation !== undefined && route.operation.hidden !== true
}

/** Names of the parameters in a pattern, in order. */
export function pathParameters(pattern: string): string[] {
  return [...pattern.matchAll(/:(\w+)/g)].map((match) => match[1] as string)
}

/** The form that OpenAPI writes paths in. */
export function pathTemplate(pattern: string): string {
  return pattern.replaceAll(/:(\w+)/g, '{$1}')
}
