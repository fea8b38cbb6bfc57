import type { FastifyPluginCallback } from 'fastify'
import { z } from 'zod'
import { graphFormats } from '../../graph/export/export-graph.ts'
import { graphSchema } from '../answering/graph-schemas.ts'
import { NDJSON_TYPE } from '../reading/accepts.ts'
import { graphEtag } from '../reading/etag.ts'
import { asOfQuery, freshnessQuery } from '../reading/freshness.ts'
import { FORMAT_NAMES, preferredFormat } from '../reading/graph-format.ts'
import {
  depthQuery,
  directionQuery,
  namespaceOfPart,
  originQuery,
  tagQuery,
  typeQuery,
  typesOf,
} from '../reading/graph-query.ts'
import { invalidQuery } from '../reading/invalid-query.ts'
import { json, type Operation } from '../reading/operation.ts'
import { wholeNumber } from '../reading/query-fields.ts'
import type { HttpContext } from '../routing/http-context.ts'
import { type ReadAnswer, readRoute } from '../routing/route.ts'

const text = z.string().optional()
const parameters = z.object({
  format: z
    .enum(FORMAT_NAMES)
    .optional()
    .meta({ description: 'The format of the answer. It takes precedence over `Accept`.', default: 'json' }),
  ...typeQuery,
  namespace: namespaceOfPart.meta({
    description:
      'Only nodes of this namespace, and the nodes at the far ends of their edges. With `around` it only says where that name is looked for.',
  }),
  name: text.meta({
    description: 'Only nodes with this label or id. With `*` at the end: labels that begin with this text.',
  }),
  tag: tagQuery,
  origin: originQuery,
  around: text.meta({ description: 'Only the nodes near this node. An id, or the name of a service.' }),
  depth: depthQuery,
  direction: directionQuery,
  limit: wholeNumber(1, 1_000_000).meta({
    description:
      'The largest number of nodes. The default is all nodes, or the 1,000 nearest ones with `around`.',
  }),
  ...asOfQuery,
  ...freshnessQuery,
})

/** `/knowledge-graph`, or `/graph`: the graph, or a part of it, in six formats. */
export const graphRoutes: FastifyPluginCallback<HttpContext> = (app, context, done) => {
  const { live, graph } = context

  const whole = (described: Operation & { readonly query: typeof parameters }) =>
    readRoute(context, described, ({ headers }, query): ReadAnswer => {
      checkCombination(query)
      const { asOf, format = preferredFormat(headers.accept), namespace, name, around, limit } = query
      const { depth, direction, tag, origin } = query
      const filter = {
        ...typesOf(query),
        namespace,
        name,
        around,
        limit,
        depth,
        direction,
        tags: tag,
        origins: origin,
      }
      return {
        lines: async () => {
          const { lineage } = live.view
          const { chunks, metadata } =
            asOf === undefined
              ? await graph.export(format, filter)
              : await graph.exportPast(asOf, { format, filter })
          const { revision } = metadata
          const etag = graphEtag({ lineage, revision, format })
          return { chunks, contentType: graphFormats[format].contentType, revision, etag }
        },
      }
    })

  app.get('/knowledge-graph', whole(operation))
  app.get('/graph', whole({ ...operation, summary: 'The same as `GET /knowledge-graph`' }))
  done()
}

function checkCombination({ around, depth, direction }: z.output<typeof parameters>): void {
  const needsCentre = { path: '', message: 'says how far to go around a node: name it in around' }
  if (around === undefined && depth !== undefined) throw invalidQuery([{ ...needsCentre, path: 'depth' }])
  if (around === undefined && direction !== undefined)
    throw invalidQuery([{ ...needsCentre, path: 'direction' }])
}

const operation = {
  chapter: 'graph',
  scope: 'read',
  summary: 'The knowledge graph',
  description:
    'The whole graph or a part of it, at exactly one revision, however long the client reads it. Nodes are sorted by id, edges by source. `format` or `Accept` chooses the format: JSON, JSON lines, GraphML, DOT for Graphviz, Mermaid, or elements of Cytoscape.js.',
  query: parameters,
  state: true,
  errors: [
    'COORD_NODE_NOT_FOUND',
    'COORD_GRAPH_BUSY',
    'COORD_STREAMS_BUSY',
    'COORD_RATE_LIMITED',
    'COORD_STREAMS_FULL',
  ],
  answers: {
    200: json('The graph.', graphSchema, [
      NDJSON_TYPE,
      'application/graphml+xml',
      'text/vnd.graphviz',
      'text/vnd.mermaid',
    ]),
    304: { description: 'The graph has not changed since the `ETag` in `If-None-Match`.' },
  },
} as const satisfies Operation
