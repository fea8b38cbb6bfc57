import type { FastifyPluginCallback } from 'fastify'
import { z } from 'zod'
import { CoordinatorError } from '../../errors.ts'
import { bodyLengths } from '../../records/body/body-lengths.ts'
import { LIMITS } from '../../records/limits.ts'
import { migrationSchema, type RegistrationInput, registrationSchema } from '../../records/service/service.ts'
import type { Warning } from '../../records/warning.ts'
import type { BatchAnswer, RegisterAnswer, WriteContext } from '../../registry/registry.ts'
import { Pace } from '../../scheduling/pace.ts'
import type { StateAnswer } from '../answering/answers.ts'
import { problemDocument } from '../answering/problem.ts'
import { registrationExample, registrationGuide } from '../answering/registration-guide.ts'
import { batchAnswerSchema, registerAnswerSchema } from '../answering/schemas.ts'
import { recordEtag } from '../reading/etag.ts'
import { json, type Operation } from '../reading/operation.ts'
import { refuseQuery } from '../reading/read-query.ts'
import type { HttpContext } from '../routing/http-context.ts'
import { pathParameter, writeRoute } from '../routing/route.ts'

/** `/register`: registering services. */
export const registerRoutes: FastifyPluginCallback<HttpContext> = (app, context, done) => {
  const { live, registry, graph, answers, storage, notice } = context
  const tail = `,"storage":${JSON.stringify(storage)}${notice === undefined ? '' : `,"notice":${JSON.stringify(notice)}`}}`
  const guide = JSON.stringify(registrationGuide(storage, notice))

  app.get('/register', { config: { operation: howToRegister } }, (request, reply) => {
    refuseQuery(request)
    answers.send(reply, { body: guide })
  })

  app.post(
    '/register',
    writeRoute(context, register, ({ body }, by, { dryRun }) =>
      dryRun === 'true'
        ? simulated(body, by)
        : registry.register(body as RegistrationInput, by).then(registered),
    ),
  )

  app.post(
    '/register/batch',
    writeRoute(context, registerBatch, async ({ body }, by) => {
      const batch = await registry.registerBatch(body as RegistrationInput[], by)
      const results: string[] = []
      let failed = 0
      const pace = new Pace()
      for (const result of batch.results) {
        if (result instanceof CoordinatorError) failed += 1
        results.push(batchResult(result))
        if (pace.due) await pace.turn()
      }
      return {
        body: `{"success":true,"results":[${results.join(',')}],"registered":${results.length - failed},"failed":${failed},"revision":${live.view.revision}${tail}`,
      }
    }),
  )

  app.post(
    '/register/:serviceId/migration',
    writeRoute(context, migrate, async (request, by) => {
      const answer = await registry.submitMigration(pathParameter(request, 'serviceId'), request.body, by)
      return {
        body: `{"success":true,${registeredMembers(answer)}${tail}`,
        headers: ['ETag', recordEtag(answer)],
      }
    }),
  )
  done()

  function registered(answer: RegisterAnswer): StateAnswer {
    return {
      status: answer.created ? 201 : 200,
      body: `{"success":true,${registeredMembers(answer)}${tail}`,
      // The id of a registration is a UUID.
      headers: ['Location', `${app.basePath}/services/${answer.serviceId}`, 'ETag', recordEtag(answer)],
    }
  }

  async function simulated(body: unknown, by: WriteContext): Promise<StateAnswer> {
    const answer = await graph.simulate({ register: [body] })
    const warnings = registry.warningsOf(body, by)
    return {
      body: JSON.stringify({ success: true, dryRun: true, ...answer, warnings }),
      revision: answer.revision,
    }
  }
}

function registeredMembers(answer: RegisterAnswer): string {
  const { serviceId, status, created, changed, revision, replayed, warnings } = answer
  return `"serviceId":${JSON.stringify(serviceId)},"status":"${status}","created":${created},"changed":${changed},"revision":${revision}${replayed ? ',"replayed":true' : ''},"warnings":${warningsText(warnings)}`
}

/** The graph returns the same list as long as nothing changes. */
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

const howToRegister = {
  chapter: 'registry',
  scope: ['register', 'read'],
  summary: 'How to register',
  description:
    'Lists every field with its type, rules and default, and shows an example that you can send as it is.',
  answers: { 200: json('The guide.', z.looseObject({})) },
} as const satisfies Operation

const register = {
  chapter: 'registry',
  scope: 'register',
  dryRunScope: 'read',
  summary: 'Register a service',
  description:
    'You can send the same registration again: the service keeps its id, and nothing is stored if nothing changed. A registration replaces all fields of the earlier one. A field that you leave out gets its default, but a stored `migrationFile` stays. The id is computed from `serviceName`, `version` and `endpoint`, or from `serviceName` and `instanceId`. A restarted service therefore gets the same id.',
  query: z.object({
    dryRun: z.enum(['true', 'false']).optional().meta({
      description: 'Stores nothing, and gives the answer of `POST /knowledge-graph/simulate`.',
      default: 'false',
    }),
  }),
  body: { schema: registrationSchema, example: registrationExample, required: true },
  writes: true,
  conditional: true,
  state: true,
  errors: ['COORD_COMMIT_REFUSED'],
  answers: {
    200: json(
      'The service was already registered. `changed` says whether anything was stored.',
      registerAnswerSchema,
    ),
    201: json('The service is new. `Location` is its path.', registerAnswerSchema),
  },
} as const satisfies Operation

const registrations = z
  .array(registrationSchema)
  .max(LIMITS.batch)
  .register(bodyLengths, { maxItems: LIMITS.batch })

const registerBatch = {
  chapter: 'registry',
  scope: 'register',
  summary: `Register up to ${LIMITS.batch.toLocaleString('en')} services`,
  description:
    'Each registration succeeds or fails independently of the others. The body is an array of registrations, or `{"services": [...]}`.',
  body: {
    schema: z.union([registrations, z.object({ services: registrations })]),
    example: [registrationExample],
    required: true,
  },
  writes: true,
  state: true,
  answers: {
    200: json(
      'One result for each registration, in order: the answer of `POST /register` to it.',
      batchAnswerSchema,
    ),
  },
} as const satisfies Operation

const migrate = {
  chapter: 'registry',
  scope: 'register',
  summary: 'Send the migration file of a service',
  description:
    'The second stage of a registration. It changes the status of the service from `pending_migration` to `active`.',
  parameters: { serviceId: 'Id of the service, from the answer of `POST /register`.' },
  body: {
    schema: migrationSchema,
    example: { migrationFile: { endpoints: [{ method: 'GET', path: '/cart/:id' }], tables: ['carts'] } },
    required: true,
  },
  writes: true,
  conditional: true,
  state: true,
  errors: ['COORD_SERVICE_NOT_FOUND'],
  answers: {
    200: json('The migration file is stored now, or was stored before.', registerAnswerSchema),
  },
} as const satisfies Operation
