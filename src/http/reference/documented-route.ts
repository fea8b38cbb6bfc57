import type { FastifyInstance } from 'fastify'
import type { Operation } from '../routing/operation.ts'

/** A route that is part of the reference. */
export interface DocumentedRoute {
  readonly method: string
  /** With parameters as `:name`. */
  readonly pattern: string
  readonly operation: Operation
}

/** Gathers the documented routes. Has to be called before they are added; the list fills as they are. */
export function gatherRoutes(app: FastifyInstance): readonly DocumentedRoute[] {
  const routes: DocumentedRoute[] = []
  app.addHook('onRoute', ({ method, url, config }) => {
    const operation = config?.operation
    if (operation === undefined || operation.hidden === true) return
    // For each GET the framework adds a HEAD, which needs no words of its own.
    for (const one of [method].flat())
      if (one !== 'HEAD') routes.push({ method: one, pattern: url, operation })
  })
  return routes
}

/** Names of the parameters in a pattern, in order. */
export function pathParameters(pattern: string): string[] {
  return [...pattern.matchAll(/:(\w+)/g)].map((match) => match[1] as string)
}

/** The form that OpenAPI writes paths in. */
export function pathTemplate(pattern: string): string {
  return pattern.replaceAll(/:(\w+)/g, '{$1}')
}
