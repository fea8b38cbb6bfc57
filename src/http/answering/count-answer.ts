import type { Metrics } from '../../telemetry/metrics.ts'
import type { Operation } from '../reading/operation.ts'

/** One method of one route, as metrics and error answers see it. */
export interface RouteInfo {
  readonly method: string
  /** The pattern, never the path of the request. */
  readonly pattern: string
  readonly operation: Operation | undefined
}

declare module 'fastify' {
  interface FastifyReply {
    /** `undefined` until a handler is found. */
    route: RouteInfo | undefined
    /** The time at which the handler began, by `performance.now()`. */
    startedAt: number
  }
}

/** Counted for requests that no route handles. */
const noRoute: RouteInfo = { method: 'other', pattern: 'none', operation: undefined }

/** Counts an answer that is being sent. @param reply absent if no route has handled the request */
export function countAnswer(
  metrics: Metrics,
  status: number,
  reply?: { readonly route: RouteInfo | undefined; readonly startedAt: number },
): void {
  const { method, pattern } = reply?.route ?? noRoute
  const durationMs = reply?.route === undefined ? 0 : performance.now() - reply.startedAt
  metrics.http.request({ method, route: pattern, status, durationMs })
}
