import fc from 'fast-check'

/** A request to be sent as bytes. `:id`, `:gone`, `:lineage`, `:etag` stand for what only the running server knows. */
export interface HostileRequest {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly headers: readonly (readonly [string, string])[]
  readonly body: string | undefined
}

const anyOf = (words: string) => fc.constantFrom(...words.split(' '))

/** Texts that have broken parsers before. */
const hostile = fc.oneof(
  anyOf(
    '. .. / // % %00 %zz %2f %ff \0 \ud800 \ufeff \' " \\ * "a" W/"x" <script> \u202e 😀 ^1 || -1 0 1e309',
  ),
  anyOf('__proto__ constructor toString null undefined NaN 9007199254740993 2026-01-01T00:00:00Z'),
  fc.constantFrom('', ' ', '>=1 <', 'x'.repeat(3_000)),
)
const word = fc.oneof(hostile, fc.string({ unit: 'binary', maxLength: 12 }), fc.nat().map(String))

const segment = fc.oneof(
  anyOf('register batch migration services registry history heartbeat snapshot health live ready metrics'),
  anyOf('database openapi.json docs errors knowledge-graph graph nodes edges impact changes :id :gone :node'),
  word.map((text) => encodeURIComponent(text.toWellFormed())),
  hostile,
)
const path = fc.oneof(
  anyOf(
    '/register /register/batch /register/:id/migration /services /services/:id /services/:gone /registry',
  ),
  anyOf('/services/:id/history /services/:id/heartbeat /snapshot /health/ready /database /changes'),
  anyOf('neighbors dependencies impact paths cycles critical unresolved orphans diff simulate rebuild').map(
    (question) => `/knowledge-graph/${question}`,
  ),
  anyOf(
    '/knowledge-graph /graph /knowledge-graph/nodes/:node /knowledge-graph/edges/:node /knowledge-graph/nodes/x',
  ),
  fc.array(segment, { maxLength: 4 }).map((parts) => `/${parts.join('/')}`),
)

const parameter = fc.oneof(
  anyOf('name version tag status health capability metadata.a metadata. limit cursor fields minRevision for'),
  anyOf(
    'consistency asOf before of from to depth type direction format around after dryRun __proto__ constructor',
  ),
  fc.constant(''),
)
const value = fc.oneof(
  word,
  anyOf(
    '1 2 latest active up writes serviceName,id 1000 service:known service:gone :node dot mermaid graphml in out true',
  ),
)
const query = fc
  .array(fc.tuple(parameter, value, fc.boolean()), { maxLength: 3 })
  .map((pairs) =>
    pairs.map(([key, text, escaped]) => `${key}=${escaped ? encodeURIComponent(text.toWellFormed()) : text}`),
  )
  .map((pairs) => (pairs.length === 0 ? '' : `?${pairs.join('&')}`))

const header = fc.tuple(
  anyOf(
    'If-Match If-None-Match Idempotency-Key X-Coordinator-Actor X-Coordinator-Lineage X-Request-Id Accept Accept-Encoding Content-Type Expect Range Origin Connection Upgrade Cookie Last-Event-ID',
  ),
  fc.oneof(
    word,
    anyOf('application/x-ndjson application/json text/html * :lineage :etag 100-continue websocket'),
  ),
)

/** Bodies as they should be, as they nearly should be, and not at all. */
const nearly = fc.record(
  {
    serviceName: fc.oneof(word, fc.constant('cart')),
    version: fc.oneof(fc.constant('1.0.0'), word),
    endpoint: fc.oneof(anyOf('http://cart:7070 http://[::1 javascript:x http://a:b@c'), fc.webUrl(), word),
    tags: fc.oneof(fc.array(word, { maxLength: 3 }), fc.jsonValue()),
    dependencies: fc.oneof(
      fc.array(fc.oneof(word, fc.record({ serviceName: word, version: word })), { maxLength: 3 }),
      fc.jsonValue(),
    ),
    metadata: fc.oneof(fc.dictionary(word, fc.jsonValue(), { maxKeys: 3 }), fc.jsonValue()),
    ttlSeconds: fc.oneof(fc.integer(), fc.double(), word),
    instanceId: word,
    migrationFile: fc.oneof(fc.object({ maxDepth: 3 }), fc.jsonValue()),
    status: anyOf('up down x'),
    services: fc.jsonValue(),
    // What the graph takes.
    type: word,
    source: fc.oneof(word, fc.constant(':node')),
    target: fc.oneof(word, fc.constant(':node')),
    properties: fc.jsonValue(),
    register: fc.jsonValue(),
    remove: fc.oneof(fc.array(word, { maxLength: 2 }), fc.jsonValue()),
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

export const hostileRequest: fc.Arbitrary<HostileRequest> = fc.record({
  method: anyOf('GET HEAD POST PUT PATCH DELETE OPTIONS TRACE PROPFIND QUERY M-SEARCH'),
  path,
  query,
  headers: fc.array(header, { maxLength: 3 }),
  body: fc.option(body, { nil: undefined }),
})

/** Everything goes as bytes: clients of our own would refuse to send most of it. */
export function bytesOf(request: HostileRequest, names: Readonly<Record<string, string>>): Buffer {
  const { method, path, query, headers, body } = request
  // Line ends and blanks would end the line that they are in; what that does is another test's concern.
  const inLine = (text: string) => filled(text, names).replaceAll(/[\r\n ]/g, '')
  const inHeader = (text: string) => filled(text, names).replaceAll(/[\r\n\0]/g, '')
  const sent = headers.map(([name, text]) => `${name}: ${inHeader(text)}\r\n`).join('')
  const type = body === undefined || /content-type/i.test(sent) ? '' : 'Content-Type: application/json\r\n'
  const length = body === undefined ? '' : `Content-Length: ${Buffer.byteLength(body)}\r\n`
  return Buffer.from(
    `${method} ${inLine(path)}${inLine(query)} HTTP/1.1\r\nHost: x\r\n${type}${length}${sent}Connection: close\r\n\r\n${body ?? ''}`,
  )
}

function filled(text: string, names: Readonly<Record<string, string>>): string {
  return Object.entries(names).reduce((rest, [name, known]) => rest.replaceAll(`:${name}`, known), text)
}

/** Bytes that are no request, or the beginning of one. */
export const noise: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 200 }),
  fc
    .string({ unit: 'binary', minLength: 1 })
    .map((text) => Buffer.from(`GET /${text} HTTP/1.1\r\n${text}\r\n\r\n`)),
  fc
    .string({ minLength: 1 })
    .map((text) =>
      Buffer.from(`POST /register HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${text}\r\n`),
    ),
)
