import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { AllowedHosts } from '../../src/http/guard/allowed-hosts.ts'
import { cart, type ServerScope, withServer } from '../http/with-server.ts'
import { serving } from '../main/coordinator-process.ts'

interface Wire {
  readonly status: number
  readonly head: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly problem: any
}

/**
 * Sends a head as it stands: clients write `Host` and `Sec-Fetch-*` themselves. The server ends the connection: if the client ended
 * its side first, an answer that takes several turns would be given up.
 */
function wire(port: number, head: string): Promise<Wire> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(`${head}\r\n\r\n`))
    let answer = ''
    socket.on('data', (chunk: Buffer) => {
      answer += chunk
    })
    socket.on('error', reject)
    socket.on('close', () => {
      const [before = '', body = ''] = answer.split('\r\n\r\n', 2)
      const isProblem = /^Content-Type: application\/problem\+json/im.test(before)
      resolve({
        status: Number(/^HTTP\/1\.1 (\d{3})/.exec(before)?.[1]),
        head: before,
        problem: isProblem && body !== '' ? JSON.parse(body) : undefined,
      })
    })
  })
}

const request = (line: string, ...headers: readonly string[]) =>
  [`${line} HTTP/1.1`, ...headers, 'Connection: close'].join('\r\n')
const own = 'Host: 127.0.0.1:3000'
const foreign = 'Origin: https://evil.example'
const crossSite = 'Sec-Fetch-Site: cross-site'
const link = [crossSite, 'Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: document']

describe('the names by which a coordinator is called', () => {
  const loopback = new AllowedHosts({ host: '127.0.0.1', allowed: ['registry.example.org', '*.example.net'] })
  const network = new AllowedHosts({ host: 'Coordinator.prod.example', allowed: [] })

  it.each([
    ['127.0.0.1', true, true],
    ['127.0.0.1:3000', true, true],
    ['127.0.0.1:65535', true, true],
    ['localhost:65536', false, false],
    ['[::1]:99999', false, false],
    ['10.1.2.3:3000', true, true],
    ['[::1]:3000', true, true],
    ['[fe80::1]', true, true],
    ['localhost:3000', true, true],
    ['LOCALHOST', true, true],
    ['localhost.', true, true],
    ['a.localhost', true, true],
    ['coordinator.internal', true, true],
    ['registry.example.org', true, false],
    ['Registry.Example.org:443', true, false],
    ['a.b.example.net', true, false],
    ['example.net', false, false],
    ['coordinator', false, true],
    ['coordinator:3000', false, true],
    ['coordinator.default.svc', false, true],
    ['coordinator.default.svc.cluster.local:3000', false, true],
    ['coordinator.prod.example', false, true],
    ['evil.example', false, false],
    ['localhost.evil.example', false, false],
    ['evillocalhost', false, true],
    ['127.0.0.1.evil.example', false, false],
    ['registry.example.org.evil.example', false, false],
    ['svc', false, true],
    ['', false, false],
    [':3000', false, false],
    ['.', false, false],
    ['localhost:80:80', false, false],
    ['localhost/', false, false],
    ['user@localhost', false, false],
    ['[localhost]', false, false],
    ['[::1', false, false],
    ['::1', false, false],
  ])('%s: on loopback %s, on a network %s', (header, onLoopback, onNetwork) => {
    // The second time the answer is remembered.
    for (const _ of [1, 2])
      expect([loopback.allows(header), network.allows(header)]).toEqual([onLoopback, onNetwork])
  })
})

describe('requests that name several hosts', () => {
  it.each([
    ['GET /health', [own, own], 400],
    ['GET /health', [own, 'host: evil.example'], 400],
    ['GET http://evil.example/health', [own], 421],
    ['GET HTTP://evil.example:3000?x', [own], 421],
    ['GET http://127.0.0.1:3000@evil.example/health', [own], 421],
    ['GET http://127.0.0.1:3000/health', ['Host: evil.example'], 421],
    ['GET http://127.0.0.1:3000/health', [own], 200],
  ])('%s with %j are answered %i', (line, headers, status) =>
    withServer(async ({ port }) => {
      const answer = await wire(port, request(line, ...headers))
      expect(answer.status).toBe(status)
      if (status !== 200) expect(answer.problem).toMatchObject({ success: false, status })
    }),
  )
})

describe('a request under a foreign name', () => {
  it.each([
    'GET /health',
    'GET /',
    'GET /no/such/path',
    'POST /knowledge-graph/rebuild',
    'DELETE /health',
    'OPTIONS /register',
    'GET /%zz',
    `GET /${'x'.repeat(9_000)}`,
    'CONNECT evil.example:443',
  ])('is refused before routing: %s', (line) =>
    withServer(async ({ port }) => {
      const { status, head, problem } = await wire(port, request(line, 'Host: evil.example'))
      expect([status, problem]).toEqual([421, expect.objectContaining({ code: 'COORD_HOST_NOT_ALLOWED' })])
      expect(problem.hint).toContain('ALLOWED_HOSTS')
      // Whether something was written is no question after a read.
      expect(problem.outcome).toBe(line.startsWith('GET ') ? undefined : 'not_written')
      expect(head).toMatch(/^X-Content-Type-Options: nosniff/m)
    }),
  )

  it('is not told to send its body', () =>
    withServer(async ({ port }) => {
      const head = request(
        'POST /register',
        'Host: evil.example',
        'Expect: 100-continue',
        'Content-Length: 2',
      )
      expect((await wire(port, head)).status).toBe(421)
    }))

  it('is served where the name is allowed; HTTP/1.0 without a name only where no browser asks', () =>
    withServer(
      async ({ port }) => {
        expect((await wire(port, request('GET /health', 'Host: registry.example.org'))).status).toBe(200)
        expect((await wire(port, 'GET /health HTTP/1.0')).status).toBe(200)
        expect((await wire(port, `GET /health HTTP/1.0\r\n${crossSite}`)).status).toBe(421)
        expect((await wire(port, `GET /health HTTP/1.0\r\n${foreign}`)).status).toBe(421)
        const none = await wire(port, 'GET /health HTTP/1.1')
        expect([none.status, none.problem.code]).toEqual([400, 'COORD_REQUEST_MALFORMED'])
      },
      { settings: { allowedHosts: ['registry.example.org'] } },
    ))
})

describe('a page of another origin', () => {
  it.each([
    ['POST /knowledge-graph/rebuild', [foreign]],
    ['POST /knowledge-graph/rebuild', [foreign, crossSite]],
    ['POST /knowledge-graph/rebuild', ['Origin: null']],
    ['POST /knowledge-graph/rebuild', [foreign, ...link]],
    ['POST /knowledge-graph/rebuild', link],
    ['POST /knowledge-graph/rebuild', ['Origin: https://127.0.0.1:3001', 'Sec-Fetch-Site: same-site']],
    ['DELETE /services/x', [foreign]],
    ['PUT /no/such/path', [foreign]],
    ['OPTIONS /register', [foreign, 'Access-Control-Request-Method: POST']],
    ['GET /services', [crossSite]],
    ['GET /services', [foreign, crossSite]],
    ['GET /docs', [crossSite, 'Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: iframe']],
    ['HEAD /services', [crossSite, 'Sec-Fetch-Mode: no-cors']],
  ])('gets nothing: %s with %j', (line, headers) =>
    withServer(async ({ port }) => {
      const { status, head, problem } = await wire(port, request(line, own, ...headers))
      expect(status).toBe(403)
      if (!line.startsWith('HEAD')) expect(problem.code).toBe('COORD_ORIGIN_NOT_ALLOWED')
      expect(head).not.toMatch(/access-control/i)
    }),
  )

  it.each([
    ['GET /docs', link],
    ['GET /services', [foreign]],
    ['GET /services', ['Origin: http://127.0.0.1:3001', 'Sec-Fetch-Site: same-site']],
    ['GET /services', ['Sec-Fetch-Site: none']],
    ['POST /knowledge-graph/rebuild', ['Origin: http://127.0.0.1:3000', 'Sec-Fetch-Site: same-origin']],
    ['POST /knowledge-graph/rebuild', ['Origin: https://127.0.0.1:3000']],
    ['POST /knowledge-graph/rebuild', []],
  ])('may follow a link; what is no such page works: %s with %j', (line, headers) =>
    withServer(async ({ port }) => {
      const { status, head } = await wire(port, request(line, own, ...headers))
      expect(status).toBe(200)
      expect(head).not.toMatch(/access-control/i)
    }),
  )

  const settings = { allowedOrigins: ['https://app.example.org'] }
  const allowed = 'Origin: https://app.example.org'
  const headerOf = (head: string, name: string) =>
    [...head.matchAll(new RegExp(`^${name}: (.*)$`, 'gim'))].map(([, value]) => value?.trim())

  it('that is allowed may ask, change, and read what is answered; every answer says that it varies', () =>
    withServer(
      async ({ port, ask }: ServerScope) => {
        const preflight = await wire(
          port,
          request('OPTIONS /register', own, allowed, crossSite, 'Access-Control-Request-Method: POST'),
        )
        expect(preflight.status).toBe(204)
        expect(headerOf(preflight.head, 'Access-Control-Allow-Origin')).toEqual(['https://app.example.org'])
        expect(headerOf(preflight.head, 'Access-Control-Allow-Headers')[0]).toContain('If-Match')
        const origin = { origin: 'https://app.example.org' }
        const registered = await ask('/register', { json: cart, headers: origin })
        expect(registered.status).toBe(201)
        expect(registered.headers.get('access-control-allow-origin')).toBe('https://app.example.org')
        expect(registered.headers.get('access-control-expose-headers')).toContain('X-Coordinator-Revision')
        for (const line of ['GET /services', 'GET /nope', 'POST /knowledge-graph/rebuild', 'GET /docs']) {
          const { head } = await wire(
            port,
            request(line, own, allowed, crossSite, 'Accept: application/x-ndjson, text/html'),
          )
          expect(headerOf(head, 'Access-Control-Allow-Origin')).toEqual(['https://app.example.org'])
          expect(headerOf(head, 'Vary')).toContain('Origin')
        }
        const lines = await ask('/services', { headers: { ...origin, accept: 'application/x-ndjson' } })
        expect(lines.headers.get('vary')).toBe('Accept, Origin')
        const other = await wire(port, request('GET /services', own, 'Origin: https://app.example.org.evil'))
        expect([other.status, headerOf(other.head, 'Vary')]).toEqual([200, ['Accept', 'Origin']])
        expect(headerOf(other.head, 'Access-Control-Allow-Origin')).toEqual([])
      },
      { settings },
    ))
})

it('a coordinator on loopback refuses a foreign Host and a cross-site rebuild, and is probed by address', async () => {
  await using coordinator = await serving()
  const port = Number(new URL(coordinator.url).port)
  const statusOf = async (...head: Parameters<typeof request>) => (await wire(port, request(...head))).status
  expect(await statusOf('GET /services', 'Host: rebound.example')).toBe(421)
  expect(await statusOf('POST /knowledge-graph/rebuild', `Host: localhost:${port}`, foreign, crossSite)).toBe(
    403,
  )
  expect(await statusOf('GET /health/live', `Host: 10.0.0.7:${port}`, 'User-Agent: kube-probe/1.33')).toBe(
    200,
  )
  expect(await statusOf('GET /metrics', `Host: 192.168.1.4:${port}`, 'User-Agent: Prometheus/3.1')).toBe(200)
  expect(await statusOf('GET /health', `Host: localhost:${port}`)).toBe(200)
})
