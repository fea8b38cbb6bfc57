import type { StubReply } from '../support/data-api-stub.ts'

const html = { 'content-type': 'text/html; charset=UTF-8' }

export function problem(status: number, code: string, headers: Record<string, string> = {}): StubReply {
  return { status, headers, body: JSON.stringify({ code, message: 'm', details: null, hint: null }) }
}

export function page(status: number): StubReply {
  return { status, headers: html, body: '<html><body>error</body></html>' }
}

export interface Expected {
  readonly code: string
  readonly outcome: 'not_written' | 'unknown'
  readonly retryable: boolean
  readonly sourceCode?: string
}

const passing = { retryable: true, outcome: 'not_written' } as const
const passingUnknown = { retryable: true, outcome: 'unknown' } as const
const definite = { retryable: false, outcome: 'not_written' } as const

/** What PostgREST answers where its connection breaks while it waits for the reply to a statement, or to `commit`. */
export const emptyCode: StubReply = {
  status: 400,
  body: '{"code":"","details":null,"hint":null,"message":""}',
}

/** For each answer what a commit makes of it. */
export const answers: readonly (readonly [name: string, reply: StubReply, expected: Expected])[] = [
  [
    '401 without a code: a wrong key',
    { status: 401, body: '{"message":"Invalid API key"}' },
    { code: 'COORD_STORE_AUTH', ...definite, sourceCode: 'HTTP401' },
  ],
  ['401 without a body', { status: 401, body: '' }, { code: 'COORD_STORE_AUTH', ...definite }],
  [
    '403 without a code',
    { status: 403, body: '{"message":"Forbidden use of secret API key in browser"}' },
    { code: 'COORD_STORE_AUTH', ...definite },
  ],
  ['403 as a page: a firewall', page(403), { code: 'COORD_STORE_GATEWAY', ...passingUnknown }],
  [
    '401 with 42501: the role lacks a right',
    problem(401, '42501'),
    { code: 'COORD_STORE_RIGHTS', ...definite, sourceCode: '42501' },
  ],
  ['403 with 42501', problem(403, '42501'), { code: 'COORD_STORE_RIGHTS', ...definite }],
  [
    '401 with PGRST301',
    problem(401, 'PGRST301'),
    { code: 'COORD_STORE_AUTH', ...definite, sourceCode: 'PGRST301' },
  ],
  ['401 with PGRST303: an expired key', problem(401, 'PGRST303'), { code: 'COORD_STORE_AUTH', ...definite }],
  [
    '402: quota or billing',
    { status: 402, body: '{"message":"exceed_egress_quota"}' },
    { code: 'COORD_STORE_QUOTA', ...passing },
  ],
  ['402 as a page', page(402), { code: 'COORD_STORE_QUOTA', ...passing }],
  [
    '404 PGRST202: no such function',
    problem(404, 'PGRST202'),
    { code: 'COORD_SCHEMA_OLD', ...definite, sourceCode: 'PGRST202' },
  ],
  ['404 PGRST205: no such table', problem(404, 'PGRST205'), { code: 'COORD_SCHEMA_OLD', ...definite }],
  [
    '404 42883: an inner function is missing',
    problem(404, '42883'),
    { code: 'COORD_SCHEMA_OLD', ...definite },
  ],
  [
    '404 without a code',
    { status: 404, body: '{"message":"no Route matched with those values"}' },
    { code: 'COORD_STORE_API_MISSING', ...definite },
  ],
  ['404 as a page', page(404), { code: 'COORD_STORE_GATEWAY', ...passingUnknown }],
  [
    '406 PGRST106: schema not exposed',
    problem(406, 'PGRST106'),
    { code: 'COORD_STORE_API_SCHEMA', ...definite },
  ],
  ['406 without a code', { status: 406, body: '{}' }, { code: 'COORD_STORE_API_SCHEMA', ...definite }],
  ['408', { status: 408, body: '' }, { code: 'COORD_STORE_TIMEOUT', ...passingUnknown }],
  ['429', { status: 429, body: '{}' }, { code: 'COORD_STORE_RATE_LIMITED', ...passing }],
  [
    '500 with a SQLSTATE of a time-out',
    problem(500, '57014'),
    { code: 'COORD_STORE_TIMEOUT', ...passing, sourceCode: '57014' },
  ],
  [
    '500 with a lock time-out',
    problem(500, '55P03'),
    { code: 'COORD_STORE_BUSY', ...passing, sourceCode: '55P03' },
  ],
  ['500 with 55K03: the mode', problem(500, '55K03'), { code: 'COORD_STORE_FROZEN', ...passing }],
  ['409 with 40001', problem(409, '40001'), { code: 'COORD_STORE_BUSY', ...passing }],
  [
    '405 with 25006: a standby',
    problem(405, '25006'),
    { code: 'COORD_STORE_STANDBY', ...passingUnknown, sourceCode: '25006' },
  ],
  [
    '503 with 53300: no connection left',
    problem(503, '53300'),
    { code: 'COORD_STORE_CONNECTIONS', ...passing },
  ],
  [
    '503 with 08006: the connection broke',
    problem(503, '08006'),
    { code: 'COORD_STORE_UNAVAILABLE', ...passingUnknown },
  ],
  [
    '503 with 57P01: the server stops',
    problem(503, '57P01'),
    { code: 'COORD_STORE_UNAVAILABLE', ...passingUnknown },
  ],
  [
    '503 PGRST000',
    problem(503, 'PGRST000', { 'retry-after': '4' }),
    { code: 'COORD_STORE_API_OFFLINE', ...passing, sourceCode: 'PGRST000' },
  ],
  [
    '503 PGRST001: it may have been done',
    problem(503, 'PGRST001'),
    { code: 'COORD_STORE_API_OFFLINE', ...passingUnknown },
  ],
  ['503 PGRST002', problem(503, 'PGRST002'), { code: 'COORD_STORE_API_OFFLINE', ...passing }],
  ['504 PGRST003', problem(504, 'PGRST003'), { code: 'COORD_STORE_CONNECTIONS', ...passing }],
  [
    '400 with an empty code: the connection broke while PostgREST 12 waited for an answer',
    emptyCode,
    { code: 'COORD_STORE_API_OFFLINE', ...passingUnknown, sourceCode: 'HTTP400' },
  ],
  [
    '400 with an empty code in body and header, as of PostgREST 14',
    { ...emptyCode, headers: { 'proxy-status': 'PostgREST; error=' } },
    { code: 'COORD_STORE_API_OFFLINE', ...passingUnknown, sourceCode: 'HTTP400' },
  ],
  [
    'an empty code that stands only in the header',
    { status: 400, headers: { 'proxy-status': 'PostgREST; error=', 'content-type': 'text/plain' }, body: '' },
    { code: 'COORD_STORE_API_OFFLINE', ...passingUnknown },
  ],
  ...[400, 405, 409, 410, 415, 422, 451].flatMap((status) =>
    [
      { status, body: '{"message":"m"}' },
      { status, body: '' },
      { status, body: '{"code":17}' },
      page(status),
    ].map(
      (reply, index) =>
        [
          `${status} without a readable code, form ${index + 1}`,
          reply,
          { code: 'COORD_STORE_GATEWAY', ...passingUnknown },
        ] as const,
    ),
  ),
  [
    '400 with a code of PostgREST that is not known',
    problem(400, 'PGRST999'),
    { code: 'COORD_STORE_FAULT', ...passingUnknown },
  ],
  [
    '400 with 22023: the role of the key is unknown',
    problem(400, '22023'),
    { code: 'COORD_STORE_AUTH', ...definite },
  ],
  ['401 with 22023', problem(401, '22023'), { code: 'COORD_STORE_AUTH', ...definite }],
  [
    '404 with 42P01: no such table, as PostgREST 12 says it',
    problem(404, '42P01'),
    { code: 'COORD_SCHEMA_OLD', ...definite },
  ],
  [
    '500 with a code that means nothing',
    problem(500, 'SUP'),
    { code: 'COORD_STORE_GATEWAY', ...passingUnknown, sourceCode: 'HTTP500' },
  ],
  [
    '500 with an unforeseen SQLSTATE',
    problem(500, 'XX000'),
    { code: 'COORD_STORE_FAULT', ...passing, sourceCode: 'XX000' },
  ],
  ['502 as a page', page(502), { code: 'COORD_STORE_GATEWAY', ...passingUnknown, sourceCode: 'HTTP502' }],
  ['503 as a page', page(503), { code: 'COORD_STORE_GATEWAY', ...passingUnknown }],
  [
    '504 as JSON',
    { status: 504, body: '{"message":"upstream"}' },
    { code: 'COORD_STORE_TIMEOUT', ...passingUnknown },
  ],
  ['520 as a page', page(520), { code: 'COORD_STORE_GATEWAY', ...passingUnknown }],
  ['522 as a page', page(522), { code: 'COORD_STORE_GATEWAY', ...passingUnknown }],
  ['540: a paused project', { status: 540, body: '{}' }, { code: 'COORD_STORE_PAUSED', ...passing }],
  ['544: the project took too long', page(544), { code: 'COORD_STORE_TIMEOUT', ...passingUnknown }],
  [
    '301 to elsewhere',
    { status: 301, headers: { location: 'https://example.com/' }, body: '' },
    { code: 'COORD_STORE_GATEWAY', ...passingUnknown },
  ],
  [
    '307 to elsewhere',
    { status: 307, headers: { location: 'https://example.com/' }, body: '' },
    { code: 'COORD_STORE_GATEWAY', ...passingUnknown },
  ],
  ['200 as a page', page(200), { code: 'COORD_STORE_REPLY', ...passingUnknown }],
  [
    '200 with half of its JSON',
    { body: '{"status":"ok","results":[{"outc' },
    { code: 'COORD_STORE_REPLY', ...passingUnknown },
  ],
  ['200 without a body', { body: '' }, { code: 'COORD_STORE_REPLY', ...passingUnknown }],
  ['200 with null', { body: 'null' }, { code: 'COORD_STORE_REPLY', ...passingUnknown }],
  [
    '200 with another object',
    { body: '{"hello":"world"}' },
    { code: 'COORD_STORE_REPLY', ...passingUnknown },
  ],
  ['204', { status: 204, body: '' }, { code: 'COORD_STORE_REPLY', ...passingUnknown }],
  [
    'a code that stands only in the header',
    {
      status: 500,
      headers: { 'proxy-status': 'PostgREST; error=57014', 'content-type': 'text/plain' },
      body: '',
    },
    { code: 'COORD_STORE_TIMEOUT', ...passing, sourceCode: '57014' },
  ],
]
