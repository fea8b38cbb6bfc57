import type { FastifyPluginCallback } from 'fastify'
import { z } from 'zod'
import type { GroupBy } from '../../graph/questions/group-by.ts'
import { DEFAULT_GROUPS, MAX_GROUPS } from '../../graph/questions/overview.ts'
import { overviewSchema } from '../answering/overview-schema.ts'
import { asOfQuery, freshnessQuery } from '../reading/freshness.ts'
import { limitQuery, namespaceOfPart, typeQuery, typesOf } from '../reading/graph-query.ts'
import { json, type Operation } from '../reading/operation.ts'
import type { HttpContext } from '../routing/http-context.ts'
import { type ReadAnswer, readRoute } from '../routing/route.ts'
import { fittingJson } from '../sending/fitting-json.ts'

const fixed = ['namespace', 'type', 'health', 'tag', 'owner'] as const
const KEY_MAX = 256

const groupBy = z
  .string()
  .transform((text, context): GroupBy => {
    const by = fixed.find((name) => name === text)
    if (by !== undefined) return { by }
    const [, key] = /^metadata\.(.+)$/s.exec(text) ?? []
    if (key !== undefined && key.length <= KEY_MAX) return { by: 'metadata', key }
    context.addIssue(
      `must be ${fixed.join(', ')}, or metadata.KEY with a key of at most ${KEY_MAX} characters`,
    )
    return z.NEVER
  })
  .meta({
    description:
      '`namespace`, `type`, `health`, `tag`, `owner`, or `metadata.KEY`. `owner` is the member `owner` of the metadata, or else the node with an edge `owns`. `metadata.KEY` also reads the asserted properties of nodes.',
    example: 'metadata.system',
  })

const parameters = z.object({
  groupBy,
  limit: limitQuery(DEFAULT_GROUPS, MAX_GROUPS),
  ...typeQuery,
  namespace: namespaceOfPart,
  ...asOfQuery,
  ...freshnessQuery,
})

/** `/knowledge-graph/overview`: the graph as groups. */
export const overviewRoutes: FastifyPluginCallback<HttpContext> = (app, context, done) => {
  const { graph, registry } = context
  const overview = (hidden: boolean) =>
    readRoute(
      context,
      { ...operation, hidden },
      async (_, { asOf, groupBy, limit, namespace, type, nodeType, edgeType }): Promise<ReadAnswer> => {
        const question = { groupBy, limit, namespace, ...typesOf({ type, nodeType, edgeType }) }
        const found =
          asOf === undefined
            ? await graph.overview(question, (record) => registry.healthOf(record))
            : await graph.askPast(asOf, { ask: 'overview', ...question })
        return { body: await fittingJson(found), revision: found.revision }
      },
    )
  app.get('/knowledge-graph/overview', overview(false))
  app.get('/graph/overview', overview(true))
  done()
}

const operation = {
  chapter: 'graph',
  scope: 'read',
  summary: 'The graph as groups',
  description:
    'Groups the nodes by something that they have in common, and counts the edges between the groups. A large graph can be shown in this way. A node with several tags is in the group of each of them. The largest groups come first; `others` stands for those beyond `limit`. With `asOf`, the health of every service is `unknown`.',
  query: parameters,
  state: true,
  errors: ['COORD_GRAPH_BUSY'],
  answers: { 200: json('The groups, at one revision.', overviewSchema) },
} as const satisfies Operation
