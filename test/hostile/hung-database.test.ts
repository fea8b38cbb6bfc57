import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask, type Env, registration, type Serving, serving } from '../main/coordinator-process.ts'
import { FaultProxy } from '../support/fault-proxy.ts'
import { GrantedTime } from '../support/granted-time.ts'
import { PostgresServer } from '../support/postgres.ts'
import { SupabaseProject } from '../support/supabase.ts'

// A database that hangs keeps its connections, and answers nothing: only time tells. docs/operations.md states the bounds.

/** POLL_MAX_MS and 1.4 s: by wire, and over the Data API. */
const wireBoundMs = 2_000
const dataApiBoundMs = 3_500

/** What a reader is told at one moment. */
interface Told {
  readonly degraded: string | null
  readonly age: number
  readonly status: number
}

async function read(url: string, path = '/services'): Promise<Told> {
  const { status, headers } = await ask(`${url}${path}`)
  return { status, degraded: headers.get('x-coordinator-degraded'), age: Number(headers.get('age')) }
}

/** How long readers are not told what has just begun, in milliseconds that the machine granted. */
async function toldAfterMs(url: string, limitMs: number): Promise<{ told: Told; ms: number }> {
  using clock = new GrantedTime()
  for (;;) {
    const told = await read(url)
    if (told.degraded !== null || clock.now > 4 * limitMs) return { told, ms: clock.now }
    await sleep(10)
  }
}

async function untilReady(url: string): Promise<void> {
  await expect.poll(async () => (await ask(`${url}/database`)).body.status, { interval: 20 }).toBe('ready')
}

/** Everything that says how the database is says it alike. */
async function expectTold({ url }: Serving): Promise<void> {
  const { body: health, headers } = await ask(`${url}/health`)
  expect(health).toMatchObject({
    status: 'degraded',
    storage: { status: 'degraded', code: 'COORD_STORE_TIMEOUT', reason: expect.stringContaining('not') },
  })
  expect(Number(headers.get('age'))).toBeGreaterThanOrEqual(1)
  expect((await ask(`${url}/health/ready?for=writes`)).status).toBe(503)
  expect((await read(url, '/health/ready')).status).toBe(200)
}

describe('PostgreSQL that hangs', () => {
  let server: PostgresServer
  let proxy: FaultProxy
  let coordinator: Serving

  beforeAll(async () => {
    server = await PostgresServer.start()
    proxy = await FaultProxy.start(server.port)
    const url = new URL(server.url())
    url.port = String(proxy.port)
    coordinator = await serving({ env: { DATABASE_URL: url.href } })
    await ask(`${coordinator.url}/register`, 'POST', registration('before'))
  })
  afterAll(async () => {
    await coordinator.stop('SIGKILL')
    await proxy.refuse()
    await server.dispose()
  })

  const ways = {
    'its processes are stopped': [() => server.freeze(), () => server.resume()],
    'the line to it carries nothing any more': [() => proxy.freeze(), () => proxy.heal()],
  } as const
  const cases = Object.entries(ways).flatMap(([way, [begin, end]]) =>
    [false, true].map((writing) => ({
      way,
      begin,
      end,
      writing,
      what: writing ? 'a write waits' : 'nothing is written',
    })),
  )

  it.each(cases)('is told to readers within 2 s where $way and $what', async ({ begin, end, writing }) => {
    await untilReady(coordinator.url)
    begin()
    try {
      const written = writing
        ? ask(`${coordinator.url}/register`, 'POST', registration('meanwhile'))
        : undefined
      const { told, ms } = await toldAfterMs(coordinator.url, wireBoundMs)
      expect(told).toMatchObject({ status: 200, degraded: 'COORD_STORE_TIMEOUT' })
      expect(ms).toBeLessThan(wireBoundMs)
      await expectTold(coordinator)
      end()
      expect([undefined, 200, 201]).toContain((await written)?.status)
    } finally {
      end()
    }
    await untilReady(coordinator.url)
  })

  it('is not told where the coordinator itself stood still, but the first answer knows how old it is', async () => {
    await untilReady(coordinator.url)
    coordinator.process.kill('SIGSTOP')
    // Sent while it stands still, so that it is answered before anything else.
    const first = read(coordinator.url)
    await sleep(4_000)
    coordinator.process.kill('SIGCONT')
    const told = await first
    expect(told.degraded).toBe('COORD_STORE_TIMEOUT')
    expect(told.age).toBeGreaterThanOrEqual(3)
    await untilReady(coordinator.url)
    expect((await read(coordinator.url)).degraded).toBeNull()
  })
})

describe('a Data API that hangs', () => {
  let project: SupabaseProject
  let proxy: FaultProxy
  let coordinator: Serving

  beforeAll(async () => {
    project = await SupabaseProject.start({ schemas: ['coordinator'] })
    proxy = await FaultProxy.start(Number(new URL(project.api.url).port))
    const env: Env = {
      SUPABASE_URL: `http://127.0.0.1:${proxy.port}`,
      SUPABASE_SERVICE_ROLE_KEY: project.keys.secretKey,
    }
    coordinator = await serving({ env })
  })
  afterAll(async () => {
    await coordinator.stop('SIGKILL')
    await proxy.refuse()
    await project.dispose()
  })

  it('is not told while it answers, though it is asked only every 2 s', async () => {
    await untilReady(coordinator.url)
    using clock = new GrantedTime()
    const started = performance.now()
    const told = new Set<string | null>()
    while (clock.now < 5_000) {
      told.add((await read(coordinator.url)).degraded)
      await sleep(20)
    }
    // A machine that stood still for long says nothing about the product.
    if (performance.now() - started < 6_000) expect([...told]).toEqual([null])
  })

  it.each([false, true])('is told to readers within 3.5 s (with a write that waits: %s)', async (writing) => {
    await untilReady(coordinator.url)
    proxy.freeze()
    try {
      const written = writing
        ? ask(`${coordinator.url}/register`, 'POST', registration('meanwhile'))
        : undefined
      const { told, ms } = await toldAfterMs(coordinator.url, dataApiBoundMs)
      expect(told).toMatchObject({ status: 200, degraded: 'COORD_STORE_TIMEOUT' })
      expect(ms).toBeLessThan(dataApiBoundMs)
      await expectTold(coordinator)
      proxy.heal()
      expect([undefined, 200, 201]).toContain((await written)?.status)
    } finally {
      proxy.heal()
    }
    await untilReady(coordinator.url)
  })
})
