import { brotliCompressSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { type Ask, cart, register, withServer } from './with-server.ts'

const post = (json: unknown, headers = {}): Ask => ({ json, headers })
const plain = (body: string, type: string): Ask => ({ json: body, headers: { 'content-type': type } })

/** What is sent, and the status and code it must be answered with. `:id` is a registered service. */
const cases: [what: string, path: string, ask: Ask, status: number, code: string][] = [
  ['no JSON', '/register', post('{"serviceName": '), 400, 'COORD_BODY_NOT_JSON'],
  ['an empty body', '/register', { method: 'POST' }, 400, 'COORD_BODY_NOT_JSON'],
  [
    'an empty body that is called JSON',
    '/register',
    { method: 'POST', headers: { 'content-type': 'application/json' } },
    400,
    'COORD_BODY_NOT_JSON',
  ],
  ['an array', '/register', post([cart]), 400, 'COORD_BODY_WRONG_TYPE'],
  ['null', '/register', post('null'), 400, 'COORD_BODY_WRONG_TYPE'],
  ['a text', '/register', post('"x"'), 400, 'COORD_BODY_WRONG_TYPE'],
  [
    'another content type',
    '/register',
    plain(JSON.stringify(cart), 'text/plain'),
    415,
    'COORD_BODY_MEDIA_TYPE',
  ],
  [
    'a form',
    '/register',
    plain('serviceName=cart', 'application/x-www-form-urlencoded'),
    415,
    'COORD_BODY_MEDIA_TYPE',
  ],
  ['no sense as content type', '/register', plain('{}', 'nonsense'), 415, 'COORD_BODY_MEDIA_TYPE'],
  [
    'another charset',
    '/register',
    plain(JSON.stringify(cart), 'application/json; charset=utf-16'),
    415,
    'COORD_BODY_MEDIA_TYPE',
  ],
  ['a missing field', '/register', post({ serviceName: 'x' }), 400, 'COORD_FIELD_MISSING'],
  ['a wrong type', '/register', post({ ...cart, tags: 'a' }), 400, 'COORD_BODY_WRONG_TYPE'],
  ['an empty name', '/register', post({ ...cart, serviceName: '' }), 400, 'COORD_NAME_EMPTY'],
  ['a long name', '/register', post({ ...cart, serviceName: 'x'.repeat(256) }), 400, 'COORD_NAME_TOO_LONG'],
  ['an empty version', '/register', post({ ...cart, version: '' }), 400, 'COORD_VERSION_EMPTY'],
  ['a long version', '/register', post({ ...cart, version: '1'.repeat(129) }), 400, 'COORD_VERSION_TOO_LONG'],
  [
    'an endpoint that is no URL',
    '/register',
    post({ ...cart, endpoint: 'http://' }),
    400,
    'COORD_ENDPOINT_NOT_URL',
  ],
  ['a relative endpoint', '/register', post({ ...cart, endpoint: '/cart' }), 400, 'COORD_ENDPOINT_RELATIVE'],
  [
    'an endpoint with credentials',
    '/register',
    post({ ...cart, endpoint: 'http://a:b@c' }),
    400,
    'COORD_ENDPOINT_CREDENTIALS',
  ],
  [
    'a javascript: endpoint',
    '/register',
    post({ ...cart, endpoint: 'javascript:alert(1)' }),
    400,
    'COORD_ENDPOINT_SCHEME',
  ],
  [
    '10,000 tags',
    '/register',
    post({ ...cart, tags: Array.from({ length: 10_000 }, (_, n) => `t${n}`) }),
    400,
    'COORD_TAGS_TOO_MANY',
  ],
  [
    'a large migrationFile',
    '/register',
    post({ ...cart, migrationFile: { x: 'y'.repeat(262_144) } }),
    400,
    'COORD_FIELD_TOO_LARGE',
  ],
  [
    'more than 1 MiB',
    '/register',
    post({ ...cart, description: 'x'.repeat(1_048_576) }),
    413,
    'COORD_BODY_TOO_LARGE',
  ],
  [
    'nesting of 200,000',
    '/register',
    post(`{"metadata":${'['.repeat(200_000)}${']'.repeat(200_000)}}`),
    400,
    'COORD_BODY_TOO_DEEP',
  ],
  ['nesting without an end', '/register', post('['.repeat(1_000_000)), 400, 'COORD_BODY_TOO_DEEP'],
  ['NUL', '/register', post({ ...cart, description: 'a\0b' }), 400, 'COORD_TEXT_NUL'],
  [
    'an integer beyond 2^53',
    '/register',
    post('{"serviceName":"a","version":"1","endpoint":"http://a","metadata":{"id":9007199254740993}}'),
    400,
    'COORD_NUMBER_TOO_LARGE',
  ],
  [
    'an integer beyond 2^53 in a migration file',
    '/register/:id/migration',
    post('{"migrationFile":{"max":[18446744073709551615]}}'),
    400,
    'COORD_NUMBER_TOO_LARGE',
  ],
  [
    'an integer beyond 2^53 in a property',
    '/knowledge-graph/nodes/team:a',
    { method: 'PUT', ...post('{"properties":{"id":-9007199254740993}}') },
    400,
    'COORD_NUMBER_TOO_LARGE',
  ],
  [
    'an integer beyond 2^53 in a patch',
    '/knowledge-graph/nodes/team:a',
    { method: 'PATCH', ...post('{"properties":{"id":9007199254740993}}') },
    400,
    'COORD_NUMBER_TOO_LARGE',
  ],
  ['half of a surrogate pair', '/register', post(`{"serviceName":"\\ud800"}`), 400, 'COORD_TEXT_SURROGATE'],
  ['the key __proto__', '/register', post('{"metadata":{"__proto__":{"x":1}}}'), 400, 'COORD_KEY_FORBIDDEN'],
  [
    'the key __proto__ of an assertion',
    '/knowledge-graph/nodes/team:a',
    { method: 'PUT', ...post('{"properties":{"__proto__":{}}}') },
    400,
    'COORD_KEY_FORBIDDEN',
  ],
  ['a batch that is none', '/register/batch', post({ services: 1 }), 400, 'COORD_BODY_WRONG_TYPE'],
  ['a batch of 1,001', '/register/batch', post(Array(1_001).fill(cart)), 400, 'COORD_FIELD_TOO_LARGE'],
  [
    'If-Match with a batch',
    '/register/batch',
    post([cart], { 'if-match': '*' }),
    400,
    'COORD_HEADER_INVALID',
  ],
  [
    'an Idempotency-Key that is too long',
    '/register',
    post(cart, { 'idempotency-key': 'x'.repeat(256) }),
    400,
    'COORD_HEADER_INVALID',
  ],
  ['an If-Match without sense', '/register', post(cart, { 'if-match': 'x' }), 400, 'COORD_HEADER_INVALID'],
  [
    'a lost If-Match',
    '/services/:id',
    { method: 'DELETE', headers: { 'if-match': '"00000000-9"' } },
    412,
    'COORD_PRECONDITION_FAILED',
  ],
  [
    'a migration of the wrong type',
    '/register/:id/migration',
    post({ migrationFile: 'x' }),
    400,
    'COORD_BODY_WRONG_TYPE',
  ],
  [
    'a migration for an unknown id',
    '/register/none/migration',
    post({ migrationFile: {} }),
    404,
    'COORD_SERVICE_NOT_FOUND',
  ],
  ['an unknown id', '/services/none', {}, 404, 'COORD_SERVICE_NOT_FOUND'],
  ['a very long id', `/services/${'x'.repeat(5_000)}`, {}, 404, 'COORD_SERVICE_NOT_FOUND'],
  ['an id with NUL', '/services/a%00b', {}, 404, 'COORD_SERVICE_NOT_FOUND'],
  ['the history of an unknown id', '/services/none/history', {}, 404, 'COORD_SERVICE_NOT_FOUND'],
  [
    'a heartbeat for an unknown id',
    '/services/none/heartbeat',
    { method: 'PUT' },
    404,
    'COORD_SERVICE_NOT_FOUND',
  ],
  [
    'a heartbeat without sense',
    '/services/:id/heartbeat',
    { method: 'PUT', json: { status: 'fine' } },
    400,
    'COORD_FIELD_INVALID',
  ],
  ['the end of an unknown id', '/services/none', { method: 'DELETE' }, 404, 'COORD_SERVICE_NOT_FOUND'],
  ['an unknown path', '/servics', {}, 404, 'COORD_ROUTE_NOT_FOUND'],
  ['a path that climbs', '/../../etc/passwd', {}, 404, 'COORD_ROUTE_NOT_FOUND'],
  ['a wrong method', '/services', { method: 'PATCH' }, 405, 'COORD_METHOD_NOT_ALLOWED'],
  [
    'a wrong method with a body',
    '/services/:id',
    { method: 'POST', json: {} },
    405,
    'COORD_METHOD_NOT_ALLOWED',
  ],
  ['OPTIONS', '/register', { method: 'OPTIONS' }, 405, 'COORD_METHOD_NOT_ALLOWED'],
  ['a malformed percent-encoding', '/services/%zz', {}, 400, 'COORD_URL_MALFORMED'],
  ['a percent-encoding that is no UTF-8', '/services/%ff', {}, 400, 'COORD_URL_MALFORMED'],
  ['a malformed percent-encoding in a filter', '/services?name=100%', {}, 400, 'COORD_URL_MALFORMED'],
  ['a filter that is no UTF-8', '/services?metadata.team=%ff', {}, 400, 'COORD_URL_MALFORMED'],
  ['a malformed name of a parameter', '/knowledge-graph?%zz=1', {}, 400, 'COORD_URL_MALFORMED'],
  ['a malformed percent-encoding in a write', '/register?dryRun=%c3', post(cart), 400, 'COORD_URL_MALFORMED'],
  ['a broken cursor', '/services?cursor=abc', {}, 400, 'COORD_CURSOR_INVALID'],
  ['a wrong limit', '/services?limit=0', {}, 400, 'COORD_QUERY_INVALID'],
  ['an unknown filter', '/services?nme=x', {}, 400, 'COORD_QUERY_INVALID'],
  ['a revision that is none', '/services?minRevision=-1', {}, 400, 'COORD_QUERY_INVALID'],
  ['a revision beyond all', '/services?minRevision=9007199254740993', {}, 400, 'COORD_QUERY_INVALID'],
  ['a revision twice', '/services/:id?minRevision=1&minRevision=2', {}, 400, 'COORD_QUERY_INVALID'],
  ['an unknown consistency', '/services/:id?consistency=strong', {}, 400, 'COORD_QUERY_INVALID'],
  ['a time without a zone', '/services?asOf=2026-01-01T00:00:00', {}, 400, 'COORD_QUERY_INVALID'],
  ['a time that never was', '/services?asOf=2026-02-31T99:00:00Z', {}, 400, 'COORD_QUERY_INVALID'],
  ['a parameter where there is none', '/register?dry=1', post(cart), 400, 'COORD_QUERY_INVALID'],
  ['a misspelt parameter', '/services/:id?minRevison=1', {}, 400, 'COORD_QUERY_INVALID'],
]

describe('http: bad input', () => {
  it.each(cases)('%s is refused, and nothing stored', (_, path, ask, status, code) =>
    withServer(async (scope) => {
      const id = await register(scope, { ...cart, serviceName: 'known' })
      const answer = await scope.ask(path.replace(':id', id), ask)
      expect([answer.status, answer.body?.code]).toEqual([status, code])
      expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8')
      expect(answer.body.hint).not.toBe('')
      expect(answer.text).not.toMatch(/node:internal|\.ts:\d|\bat \w+ \(/)
      expect(scope.live.view.revision).toBe(1)
      // The server is as it was, and takes the next request.
      expect((await scope.ask('/register', { json: cart })).status).toBe(201)
    }),
  )

  it('refuses a body that is not UTF-8 instead of storing something else', () =>
    withServer(async ({ url, live }) => {
      const body = Buffer.concat([
        Buffer.from('{"serviceName":"'),
        Buffer.from([0xff, 0xfe]),
        Buffer.from('"}'),
      ])
      const headers = { 'content-type': 'application/json' }
      const response = await fetch(`${url}/register`, { method: 'POST', headers, body })
      expect(response.status).toBe(400)
      expect(await response.json()).toMatchObject({ code: 'COORD_BODY_NOT_JSON' })
      expect(live.view.revision).toBe(0)
    }))

  it.each([
    ['gzip', gzipSync(JSON.stringify(cart))],
    ['br', brotliCompressSync(JSON.stringify(cart))],
  ])('refuses a body that is encoded as %s, names the coding and says what to do', (coding, body) =>
    withServer(async ({ url, live, ask }) => {
      const headers = { 'content-type': 'application/json', 'content-encoding': coding }
      const response = await fetch(`${url}/register`, { method: 'POST', headers, body })
      expect([response.status, await response.json()]).toEqual([
        415,
        expect.objectContaining({
          code: 'COORD_BODY_MEDIA_TYPE',
          detail: `The body is encoded (${coding}); send it plain.`,
          hint: 'Send the body without the header `Content-Encoding`.',
        }),
      ])
      expect(live.view.revision).toBe(0)
      const identity = { 'content-encoding': 'Identity' }
      expect((await ask('/register', { json: cart, headers: identity })).status).toBe(201)
    }),
  )

  it('takes a body with a byte order mark, and JSON with charset=utf-8', () =>
    withServer(async ({ ask }) => {
      expect((await ask('/register', { json: `\ufeff${JSON.stringify(cart)}` })).status).toBe(201)
      const headers = { 'content-type': 'Application/JSON; charset="UTF-8"' }
      expect((await ask('/register', { json: cart, headers })).status).toBe(200)
    }))

  it('names the methods of a path, and what an unknown path was probably meant to be', () =>
    withServer(async ({ ask }) => {
      expect((await ask('/services/x', { method: 'PUT' })).headers.get('allow')).toBe('DELETE, GET, HEAD')
      expect((await ask('/servics')).body.detail).toBe('There is no /servics; did you mean /services?')
      const { body } = await ask('/services/x?minRevison=1')
      expect(body.errors).toEqual([
        {
          path: 'query.minRevison',
          message: 'is not known here; did you mean minRevision?',
          code: 'COORD_QUERY_INVALID',
        },
      ])
    }))

  it('tells a number that is too large from what is no number', () =>
    withServer(async ({ ask }) => {
      const detailOf = async (revision: string) =>
        (await ask(`/services?minRevision=${revision}`)).body.detail
      expect(await detailOf('1e3')).toBe('The parameter minRevision must be a whole number.')
      expect(await detailOf('9'.repeat(40))).toBe('The parameter minRevision is larger than any revision.')
    }))

  it('sends no headers that would let pages of other origins read answers', () =>
    withServer(async ({ ask }) => {
      const { headers } = await ask('/services', { headers: { origin: 'http://elsewhere.example' } })
      expect([...headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([])
    }))
})
