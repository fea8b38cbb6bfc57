import type { FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { ExportAnswer } from '../../graph/knowledge-graph.ts'
import { graphEtag } from '../../records/etag.ts'
import { invalidQuery } from '../../records/invalid-query.ts'
import { graphSchema } from '../answering/graph-schemas.ts'
import { asOfQuery, checkLineage, freshnessQuery, waitUntilFresh } from '../reading/freshness.ts'
import { FORMAT_NAMES, preferredFormat } from '../reading/graph-format.ts'
import {
  depthQuery,
  directionQuery,
  originQuery,
  tagQuery,
  typeQuery,
  wholeNumber,
} from '../reading/graph-query.ts'
import { readQuery } from '../reading/read-query.ts'
import type { HttpContext } from '../routing/http-context.ts'
import type { Operation } from '../routing/operation.ts'
import { sendLines } from '../streams/send-lines.ts'

const text = z.string().optional()
const parameters = z.object({
  format: z.enum(FORMAT_NAMES).optional().meta({ description: 'Instead of `Accept`.', default: 'json' }),
  ...typeQuery,
  name: text.meta({
    description: 'Only nodes with this label or id; with `*` at the end, labels that begin so.',
  }),
  tag: tagQuery,
  origin: originQuery,
  around: text.meta({ description: 'Only the surroundings of this node: an id, or the name of a service.' }),
  depth: depthQuery,
  direction: directionQuery,
  limit: wholeNumber(1, 1_000_000).meta({
    description: 'How many nodes at most. Without it all of them; around a node, the 1,000 nearest.',
  }),
  rebuild: z
    .enum(['true', 'false'])
    .optional()
    .meta({ description: 'Also derives the graph anew, and tells in `metadata.rebuild` what is different.' }),
  ...asOfQuery,
  ...freshnessQuery,
})

/** `/knowledge-graph`, and its other name `/graph`: the graph, or a part of it, in six formats. */
export const graphRoutes: FastifyPluginCallback<HttpContext> = (app, context, done) => {
  const { live, graph } = context

  async function send(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const query = readQuery(request, parameters)
    const {
      asOf,
      minRevision,
      consistency,
      format: wanted,
      rebuild,
      tag,
      origin,
      type,
      nodeType,
      edgeType,
      ...filter
    } = query
    checkLineage(live, request)
    for (const name of ['depth', 'direction'] as const)
      if (query[name] !== undefined && query.around === undefined)
        throw invalidQuery([
          { path: `query.${name}`, message: 'says how far to go around a node: name it in around' },
        ])
    if (rebuild === 'true' && asOf !== undefined)
      throw invalidQuery([{ path: 'query.rebuild', message: 'compares the present: leave out asOf' }])
    await waitUntilFresh(live, { minRevision, consistency })
    const rebuilt = rebuild === 'true' ? await graph.rebuild() : undefined
    checkLineage(live, request)
    const format = wanted ?? preferredFormat(request.headers.accept)
    const types = { types: type, nodeTypes: nodeType, edgeTypes: edgeType }
    const part = { ...filter, ...types, tags: tag, origins: origin }
    const { lineage } = live.view
    await sendLines(context, reply, async () => {
      const answer: ExportAnswer =
        asOf === undefined
          ? await graph.export(format, part, rebuilt)
          : await graph.exportPast(asOf, { format, filter: part })
      const { revision } = answer.metadata
      return {
        chunks: answer.chunks,
        contentType: answer.contentType,
        revision,
        ...(rebuilt === undefined ? { etag: graphEtag(lineage, revision, format) } : {}),
      }
    })
  }

  app.get('/knowledge-graph', { config: { operation } }, send)
  app.get(
    '/graph',
    { config: { operation: { ...operation, summary: 'The same as `GET /knowledge-graph`' } } },
    send,
  )
  done()
}

const operation: Operation = {
  chapter: 'graph',
  summary: 'The knowledge graph',
  description:
    'All of it or a part, at exactly one revision however long it is read: nodes by id, edges by source. Formats by `format` or `Accept`: JSON, JSON lines, GraphML, DOT for Graphviz, Mermaid, and elements of Cytoscape.js.',
  query: parameters,
  state: true,
  errors: [
    'COORD_NODE_NOT_FOUND',
    'COORD_REVISION_COMPACTED',
    'COORD_REVISION_FUTURE',
    'COORD_GRAPH_BUSY',
    'COORD_STREAMS_BUSY',
  ],
  answers: {
    200: {
      description: 'The graph.',
      content: {
        'application/json': graphSchema,
        'application/x-ndjson': undefined,
        'application/graphml+xml': undefined,
        'text/vnd.graphviz': undefined,
        'text/vnd.mermaid': undefined,
      },
    },
    304: { description: 'Nothing has changed since the `ETag` in `If-None-Match`.' },
  },
}
