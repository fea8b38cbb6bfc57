import type { FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify'
import { CoordinatorError } from '../../errors.ts'
import type { ConsoleFile, ConsoleFiles } from '../console/console-files.ts'
import { prefersHtml, takesGzip } from '../reading/accepts.ts'
import { matchesEtag } from '../reading/etag.ts'
import type { Operation } from '../reading/operation.ts'
import { rootOf } from '../reading/root-of.ts'
import { notBuiltPage } from '../reference/not-built-page.ts'
import { HTML_TYPE, pageHeaders } from '../reference/page-headers.ts'
import type { HttpContext } from '../routing/http-context.ts'

export interface ConsoleOptions {
  readonly context: HttpContext
  readonly files: ConsoleFiles
}

const config = { operation: describe() }

/** `/console/`: the console, one page for every path. It holds no data, and is therefore public. */
export const consoleRoutes: FastifyPluginCallback<ConsoleOptions> = (app, { context, files }, done) => {
  const { answers } = context

  app.get('/console', { config }, (request, reply) => {
    // The router takes no notice of a slash at the end, but the relative URLs of the page do.
    if (hasSlashAtEnd(request)) return sendPage(request, reply)
    return redirect(reply, `console/${queryOf(request)}`)
  })
  app.get<{ Params: { '*': string } }>('/console/*', { config }, (request, reply) => {
    if (/^assets(?:\/|$)/.test(request.params['*'])) throw noSuchFile()
    return sendPage(request, reply)
  })
  app.get<{ Params: { file: string } }>('/console/assets/:file', { config }, async (request, reply) => {
    const file = await files.file('assets', request.params.file, {
      takesGzip: takesGzip(request.headers['accept-encoding']),
    })
    // Its name changes with its content.
    sendFile(reply, { file, caching: 'public, max-age=31536000, immutable' })
  })
  app.get('/console/licenses.txt', { config }, async (request, reply) => {
    const file = await files.file('', 'licenses.txt', {
      takesGzip: takesGzip(request.headers['accept-encoding']),
    })
    sendFile(reply, { file, caching: 'no-cache' })
  })
  done()

  async function sendPage(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const root = rootOf(request)
    const page = await files.page(root.slice('../'.length) || './')
    if (page === undefined) return sendNotBuilt(request, reply, root)
    const headers = [...pageHeaders, 'Cache-Control', 'no-cache', 'ETag', page.etag]
    const known = request.headers['if-none-match']
    if (known !== undefined && matchesEtag(known, page.etag))
      answers.send(reply, { status: 304, body: '', headers })
    else answers.send(reply, { body: page.html, contentType: HTML_TYPE, headers })
  }

  function sendNotBuilt(request: FastifyRequest, reply: FastifyReply, root: string): void {
    const error = new CoordinatorError('COORD_CONSOLE_NOT_BUILT')
    if (!prefersHtml(request.headers.accept)) throw error
    answers.send(reply, {
      status: error.status,
      body: notBuiltPage(error, root),
      contentType: HTML_TYPE,
      headers: [...pageHeaders, 'Cache-Control', 'no-store', 'Vary', 'Accept'],
    })
  }

  function sendFile(
    reply: FastifyReply,
    { file, caching }: { readonly file: ConsoleFile | undefined; readonly caching: string },
  ): void {
    if (file === undefined) throw noSuchFile()
    const { bytes, contentType, isCompressed } = file
    answers.send(reply, {
      body: [bytes],
      contentType,
      headers: [
        ...pageHeaders,
        ...['Cache-Control', caching, 'Vary', 'Accept-Encoding'],
        ...(isCompressed ? ['Content-Encoding', 'gzip'] : []),
      ],
    })
  }

  function redirect(reply: FastifyReply, to: string): void {
    answers.send(reply, {
      status: 302,
      body: '',
      contentType: HTML_TYPE,
      headers: ['Location', to, 'Cache-Control', 'no-cache'],
    })
  }
}

function noSuchFile(): CoordinatorError {
  return new CoordinatorError('COORD_ROUTE_NOT_FOUND', {
    detail: 'The console has no such file.',
    hint: 'Load the page again: the console may have been updated.',
  })
}

function hasSlashAtEnd({ raw: { url = '' } }: FastifyRequest): boolean {
  return (url.split('?', 1)[0] as string).endsWith('/')
}

function queryOf({ raw: { url = '' } }: FastifyRequest): string {
  const at = url.indexOf('?')
  return at === -1 ? '' : url.slice(at)
}

function describe(): Operation {
  return { chapter: 'about', scope: 'public', hidden: true, summary: 'The console', answers: {} }
}
