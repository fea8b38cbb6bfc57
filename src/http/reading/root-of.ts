import type { FastifyRequest } from 'fastify'

/**
 * The relative URL from the page that a browser asks for to the root of the coordinator: `./` for `/docs`, `../` for `/docs/errors`. With
 * such links a page works behind every prefix. A slash at the end counts, because it does for browsers.
 */
export function rootOf({ raw: { url = '/' } }: FastifyRequest): string {
  // A proxy would send a whole URL.
  const path = url.replace(/^[a-z][a-z\d+.-]*:\/\/[^/?]*/i, '').split('?', 1)[0] as string
  const depth = path.split('/').length - 2
  return depth <= 0 ? './' : '../'.repeat(depth)
}
