import type { FastifyPluginCallback } from 'fastify'
import { actorOf } from '../../access/actor.ts'
import { accessAnswerSchema, isoTimeOrNull } from '../answering/token-schemas.ts'
import { addressOf } from '../client/address-of.ts'
import { json, type Operation } from '../reading/operation.ts'
import { refuseQuery } from '../reading/read-query.ts'
import type { HttpContext } from '../routing/http-context.ts'

/** `/access`: what the caller may do. */
export const accessRoutes: FastifyPluginCallback<HttpContext> = (app, context, done) => {
  const { access, answers } = context

  app.get('/access', { config: { operation: show } }, (request, reply) => {
    refuseQuery(request)
    const { principal } = request
    const { kind, grants, expiresAt = null } = principal
    const nextStep = nextStepOf(context)
    answers.send(reply, {
      body: JSON.stringify({
        success: true,
        mode: access.mode,
        kind,
        actor: actorOf(principal, { address: addressOf(request) }),
        scopes: grants.texts,
        expiresAt: isoTimeOrNull(expiresAt),
        ...(nextStep === undefined ? {} : { nextStep }),
      }),
      headers: ['Cache-Control', 'no-store'],
    })
  })
  done()
}

/** How somebody gets the first credential that can administer; `undefined` if there is one, or nobody can know at the moment. */
function nextStepOf({ access, storage }: HttpContext): string | undefined {
  if (access.mode === 'required') return access.hasAdministrator ? undefined : lockedOut
  if (!storage.durable) return inMemory
  return mayHaveAdminToken(access) ? undefined : firstToken
}

function mayHaveAdminToken(access: HttpContext['access']): boolean {
  try {
    return access.listTokens().some(({ scopes, revokedAt }) => revokedAt === null && scopes.includes('admin'))
  } catch {
    // They could not be loaded yet.
    return true
  }
}

const lockedOut =
  'Nobody can administer this coordinator. Set AUTH_ADMIN_TOKEN to a secret of at least 32 characters, restart it, and create tokens with `coordinator token create`.'
const inMemory =
  'To demand credentials, set AUTH=required, and AUTH_ADMIN_TOKEN to a secret of at least 32 characters, and restart the coordinator. A token that is created now is lost then: set DATABASE_URL to keep tokens.'
const firstToken =
  'To demand credentials, create a token with `coordinator token create NAME --scope admin`, set AUTH=required, and restart the coordinator.'

const show: Operation = {
  chapter: 'access',
  scope: 'caller',
  summary: 'What the caller may do',
  description:
    'Shows how the coordinator sees the credential of this request: its name in the journal, its scopes, and when it expires.',
  answers: { 200: json('The caller.', accessAnswerSchema) },
}
