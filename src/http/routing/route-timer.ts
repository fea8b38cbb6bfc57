import type { FastifyInstance, RouteHandlerMethod } from 'fastify'
import type { Metrics } from '../../telemetry/metrics.ts'
import { HandlerTurns, RouteCost } from '../lifecycle/handler-turns.ts'
import type { Operation } from './operation.ts'

/** One method of one route, as metrics and error answers see it. */
export interface RouteInfo {
  readonly method: string
  /** The pattern, never the path that was asked for. */
  readonly pattern: string
  readonly operation: Operation | undefined
}

declare module 'fastify' {
  interface FastifyReply {
    /** `undefined` until a handler was found. */
    route: RouteInfo | undefined
    /** When the handler began, by `performance.now()`. */
    startedAt: number
  }
}

/** What is counted for requests that no route takes. */
export const noRoute: RouteInfo = { method: 'other', pattern: 'none', operation: undefined }

/**
 * Notes on every reply which route it belongs to and when its handler began, and lets costly handlers work in turns. This wraps the handlers themselves: hooks of
 * the framework would cost each request several times as much.
 */
export function timeRoutes(app: FastifyInstance): void {
  const turns = new HandlerTurns()
  app.decorateReply('route', undefined)
  app.decorateReply('startedAt', 0)
  app.addHook('onRoute', (options) => {
    const { handler } = options
    const method = Array.isArray(options.method) ? options.method.join(',') : options.method
    const route: RouteInfo = { method, pattern: options.url, operation: options.config?.operation }
    const cost = new RouteCost()
    const work: RouteHandlerMethod = function (request, reply) {
      const startedAt = performance.now()
      try {
        return handler.call(this, request, reply)
      } finally {
        const workedMs = performance.now() - startedAt
        cost.add(workedMs)
        turns.worked(workedMs)
      }
    }
    const timed: RouteHandlerMethod = function (request, reply) {
      reply.route = route
      reply.startedAt = performance.now()
      if (turns.mustWait(cost)) return turns.later(() => work.call(this, request, reply))
      return work.call(this, request, reply)
    }
    options.handler = timed
  })
}

/** Counts an answer that is being sent. */
export function countAnswer(
  metrics: Metrics,
  reply: { route: RouteInfo | undefined; startedAt: number },
  status: number,
): void {
  const { method, pattern } = reply.route ?? noRoute
  const durationMs = reply.route === undefined ? 0 : performance.now() - reply.startedAt
  metrics.http.request({ method, route: pattern, status, durationMs })
}
