import type { FastifyPluginCallback } from 'fastify'
import { z } from 'zod'
import { baseUrlOf } from '../client/base-url-of.ts'
import { prefersHtml } from '../reading/accepts.ts'
import { json, type Operation } from '../reading/operation.ts'
import { isDocumented, type ServedRoute } from '../reference/documented-route.ts'
import { errorsPage } from '../reference/errors-page.ts'
import { indexPage } from '../reference/index-page.ts'
import { openApiDocument } from '../reference/openapi.ts'
import { referencePage } from '../reference/reference-page.ts'
import type { HttpContext } from '../routing/http-context.ts'

export interface ReferenceOptions {
  readonly context: HttpContext
  /** All routes. Those with an operation are described. */
  readonly routes: readonly ServedRoute[]
}

const HTML_TYPE = 'text/html; charset=utf-8'
/** These pages need nothing from other servers, and must not load anything from them. */
const pageHeaders = [
  'Content-Security-Policy',
  "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'Referrer-Policy',
  'no-referrer',
]

/** `/`, `/docs`, `/openapi.json`: the pages that describe the coordinator and its requests. */
export const referenceRoutes: FastifyPluginCallback<ReferenceOptions> = (app, { context, routes }, done) => {
  const { answers, version } = context
  const document = once(() => openApiDocument(routes.filter(isDocumented), version))
  const documentText = once(() => JSON.stringify(document()).slice(1))
  const page = once(() => referencePage(document()))
  const errors = once(() => errorsPage(version))

  app.get('/', { config: { operation: index } }, (request, reply) => {
    if (prefersHtml(request.headers.accept))
      answers.send(reply, {
        body: indexPage(context),
        contentType: HTML_TYPE,
        headers: [...pageHeaders, 'Vary', 'Accept'],
      })
    else answers.send(reply, { body: JSON.stringify(links(context)), headers: ['Vary', 'Accept'] })
  })
  app.get('/openapi.json', { config: { operation: openApi } }, (request, reply) => {
    // Without a name for this server, the paths are meant relative to where the document came from.
    const servers = [{ url: baseUrlOf(request) ?? '.' }]
    answers.send(reply, {
      body: `{"servers":${JSON.stringify(servers)},${documentText()}`,
      headers: ['Cache-Control', 'private, no-cache'],
    })
  })
  app.get('/docs', { config: { operation: reference } }, (_request, reply) => {
    answers.send(reply, { body: page(), contentType: HTML_TYPE, headers: pageHeaders })
  })
  app.get('/docs/errors', { config: { operation: errorCodes } }, (_request, reply) => {
    answers.send(reply, { body: errors(), contentType: HTML_TYPE, headers: pageHeaders })
  })
  done()
}

/** Makes a value when it is first needed, and keeps it. All routes exist by then. */
function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

function links({ version }: HttpContext) {
  return {
    success: true,
    name: 'coordinator',
    description: 'A service registry and knowledge graph.',
    version,
    links: {
      register: '/register',
      services: '/services',
      knowledgeGraph: '/knowledge-graph',
      changes: '/changes',
      snapshot: '/snapshot',
      health: '/health',
      database: '/database',
      metrics: '/metrics',
      access: '/access',
      docs: '/docs',
      openapi: '/openapi.json',
      errors: '/docs/errors',
    },
  }
}

const index: Operation = {
  chapter: 'about',
  scope: 'public',
  summary: 'Start page',
  description: 'A page for browsers, and links as JSON for other clients.',
  answers: {
    200: json('Links.', z.looseObject({}), ['text/html']),
  },
}

const openApi: Operation = {
  chapter: 'about',
  scope: 'public',
  summary: 'This reference as OpenAPI 3.1',
  description:
    '`servers` is the URL under which the client reached the coordinator. Behind a proxy of `TRUSTED_PROXIES`, `X-Forwarded-Proto`, `X-Forwarded-Host` and `X-Forwarded-Prefix` correct it.',
  answers: { 200: json('The document.', z.looseObject({})) },
}

const reference: Operation = {
  chapter: 'about',
  scope: 'public',
  summary: 'This reference as a page',
  answers: { 200: { description: 'The page.', content: { 'text/html': undefined } } },
}

const errorCodes: Operation = {
  chapter: 'about',
  scope: 'public',
  hidden: true,
  summary: 'Every error code as a page',
  answers: { 200: { description: 'The page.', content: { 'text/html': undefined } } },
}
