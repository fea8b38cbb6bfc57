import type { FastifyPluginCallback } from 'fastify'
import { actorOf } from '../../access/actor.ts'
import { firstCredential } from '../answering/first-credential.ts'
import { accessAnswerSchema, isoTimeOrNull } from '../answering/token-schemas.ts'
import { addressOf } from '../client/address-of.ts'
import { json, type Operation } from '../reading/operation.ts'
import { refuseQuery } from '../reading/read-query.ts'
import type { HttpContext } from '../routing/http-context.ts'

/** `/access`: what the caller may do. */
export const accessRoutes: FastifyPluginCallback<HttpContext> = (app, context, done) => {
  const { access, answers, storage } = context

  app.get('/access', { config: { operation: show } }, (request, reply) => {
    refuseQuery(request)
    const { principal } = request
    const { kind, grants, expiresAt = null } = principal
    const nextStep = firstCredential(access, storage)
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

const show: Operation = {
  chapter: 'access',
  scope: 'caller',
  summary: 'What the caller may do',
  description:
    'Shows how the coordinator sees the credential of this request: its name in the journal, its scopes, and when it expires.',
  answers: { 200: json('The caller.', accessAnswerSchema) },
}
