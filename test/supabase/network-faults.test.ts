import { describe, expect, it } from 'vitest'
import type { SupabaseOptions } from '../../src/database/supabase/options.ts'
import { SupabaseStore } from '../../src/database/supabase/store.ts'
import { CoordinatorError } from '../../src/errors.ts'
import { commitOf, newCall, put } from '../conformance/build.ts'
import { DataApiStub, emptyHead } from '../support/data-api-stub.ts'
import { FaultProxy, httpAnswer } from '../support/fault-proxy.ts'
import { targetOf } from '../support/supabase.ts'

const position = { lineage: emptyHead.lineage, revision: 0, digest: emptyHead.digest }
/** Long enough for what is answered at once, on a busy machine too. */
const callTimeoutMs = 2_000

function storeAt(url: string, options: Partial<SupabaseOptions> = {}) {
  return new SupabaseStore({
    target: targetOf({ url, key: 'sb_secret_x', access: 'service' }),
    callTimeoutMs,
    connectTimeoutMs: 800,
    acquireTimeoutMs: 500,
    refusalPauseMs: 5,
    ...options,
  })
}

/** What a commit throws, and how long that took. */
async function failedCommit(store: SupabaseStore): Promise<{ error: CoordinatorError; ms: number }> {
  const started = performance.now()
  const thrown = await store.commit(position, [commitOf(put('a'))], newCall()).then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(thrown).toBeInstanceOf(CoordinatorError)
  // What the HTTP client threw may hold headers, and causes are logged.
  expect((thrown as CoordinatorError).cause).toBeUndefined()
  return { error: thrown as CoordinatorError, ms: performance.now() - started }
}

async function withProxy(
  body: (proxy: FaultProxy, store: SupabaseStore, stub: DataApiStub) => Promise<void>,
): Promise<void> {
  await using stub = await DataApiStub.start()
  await using proxy = await FaultProxy.start(stub.port)
  const store = storeAt(proxy.url)
  try {
    await body(proxy, store, stub)
  } finally {
    await store.close()
  }
}

describe('supabase: the network', () => {
  it('says that a name does not resolve, and that nothing was written', async () => {
    const store = storeAt('http://no-such-project.invalid')
    const { error } = await failedCommit(store)
    expect(error).toMatchObject({ code: 'COORD_STORE_DNS', outcome: 'not_written', retryable: true })
    expect(error.detail).toContain('no-such-project.invalid')
    await store.close()
  })

  it('says that a port of another protocol is wrong for good', async () => {
    const store = storeAt('http://127.0.0.1:9')
    const { error } = await failedCommit(store)
    expect(error).toMatchObject({
      code: 'COORD_STORE_API_MISSING',
      outcome: 'not_written',
      retryable: false,
      exitCode: 78,
      hint: expect.stringContaining('the port in SUPABASE_URL'),
    })
    await store.close()
  })

  it('says that connections are refused, and that nothing was written', () =>
    withProxy(async (proxy, store) => {
      await proxy.refuse()
      const { error } = await failedCommit(store)
      expect(error).toMatchObject({ code: 'COORD_STORE_REFUSED', outcome: 'not_written', retryable: true })
    }))

  it('says that encryption was answered by plain HTTP', () =>
    withProxy(async (proxy) => {
      const store = storeAt(proxy.url.replace('http:', 'https:'))
      const { error } = await failedCommit(store)
      expect(error).toMatchObject({ code: 'COORD_STORE_TLS', outcome: 'not_written', exitCode: 78 })
      expect(error.hint).toContain('SUPABASE_URL')
      await store.close()
    }))

  it.each([
    ['hangs', { do: 'hang' }],
    ['sends its body too slowly', { do: 'slow reply', bytesPerSecond: 100 }],
  ] as const)('ends at its deadline a call to a server that %s', (_, fault) =>
    withProxy(async (proxy, store) => {
      proxy.add({ fault })
      const { error, ms } = await failedCommit(store)
      expect(error).toMatchObject({ code: 'COORD_STORE_TIMEOUT', outcome: 'unknown', retryable: true })
      expect(error.hint).toContain('paused')
      expect(ms).toBeGreaterThan(callTimeoutMs - 20)
      expect(ms).toBeLessThan(10_000)
    }),
  )

  it('ends at its deadline a call whose answer begins at once and has no end', () =>
    withProxy(async (_proxy, store, stub) => {
      stub.reply = () => ({ endless: true })
      const { error, ms } = await failedCommit(store)
      expect(error).toMatchObject({ code: 'COORD_STORE_TIMEOUT', outcome: 'unknown' })
      expect(ms).toBeGreaterThan(callTimeoutMs - 20)
    }))

  it('ends at its deadline a call over a half-open connection, and goes on over another one', () =>
    withProxy(async (proxy, store) => {
      await store.head()
      proxy.freeze()
      const { error } = await failedCommit(store)
      expect(error).toMatchObject({ code: 'COORD_STORE_TIMEOUT', outcome: 'unknown' })
      proxy.heal()
      expect((await store.head()).position).toEqual(position)
    }))

  it.each([
    ['its reply is lost', { do: 'lose reply' }],
    ['its reply is cut in the headers', { do: 'cut reply', afterBytes: 40 }],
    ['its reply is cut in the body', { do: 'cut reply', afterBytes: 220 }],
    ['the connection ends before it arrives', { do: 'cut request' }],
  ] as const)('does not know what became of a commit when %s', (_, fault) =>
    withProxy(async (proxy, store, stub) => {
      proxy.add({ fault, times: 1 })
      const { error } = await failedCommit(store)
      expect(error).toMatchObject({ code: 'COORD_STORE_UNAVAILABLE', outcome: 'unknown', retryable: true })
      expect(error.repair).toContain('SUPABASE_URL')
      expect(proxy.faults).toBe(1)
      expect(stub.requests).toHaveLength(fault.do === 'cut request' ? 0 : 1)
      expect((await store.head()).position).toEqual(position)
    }),
  )

  it('does not take half of an answer for the whole', () =>
    withProxy(async (proxy, store) => {
      // A gateway that gives up may close the body in good order where no length was announced.
      const half = httpAnswer(200, '{"status":"ok","entr').replace(/content-length.*\r\n/, '')
      proxy.add({ fault: { do: 'answer', bytes: half } })
      const { error } = await failedCommit(store)
      expect(error).toMatchObject({ code: 'COORD_STORE_REPLY', outcome: 'unknown', retryable: true })
    }))

  it('lets one write through at a time, and those who wait too long go', () =>
    withProxy(async (proxy, store) => {
      proxy.add({ fault: { do: 'hang' } })
      const first = failedCommit(store)
      const { error } = await failedCommit(store)
      expect(error).toMatchObject({ code: 'COORD_STORE_TIMEOUT', outcome: 'not_written' })
      expect(error.detail).toContain('None of 1 connections')
      expect(store.pool().writer).toMatchObject({ used: 1, waiting: 0, max: 1 })
      expect((await first).error.outcome).toBe('unknown')
      expect(store.pool().writer).toMatchObject({ used: 0 })
    }))

  it('takes a write that waits for others before it for no lost one', () =>
    withProxy(async (proxy, _store, stub) => {
      stub.reply = ({ path }) => {
        if (path.includes('_inspect')) return { body: '{"headHolder":null}' }
        return { delayMs: 60, body: JSON.stringify({ status: 'ok', head: emptyHead }) }
      }
      // The last of them waits for half a second, while nobody holds the head.
      const store = storeAt(proxy.url, { callTimeoutMs: 10_000, acquireTimeoutMs: 10_000, watchAfterMs: 100 })
      try {
        const heads = await Promise.all(Array.from({ length: 12 }, () => store.fork(position)))
        expect(heads).toHaveLength(12)
        expect(stub.requests.filter(({ path }) => path.includes('_fork'))).toHaveLength(12)
      } finally {
        await store.close()
      }
    }))

  it('reads while a write hangs', () =>
    withProxy(async (proxy, store) => {
      proxy.add({ matching: '_commit', fault: { do: 'hang' } })
      const writing = failedCommit(store)
      expect((await store.head()).position).toEqual(position)
      await writing
    }))

  it('ends what is under way when it is closed', () =>
    withProxy(async (proxy, store) => {
      proxy.add({ fault: { do: 'hang' } })
      const writing = failedCommit(store)
      const reading = store.head().catch((error: unknown) => error)
      await expect.poll(() => proxy.faults).toBe(2)
      await store.close()
      const { error, ms } = await writing
      const closed = { code: 'COORD_STORE_UNAVAILABLE', detail: 'The store is closed.' }
      expect(error).toMatchObject({ ...closed, outcome: 'unknown' })
      expect(ms).toBeLessThan(callTimeoutMs)
      expect(await reading).toMatchObject(closed)
    }))
})
