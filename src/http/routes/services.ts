import type { FastifyPluginCallback } from 'fastify'
import type { ListAnswer } from '../../registry/registry.ts'
import type { StateAnswer } from '../answering/answers.ts'
import { listAnswerSchema } from '../answering/schemas.ts'
import { NDJSON_TYPE, prefersNdjson } from '../reading/accepts.ts'
import { listEtag } from '../reading/etag.ts'
import { listParameters, listQueryOf } from '../reading/list-query.ts'
import { json, type Operation } from '../reading/operation.ts'
import type { HttpContext } from '../routing/http-context.ts'
import { readRoute } from '../routing/route.ts'
import { separated } from '../sending/body-part.ts'
import type { Lines } from '../streams/send-lines.ts'

/** `/services`, or `/registry`: the registered services. */
export const servicesRoutes: FastifyPluginCallback<HttpContext> = (app, context, done) => {
  const { registry } = context

  const list = (described: Operation & { readonly query: typeof listParameters }) =>
    readRoute(context, described, ({ headers }, { asOf, ...parameters }) => {
      const query = listQueryOf(parameters)
      const asLines = prefersNdjson(headers.accept)
      if (asOf !== undefined)
        return asLines
          ? { lines: async () => linesOf(await registry.listAllAsOf(query, asOf)) }
          : registry.listAsOf(query, asOf).then(pageOf)
      if (asLines) return listAll(query)
      // Waits only if there is a costly filter to judge: the work of a handler after a wait does not count for its turn.
      const { version, words } = query.filters
      if (version === undefined && words === undefined) return pageOf(registry.list(query))
      return registry.judgeFilters(query).then((judged) => pageOf(registry.list(query, judged)))
    })

  async function listAll(query: ReturnType<typeof listQueryOf>) {
    const judged = await registry.judgeFilters(query)
    return { lines: () => linesOf(registry.listAll(query, judged)) }
  }

  app.get('/services', list(operation))
  app.get('/registry', list({ ...operation, summary: 'The same as `GET /services`' }))
  done()
}

function linesOf(all: ReturnType<HttpContext['registry']['listAll']>): Lines {
  return { chunks: all, revision: all.revision, etag: listEtag(all, 'lines') }
}

function pageOf(list: ListAnswer): StateAnswer {
  const { items, total, nextCursor, revision } = list
  const next = nextCursor === undefined ? '' : `,"nextCursor":${JSON.stringify(nextCursor)}`
  return {
    body: [
      '{"success":true,"services":[',
      ...separated(items),
      `],"total":${total}${next},"revision":${revision}}`,
    ],
    etag: listEtag(list, 'page'),
    revision,
    headers: ['Vary', 'Accept'],
  }
}

const operation = {
  chapter: 'registry',
  scope: 'read',
  summary: 'List services',
  description:
    'Sorted by serviceName and serviceId. Pages neither skip nor repeat a service when others come and go meanwhile. A page ends at 8 MiB and may be shorter than `limit`: only a page without `nextCursor` is the last one. With `Accept: application/x-ndjson` the answer has all matching services at one revision, one on each line.',
  query: listParameters,
  state: true,
  errors: ['COORD_CURSOR_INVALID', 'COORD_STREAMS_BUSY', 'COORD_RATE_LIMITED', 'COORD_STREAMS_FULL'],
  answers: {
    200: json('A page, or all matching services as JSON lines.', listAnswerSchema, [NDJSON_TYPE]),
    304: { description: 'No matching service has changed since the `ETag` in `If-None-Match`.' },
  },
} as const satisfies Operation
