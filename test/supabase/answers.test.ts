import { describe, expect, it } from 'vitest'
import type { CommitResult } from '../../src/database/store.ts'
import { SupabaseStore } from '../../src/database/supabase/store.ts'
import { CoordinatorError } from '../../src/errors.ts'
import type { Commit } from '../../src/records/record.ts'
import { commitOf, newCall, put, tokenOf } from '../conformance/build.ts'
import { sendInHalves } from '../conformance/caller.ts'
import { DataApiStub, emptyHead } from '../support/data-api-stub.ts'
import { targetOf } from '../support/supabase.ts'
import { answers, page, problem } from './answer-cases.ts'

const position = { lineage: emptyHead.lineage, revision: 0, digest: emptyHead.digest }

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

/** The answer of a database that accepts every commit of a batch. */
function acceptedAll(batch: readonly unknown[]): string {
  const results = batch.map((_, index) => [index + 1, 'd', [0]])
  return JSON.stringify({ status: 'ok', at: 1, results, entries: [], more: true })
}

async function resultsOf(store: SupabaseStore, batch: readonly Commit[]): Promise<readonly CommitResult[]> {
  const reply = await store.commit(position, batch, newCall())
  if (reply.status !== 'ok') throw new Error(reply.status)
  return reply.results
}

describe('supabase: answers', () => {
  it.each(answers)('tells what a commit got: %s', (_, reply, expected) =>
    withStub(async (stub, store) => {
      stub.reply = () => reply
      const error = await thrownBy(store.commit(position, [commitOf(put('a'))], newCall()))
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

  it.each(answers)('tells the same of a token, whose hash it never repeats: %s', (_, reply, expected) =>
    withStub(async (stub, store) => {
      const { access } = store
      stub.reply = () => reply
      const changes = [
        () => access.put(tokenOf('ci')),
        () => access.revoke(tokenOf('ci').id, 'token:admin'),
        () => access.require(),
      ]
      for (const change of changes) {
        const error = await thrownBy(change())
        expect(error).toMatchObject(expected)
        expect(JSON.stringify(error)).not.toContain(tokenOf('ci').secretHash)
      }
      const [read, other] = [await thrownBy(access.load()), await thrownBy(store.changes(position, 10))]
      expect([read.code, read.outcome]).toEqual([other.code, undefined])
    }),
  )

  it.each([
    ['no token', '{"status":"ok"}'],
    ['a token without a hash', '{"status":"ok","token":{"id":"a","name":"b","scopes":[]}}'],
    ['scopes that are no texts', '{"status":"ok","token":{"id":"a","name":"b","scopes":[1]}}'],
    ['nothing', 'null'],
  ])('does not know what became of a token where the answer has %s', (_, body) =>
    withStub(async (stub, { access }) => {
      stub.reply = () => ({ body })
      expect(await thrownBy(access.put(tokenOf('ci')))).toMatchObject({
        code: 'COORD_STORE_REPLY',
        outcome: 'unknown',
      })
      expect(await thrownBy(access.load())).toMatchObject({ code: 'COORD_STORE_REPLY', outcome: undefined })
    }),
  )

  it('does not know what became of a commit whose result is missing', () =>
    withStub(async (stub, store) => {
      stub.reply = () => ({ body: '{"status":"ok","results":[],"entries":[],"more":false}' })
      expect(await thrownBy(store.commit(position, [commitOf(put('a'))], newCall()))).toMatchObject({
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

  it('refuses a batch for its content as a whole, so that halves find the commit', () =>
    withStub(async (stub, store) => {
      stub.reply = ({ body }) => {
        const { batch } = JSON.parse((JSON.parse(body) as { p: string }).p) as {
          batch: { writes: { id: string }[] }[]
        }
        if (batch.some(({ writes }) => writes[0]?.id === 'poison')) return problem(400, '22P02')
        return { body: acceptedAll(batch) }
      }
      const batch = [commitOf(put('a')), commitOf(put('poison')), commitOf(put('b'))]
      expect(await sendInHalves(batch, (part) => resultsOf(store, part))).toMatchObject([
        { outcome: 'accepted' },
        { outcome: 'refused', error: { code: 'COORD_COMMIT_REFUSED', sourceCode: '22P02' } },
        { outcome: 'accepted' },
      ])
    }))

  it('refuses a batch that is too large for a gateway as a whole, so that halves get through', () =>
    withStub(async (stub, store) => {
      stub.reply = ({ body }) => {
        const { batch } = JSON.parse((JSON.parse(body) as { p: string }).p) as { batch: unknown[] }
        if (batch.length > 2) return page(413)
        return { body: acceptedAll(batch) }
      }
      const batch = ['a', 'b', 'c', 'd', 'e'].map((id) => commitOf(put(id)))
      const results = await sendInHalves(batch, (part) => resultsOf(store, part))
      expect(results.map(({ outcome }) => outcome)).toEqual(Array(5).fill('accepted'))
    }))

  it('says that a key may have expired, with the codes of PostgREST 12 and 14, and names the variable that it is in', () =>
    withStub(async (stub, store) => {
      const details: string[] = []
      for (const code of ['PGRST301', 'PGRST303']) {
        stub.reply = () => problem(401, code)
        const { detail, hint } = await thrownBy(store.head())
        expect(hint).toContain('SUPABASE_SERVICE_ROLE_KEY')
        details.push(detail)
      }
      expect(details[0]).toContain('it may be unknown, or have expired')
      expect(details[1]).toContain('a clock is wrong')
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

  const pauses: readonly (readonly [string, () => string, number | undefined])[] = [
    ['a number', () => '7', 7],
    ['a day', () => '86400', 3_600],
    ['a date', () => new Date(Date.now() + 30_000).toUTCString(), 30],
    ['nothing, as PostgREST says of faults that take longer', () => '0', undefined],
    ['over', () => new Date(Date.now() - 30_000).toUTCString(), undefined],
    ['a word', () => 'soon', undefined],
  ]
  it.each(pauses)('hands on a Retry-After that is %s', (_what, header, seconds) =>
    withStub(async (stub, store) => {
      stub.reply = () => problem(503, 'PGRST000', { 'retry-after': header() })
      const error = await thrownBy(store.head())
      if (seconds === undefined) expect(error.retryAfterSeconds).toBeUndefined()
      else expect(Math.abs((error.retryAfterSeconds ?? 0) - seconds)).toBeLessThanOrEqual(1)
    }),
  )

  it('does not ask again during the pause that 429 wants', () =>
    withStub(async (stub, store) => {
      stub.reply = () => ({ status: 429, headers: { 'retry-after': '30' }, body: '{}' })
      await thrownBy(store.head())
      stub.reply = () => ({})
      expect(await thrownBy(store.head())).toMatchObject({ code: 'COORD_STORE_RATE_LIMITED' })
      expect(stub.requests).toHaveLength(1)
    }))

  it('keeps a pause of its own where 429 wants none', () =>
    withStub(async (stub, store) => {
      stub.reply = () => ({ status: 429, headers: { 'retry-after': '0' }, body: '{}' })
      await thrownBy(store.head())
      expect(await thrownBy(store.head())).toMatchObject({ code: 'COORD_STORE_RATE_LIMITED' })
      expect(stub.requests).toHaveLength(1)
    }))

  it('asks again after the pause that 429 wants', () =>
    withStub(async (stub, store) => {
      stub.reply = () => ({ status: 429, headers: { 'retry-after': '1' }, body: '{}' })
      await thrownBy(store.head())
      const refusedAt = performance.now()
      stub.reply = () => ({})
      const asked = async () =>
        await store.head().then(
          () => true,
          () => false,
        )
      await expect.poll(asked).toBe(true)
      expect(performance.now() - refusedAt).toBeGreaterThan(900)
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
      expect(await thrownBy(store.commit(position, [commitOf(put('a'))], newCall()))).toMatchObject({
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
