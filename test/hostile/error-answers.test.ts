import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { ERRORS } from '../../src/errors.ts'
import { cart, register, withServer } from '../http/with-server.ts'

const host = 'Host: localhost'
const get = (path: string, ...more: readonly string[]) => [`GET ${path} HTTP/1.1`, host, ...more].join('\r\n')
const chunked = ['Content-Type: application/json', 'Transfer-Encoding: chunked']

/** What is sent, and the status and code of the problem that must come back. */
const cases: readonly (readonly [what: string, bytes: string, status: number, code: string])[] = [
  ['no Host', 'GET / HTTP/1.1\r\n\r\n', 400, 'COORD_REQUEST_MALFORMED'],
  ['no HTTP', 'hello\r\n\r\n', 400, 'COORD_REQUEST_MALFORMED'],
  ['an unknown expectation', `${get('/', 'Expect: a miracle')}\r\n\r\n`, 417, 'COORD_EXPECTATION_UNKNOWN'],
  ['CONNECT', `CONNECT localhost:443 HTTP/1.1\r\n${host}\r\n\r\n`, 405, 'COORD_METHOD_NOT_ALLOWED'],
  [
    'an upgrade to what is not there',
    `${get('/nope', 'Connection: Upgrade', 'Upgrade: websocket')}\r\n\r\n`,
    404,
    'COORD_ROUTE_NOT_FOUND',
  ],
  [
    'a head of 20 KiB',
    `${get('/', `X-Large: ${'x'.repeat(20_000)}`)}\r\n\r\n`,
    431,
    'COORD_HEADERS_TOO_LARGE',
  ],
  ['a head without an end', `${get('/')}\r\n`, 408, 'COORD_REQUEST_TIMEOUT'],
  [
    'a body without an end',
    `POST /register HTTP/1.1\r\n${host}\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{`,
    408,
    'COORD_REQUEST_TIMEOUT',
  ],
  [
    'a broken chunk',
    ['POST /register HTTP/1.1', host, ...chunked, '', 'zz', ''].join('\r\n'),
    400,
    'COORD_REQUEST_MALFORMED',
  ],
  [
    'large extensions of a chunk',
    ['POST /register HTTP/1.1', host, ...chunked, '', `1;${'x'.repeat(20_000)}`, 'a', ''].join('\r\n'),
    413,
    'COORD_BODY_TOO_LARGE',
  ],
  ['an unknown path', `${get('/nope')}\r\n\r\n`, 404, 'COORD_ROUTE_NOT_FOUND'],
  ['a malformed path', `${get('/%zz')}\r\n\r\n`, 400, 'COORD_URL_MALFORMED'],
  ['another name', 'GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n', 421, 'COORD_HOST_NOT_ALLOWED'],
  ['another origin', `DELETE / HTTP/1.1\r\n${host}\r\nOrigin: null\r\n\r\n`, 403, 'COORD_ORIGIN_NOT_ALLOWED'],
]

function exchange(port: number, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    let answer = ''
    socket.on('data', (chunk: Buffer) => {
      answer += chunk
      const [head = '', body = ''] = answer.split('\r\n\r\n', 2)
      const length = Number(/^Content-Length: (\d+)/im.exec(head)?.[1] ?? Number.NaN)
      if (Buffer.byteLength(body) >= length) socket.destroy()
    })
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(answer))
  })
}

describe('an error', () => {
  it.each(cases)('is answered with a problem document: %s', (_, bytes, status, code) =>
    withServer(
      async ({ port }) => {
        const [head = '', body = ''] = (await exchange(port, bytes)).split('\r\n\r\n', 2)
        expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
        expect(head).toMatch(/^Content-Type: application\/problem\+json; charset=utf-8/m)
        expect(head).toMatch(/^X-Content-Type-Options: nosniff/m)
        const problem = JSON.parse(body)
        expect(problem).toMatchObject({ status, code, success: false })
        expect(Object.keys(ERRORS)).toContain(code)
      },
      { requestTimeoutMs: 300 },
    ),
  )
})

describe('every answer', () => {
  it('keeps browsers from taking it for something else than it says', () =>
    withServer(async (scope) => {
      const id = await register(scope, cart)
      const { ask, server, raw } = scope
      const etag = (await ask(`/services/${id}`)).headers.get('etag') ?? ''
      const gets = server.routes.filter(({ method }) => method === 'GET').map(({ pattern }) => pattern)
      expect(gets.length).toBeGreaterThan(20)
      const heads: string[] = []
      for (const pattern of gets) {
        const path = pattern.replace(':serviceId', id).replace(':id', 'service:cart').replace(':code', 'x')
        for (const headers of [{}, { accept: 'application/x-ndjson' }, { 'if-none-match': etag }])
          for (const method of ['GET', 'HEAD']) {
            const answer = await ask(path, { method, headers })
            heads.push(`${method} ${path} ${answer.status} ${answer.headers.get('x-content-type-options')}`)
          }
      }
      const stream = await raw(`${get('/changes', 'Accept: text/event-stream')}\r\n\r\n`)
      heads.push(`stream 200 ${/X-Content-Type-Options: (\w+)/.exec(stream)?.[1]}`)
      expect(heads.filter((head) => !head.endsWith(' nosniff'))).toEqual([])
      expect(heads.filter((head) => / 304 /.test(head)).length).toBeGreaterThan(0)
    }))
})
