import type { FastifyPluginCallback } from 'fastify'
import { z } from 'zod'
import { NAMESPACES_LIMIT } from '../../registry/list/list-namespaces.ts'
import { namespacesAnswerSchema } from '../answering/schemas.ts'
import { freshnessQuery } from '../reading/freshness.ts'
import { json, type Operation } from '../reading/operation.ts'
import { namespaceParameter, wholeNumber } from '../reading/query-fields.ts'
import type { HttpContext } from '../routing/http-context.ts'
import { readRoute } from '../routing/route.ts'

/** `/namespaces`: which systems have services here. */
export const namespacesRoutes: FastifyPluginCallback<HttpContext> = (app, context, done) => {
  app.get(
    '/namespaces',
    readRoute(context, operation, (_request, { limit, cursor }) => {
      const { lineage: _, ...page } = context.registry.namespaces({
        ...(limit === undefined ? {} : { limit }),
        ...(cursor === undefined ? {} : { cursor }),
      })
      return { body: JSON.stringify({ success: true, ...page }), revision: page.revision }
    }),
  )
  done()
}

const operation = {
  chapter: 'registry',
  scope: 'read',
  summary: 'List the namespaces',
  description:
    'Each namespace that has services, with their number, sorted by name. A namespace keeps the names of one system apart from those of others. It is no protection: the scope `read` covers all of them.',
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
