import type { FastifyPluginCallback, FastifyReply } from 'fastify'
import { z } from 'zod'
import { LIMITS } from '../../records/limits.ts'
import type { Revision } from '../../records/record.ts'
import { heartbeatSchema } from '../../registry/heartbeats.ts'
import type { ServiceAnswer } from '../../registry/registry.ts'
import {
  deregisterAnswerSchema,
  heartbeatAnswerSchema,
  historyAnswerSchema,
  serviceAnswerSchema,
} from '../answering/schemas.ts'
import { asOfQuery, checkLineage, freshnessQuery, waitUntilFresh } from '../reading/freshness.ts'
import { historyQuery } from '../reading/history-query.ts'
import { readQuery } from '../reading/read-query.ts'
import { writeContext } from '../reading/write-context.ts'
import type { HttpContext } from '../routing/http-context.ts'
import type { Operation } from '../routing/operation.ts'

interface ServicePath {
  readonly Params: { readonly serviceId: string }
}

const noQuery = z.object({})
const readParameters = z.object({ ...freshnessQuery, ...asOfQuery })
/** `/services/:serviceId`: one service, its past, its lease, its end. */
export const serviceRoutes: FastifyPluginCallback<HttpContext> = (app, context, done) => {
  const { live, registry, answers } = context

  app.get<ServicePath>('/services/:serviceId', { config: { operation: read } }, (request, reply) => {
    const { serviceId } = request.params
    // Most reads want the present, and are answered without waiting for anything.
    if (!request.raw.url?.includes('?')) {
      checkLineage(live, request)
      return sendService(answers, reply, registry.get(serviceId))
    }
    return readWith(serviceId, reply)
  })

  async function readWith(serviceId: string, reply: FastifyReply): Promise<void> {
    const { request } = reply
    const { asOf, ...freshness } = readQuery(request, readParameters)
    checkLineage(live, request)
    if (asOf !== undefined) {
      const past = await registry.getAsOf(serviceId, asOf)
      checkLineage(live, request)
      return sendService(answers, reply, past)
    }
    await waitUntilFresh(live, freshness)
    checkLineage(live, request)
    sendService(answers, reply, registry.get(serviceId))
  }

  app.get<ServicePath>(
    '/services/:serviceId/history',
    { config: { operation: history } },
    async (request, reply) => {
      const { before, limit, ...freshness } = readQuery(request, historyQuery)
      checkLineage(live, request)
      await waitUntilFresh(live, freshness)
      const page = await registry.history(request.params.serviceId, {
        ...(before === undefined ? {} : { before }),
        ...(limit === undefined ? {} : { limit }),
      })
      checkLineage(live, request)
      answers.sendState(reply, { body: JSON.stringify({ success: true, ...page }), revision: page.revision })
    },
  )

  app.put<ServicePath>(
    '/services/:serviceId/heartbeat',
    { config: { operation: heartbeat } },
    (request, reply) => {
      readQuery(request, noQuery)
      checkLineage(live, request)
      const answer = registry.heartbeat(request.params.serviceId, request.body)
      const { lastHeartbeat, expiresAt, ...members } = answer
      answers.sendState(reply, {
        body: JSON.stringify({
          success: true,
          ...members,
          lastHeartbeat: isoTime(lastHeartbeat),
          ...(expiresAt === undefined ? {} : { expiresAt: isoTime(expiresAt) }),
        }),
      })
    },
  )

  app.delete<ServicePath>(
    '/services/:serviceId',
    { config: { operation: deregister } },
    async (request, reply) => {
      readQuery(request, noQuery)
      checkLineage(live, request)
      const { replayed, ...answer } = await registry.deregister(
        request.params.serviceId,
        writeContext(request),
      )
      answers.sendState(reply, {
        body: JSON.stringify({ success: true, ...answer, ...(replayed ? { replayed } : {}) }),
      })
    },
  )
  done()
}

/** @param service with `asOf`, the revision of a past that was asked for */
function sendService(
  answers: HttpContext['answers'],
  reply: FastifyReply,
  { json, etag, asOf }: ServiceAnswer & { readonly asOf?: Revision },
): void {
  const body = `{"success":true,"service":${json}}`
  answers.sendState(reply, asOf === undefined ? { body, etag } : { body, etag, revision: asOf })
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString()
}

const parameters = { serviceId: 'Id of the service, as `POST /register` answered it.' }

const read: Operation = {
  chapter: 'registry',
  summary: 'Show a service',
  description: 'Where it was deregistered, the 404 names the revision of that in `deletedAtRevision`.',
  parameters,
  query: readParameters,
  state: true,
  errors: ['COORD_SERVICE_NOT_FOUND', 'COORD_REVISION_COMPACTED', 'COORD_REVISION_FUTURE'],
  answers: {
    200: { description: 'The service.', content: { 'application/json': serviceAnswerSchema } },
    304: { description: 'It has not changed since the `ETag` in `If-None-Match`.' },
  },
}

const history: Operation = {
  chapter: 'registry',
  summary: 'Show what happened to a service',
  description: 'Newest first: when, who, what changed. Also of services that are deregistered.',
  parameters,
  query: historyQuery,
  state: true,
  errors: ['COORD_SERVICE_NOT_FOUND'],
  answers: { 200: { description: 'A page.', content: { 'application/json': historyAnswerSchema } } },
}

const heartbeat: Operation = {
  chapter: 'registry',
  summary: 'Renew the lease of a service',
  description: `Says that the service is alive; nothing is stored for it. A service with \`ttlSeconds\` (at most ${LIMITS.ttlSeconds}) expires without.`,
  parameters,
  body: {
    schema: heartbeatSchema,
    example: { status: 'up' },
  },
  state: true,
  errors: ['COORD_SERVICE_NOT_FOUND'],
  answers: { 200: { description: 'Heard.', content: { 'application/json': heartbeatAnswerSchema } } },
}

const deregister: Operation = {
  chapter: 'registry',
  summary: 'Deregister a service',
  parameters,
  writes: true,
  conditional: true,
  state: true,
  errors: ['COORD_SERVICE_NOT_FOUND', 'COORD_PRECONDITION_FAILED', 'COORD_IDEMPOTENCY_REUSED'],
  answers: { 200: { description: 'It is gone.', content: { 'application/json': deregisterAnswerSchema } } },
}
