import type { FastifyPluginCallback } from 'fastify'
import { TOKEN_SCOPES_MAX_LENGTH } from '../../database/access-store.ts'
import { CoordinatorError } from '../../errors.ts'
import { readBody } from '../../records/body/read-body.ts'
import type { Warning } from '../../records/warning.ts'
import {
  createdTokenSchema,
  revokedTokenSchema,
  shownToken,
  tokenListSchema,
  tokenWishSchema,
} from '../answering/token-schemas.ts'
import { json, type Operation } from '../reading/operation.ts'
import { refuseQuery } from '../reading/read-query.ts'
import { readExpiry } from '../reading/token-expiry.ts'
import { requestActor } from '../reading/write-context.ts'
import type { HttpContext } from '../routing/http-context.ts'
import { pathParameter } from '../routing/route.ts'
import { separated } from '../sending/body-part.ts'

const noStore = ['Cache-Control', 'no-store'] as const

/** `/tokens`: creating, listing and revoking tokens. They are not records, and not part of the journal. */
export const tokenRoutes: FastifyPluginCallback<HttpContext> = (app, context, done) => {
  const { access, answers, log } = context

  app.post('/tokens', { config: { operation: create } }, async (request, reply) => {
    refuseQuery(request)
    const by = requestActor(request)
    const { name, scopes, expires } = readBody(tokenWishSchema, request.body)
    if (scopes.join('').length > TOKEN_SCOPES_MAX_LENGTH)
      throw wrong('/scopes', `has more than ${TOKEN_SCOPES_MAX_LENGTH} characters`, 'COORD_FIELD_TOO_LARGE')
    const now = Date.now()
    const expiresAt = readExpiry(expires, now)
    if (expiresAt === undefined)
      throw wrong('/expires', 'must be a duration such as 90d, a time such as 2027-01-31T12:00:00Z, or never')
    if (expiresAt !== null && expiresAt <= now) throw wrong('/expires', 'must be in the future')
    const { token, info } = await access.createToken({ name, scopes, expiresAt }, by)
    log.info({ requestId: request.id, tokenId: info.id, name, scopes, by }, 'a token was created')
    answers.send(reply, {
      status: 201,
      body: JSON.stringify({ success: true, token, ...shownToken(info), warnings: warningsOf(context) }),
      headers: ['Location', `${app.basePath}/tokens/${info.id}`, ...noStore],
    })
  })

  app.get('/tokens', { config: { operation: list } }, (request, reply) => {
    refuseQuery(request)
    const tokens = access.listTokens().map((info) => JSON.stringify(shownToken(info)))
    answers.send(reply, {
      body: ['{"success":true,"tokens":[', ...separated(tokens), ']}'],
      headers: noStore,
    })
  })

  app.delete('/tokens/:id', { config: { operation: revoke } }, async (request, reply) => {
    refuseQuery(request)
    const by = requestActor(request)
    const info = await access.revokeToken(pathParameter(request, 'id'), by)
    log.info({ requestId: request.id, tokenId: info.id, name: info.name, by }, 'a token was revoked')
    answers.send(reply, {
      body: JSON.stringify({ success: true, ...shownToken(info) }),
      headers: noStore,
    })
  })
  done()
}

function wrong(
  path: string,
  message: string,
  code: 'COORD_FIELD_INVALID' | 'COORD_FIELD_TOO_LARGE' = 'COORD_FIELD_INVALID',
): CoordinatorError {
  return new CoordinatorError(code, {
    detail: `${path} ${message}.`,
    hint: 'Correct the field named in `errors`; `/docs` describes the body.',
    outcome: 'not_written',
    errors: [{ path, message, code }],
  })
}

function warningsOf({ access, storage }: HttpContext): Warning[] {
  return [...(storage.durable ? [] : [lostAtRestart]), ...(access.mode === 'required' ? [] : [notRequired])]
}

const lostAtRestart: Warning = {
  code: 'token_not_kept',
  message:
    'The token is kept in memory only, and is lost when the coordinator restarts. Set DATABASE_URL, or use AUTH_ADMIN_TOKEN.',
}

const notRequired: Warning = {
  code: 'access_open',
  message:
    'Credentials are not required yet, so whoever reaches the coordinator may do everything. Set AUTH=required, and restart it.',
}

const create: Operation = {
  chapter: 'access',
  scope: 'admin',
  summary: 'Create a token',
  description:
    'Clients send it as `Authorization: Bearer TOKEN`. The answer is the only place where it is shown: the coordinator keeps a hash of it.',
  body: {
    schema: tokenWishSchema,
    example: { name: 'cart', scopes: ['register:cart', 'read'], expires: '90d' },
    required: true,
  },
  writesTokens: true,
  errors: ['COORD_TOKEN_NAME_TAKEN', 'COORD_TOKENS_TOO_MANY'],
  answers: { 201: json('The token.', createdTokenSchema) },
}

const list: Operation = {
  chapter: 'access',
  scope: 'admin',
  summary: 'List the tokens',
  description:
    'All that were ever created, revoked ones too, the oldest first. Nothing in the list can be used as a token.',
  answers: { 200: json('The tokens.', tokenListSchema) },
}

const revoke: Operation = {
  chapter: 'access',
  scope: 'admin',
  summary: 'Revoke a token',
  description:
    'For ever. Open streams of its callers end. Other coordinators on the same database notice it within `POLL_MAX_MS` and a second. Revoking it again changes nothing.',
  parameters: { id: 'Id of the token: 12 letters and digits.' },
  writesTokens: true,
  errors: ['COORD_TOKEN_NOT_FOUND'],
  answers: { 200: json('The token is revoked.', revokedTokenSchema) },
}
