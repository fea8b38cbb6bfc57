import { createHash } from 'node:crypto'
import type { FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { isBareBasePath } from '../client/base-path.ts'
import { baseUrlOf } from '../client/base-url-of.ts'
import { prefersHtml } from '../reading/accepts.ts'
import { matchesEtag } from '../reading/etag.ts'
import { json, type Operation } from '../reading/operation.ts'
import { rootOf } from '../reading/root-of.ts'
import { isDocumented, type ServedRoute } from '../reference/documented-route.ts'
import { errorsPage } from '../reference/errors-page.ts'
import { fromRoot } from '../reference/html.ts'
import { indexPage } from '../reference/index-page.ts'
import { openApiDocument } from '../reference/openapi.ts'
import { HTML_TYPE, pageHeaders } from '../reference/page-headers.ts'
import { pageStyle } from '../reference/page-style.ts'
import { referencePage } from '../reference/reference-page.ts'
import { tryScript } from '../reference/try-script.ts'
import type { HttpContext } from '../routing/http-context.ts'

export interface ReferenceOptions {
  readonly context: HttpContext
  /** All routes. Those with an operation are described. */
  readonly routes: readonly ServedRoute[]
  /** Whether browsers that open `/` are sent to the console. */
  readonly hasConsole: boolean
}

/** `/`, `/docs`, `/openapi.json`: the pages that describe the coordinator and its requests. */
export const referenceRoutes: FastifyPluginCallback<ReferenceOptions> = (
  app,
  { context, routes, hasConsole },
  done,
) => {
  const { answers, version } = context
  const document = once(() => openApiDocument(routes.filter(isDocumented), version))
  const documentText = once(() => JSON.stringify(document()).slice(1))
  const page = once(() => referencePage(document()))
  const errors = once(() => errorsPage(version))

  app.get('/', { config: { operation: index } }, (request, reply) => {
    const headers = ['Vary', 'Accept']
    if (!prefersHtml(request.headers.accept))
      answers.send(reply, {
        body: JSON.stringify(links(context, { basePath: app.basePath, hasConsole })),
        headers,
      })
    else if (hasConsole || isBareBasePath(request)) {
      const folder = isBareBasePath(request) ? `${app.basePath.split('/').at(-1)}/` : ''
      const location = `${folder}${hasConsole ? 'console/' : ''}`
      answers.send(reply, {
        status: 302,
        body: '',
        headers: [...headers, 'Location', location, ...pageHeaders],
      })
    } else sendPage(request, reply, { html: indexPage(context, baseUrlOf(request)), headers })
  })
  app.get('/openapi.json', { config: { operation: openApi } }, (request, reply) => {
    // Without a name for this server, the paths are meant relative to where the document came from.
    const servers = [{ url: baseUrlOf(request) ?? '.' }]
    answers.send(reply, {
      body: `{"servers":${JSON.stringify(servers)},${documentText()}`,
      headers: ['Cache-Control', 'private, no-cache'],
    })
  })
  app.get('/docs', { config: { operation: reference } }, (request, reply) => {
    sendPage(request, reply, { html: page() })
  })
  app.get('/docs/errors', { config: { operation: errorCodes } }, (request, reply) => {
    sendPage(request, reply, { html: errors() })
  })
  app.get('/docs/style.css', { config: { operation: pageFile } }, (request, reply) => {
    sendFile(request, reply, { text: pageStyle, contentType: 'text/css; charset=utf-8' })
  })
  app.get('/docs/reference.js', { config: { operation: pageFile } }, (request, reply) => {
    sendFile(request, reply, { text: tryScript, contentType: 'text/javascript; charset=utf-8' })
  })
  done()

  function sendPage(
    request: FastifyRequest,
    reply: FastifyReply,
    { html, headers = [] }: { readonly html: string; readonly headers?: readonly string[] },
  ): void {
    answers.send(reply, {
      body: fromRoot(html, rootOf(request)),
      contentType: HTML_TYPE,
      headers: [...pageHeaders, ...headers],
    })
  }

  /** A file of these pages. Its ETag is a digest of its text. */
  function sendFile(
    { headers: asked }: FastifyRequest,
    reply: FastifyReply,
    { text, contentType }: { readonly text: string; readonly contentType: string },
  ): void {
    const etag = `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`
    const headers = [...pageHeaders, 'Cache-Control', 'no-cache', 'ETag', etag]
    const known = asked['if-none-match']
    if (known !== undefined && matchesEtag(known, etag))
      answers.send(reply, { status: 304, body: '', headers })
    else answers.send(reply, { body: text, contentType, headers })
  }
}

/** Makes a value when it is first needed, and keeps it. All routes exist by then. */
function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

function links(
  { version }: HttpContext,
  { basePath, hasConsole }: { readonly basePath: string; readonly hasConsole: boolean },
) {
  const paths = {
    ...(hasConsole ? { console: '/console/' } : {}),
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
  }
  return {
    success: true,
    name: 'coordinator',
    description: 'A service registry and knowledge graph.',
    version,
    links: Object.fromEntries(Object.entries(paths).map(([name, path]) => [name, basePath + path])),
  }
}

const index: Operation = {
  chapter: 'about',
  scope: 'public',
  summary: 'Start page',
  description:
    'Links as JSON. A browser is sent to the console, or gets a page with links where the console is switched off (`CONSOLE=false`).',
  answers: {
    200: json('Links.', z.looseObject({}), ['text/html']),
    302: { description: 'For browsers: the console.' },
  },
}

const openApi: Operation = {
  chapter: 'about',
  scope: 'public',
  summary: 'This reference as OpenAPI 3.1',
  description:
    '`servers` is the URL under which the client reached the coordinator. Behind a proxy of `TRUSTED_PROXIES`, `X-Forwarded-Proto`, `X-Forwarded-Host` and `X-Forwarded-Prefix` correct it. `BASE_PATH` does without such a proxy.',
  answers: { 200: json('The document.', z.looseObject({})) },
}

const pageFile: Operation = {
  chapter: 'about',
  scope: 'public',
  hidden: true,
  summary: 'A file of these pages',
  answers: {},
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
