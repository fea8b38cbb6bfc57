import { describe, expect, it } from 'vitest'
import { SupabaseStore } from '../../src/database/supabase/store.ts'
import { CoordinatorError } from '../../src/errors.ts'
import { commitOf, put } from '../conformance/build.ts'
import { DataApiStub, emptyHead, type StubReply } from '../support/data-api-stub.ts'
import { targetOf } from '../support/supabase.ts'

const html = { 'content-type': 'text/html; charset=UTF-8' }
const position = { lineage: emptyHead.lineage, revision: 0, digest: emptyHead.digest }

function problem(status: number, code: string, headers: Record<string, string> = {}): StubReply {
  return { status, headers, body: JSON.stringify({ code, message: 'm', details: null, hint: null }) }
}

function page(status: number): StubReply {
  return { status, headers: html, body: '<html><body>error</body></html>' }
}

interface Expected {
  readonly code: string
  readonly outcome: 'not_written' | 'unknown'
  readonly retryable: boolean
  readonly sourceCode?: string
}

const passing = { retryable: true, outcome: 'not_written' } as const
const passingUnknown = { retryable: true, outcome: 'unknown' } as const
const definite = { retryable: false, outcome: 'not_written' } as const

/** For each answer what a commit makes of it. */
const answers: readonly (readonly [name: string, reply: StubReply, expected: Expected])[] = [
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
  ['403 as a page: a firewall', page(403), { code: 'COORD_STORE_GATEWAY', ...passing }],
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
  ['404 as a page', page(404), { code: 'COORD_STORE_GATEWAY', ...passing }],
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
    { code: 'COORD_STORE_GATEWAY', ...passing },
  ],
  [
    '307 to elsewhere',
    { status: 307, headers: { location: 'https://example.com/' }, body: '' },
    { code: 'COORD_STORE_GATEWAY', ...passing },
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

async function thrownBy(call: Promise<unknown>): Promise<CoordinatorError> {
  const thrown = await call.then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(thrown).toBeInstanceOf(CoordinatorError)
  return thrown as CoordinatorError
}

async function withStub(
  body: (stub: DataApiStub, store: SupabaseStore) => Promise<void>,
  access: 'service' | 'anon' = 'service',
): Promise<void> {
  await using stub = await DataApiStub.start()
  const key = access === 'service' ? 'sb_secret_x' : 'sb_publishable_x'
  const store = new SupabaseStore({ target: targetOf({ url: stub.url, key, access }), refusalPauseMs: 5 })
  try {
    await body(stub, store)
  } finally {
    await store.close()
  }
}

describe('supabase: answers', () => {
  it.each(answers)('tells what a commit got: %s', (_, reply, expected) =>
    withStub(async (stub, store) => {
      stub.reply = () => reply
      const error = await thrownBy(store.commit(position, [commitOf(put('a'))]))
      expect(error).toMatchObject(expected)
      expect(error.retryable).toBe(expected.retryable)
      expect(error.hint).not.toBe('')
      // One attempt: only the live layer tries again.
      expect(stub.requests).toHaveLength(1)
    }),
  )

  it.each(answers)('tells the same to a read, which has no outcome: %s', (_, reply, expected) =>
    withStub(async (stub, store) => {
      stub.reply = () => reply
      const error = await thrownBy(store.changes(position, 10))
      expect(error.code).toBe(expected.code)
      expect(error.outcome).toBeUndefined()
      expect(stub.requests).toHaveLength(1)
    }),
  )

  it('does not know what became of a commit whose result is missing', () =>
    withStub(async (stub, store) => {
      stub.reply = () => ({ body: '{"status":"ok","results":[],"entries":[],"more":false}' })
      expect(await thrownBy(store.commit(position, [commitOf(put('a'))]))).toMatchObject({
        code: 'COORD_STORE_REPLY',
        outcome: 'unknown',
      })
    }))

  it('never repeats the text of an answer: it may hold what was sent', () =>
    withStub(async (stub, store) => {
      for (const [, reply] of answers) {
        stub.reply = () => ({
          ...reply,
          body: (reply.body ?? '').replace('"m"', '"CANARY"').replace('error', 'CANARY'),
        })
        const error = await thrownBy(store.head())
        expect(`${error.detail} ${error.hint} ${JSON.stringify(error.extra)} ${error.stack}`).not.toContain(
          'CANARY',
        )
        expect(error.cause).toBeUndefined()
      }
    }))

  it('takes a refusal for its content as one of the single commit, and finds it by halves', () =>
    withStub(async (stub, store) => {
      const accepted = {
        outcome: 'accepted',
        revision: 1,
        at: 1,
        digest: 'd',
        previous: [0],
        replayed: false,
      }
      stub.reply = ({ body }) => {
        const { batch } = JSON.parse((JSON.parse(body) as { p: string }).p) as {
          batch: { writes: { id: string }[] }[]
        }
        if (batch.some(({ writes }) => writes[0]?.id === 'poison')) return problem(400, '22P02')
        return {
          body: JSON.stringify({ status: 'ok', results: batch.map(() => accepted), entries: [], more: true }),
        }
      }
      const reply = await store.commit(position, [
        commitOf(put('a')),
        commitOf(put('poison')),
        commitOf(put('b')),
      ])
      expect(reply).toMatchObject({
        status: 'ok',
        results: [
          { outcome: 'accepted' },
          { outcome: 'refused', error: { code: 'COORD_COMMIT_REFUSED', sourceCode: '22P02' } },
          { outcome: 'accepted' },
        ],
      })
    }))

  it('halves a batch that is too large for a gateway', () =>
    withStub(async (stub, store) => {
      const accepted = {
        outcome: 'accepted',
        revision: 1,
        at: 1,
        digest: 'd',
        previous: [0],
        replayed: false,
      }
      stub.reply = ({ body }) => {
        const { batch } = JSON.parse((JSON.parse(body) as { p: string }).p) as { batch: unknown[] }
        if (batch.length > 2) return page(413)
        return {
          body: JSON.stringify({ status: 'ok', results: batch.map(() => accepted), entries: [], more: true }),
        }
      }
      const batch = ['a', 'b', 'c', 'd', 'e'].map((id) => commitOf(put(id)))
      const reply = await store.commit(position, batch)
      expect(reply.status === 'ok' && reply.results.map(({ outcome }) => outcome)).toEqual(
        Array(5).fill('accepted'),
      )
    }))

  it('says what the public key needs where it is refused', () =>
    withStub(async (stub, store) => {
      stub.reply = () => problem(401, '42501')
      const error = await thrownBy(store.open())
      expect(error).toMatchObject({ code: 'COORD_STORE_ANON', exitCode: 78 })
      expect(error.detail).toContain('SUPABASE_ANON_KEY')
      expect(error.hint).toContain('SUPABASE_SERVICE_ROLE_KEY')
      expect(error.hint).toContain('coordinator migrate --allow-anon')
    }, 'anon'))

  it.each([
    ['7', 7],
    ['86400', 3_600],
    [new Date(Date.now() + 30_000).toUTCString(), 30],
    ['0', 1],
    ['soon', undefined],
  ])('hands on Retry-After %s', (header, seconds) =>
    withStub(async (stub, store) => {
      stub.reply = () => problem(503, 'PGRST000', { 'retry-after': header })
      const error = await thrownBy(store.head())
      if (seconds === undefined) expect(error.retryAfterSeconds).toBeUndefined()
      else expect(Math.abs((error.retryAfterSeconds ?? 0) - seconds)).toBeLessThanOrEqual(1)
    }),
  )

  it('keeps the pause that 429 asks for, without asking again', () =>
    withStub(async (stub, store) => {
      stub.reply = () => ({ status: 429, headers: { 'retry-after': '1' }, body: '{}' })
      await thrownBy(store.head())
      stub.reply = () => ({})
      expect(await thrownBy(store.head())).toMatchObject({ code: 'COORD_STORE_RATE_LIMITED' })
      expect(stub.requests).toHaveLength(1)
      await new Promise((resolve) => setTimeout(resolve, 1_050))
      expect(await store.head()).toMatchObject({ floor: 0 })
      expect(stub.requests).toHaveLength(2)
    }))
})

describe('supabase: opening', () => {
  it.each(answers.filter(([, , { retryable }]) => !retryable))(
    'meets a definite refusal three times before it counts: %s',
    (_, reply, expected) =>
      withStub(async (stub, store) => {
        stub.reply = () => reply
        const error = await thrownBy(store.open())
        expect(error).toMatchObject({ code: expected.code, exitCode: 78 })
        expect(stub.requests).toHaveLength(3)
      }),
  )

  it.each(answers.filter(([, , { retryable }]) => retryable))(
    'leaves to the caller what may pass, after one attempt: %s',
    (_, reply, expected) =>
      withStub(async (stub, store) => {
        stub.reply = () => reply
        expect((await thrownBy(store.open())).code).toBe(expected.code)
        expect(stub.requests).toHaveLength(1)
      }),
  )

  it('is not stopped by a refusal that passes', () =>
    withStub(async (stub, store) => {
      stub.reply = () => (stub.requests.length < 3 ? problem(404, 'PGRST202') : {})
      expect((await store.open()).position).toEqual(position)
    }))

  it('gives three refusals less than ten seconds', () =>
    withStub(async (stub) => {
      stub.reply = () => ({ status: 401, body: '{}' })
      const store = new SupabaseStore({
        target: targetOf({ url: stub.url, key: 'sb_secret_x', access: 'service' }),
      })
      const started = performance.now()
      await thrownBy(store.open())
      expect(performance.now() - started).toBeLessThan(10_000)
      await store.close()
    }))

  it('refuses a schema that is older than this program, with the commands that migrate it', () =>
    withStub(async (stub, store) => {
      stub.reply = () => ({ body: JSON.stringify({ ...emptyHead, schema: 1 }) })
      const error = await thrownBy(store.open())
      expect(error).toMatchObject({ code: 'COORD_SCHEMA_OLD', exitCode: 78 })
      expect(error.detail).toContain('has number 1; this program needs')
      expect(error.hint).toContain('coordinator migrate')
    }))

  it('opens a schema that is newer: whether it may be written, the schema says itself', () =>
    withStub(async (stub, store) => {
      expect((await store.open()).position).toEqual(position)
      stub.reply = () => ({ body: '{"status":"too_old","schema":1000,"oldest":900}' })
      expect(await thrownBy(store.commit(position, [commitOf(put('a'))]))).toMatchObject({
        code: 'COORD_SCHEMA_NEWER',
        outcome: 'not_written',
      })
    }))

  it('ends its pause when it is closed', () =>
    withStub(async (stub) => {
      stub.reply = () => ({ status: 401, body: '{}' })
      const store = new SupabaseStore({
        target: targetOf({ url: stub.url, key: 'sb_secret_x', access: 'service' }),
        refusalPauseMs: 60_000,
      })
      const opening = thrownBy(store.open())
      while (stub.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
      await store.close()
      expect(await opening).toBeInstanceOf(CoordinatorError)
    }))
})
