import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ServerScope, type ServerSetup, withServer } from './with-server.ts'

const html = { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' }
const script = `console.log(${JSON.stringify('x'.repeat(100_000))})`
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; font-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

const place = mkdtempSync(join(tmpdir(), 'coordinator-console-'))
/** What the build makes, in small. */
const built = join(place, 'built')

beforeAll(() => {
  mkdirSync(join(built, 'assets'), { recursive: true })
  writeFileSync(join(built, 'index.html'), '<!doctype html><script src="./assets/main-1.js"></script>')
  writeFileSync(join(built, 'licenses.txt'), 'preact (MIT)')
  writeFileSync(join(built, 'assets/main-1.js'), script)
  writeFileSync(join(built, 'assets/main-1.js.gz'), gzipSync(script))
  writeFileSync(join(built, 'assets/small-1.css'), 'p { color: red }')
  writeFileSync(join(place, 'secret.js'), 'secret')
})
afterAll(() => rmSync(place, { recursive: true }))

function withConsole(body: (scope: ServerScope) => Promise<void>, setup: ServerSetup = {}): Promise<void> {
  return withServer(body, { consoleFolder: built, ...setup })
}

/** The bytes of an answer as they were sent: `fetch` would unpack them, and `..` would not be sent. */
async function bytesOf({ port }: ServerScope, path: string, encoding?: string) {
  const { promise, resolve, reject } = Promise.withResolvers<{
    readonly status: number | undefined
    readonly headers: NodeJS.Dict<string | string[]>
    readonly bytes: Buffer
  }>()
  const headers = encoding === undefined ? {} : { 'accept-encoding': encoding }
  const sent = request({ port, host: '127.0.0.1', path, headers, agent: false }, async (response) => {
    const { statusCode: status, headers: answered } = response
    resolve({ status, headers: answered, bytes: Buffer.concat(await response.toArray()) })
  })
  sent.on('error', reject)
  sent.end()
  return promise
}

describe('http: the console', () => {
  it('is one page for every path below /console/, which finds its files from each of them', () =>
    withConsole(async ({ ask, url }) => {
      for (const path of [
        '/console/',
        '/console/graph',
        '/console/graph/',
        '/console/services/a%2Fb?asOf=3',
        '/console/*',
      ]) {
        const { status, headers, text } = await ask(path, { headers: html })
        expect([path, status, headers.get('content-type')]).toEqual([path, 200, 'text/html; charset=utf-8'])
        const [, source = ''] = /src="([^"]+)"/.exec(text) ?? []
        expect(new URL(source, url + path).pathname).toBe('/console/assets/main-1.js')
      }
    }))

  it('may do no more than its policy says, and may not be kept without asking', () =>
    withConsole(async ({ ask }) => {
      for (const path of [
        '/console/',
        '/console/assets/main-1.js',
        '/console/licenses.txt',
        '/docs',
        '/docs/errors',
        '/docs/style.css',
      ]) {
        const { headers } = await ask(path)
        expect([path, headers.get('content-security-policy')]).toEqual([path, policy])
        expect(headers.get('x-content-type-options')).toBe('nosniff')
        expect(headers.get('referrer-policy')).toBe('no-referrer')
      }
      const { headers } = await ask('/console/')
      expect(headers.get('cache-control')).toBe('no-cache')
      const known = { 'if-none-match': headers.get('etag') ?? '' }
      expect((await ask('/console/', { headers: known })).status).toBe(304)
      // The page of another depth is another text.
      expect((await ask('/console/a/b', { headers: known })).status).toBe(200)
    }))

  it('has files that browsers keep for ever, compressed for those who read that', () =>
    withConsole(async (scope) => {
      const path = '/console/assets/main-1.js'
      const compressed = await bytesOf(scope, path, 'br;q=1.0, gzip;q=0.8')
      expect(compressed.headers).toMatchObject({
        'content-encoding': 'gzip',
        'cache-control': 'public, max-age=31536000, immutable',
        'content-type': 'text/javascript; charset=utf-8',
        vary: 'Accept-Encoding',
        'content-length': String(compressed.bytes.length),
      })
      expect(gunzipSync(compressed.bytes).toString()).toBe(script)
      for (const encoding of [undefined, 'br', 'gzip;q=0, *']) {
        const plain = await bytesOf(scope, path, encoding)
        expect(plain.headers['content-encoding']).toBeUndefined()
        expect(plain.bytes.toString()).toBe(script)
      }
      const small = await bytesOf(scope, '/console/assets/small-1.css', 'gzip')
      expect([small.headers['content-encoding'], small.bytes.toString()]).toEqual([
        undefined,
        'p { color: red }',
      ])
      expect((await scope.ask('/console/licenses.txt')).text).toBe('preact (MIT)')
    }))

  it('answers HEAD without a body, and other methods with 405', () =>
    withConsole(async ({ ask }) => {
      for (const path of ['/console/', '/console/assets/main-1.js']) {
        const { status, headers, text } = await ask(path, { method: 'HEAD' })
        expect([status, text, Number(headers.get('content-length')) > 0]).toEqual([200, '', true])
      }
      for (const path of ['/console', '/console/', '/console/graph', '/console/assets/main-1.js']) {
        const { status, body } = await ask(path, { method: 'POST' })
        expect([path, status, body.code]).toEqual([path, 405, 'COORD_METHOD_NOT_ALLOWED'])
      }
    }))

  it('has no other files: neither missing ones, nor any outside of its folder', () =>
    withConsole(async (scope) => {
      const missing = [
        'main-2.js',
        '',
        '..',
        '..%2f..%2fsecret.js',
        '../../secret.js',
        '%2e%2e/secret.js',
        'main-1.js.gz',
        'main-1.js/',
        'a/b.js',
        'main-1.js%00',
        '%ff',
      ]
      for (const name of missing) {
        const { status, bytes } = await bytesOf(scope, `/console/assets/${name}`)
        expect([name, status === 404 || status === 400, bytes.includes('secret')]).toEqual([
          name,
          name !== 'main-1.js/',
          false,
        ])
      }
      const { body } = await scope.ask('/console/assets/main-2.js')
      expect(body).toMatchObject({
        code: 'COORD_ROUTE_NOT_FOUND',
        hint: expect.stringContaining('Load the page again'),
      })
    }))

  it('is where a browser goes from /, and from /console without a slash', () =>
    withConsole(async ({ ask }) => {
      const start = await ask('/', { headers: html })
      expect([start.status, start.headers.get('location')]).toEqual([302, 'console/'])
      expect(start.headers.get('vary')).toBe('Accept')
      expect((await ask('/')).body.links.console).toBe('/console/')
      const bare = await ask('/console?asOf=3', { headers: html })
      expect([bare.status, bare.headers.get('location')]).toEqual([302, 'console/?asOf=3'])
    }))

  it('is not there with CONSOLE=false, and / is then a page with links', () =>
    withConsole(
      async ({ ask, url }) => {
        for (const path of ['/console', '/console/', '/console/assets/main-1.js'])
          expect([path, (await ask(path, { headers: html })).status]).toEqual([path, 404])
        const { status, headers, text } = await ask('/', { headers: html })
        expect([status, text.includes(`curl ${url}/register`)]).toEqual([200, true])
        expect(headers.get('content-security-policy')).toBe(policy)
        expect((await ask('/')).body.links.console).toBeUndefined()
      },
      { settings: { console: false } },
    ))

  it('says which command builds it where it is not built', () =>
    withConsole(
      async ({ ask, url }) => {
        const page = await ask('/console/graph/x', { headers: html })
        expect([page.status, page.headers.get('content-security-policy')]).toEqual([404, policy])
        expect(page.text).toContain('<code>npm run build:console</code>')
        const [, style = ''] = /stylesheet" href="([^"]+)"/.exec(page.text) ?? []
        expect(new URL(style, `${url}/console/graph/x`).pathname).toBe('/docs/style.css')
        const { body } = await ask('/console/')
        expect([body.code, body.hint]).toEqual([
          'COORD_CONSOLE_NOT_BUILT',
          expect.stringContaining('npm run build:console'),
        ])
      },
      { consoleFolder: join(place, 'nothing') },
    ))
})

describe('http: BASE_PATH', () => {
  const behind = { settings: { basePath: '/tools/registry' } } as const

  it('is left out of paths, whether a proxy has removed it or not', () =>
    withConsole(async ({ ask }) => {
      const cart = { serviceName: 'cart', version: '1.0.0', endpoint: 'http://cart:1' }
      const { status, headers } = await ask('/tools/registry/register', { json: cart })
      const location = headers.get('location') ?? ''
      expect([status, location]).toEqual([201, expect.stringMatching(/^\/tools\/registry\/services\//)])
      for (const path of [
        location,
        location.replace('/tools/registry', ''),
        '/tools/registry/services?limit=1',
        '/tools/registry/console/',
      ])
        expect([path, (await ask(path)).status]).toEqual([path, 200])
      for (const path of [
        '/tools/registryservices',
        '/tools/services',
        '/tools/registry/tools/registry/services',
      ])
        expect([path, (await ask(path)).status]).toEqual([path, 404])
      expect((await ask('/tools/registry')).body.links.services).toBe('/tools/registry/services')
    }, behind))

  it('is part of the links of pages, which lead to where they should from each of them', () =>
    withConsole(async ({ ask, url }) => {
      const targets: string[] = []
      for (const path of ['/tools/registry', '/tools/registry/', '/tools/registry/console']) {
        const { status, headers } = await ask(path, { headers: html })
        expect([path, status]).toEqual([path, 302])
        targets.push(new URL(headers.get('location') ?? '', url + path).pathname)
      }
      expect(new Set(targets)).toEqual(new Set(['/tools/registry/console/']))
      for (const path of [
        '/tools/registry/docs',
        '/tools/registry/docs/errors',
        '/tools/registry/console/a/b',
      ]) {
        const { text } = await ask(path, { headers: html })
        const links = [...text.matchAll(/(?:src|href)="(?!#|data:)([^"]*)"/g)]
        expect(links.length).toBeGreaterThan(0)
        for (const [, link = ''] of links)
          expect(new URL(link, url + path).pathname).toMatch(/^\/tools\/registry\//)
      }
      expect((await ask('/tools/registry/openapi.json')).body.servers).toEqual([
        { url: `${url}/tools/registry` },
      ])
    }, behind))
})
