import type { IncomingMessage } from 'node:http'
import type { FastifyInstance, FastifyRequest } from 'fastify'

declare module 'fastify' {
  interface FastifyInstance {
    /** The setting BASE_PATH; empty without it. */
    readonly basePath: string
  }
}

/** Lets routes know the path of the coordinator behind a proxy. */
export function addBasePath(app: FastifyInstance, basePath = ''): void {
  app.decorate('basePath', basePath)
}

/**
 * The option of Fastify that takes BASE_PATH from the URL of each request that has it. This gives nobody more rights: scopes
 * belong to routes, and the rest of the URL decides the route.
 */
export function rewritingBasePath(basePath: string | undefined): {
  readonly rewriteUrl?: (request: IncomingMessage) => string
} {
  if (basePath === undefined) return {}
  return {
    rewriteUrl({ url = '/' }) {
      if (!url.startsWith(basePath)) return url
      const rest = url.slice(basePath.length)
      if (rest.startsWith('/')) return rest
      return rest === '' || rest.startsWith('?') ? `/${rest}` : url
    },
  }
}

/** Whether the path of a request is BASE_PATH without a slash at its end. Relative links would then leave the coordinator. */
export function isBareBasePath({ originalUrl, server: { basePath } }: FastifyRequest): boolean {
  return basePath !== '' && originalUrl.split('?', 1)[0] === basePath
}
