import type { FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { LIST_LIMIT_DEFAULT, LIST_LIMIT_MAX } from '../../registry/list/list-query.ts'
import { type ListAnswer, parseListQuery } from '../../registry/registry.ts'
import { listAnswerSchema } from '../answering/schemas.ts'
import { NDJSON_TYPE, prefersNdjson } from '../reading/accepts.ts'
import {
  asksFreshness,
  asOfQuery,
  checkLineage,
  freshnessQuery,
  waitUntilFresh,
} from '../reading/freshness.ts'
import { type QueryValues, readQueryPart } from '../reading/read-query.ts'
import type { HttpContext } from '../routing/http-context.ts'
import type { Operation } from '../routing/operation.ts'
import { separated } from '../sending/body-part.ts'
import { sendLines } from '../streams/send-lines.ts'

const readParameters = z.object({ ...freshnessQuery, ...asOfQuery })

/** `/services`, and its other name `/registry`: what is registered. */
export const servicesRoutes: FastifyPluginCallback<HttpContext> = (app, context, done) => {
  const { live, registry, answers } = context

  async function list(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    checkLineage(live, request)
    const query = parseListQuery(request.query as QueryValues)
    const { asOf, ...freshness } = readQueryPart(request, readParameters)
    const lines = prefersNdjson(request.headers.accept)
    if (asOf !== undefined) {
      if (!lines) {
        const past = await registry.listAsOf(query, asOf)
        checkLineage(live, request)
        return sendList(answers, reply, past)
      }
      return sendLines(context, reply, async () => {
        const past = await registry.listAllAsOf(query, asOf)
        checkLineage(live, request)
        return { chunks: past, revision: past.revision, etag: past.etag }
      })
    }
    if (asksFreshness(freshness)) {
      await waitUntilFresh(live, freshness)
      checkLineage(live, request)
    }
    // Waited for only where there is something to judge: what a handler does after a wait does not count for its turn.
    const verdicts = query.filters.version === undefined ? undefined : await registry.judgeVersions(query)
    // Another history may have come meanwhile.
    checkLineage(live, request)
    if (!lines) return sendList(answers, reply, registry.list(query, verdicts))
    return sendLines(context, reply, () => {
      const all = registry.listAll(query, verdicts)
      return { chunks: all, revision: all.revision, etag: all.etag }
    })
  }

  app.get('/services', { config: { operation } }, list)
  app.get(
    '/registry',
    { config: { operation: { ...operation, summary: 'The same as `GET /services`' } } },
    list,
  )
  done()
}

function sendList(answers: HttpContext['answers'], reply: FastifyReply, list: ListAnswer): void {
  const { items, total, nextCursor, revision, etag } = list
  const next = nextCursor === undefined ? '' : `,"nextCursor":${JSON.stringify(nextCursor)}`
  answers.sendState(reply, {
    body: [
      '{"success":true,"services":[',
      ...separated(items),
      `],"total":${total}${next},"revision":${revision}}`,
    ],
    etag,
    revision,
    headers: ['Vary', 'Accept'],
  })
}

const text = z.string().optional()
const texts = z.array(z.string()).optional()

/** What `parseListQuery` reads, for the reference. */
const listParameters = z.object({
  name: text.meta({ description: 'Exactly this serviceName.' }),
  version: text.meta({
    description:
      'A semver range of at most 256 characters and 16 alternatives (`||`); a text that is not a range matches only the same version.',
    example: '^3',
  }),
  tag: texts.meta({ description: 'Repeated: all of them.' }),
  capability: texts.meta({ description: 'Repeated: all of them.' }),
  status: z.enum(['pending_migration', 'active']).optional(),
  health: z.enum(['unknown', 'up', 'down', 'expired']).optional(),
  // OpenAPI sends the members of an object as parameters of their own.
  metadata: z
    .record(z.string().regex(/^metadata\./), z.string())
    .optional()
    .meta({
      description:
        '`metadata.KEY=VALUE`: the member of `metadata` has this value; numbers and booleans as text.',
      example: { 'metadata.team': 'checkout' },
    }),
  limit: z
    .int()
    .min(1)
    .max(LIST_LIMIT_MAX)
    .optional()
    .meta({ description: 'The largest number of services on a page.', default: LIST_LIMIT_DEFAULT }),
  cursor: text.meta({ description: '`nextCursor` of the page before; the filters have to be the same.' }),
  fields: text.meta({
    description: 'Only these fields of each service, separated by commas.',
    example: 'serviceName,endpoint',
  }),
  ...readParameters.shape,
})

const operation: Operation = {
  chapter: 'registry',
  summary: 'List services',
  description:
    'In order of serviceName and serviceId; pages stay right while services come and go. A page ends at 8 MiB, so that it may be shorter than `limit`. Only a page without `nextCursor` is the last one. With `Accept: application/x-ndjson` all matching services come at once, one on each line, at one revision.',
  query: listParameters,
  state: true,
  errors: ['COORD_CURSOR_INVALID', 'COORD_REVISION_COMPACTED', 'COORD_REVISION_FUTURE', 'COORD_STREAMS_BUSY'],
  answers: {
    200: {
      description: 'A page, or everything as JSON lines.',
      content: { 'application/json': listAnswerSchema, [NDJSON_TYPE]: undefined },
    },
    304: { description: 'Nothing that matches has changed since the `ETag` in `If-None-Match`.' },
  },
}
