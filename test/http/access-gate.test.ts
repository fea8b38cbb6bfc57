import Fastify from 'fastify'
import { describe, expect, it } from 'vitest'
import type { JwtChecker } from '../../src/access/access.ts'
import { Access } from '../../src/access/access.ts'
import type { Principal } from '../../src/access/principal.ts'
import { Grants } from '../../src/access/scopes/grants.ts'
import { CoordinatorError } from '../../src/errors.ts'
import { runHandlers } from '../../src/http/routing/run-handlers.ts'
import { adminToken, bearer, plainly, withAccess } from './with-access.ts'
import { cart, register, withServer } from './with-server.ts'

const head = (line: string, ...headers: readonly string[]) =>
  `${[`${line} HTTP/1.1`, 'Host: x', ...headers].join('\r\n')}\r\n\r\n`

const sendPlainly = (port: number, path: string, method: string) =>
  plainly(port, { method, path, headers: bearer(adminToken) })

describe('http: the gate', () => {
  it('lets no route into the server that does not say its scope, whether or not it is described', () => {
    const app = Fastify()
    runHandlers(app, {} as never)
    for (const config of [undefined, {}, { operation: { chapter: 'about', summary: '', answers: {} } }])
      expect(() => app.get('/x', { config: config as never }, () => '')).toThrow(
        /GET \/x does not say which scope/,
      )
  })

  it('tells nobody who is not let in how far the journal is', () =>
    withAccess(async ({ ask, tokenWith }) => {
      const { token } = await tokenWith(['read'])
      const graph = bearer((await tokenWith(['graph'])).token)
      await ask('/register', { json: cart, headers: bearer(adminToken) })
      for (const path of ['/services', '/knowledge-graph', '/health/ready', '/health'])
        for (const headers of [{}, bearer('bad')])
          expect((await ask(path, { headers })).headers.has('x-coordinator-revision'), path).toBe(false)
      for (const [path, headers, json] of [
        ['/services', graph, undefined],
        ['/register', graph, cart],
        ['/register', bearer((await tokenWith(['register:other'])).token), cart],
      ] as const) {
        const denied = await ask(path, { headers, json })
        expect([path, denied.status, denied.body.code]).toEqual([path, 403, 'COORD_SCOPE_MISSING'])
        for (const name of ['x-coordinator-revision', 'x-coordinator-lineage'])
          expect([path, name, denied.headers.has(name)]).toEqual([path, name, false])
      }
      expect((await ask('/services', { headers: bearer(token) })).headers.get('x-coordinator-revision')).toBe(
        '1',
      )
    }))

  it('answers before the body arrives, and asks nobody to send one in vain', () =>
    withAccess(async ({ raw, tokenWith }) => {
      const { token } = await tokenWith(['read'])
      const send = (...headers: readonly string[]) =>
        raw(head('POST /register', 'Content-Type: application/json', 'Content-Length: 99', ...headers))
      expect(await send()).toMatch(/^HTTP\/1\.1 401 /)
      expect(await send(`Authorization: Bearer ${token}`)).toMatch(/^HTTP\/1\.1 403 /)
      const expecting = 'Expect: 100-continue'
      expect(await send(expecting)).toMatch(/^HTTP\/1\.1 401 /)
      expect(await send(expecting, `Authorization: Bearer ${adminToken}`)).toBe(
        'HTTP/1.1 100 Continue\r\n\r\n',
      )
    }))

  it('judges dryRun as the handler reads it, however it is written', () =>
    withAccess(async ({ ask, tokenWith, live }) => {
      const reader = bearer((await tokenWith(['read'])).token)
      const registrar = bearer((await tokenWith(['register:*'])).token)
      const status = async (query: string, headers: Record<string, string>) =>
        (await ask(`/register${query}`, { json: cart, headers })).status
      for (const query of ['?dryRun=true', '?dry%52un=true', '?dryRun=%74rue'])
        expect([query, await status(query, reader), await status(query, registrar)]).toEqual([
          query,
          200,
          403,
        ])
      for (const query of ['?dryRun=false', '?dryrun=true', '?dryRun=true&dryRun=true', '?dryRun=1'])
        expect([query, await status(query, reader)]).toEqual([query, 403])
      expect(live.view.revision).toBe(0)
    }))

  it('refuses a target with a fragment, which the router would read as a query string', () =>
    withAccess(async ({ port, live }) => {
      for (const path of ['/register#?dryRun=true', '/register#dryRun=true', '/register?dryRun=true#', '/#'])
        for (const method of ['POST', 'GET']) {
          const { status, headers, text } = await sendPlainly(port, path, method)
          expect([path, status, headers.connection]).toEqual([path, 400, 'close'])
          expect(JSON.parse(text)).toMatchObject({ code: 'COORD_REQUEST_MALFORMED' })
        }
      expect(live.view.revision).toBe(0)
      // A part of a name is no fragment.
      expect((await sendPlainly(port, '/services/a%23b', 'GET')).status).toBe(404)
    }))

  it('waits for a credential that cannot be judged at once', () => {
    const principal: Principal = {
      kind: 'jwt',
      id: 'jwt:a',
      actor: 'jwt:a',
      grants: new Grants(['register:*']),
    }
    let finish: (verdict: Principal) => void = () => undefined
    const jwt: JwtChecker = {
      verify: (token) =>
        token.startsWith('good')
          ? new Promise((resolve) => {
              finish = resolve
            })
          : Promise.reject(new CoordinatorError('COORD_CREDENTIAL_INVALID')),
      start: () => undefined,
      stop: () => undefined,
    }
    return withAccess(
      async (scope) => {
        const arrived = scope.nextRequest()
        const writing = scope.ask('/register', { json: cart, headers: bearer('good.a.b') })
        await arrived
        finish(principal)
        expect((await writing).status).toBe(201)
        const reading = scope.nextRequest()
        const asked = scope.ask('/services', { headers: bearer('good.a.b') })
        await reading
        finish(principal)
        expect((await asked).body).toMatchObject({ code: 'COORD_SCOPE_MISSING', scope: 'read' })
        const unknown = scope.nextRequest()
        const lost = scope.ask('/nowhere', { headers: bearer('good.a.b') })
        await unknown
        finish(principal)
        expect((await lost).status).toBe(404)
        for (const path of ['/services', '/nowhere', '/services/%zz'])
          expect((await scope.ask(path, { headers: bearer('bad.a.b') })).status).toBe(401)
      },
      { access: { jwt } },
    )
  })

  it('shows nothing of a malformed path to strangers', () =>
    withAccess(async ({ ask }) => {
      for (const path of ['/services/%zz', `/services/${'x'.repeat(9_000)}`]) {
        expect((await ask(path)).body.code).toBe('COORD_AUTH_REQUIRED')
        expect((await ask(path, { headers: bearer(adminToken) })).status).toBeLessThan(405)
      }
    }))

  it('names the scope that is missing, in the answer and in its header', () =>
    withAccess(async ({ ask, tokenWith, metrics }) => {
      const { token } = await tokenWith(['graph'])
      const { body, headers } = await ask('/health', { headers: bearer(token) })
      expect(body.detail).toBe('This needs the scope `read` or `metrics`.')
      const detailOf = async (path: string, json?: unknown) =>
        (await ask(path, { headers: bearer(token), json })).body.detail
      expect(await detailOf('/services')).toBe('This needs the scope `read`.')
      // Nobody can create a token with the scope `register`.
      expect(await detailOf('/register', cart)).toBe('This needs a scope `register:NAME` for the service.')
      expect(await detailOf('/register')).toBe('This needs the scope `register:NAME` or `read`.')
      expect(headers.get('www-authenticate')).toBe(
        'Bearer realm="coordinator", error="insufficient_scope", scope="read"',
      )
      await ask('/services')
      await ask('/services', { headers: bearer('nonsense') })
      const counted = (await metrics.text()).match(/access_denied_total\{.*\} [1-9]/g)
      expect(counted).toEqual([
        'access_denied_total{reason="missing"} 1',
        'access_denied_total{reason="malformed"} 1',
        'access_denied_total{reason="scope"} 4',
      ])
    }))

  it('logs one denial a minute for each client, and no credential', () =>
    withAccess(async ({ ask, log }) => {
      for (let time = 0; time < 5; time += 1) await ask('/services', { headers: bearer(`nonsense-${time}`) })
      const lines = log.filter((line) => line.includes('a request was denied'))
      expect(lines.map((line) => JSON.parse(line))).toMatchObject([
        {
          ...{ level: 'warn', address: '127.0.0.1', method: 'GET', route: '/services' },
          ...{ reason: 'malformed', code: 'COORD_CREDENTIAL_INVALID' },
        },
      ])
      expect(log.join('')).not.toContain('nonsense')
    }))

  it('logs a bad credential although the same client just sent none, and the other way round', () =>
    withAccess(async ({ ask, log }) => {
      for (let time = 0; time < 3; time += 1) {
        await ask('/services')
        await ask('/services', { headers: bearer('nonsense') })
      }
      const lines = log.filter((line) => line.includes('a request was denied'))
      expect(lines.map((line) => JSON.parse(line))).toMatchObject([
        { level: 'info', reason: 'missing' },
        { level: 'warn', reason: 'malformed' },
      ])
    }))
})

describe('http: public answers', () => {
  it('hold no state, whoever asks', () =>
    withServer(async (scope) => {
      const id = await register(scope, { ...cart, serviceName: 'only-for-callers' })
      const { lineage } = scope.live.view
      for (const path of ['/', '/docs', '/docs/errors', '/openapi.json', '/health/live', '/health/ready'])
        for (const accept of ['text/html', 'application/json']) {
          const { status, text, headers } = await scope.ask(path, { headers: { accept } })
          expect([path, status]).toEqual([path, path === '/' && accept === 'text/html' ? 302 : 200])
          const shown = `${text} ${[...headers].join(' ')}`
          for (const secret of [id, 'only-for-callers', lineage, 'x-coordinator-revision'])
            expect({ path, shows: shown.includes(secret) }).toEqual({ path, shows: false })
          if (path === '/') expect(shown).not.toMatch(/memory|backend|1 service/)
        }
    }))

  it('say that it is not ready, and not why', () =>
    withServer(
      async (scope) => {
        scope.store.outage()
        const waiting = await scope.ask('/health/ready')
        expect(waiting.body).toMatchObject({ status: 503, code: 'COORD_NOT_LOADED' })
        expect(waiting.body.detail).toBe(waiting.body.title)
        scope.store.heal()
        await scope.live.start()
        expect((await scope.ask('/health/ready')).status).toBe(200)
      },
      { started: false },
    ))
})

describe('http: answers that are not public', () => {
  it('are kept by no cache that several callers share', () =>
    withAccess(async ({ ask }) => {
      const headers = bearer(adminToken)
      const { body } = await ask('/register', { json: cart, headers })
      for (const path of [
        '/services',
        '/knowledge-graph',
        `/services/${body.serviceId}`,
        '/knowledge-graph/orphans',
        '/snapshot',
        '/metrics',
        '/register',
        '/tokens',
        '/access',
        '/health',
        '/nowhere',
      ])
        expect([path, (await ask(path, { headers })).headers.get('cache-control')]).toEqual([
          path,
          expect.stringMatching(/^(?:private, no-cache|no-cache|no-store)$/),
        ])
      expect((await ask('/services')).headers.get('cache-control')).toBe('private, no-cache')
      expect((await ask('/docs')).headers.get('cache-control')).toBeNull()
    }))
})

describe('http: an open coordinator on loopback', () => {
  it.each([
    'Forwarded: for=1.2.3.4',
    'X-Forwarded-For: 1.2.3.4',
    'x-forwarded-proto: https',
    'X-Forwarded-Anything:',
    'X-Real-IP: 1.2.3.4',
    'Via: 1.1 proxy',
  ])('refuses what a proxy forwards: %s', (header) =>
    withServer(async ({ raw }) => {
      for (const line of ['GET /services', 'POST /register', 'GET /nowhere', 'GET /health/live', 'OPTIONS /'])
        expect(await raw(head(line, header, 'Connection: close'))).toMatch(
          /^HTTP\/1\.1 403 [\s\S]*COORD_PROXY_NEEDS_AUTH[\s\S]*AUTH=required/,
        )
    }),
  )

  it('serves a proxy where that is meant, or where callers prove who they are', async () => {
    const headers = { 'x-forwarded-for': '192.0.2.1', via: '1.1 proxy' }
    await withServer(async ({ ask }) => expect((await ask('/services', { headers })).status).toBe(200), {
      access: new Access({ mode: 'off' }),
    })
    await withAccess(async ({ ask }) => {
      expect((await ask('/services', { headers: { ...headers, ...bearer(adminToken) } })).status).toBe(200)
      expect((await ask('/health/live', { headers })).status).toBe(200)
    })
  })
})

describe('http: the header Host', () => {
  const statusFor = (answer: string) => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1])
  const line = (host: string) => `GET /health/live HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`

  it.each([
    ['is judged where everybody may do something', { access: { mode: 'open' } }, 421],
    ['is judged where strangers may read', { access: { anonymous: 'read' } }, 421],
    ['is judged where the allowed ones are set', { settings: { allowedHosts: ['registry.example'] } }, 421],
    ['is not judged where strangers may do nothing', { settings: { allowedHosts: [] } }, 200],
  ] as const)('%s', (_, setup, status) =>
    withAccess(
      async ({ raw }) => {
        expect(statusFor(await raw(line('evil.example')))).toBe(status)
      },
      { settings: { allowedHosts: [] }, ...setup },
    ),
  )
})

it('http: a page of an allowed origin may send a credential', () =>
  withAccess(
    async ({ ask }) => {
      const origin = 'https://app.example'
      const { status, headers } = await ask('/services', {
        method: 'OPTIONS',
        headers: {
          origin,
          'access-control-request-method': 'GET',
          'access-control-request-headers': 'authorization',
        },
      })
      expect(status).toBe(204)
      expect(headers.get('access-control-allow-headers')).toContain('Authorization')
      expect(headers.get('access-control-allow-credentials')).toBeNull()
      const denied = await ask('/services', { headers: { origin } })
      expect([denied.status, denied.headers.get('access-control-allow-origin')]).toEqual([401, origin])
      expect(denied.headers.get('access-control-expose-headers')).toContain('WWW-Authenticate')
    },
    { settings: { allowedOrigins: ['https://app.example'] } },
  ))
