import type { FastifyPluginCallback } from 'fastify'
import { z } from 'zod'
import { CoordinatorError } from '../../errors.ts'
import type { LiveState } from '../../live/state/status.ts'
import { backupAnswer } from '../answering/backup-answer.ts'
import { causeOf, memoryAnswer, sourceOf, unreadyMemory } from '../answering/live-answer.ts'
import { healthAnswerSchema } from '../answering/schemas.ts'
import { json, type Operation } from '../reading/operation.ts'
import { QueryReader, refuseQuery } from '../reading/read-query.ts'
import type { HttpContext } from '../routing/http-context.ts'

const readyParameters = z.object({
  for: z.enum(['reads', 'writes']).optional().meta({
    description:
      'With `writes` the coordinator is also not ready while the database does not answer or takes no writes, or while its memory is full.',
    default: 'reads',
  }),
})
const readyQuery = new QueryReader(readyParameters)

const words: Readonly<Record<LiveState, 'ok' | 'starting' | 'degraded' | 'copy' | 'frozen'>> = {
  memory: 'ok',
  connecting: 'starting',
  loading: 'starting',
  ready: 'ok',
  degraded: 'degraded',
  copy: 'copy',
  frozen: 'frozen',
}

/** `/health`: for people, for load balancers, and for programs that restart processes. */
export const healthRoutes: FastifyPluginCallback<HttpContext> = (app, context, done) => {
  const { answers } = context

  app.get('/health', { config: { operation: health } }, (request, reply) => {
    refuseQuery(request)
    answers.send(reply, {
      body: JSON.stringify(healthAnswer(context)),
      headers: [...answers.stateHeaders(), 'Cache-Control', 'no-store'],
    })
  })

  app.get('/health/live', { config: { operation: alive } }, (request, reply) => {
    refuseQuery(request)
    answers.send(reply, { body: '{"success":true,"status":"live"}', headers: ['Cache-Control', 'no-store'] })
  })

  app.get('/health/ready', { config: { operation: ready } }, (request, reply) => {
    const { for: purpose } = readyQuery.read(request)
    const fault = unreadiness(context, purpose ?? 'reads')
    if (fault !== undefined) throw fault
    answers.send(reply, {
      body: JSON.stringify({ success: true, status: 'ready', for: purpose ?? 'reads' }),
      headers: ['Cache-Control', 'no-store'],
    })
  })
  done()
}

/** Why it is not ready. Everybody may ask, so the error has no details: `/health` has them. */
function unreadiness(
  { live, draining }: HttpContext,
  purpose: 'reads' | 'writes',
): CoordinatorError | undefined {
  if (draining.aborted) return new CoordinatorError('COORD_SHUTTING_DOWN', { retryAfterSeconds: 1 })
  if (!live.loaded) return new CoordinatorError('COORD_NOT_LOADED')
  const memoryFault = unreadyMemory(live, purpose)
  if (memoryFault !== undefined) return new CoordinatorError(memoryFault.code)
  const { takesWrites, mode } = live.status
  if (purpose === 'reads' || takesWrites) return undefined
  return new CoordinatorError(mode === 'open' ? 'COORD_STORE_UNAVAILABLE' : 'COORD_STORE_FROZEN')
}

function healthAnswer({ live, registry, access, backup, storage, notice, version }: HttpContext) {
  const { state, since } = live.status
  return {
    success: true,
    status: words[state],
    access: access.mode,
    uptime: Math.round(process.uptime() * 1_000) / 1_000,
    registeredServices: live.loaded ? registry.counts().services : 0,
    storage: {
      ...storage,
      status: state,
      since: new Date(since).toISOString(),
      ...sourceOf(live.status),
      ...causeOf(live.status),
    },
    memory: memoryAnswer(live),
    ...backupAnswer(backup),
    ...(notice === undefined ? {} : { notice }),
    ...(live.loaded ? { revision: live.view.revision, lineage: live.view.lineage } : {}),
    version,
  }
}

const health: Operation = {
  chapter: 'operations',
  scope: ['read', 'metrics'],
  summary: 'Health for people',
  description:
    'The answer is 200 as long as the process runs. `status` tells its state, and `access` whether callers need a credential.',
  answers: { 200: json('The state.', healthAnswerSchema) },
}

const alive: Operation = {
  chapter: 'operations',
  scope: 'public',
  summary: 'Whether the process runs',
  description: 'For liveness probes. It does not depend on the database, and needs no credential.',
  answers: {
    200: json('The process runs.', z.object({ success: z.literal(true), status: z.literal('live') })),
  },
}

const ready: Operation = {
  chapter: 'operations',
  scope: 'public',
  summary: 'Whether requests can be answered',
  description:
    'For load balancers. It shows no state, so no credential is needed; `GET /health` has the details. The answer is 503 before the first load, while the coordinator stops, and while changes of other coordinators do not fit into its memory. With `for=writes` it is also 507 while the memory is full, and 503 while the database takes no writes because of a copy or a cutover.',
  query: readyParameters,
  errors: [
    'COORD_NOT_LOADED',
    'COORD_STORE_UNAVAILABLE',
    'COORD_STORE_FROZEN',
    'COORD_MEMORY_EXCEEDED',
    'COORD_MEMORY_FULL',
    'COORD_SHUTTING_DOWN',
  ],
  answers: {
    200: json(
      'Ready.',
      z.object({
        success: z.literal(true),
        status: z.literal('ready'),
        for: z.enum(['reads', 'writes']),
      }),
    ),
  },
}
