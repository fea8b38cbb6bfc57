import { connect } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ERRORS } from '../../src/errors.ts'
import { cart, register, type ServerScope, withServer } from './with-server.ts'

const runs = Number(process.env['FUZZ_RUNS'] ?? 3_000)

const methods = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'TRACE',
  'PROPFIND',
  'QUERY',
  'M-SEARCH',
] as const

/** Texts that have broken parsers before. */
const hostile = fc.constantFrom(
  ...[
    '',
    ' ',
    '.',
    '..',
    '/',
    '//',
    '%',
    '%00',
    '%zz',
    '%2f',
    '%ff',
    '\0',
    '\ud800',
    '\ufeff',
    "'",
    '"',
    '\\',
  ],
  ...[
    '__proto__',
    'constructor',
    'toString',
    'null',
    'undefined',
    'NaN',
    '-1',
    '0',
    '1e309',
    '9007199254740993',
  ],
  ...[
    '*',
    '"',
    '"a"',
    'W/"x"',
    '<script>',
    '\u202e',
    '😀',
    'x'.repeat(3_000),
    '2026-01-01T00:00:00Z',
    '^1',
    '>=1 <',
  ],
)
const word = fc.oneof(hostile, fc.string({ unit: 'binary', maxLength: 12 }), fc.nat().map(String))

const segment = fc.oneof(
  fc.constantFrom(
    'register',
    'batch',
    'migration',
    'services',
    'registry',
    'history',
    'heartbeat',
    'snapshot',
    'health',
  ),
  fc.constantFrom('live', 'ready', 'metrics', 'database', 'openapi.json', 'docs', 'errors', ':id', ':gone'),
  word.map((text) => encodeURIComponent(text.toWellFormed())),
  hostile,
)
const path = fc.oneof(
  fc.constantFrom(
    '/register',
    '/register/batch',
    '/register/:id/migration',
    '/services',
    '/services/:id',
    '/services/:gone',
  ),
  fc.constantFrom(
    '/services/:id/history',
    '/services/:id/heartbeat',
    '/registry',
    '/snapshot',
    '/health/ready',
    '/database',
  ),
  fc.array(segment, { maxLength: 4 }).map((parts) => `/${parts.join('/')}`),
)

const parameter = fc.constantFrom(
  ...[
    'name',
    'version',
    'tag',
    'status',
    'health',
    'capability',
    'metadata.a',
    'metadata.',
    'limit',
    'cursor',
  ],
  ...['fields', 'minRevision', 'consistency', 'asOf', 'before', 'for', '__proto__', 'constructor', ''],
)
const value = fc.oneof(
  word,
  fc.constantFrom('1', '2', 'latest', 'active', 'up', 'writes', 'serviceName,id', '1000'),
)
const query = fc
  .array(fc.tuple(parameter, value, fc.boolean()), { maxLength: 3 })
  .map((pairs) =>
    pairs.map(([key, text, escaped]) => `${key}=${escaped ? encodeURIComponent(text.toWellFormed()) : text}`),
  )
  .map((pairs) => (pairs.length === 0 ? '' : `?${pairs.join('&')}`))

const header = fc.tuple(
  fc.constantFrom(
    ...[
      'If-Match',
      'If-None-Match',
      'Idempotency-Key',
      'X-Coordinator-Actor',
      'X-Coordinator-Lineage',
      'X-Request-Id',
    ],
    ...[
      'Accept',
      'Accept-Encoding',
      'Content-Type',
      'Expect',
      'Range',
      'Origin',
      'Connection',
      'Upgrade',
      'Cookie',
    ],
  ),
  fc.oneof(
    word,
    fc.constantFrom(
      'application/x-ndjson',
      'application/json',
      'text/html',
      '*',
      ':lineage',
      ':etag',
      '100-continue',
      'websocket',
    ),
  ),
)

/** Registrations as they should be, as they nearly should be, and not at all. */
const nearly = fc.record(
  {
    serviceName: fc.oneof(word, fc.constant('cart')),
    version: fc.oneof(fc.constant('1.0.0'), word),
    endpoint: fc.oneof(
      fc.constantFrom('http://cart:7070', 'http://[::1', 'javascript:x', 'http://a:b@c'),
      fc.webUrl(),
      word,
    ),
    tags: fc.oneof(fc.array(word, { maxLength: 3 }), fc.jsonValue()),
    dependencies: fc.oneof(
      fc.array(fc.oneof(word, fc.record({ serviceName: word, version: word })), { maxLength: 3 }),
      fc.jsonValue(),
    ),
    metadata: fc.oneof(fc.dictionary(word, fc.jsonValue(), { maxKeys: 3 }), fc.jsonValue()),
    ttlSeconds: fc.oneof(fc.integer(), fc.double(), word),
    instanceId: word,
    migrationFile: fc.oneof(fc.object({ maxDepth: 3 }), fc.jsonValue()),
    status: fc.constantFrom('up', 'down', 'x'),
    services: fc.jsonValue(),
  },
  { requiredKeys: [] },
)
const body = fc.oneof(
  nearly.map((value) => JSON.stringify(value)),
  fc.array(nearly, { maxLength: 3 }).map((value) => JSON.stringify(value)),
  fc.json(),
  word,
  fc.constantFrom(
    '',
    '{',
    '[',
    'null',
    '[]',
    '{}',
    '['.repeat(5_000),
    '{"a":'.repeat(5_000),
    '{"__proto__":{}}',
  ),
)

const request = fc.record({
  method: fc.constantFrom(...methods),
  path,
  query,
  headers: fc.array(header, { maxLength: 3 }),
  body: fc.option(body, { nil: undefined }),
})

/** What stands for something that only the running server knows. */
function filled(text: string, names: Readonly<Record<string, string>>): string {
  return Object.entries(names).reduce((filled, [name, known]) => filled.replaceAll(`:${name}`, known), text)
}

/** Everything goes through one connection as bytes: clients of our own would refuse to send most of it. */
function bytesOf({
  method,
  path,
  query,
  headers,
  body,
}: typeof request extends fc.Arbitrary<infer T> ? T : never) {
  // Line ends and blanks would end the line that they are in; what that does is another test's concern.
  const inLine = (text: string) => text.replaceAll(/[\r\n ]/g, '')
  const sent = headers.map(([name, text]) => `${name}: ${text.replaceAll(/[\r\n\0]/g, '')}\r\n`).join('')
  const type = body === undefined || /content-type/i.test(sent) ? '' : 'Content-Type: application/json\r\n'
  const length = body === undefined ? '' : `Content-Length: ${Buffer.byteLength(body)}\r\n`
  return Buffer.from(
    `${method} ${inLine(path)}${inLine(query)} HTTP/1.1\r\nHost: x\r\n${type}${length}${sent}Connection: close\r\n\r\n${body ?? ''}`,
  )
}

/** @param ends whether the client says that it will send no more */
function exchange(port: number, bytes: Buffer, ends = false): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const socket = connect(port, '127.0.0.1')
  let received = ''
  socket.setTimeout(10_000, () => reject(new Error(`no answer to ${bytes.subarray(0, 500)}`)))
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1')
  })
  socket.on('error', () => undefined)
  socket.on('close', () => {
    socket.setTimeout(0)
    resolve(received)
  })
  if (ends) socket.end(bytes)
  else socket.write(bytes)
  return promise
}

interface Part {
  readonly status: number
  readonly head: string
  readonly body: string
}

/** The answers that came over one connection, in order. A chunked one can only be the last. */
function partsOf(received: string, method: string): Part[] {
  const parts: Part[] = []
  for (let rest = received; rest !== ''; ) {
    const end = rest.indexOf('\r\n\r\n') + 4
    const head = rest.slice(0, end)
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1])
    expect([status > 0, end > 3, head.slice(0, 40)]).toEqual([true, true, head.slice(0, 40)])
    const bodiless = status < 200 || status === 304 || (method === 'HEAD' && head.includes('X-Request-Id'))
    const length = bodiless ? 0 : Number(/\r\nContent-Length: (\d+)/i.exec(head)?.[1] ?? rest.length)
    const body = rest.slice(end, end + length)
    parts.push({ status, head, body: Buffer.from(body, 'latin1').toString() })
    rest = rest.slice(end + length)
  }
  return parts
}

/** What must hold for every answer, whatever was asked. */
function check(received: string, method: string): void {
  expect(received).not.toMatch(/node:internal|node_modules|\.ts:\d+|Error:/)
  for (const { status, head, body } of partsOf(received, method)) {
    // Waiting for a revision that does not come is the one thing that may take too long.
    if (status !== 504) expect(status).toBeLessThan(500)
    // Node itself refuses what has no Host, and unknown expectations: without a body.
    const ownWords = ((status === 400 && body === '') || status === 417) && !head.includes('application/')
    if (status < 400 || method === 'HEAD' || ownWords) continue
    expect(head).toMatch(/\r\nContent-Type: application\/problem\+json; charset=utf-8\r\n/)
    const problem = JSON.parse(body)
    expect(Object.keys(ERRORS)).toContain(problem.code)
    expect(problem).toMatchObject({ status, success: false, hint: expect.stringMatching(/./) })
  }
}

async function namesOf(scope: ServerScope): Promise<Record<string, string>> {
  const gone = await register(scope, { ...cart, serviceName: 'gone' })
  await scope.ask(`/services/${gone}`, { method: 'DELETE' })
  const id = await register(scope, { ...cart, serviceName: 'known' })
  const etag = (await scope.ask(`/services/${id}`)).headers.get('etag') ?? ''
  return { id, gone, etag, lineage: scope.live.view.lineage }
}

describe('http: whatever is sent', () => {
  it('is answered without a fault of ours, a stack, or an end of the process', { timeout: 300_000 }, () =>
    withServer(
      async (scope) => {
        const names = await namesOf(scope)
        await fc.assert(
          fc.asyncProperty(request, async (sent) => {
            const bytes = bytesOf({
              ...sent,
              path: filled(sent.path, names),
              headers: sent.headers.map(([name, text]) => [name, filled(text, names)]),
            })
            const answer = await exchange(scope.port, bytes)
            expect(answer).not.toBe('')
            check(answer, sent.method)
          }),
          { numRuns: runs },
        )
        expect((await scope.ask('/health')).body.status).toBe('ok')
        expect(scope.log.filter((line) => /"level":"(error|fatal)"/.test(line))).toEqual([])
        // What was stored can be read, by every way.
        const { total } = (await scope.ask('/services?limit=1')).body
        const lines = await scope.ask('/services', { headers: { accept: 'application/x-ndjson' } })
        expect(lines.text.split('\n').length - 1).toBe(total)
      },
      { options: { revisionTimeoutMs: 20 } },
    ),
  )

  it('is answered, or the connection ended, also where it is no HTTP', { timeout: 120_000 }, () =>
    withServer(async (scope) => {
      const noise = fc.oneof(
        fc.uint8Array({ minLength: 1, maxLength: 200 }),
        fc
          .string({ unit: 'binary', minLength: 1 })
          .map((text) => Buffer.from(`GET /${text} HTTP/1.1\r\n${text}\r\n\r\n`)),
        fc
          .string({ minLength: 1 })
          .map((text) =>
            Buffer.from(
              `POST /register HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${text}\r\n`,
            ),
          ),
      )
      await fc.assert(
        fc.asyncProperty(noise, async (bytes) => {
          // The end of the head makes sure that it is not taken for the beginning of one.
          const answer = await exchange(
            scope.port,
            Buffer.concat([bytes, Buffer.from('\r\n\r\n0\r\n\r\nx\r\n\r\n')]),
            true,
          )
          check(answer, 'GET')
        }),
        { numRuns: runs / 5 },
      )
      expect((await scope.ask('/health')).body.status).toBe('ok')
      expect(scope.log.filter((line) => /"level":"(error|fatal)"/.test(line))).toEqual([])
    }),
  )
})
