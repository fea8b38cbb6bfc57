import { describe, expect, it } from 'vitest'
import { ERRORS } from '../../src/errors.ts'
import { cart, register, withServer } from './with-server.ts'

describe('http: problem details', () => {
  it('have every member that is promised', () =>
    withServer(async ({ ask }) => {
      const { status, headers, body } = await ask('/services/none', {
        headers: { 'x-request-id': 'my-request' },
      })
      expect(status).toBe(404)
      expect(headers.get('content-type')).toBe('application/problem+json; charset=utf-8')
      expect(body).toEqual({
        type: '/docs/errors#COORD_SERVICE_NOT_FOUND',
        title: ERRORS.COORD_SERVICE_NOT_FOUND.title,
        status: 404,
        code: 'COORD_SERVICE_NOT_FOUND',
        detail: expect.any(String),
        hint: ERRORS.COORD_SERVICE_NOT_FOUND.hint,
        retryable: false,
        requestId: 'my-request',
        success: false,
        message: body.detail,
      })
      const page = await ask(body.type)
      expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
      expect(page.text).toContain(`id="${body.code}"`)
    }))

  it('list every fault of a body with its place', () =>
    withServer(async ({ ask }) => {
      const { body } = await ask('/register', { json: { serviceName: '', version: 1, tags: ['', 2] } })
      expect(body.errors.map(({ path, code }: { path: string; code: string }) => [path, code])).toEqual([
        ['/serviceName', 'COORD_NAME_EMPTY'],
        ['/version', 'COORD_BODY_WRONG_TYPE'],
        ['/endpoint', 'COORD_FIELD_MISSING'],
        ['/tags/0', 'COORD_FIELD_INVALID'],
        ['/tags/1', 'COORD_BODY_WRONG_TYPE'],
      ])
    }))

  it.each([
    ['/register', { ...cart, version: 1 }, '/version must be a string, not a number.'],
    ['/register', { ...cart, metadata: [] }, '/metadata must be an object, not an array.'],
    [
      '/register',
      { ...cart, dependencies: [null] },
      '/dependencies/0 must be a string or an object, not null.',
    ],
    ['/knowledge-graph/simulate', { remove: [''] }, '/remove/0 is empty.'],
    ['/services/:id/heartbeat', { status: 'fine' }, '/status must be up or down.'],
  ])('%s %j: say in a sentence what is wrong', (path, json, detail) =>
    withServer(async (scope) => {
      const id = await register(scope)
      const method = path.endsWith('heartbeat') ? 'PUT' : 'POST'
      const { body } = await scope.ask(path.replace(':id', id), { method, json })
      expect(body.detail).toBe(detail)
    }),
  )

  it.each([
    ['/register', { ...cart, serviceName: undefined }, '`GET /register` shows an example.'],
    ['/register', { ...cart, tags: [''] }, '`GET /register` lists the rules.'],
    ['/knowledge-graph/simulate', { remove: [''] }, '`/docs#postKnowledgeGraphSimulate` describes the body.'],
    ['/tokens', { scopes: ['read'] }, '`/docs#postTokens` describes the body.'],
  ])('%s %j: point to what describes the body', (path, json, hint) =>
    withServer(async ({ ask }) => {
      const { status, body } = await ask(path, { json })
      expect([status, body.hint]).toEqual([400, expect.stringContaining(hint)])
    }),
  )

  it('carry the id of the request: the one that was sent, where it is harmless', () =>
    withServer(async ({ ask }) => {
      const own = await ask('/health', { headers: { 'x-request-id': 'abc-1.2' } })
      expect(own.headers.get('x-request-id')).toBe('abc-1.2')
      const made = await ask('/health')
      const other = await ask('/health', { headers: { 'x-request-id': 'a b"c' } })
      const ids = [made, other].map(({ headers }) => headers.get('x-request-id'))
      for (const id of ids) expect(id).toMatch(/^[\w-]{8,}$/)
      expect(new Set(ids).size).toBe(2)
      // The error says the same as the header, whoever made the id.
      const failed = await ask('/services/none', { headers: { 'x-request-id': 'a b"c' } })
      expect(failed.body.requestId).toBe(failed.headers.get('x-request-id'))
      expect(failed.body.requestId).toMatch(/^[\w-]{8,}$/)
    }))

  it('say of a failed write that it did not happen, where that is certain', () =>
    withServer(
      async (scope) => {
        const id = await register(scope)
        scope.store.outage()
        for (const [method, path, json] of [
          ['POST', '/register', { ...cart, tags: ['new'] }],
          ['POST', `/register/${id}/migration`, { migrationFile: {} }],
          ['DELETE', `/services/${id}`, undefined],
        ] as const) {
          const { status, headers, body } = await scope.ask(path, { method, json })
          expect([status, body.code, body.outcome, body.retryable]).toEqual([
            503,
            'COORD_STORE_UNAVAILABLE',
            'not_written',
            true,
          ])
          expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
        }
      },
      { options: { commitTimeoutMs: 150 } },
    ))

  it('say of a failed write that it may have happened, where the reply got lost', () =>
    withServer(
      async (scope) => {
        const id = await register(scope)
        scope.store.outage({ does: 'lose reply' })
        const { status, body } = await scope.ask(`/services/${id}`, { method: 'DELETE' })
        expect([status, body.outcome, body.retryable]).toEqual([503, 'unknown', true])
        // It did happen: only the reply got lost.
        expect((await scope.store.inner.head()).position.revision).toBe(2)
        scope.store.heal()
        expect((await scope.ask(`/services/${id}?consistency=latest`)).status).toBe(404)
      },
      { options: { commitTimeoutMs: 150 } },
    ))

  it('say of every write before the first load that it did not happen', () =>
    withServer(
      async ({ ask }) => {
        for (const [path, json] of [
          ['/register', cart],
          ['/register/batch', [cart]],
          ['/register/x/migration', { migrationFile: {} }],
        ] as const) {
          const { status, headers, body } = await ask(path, { json })
          expect([path, status, body.code, body.outcome]).toEqual([
            path,
            503,
            'COORD_NOT_LOADED',
            'not_written',
          ])
          expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
        }
      },
      { started: false },
    ))

  it('answer each of a batch on its own, the lost ones with their outcome', () =>
    withServer(
      async (scope) => {
        await register(scope)
        scope.store.outage()
        const { status, body } = await scope.ask('/register/batch', {
          json: [{ ...cart, tags: ['new'] }, {}],
        })
        expect([status, body.success, body.registered, body.failed]).toEqual([200, true, 0, 2])
        expect(body.results).toMatchObject([
          { success: false, status: 503, outcome: 'not_written', retryable: true },
          { success: false, status: 400, code: 'COORD_FIELD_MISSING' },
        ])
      },
      { options: { commitTimeoutMs: 150 } },
    ))

  it('tell nothing of a fault of our own but the request id, which the log has with the stack', () =>
    withServer(async (scope) => {
      Object.assign(scope.metrics, { text: () => Promise.reject(new TypeError('secret inside')) })
      const { status, text, body } = await scope.ask('/metrics')
      expect([status, body.code]).toEqual([500, 'COORD_INTERNAL'])
      expect(text).not.toMatch(/secret|TypeError|\.ts/)
      const lines = scope.log.filter((entry) => entry.includes(body.requestId))
      expect(lines).toHaveLength(1)
      expect(JSON.parse(lines[0] ?? '')).toMatchObject({
        level: 'error',
        route: '/metrics',
        err: { cause: { message: 'secret inside', stack: expect.stringContaining('problems.test.ts') } },
      })
    }))
})
