import type { FastifyPluginCallback, FastifyReply } from 'fastify'
import { z } from 'zod'
import { CoordinatorError } from '../../errors.ts'
import { bodyLengths } from '../../records/body/body-lengths.ts'
import type { JsonObject } from '../../records/canonical-json.ts'
import { LIMITS } from '../../records/limits.ts'
import { migrationSchema, type RegistrationInput, registrationSchema } from '../../records/service/service.ts'
import type { Warning } from '../../records/warning.ts'
import type { BatchAnswer, RegisterAnswer } from '../../registry/registry.ts'
import { Pace } from '../../scheduling/pace.ts'
import { problemDocument } from '../answering/problem.ts'
import { registrationExample, registrationGuide } from '../answering/registration-guide.ts'
import { batchAnswerSchema, registerAnswerSchema } from '../answering/schemas.ts'
import { checkLineage } from '../reading/freshness.ts'
import { requiredBody } from '../reading/json-body.ts'
import { readQuery } from '../reading/read-query.ts'
import { writeContext } from '../reading/write-context.ts'
import type { HttpContext } from '../routing/http-context.ts'
import type { Operation } from '../routing/operation.ts'

interface ServicePath {
  readonly Params: { readonly serviceId: string }
}

const noQuery = z.object({})
const registerParameters = z.object({
  dryRun: z.enum(['true', 'false']).optional().meta({
    description: 'Stores nothing, and answers what `POST /knowledge-graph/simulate` would.',
    default: 'false',
  }),
})

/** `/register`: how services come in. */
export const registerRoutes: FastifyPluginCallback<HttpContext> = (app, context, done) => {
  const { live, registry, graph, answers, storage, notice } = context
  const tail = `,"storage":${JSON.stringify(storage)}${notice === undefined ? '' : `,"notice":${JSON.stringify(notice)}`}}`
  const guide = JSON.stringify(registrationGuide(context))

  app.get('/register', { config: { operation: howToRegister } }, (request, reply) => {
    readQuery(request, noQuery)
    answers.send(reply, { body: guide })
  })

  app.post('/register', { config: { operation: register } }, async (request, reply) => {
    const { dryRun } = request.raw.url === '/register' ? {} : readQuery(request, registerParameters)
    checkLineage(live, request)
    const body = requiredBody(request)
    if (dryRun === 'true') return sendSimulated(reply, body)
    const answer = await registry.register(body as RegistrationInput, writeContext(request))
    answers.sendState(reply, {
      status: answer.created ? 201 : 200,
      body: `{"success":true,${registeredMembers(answer)}${tail}`,
      headers: ['Location', `/services/${encodeURIComponent(answer.serviceId)}`, 'ETag', answer.etag],
    })
  })

  app.post('/register/batch', { config: { operation: registerBatch } }, async (request, reply) => {
    readQuery(request, noQuery)
    checkLineage(live, request)
    const body = requiredBody(request)
    const batch = await registry.registerBatch(body as RegistrationInput[], writeContext(request))
    const results: string[] = []
    let failed = 0
    const pace = new Pace()
    for (const result of batch.results) {
      if (result instanceof CoordinatorError) failed += 1
      results.push(batchResult(result))
      if (pace.due) await pace.turn()
    }
    answers.sendState(reply, {
      body: `{"success":true,"results":[${results.join(',')}],"registered":${results.length - failed},"failed":${failed},"revision":${live.view.revision}${tail}`,
    })
  })

  app.post<ServicePath>(
    '/register/:serviceId/migration',
    { config: { operation: migrate } },
    async (request, reply) => {
      readQuery(request, noQuery)
      checkLineage(live, request)
      const { serviceId } = request.params
      const answer = await registry.submitMigration(serviceId, requiredBody(request), writeContext(request))
      answers.sendState(reply, {
        body: `{"success":true,${registeredMembers(answer)}${tail}`,
        headers: ['ETag', answer.etag],
      })
    },
  )
  done()

  async function sendSimulated(reply: FastifyReply, body: unknown): Promise<void> {
    const answer = await graph.simulate({ register: [body] })
    const warnings = graph.registerWarnings(body as JsonObject)
    answers.sendState(reply, {
      body: JSON.stringify({ success: true, dryRun: true, ...answer, warnings }),
      revision: answer.revision,
    })
  }
}

function registeredMembers(answer: RegisterAnswer): string {
  const { serviceId, status, created, changed, revision, replayed, warnings } = answer
  return `"serviceId":${JSON.stringify(serviceId)},"status":"${status}","created":${created},"changed":${changed},"revision":${revision}${replayed ? ',"replayed":true' : ''},"warnings":${warningsText(warnings)}`
}

/** The graph gives the same list again as long as nothing changes. */
const textOfWarnings = new WeakMap<readonly Warning[], string>()

function warningsText(warnings: readonly Warning[]): string {
  if (warnings.length === 0) return '[]'
  let text = textOfWarnings.get(warnings)
  if (text === undefined) {
    text = JSON.stringify(warnings)
    textOfWarnings.set(warnings, text)
  }
  return text
}

function batchResult(result: BatchAnswer['results'][number]): string {
  if (result instanceof CoordinatorError) return JSON.stringify(problemDocument(result))
  return `{"success":true,"statusCode":${result.created ? 201 : 200},${registeredMembers(result)}}`
}

const howToRegister: Operation = {
  chapter: 'registry',
  summary: 'How to register',
  description: 'Every field with its type, rules and default, and an example that can be sent as it is.',
  answers: { 200: { description: 'The guide.', content: { 'application/json': z.looseObject({}) } } },
}

const register: Operation = {
  chapter: 'registry',
  summary: 'Register a service',
  description:
    'Sending the same registration again is harmless: the service keeps its id, and where nothing changed nothing is stored. A registration replaces all fields of the earlier one; what is left out goes back to its default, except that a stored `migrationFile` stays. The id follows from the content (`serviceName`, `version`, `endpoint`; or `serviceName`, `instanceId`), so a restarted service gets its id back.',
  query: registerParameters,
  body: { schema: registrationSchema, example: registrationExample, required: true },
  writes: true,
  conditional: true,
  state: true,
  errors: [
    'COORD_IDEMPOTENCY_REUSED',
    'COORD_PRECONDITION_FAILED',
    'COORD_COMMIT_CONTENDED',
    'COORD_COMMIT_REFUSED',
  ],
  answers: {
    200: {
      description: 'The service was known; `changed` says whether anything was stored.',
      content: { 'application/json': registerAnswerSchema },
    },
    201: {
      description: 'The service is new; `Location` is its path.',
      content: { 'application/json': registerAnswerSchema },
    },
  },
}

const registrations = z
  .array(registrationSchema)
  .max(LIMITS.batch)
  .register(bodyLengths, { maxItems: LIMITS.batch })

const registerBatch: Operation = {
  chapter: 'registry',
  summary: `Register up to ${LIMITS.batch.toLocaleString('en')} services`,
  description:
    'Each registration is judged on its own: what is wrong with one keeps no other from being stored. The body is an array of registrations, or `{"services": [...]}`.',
  body: {
    schema: z.union([registrations, z.object({ services: registrations })]),
    example: [registrationExample],
    required: true,
  },
  writes: true,
  state: true,
  answers: {
    200: {
      description: 'One result for each registration, in order: what `POST /register` would have answered.',
      content: { 'application/json': batchAnswerSchema },
    },
  },
}

const migrate: Operation = {
  chapter: 'registry',
  summary: 'Send the migration file of a service',
  description: 'The second stage of a registration: the service goes from `pending_migration` to `active`.',
  parameters: { serviceId: 'Id of the service, as `POST /register` answered it.' },
  body: {
    schema: migrationSchema,
    example: { migrationFile: { endpoints: [{ method: 'GET', path: '/cart/:id' }], tables: ['carts'] } },
    required: true,
  },
  writes: true,
  conditional: true,
  state: true,
  errors: ['COORD_SERVICE_NOT_FOUND', 'COORD_PRECONDITION_FAILED', 'COORD_COMMIT_CONTENDED'],
  answers: {
    200: {
      description: 'Stored, or known already.',
      content: { 'application/json': registerAnswerSchema },
    },
  },
}
