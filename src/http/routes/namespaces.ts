import type { FastifyPluginCallback } from 'fastify'
import { z } from 'zod'
import { NAMESPACES_LIMIT } from '../../graph/questions/list-namespaces.ts'
import { namespacesAnswerSchema } from '../answering/schemas.ts'
import { freshnessQuery } from '../reading/freshness.ts'
import { json, type Operation } from '../reading/operation.ts'
import { namespaceParameter, wholeNumber } from '../reading/query-fields.ts'
import type { HttpContext } from '../routing/http-context.ts'
import { readRoute } from '../routing/route.ts'

/** `/namespaces`: which systems are here. */
export const namespacesRoutes: FastifyPluginCallback<HttpContext> = (app, context, done) => {
  app.get(
    '/namespaces',
    readRoute(context, operation, (_request, { limit = NAMESPACES_LIMIT, cursor = '' }) => {
      const query = { limit, cursor }
      const { revision, namespaces, ...rest } = context.graph.namespaces(query)
      // Each service has a node, so every namespace of this page is among these.
      const counted = new Map(
        context.registry.namespaces(query).namespaces.map((counts) => [counts.namespace, counts]),
      )
      const listed = namespaces.map(({ namespace, nodes }) => {
        const { services = 0, active = 0 } = counted.get(namespace) ?? {}
        return { namespace, services, active, nodes }
      })
      return { body: JSON.stringify({ success: true, namespaces: listed, ...rest, revision }), revision }
    }),
  )
  done()
}

const operation = {
  chapter: 'registry',
  scope: 'read',
  summary: 'List the namespaces',
  description:
    'Each namespace that has services or other nodes of the knowledge graph, with their numbers, sorted by name. A namespace keeps the names of one system apart from those of others. It is no protection: the scope `read` covers all of them.',
  query: z.object({
    limit: wholeNumber(1, NAMESPACES_LIMIT).meta({
      description: 'The largest number of namespaces on a page.',
      default: NAMESPACES_LIMIT,
    }),
    cursor: namespaceParameter.meta({ description: '`nextCursor` of the previous page.' }),
    ...freshnessQuery,
  }),
  state: true,
  answers: { 200: json('A page.', namespacesAnswerSchema) },
} as const satisfies Operation
