import type { FastifyPluginCallback, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { LIMITS } from '../../records/limits.ts'
import { heartbeatSchema } from '../../registry/heartbeats.ts'
import type { PastServiceAnswer, ServiceAnswer } from '../../registry/registry.ts'
import type { StateAnswer } from '../answering/answers.ts'
import {
  deregisterAnswerSchema,
  heartbeatAnswerSchema,
  historyAnswerSchema,
  serviceAnswerSchema,
} from '../answering/schemas.ts'
import { serviceEtag } from '../reading/etag.ts'
import { asOfQuery, freshnessQuery } from '../reading/freshness.ts'
import { json, type Operation } from '../reading/operation.ts'
import { pageOfHistory } from '../reading/query-fields.ts'
import type { HttpContext } from '../routing/http-context.ts'
import { pathParameter, readRoute, writeRoute } from '../routing/route.ts'

/** `/services/:serviceId`: one service, its past, its lease, its removal. */
export const serviceRoutes: FastifyPluginCallback<HttpContext> = (app, context, done) => {
  const { registry } = context

  app.get(
    '/services/:serviceId',
    readRoute(context, read, (request, { asOf }) => {
      const serviceId = idOf(request)
      if (asOf === undefined) return shownService(registry.get(serviceId))
      return registry.getAsOf(serviceId, asOf).then(pastService)
    }),
  )

  app.get(
    '/services/:serviceId/history',
    readRoute(context, history, async (request, { before, limit }) => {
      const page = await registry.history(idOf(request), {
        ...(before === undefined ? {} : { before }),
        ...(limit === undefined ? {} : { limit }),
      })
      return { body: JSON.stringify({ success: true, ...page }), revision: page.revision }
    }),
  )

  app.put(
    '/services/:serviceId/heartbeat',
    readRoute(context, heartbeat, (request) => {
      const { lastHeartbeat, expiresAt, ...members } = registry.heartbeat(
        idOf(request),
        request.body,
        request,
      )
      return {
        body: JSON.stringify({
          success: true,
          ...members,
          lastHeartbeat: isoTime(lastHeartbeat),
          ...(expiresAt === undefined ? {} : { expiresAt: isoTime(expiresAt) }),
        }),
      }
    }),
  )

  app.delete(
    '/services/:serviceId',
    writeRoute(context, deregister, async (request, by) => {
      const { replayed, ...answer } = await registry.deregister(idOf(request), by)
      return { body: JSON.stringify({ success: true, ...answer, ...(replayed ? { replayed } : {}) }) }
    }),
  )
  done()
}

function idOf(request: FastifyRequest): string {
  return pathParameter(request, 'serviceId')
}

function shownService(service: ServiceAnswer): StateAnswer {
  return { body: `{"success":true,"service":${service.json}}`, etag: serviceEtag(service) }
}

function pastService(service: PastServiceAnswer): StateAnswer {
  return { ...shownService(service), revision: service.asOf }
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString()
}

const parameters = { serviceId: 'Id of the service, from the answer of `POST /register`.' }

const read = {
  chapter: 'registry',
  scope: 'read',
  summary: 'Show a service',
  description: 'If the service was deregistered, the 404 names the revision of that in `deletedAtRevision`.',
  parameters,
  query: z.object({ ...freshnessQuery, ...asOfQuery }),
  state: true,
  immediate: true,
  errors: ['COORD_SERVICE_NOT_FOUND'],
  answers: {
    200: json('The service.', serviceAnswerSchema),
    304: { description: 'The service has not changed since the `ETag` in `If-None-Match`.' },
  },
} as const satisfies Operation

const history = {
  chapter: 'registry',
  scope: 'read',
  summary: 'Show the history of a service',
  description:
    'Lists each change with its time, its author, and the fields that changed, newest first. It also works for services that were deregistered.',
  parameters,
  query: z.object({ ...pageOfHistory, ...freshnessQuery }),
  state: true,
  errors: ['COORD_SERVICE_NOT_FOUND'],
  answers: { 200: json('A page.', historyAnswerSchema) },
} as const satisfies Operation

const heartbeat = {
  chapter: 'registry',
  scope: 'register',
  summary: 'Renew the lease of a service',
  description: `Tells the coordinator that the service is alive. Heartbeats are not stored. A service with \`ttlSeconds\` (at most ${LIMITS.ttlSeconds}) expires if none comes in that time.`,
  parameters,
  body: {
    schema: heartbeatSchema,
    example: { status: 'up' },
  },
  state: true,
  errors: ['COORD_SERVICE_NOT_FOUND'],
  answers: {
    200: json('The heartbeat was noted.', heartbeatAnswerSchema),
  },
} as const satisfies Operation

const deregister = {
  chapter: 'registry',
  scope: 'register',
  summary: 'Deregister a service',
  parameters,
  writes: true,
  conditional: true,
  state: true,
  errors: ['COORD_SERVICE_NOT_FOUND'],
  answers: {
    200: json('The service is deregistered.', deregisterAnswerSchema),
  },
} as const satisfies Operation
