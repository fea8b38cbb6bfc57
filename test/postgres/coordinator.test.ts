import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  ask,
  CoordinatorProcess,
  type Env,
  registration,
  runCoordinator,
  serving,
} from '../main/coordinator-process.ts'
import { expectQuickCheck } from '../main/quick-check.ts'
import { dearness } from '../support/dearness.ts'
import { FaultProxy } from '../support/fault-proxy.ts'
import { PostgresServer } from '../support/postgres.ts'

/** A secret that must never be seen. */
const canary = 'Kanarienvogel-7'

let server: PostgresServer

beforeAll(async () => {
  server = await PostgresServer.start({
    hba: ['host all postgres 127.0.0.1/32 trust', 'host all all 127.0.0.1/32 scram-sha-256'],
  })
  await server.query(`create role app login password '${canary}'; grant create on database postgres to app`)
})
afterAll(() => server.dispose())

const url = (port = server.port) => `postgres://app:${canary}@127.0.0.1:${port}/postgres?sslmode=disable`
const variables = (schema: string, more: Env = {}): Env => ({
  DATABASE_URL: url(),
  DATABASE_SCHEMA: schema,
  ...more,
})

describe('a coordinator on PostgreSQL', () => {
  it('answers the quick check with 201, finds it again after a restart, and shows it to SQL', async () => {
    const { serviceId, database } = await expectQuickCheck('postgres', variables('quick'))
    expect(database).toMatchObject({
      server: { serverVersion: expect.stringMatching(/^18/), details: { pooled: false } },
      latency: { commit: { count: 1 } },
      pool: { writer: { max: 1 }, follower: { max: 1 }, reader: { max: 2 } },
    })
    const rows = await server.query('select service_id, service_name, endpoint from quick.services')
    expect(rows).toEqual([{ service_id: serviceId, service_name: 'test', endpoint: 'http://test:3000' }])
  })

  it('sees changes by hand within a second', async () => {
    await using coordinator = await serving({ env: variables('watched') })
    const { body } = await ask(`${coordinator.url}/register`, 'POST', registration('watched'))
    const waits: number[] = []
    for (let turn = 0; turn < 5; turn += 1) {
      await server.query(
        `update watched.records set data = data || '{"description": "${turn}"}' where kind = 'service'`,
      )
      const changedAt = performance.now()
      await expect
        .poll(
          async () => (await ask(`${coordinator.url}/services/${body.serviceId}`)).body.service.description,
          { interval: 20 },
        )
        .toBe(String(turn))
      waits.push(performance.now() - changedAt)
    }
    // Not each of them: a busy machine may have no time at one moment.
    expect(waits.toSorted((a, b) => a - b)[2]).toBeLessThan(1_000 * dearness())
  })

  it('follows another coordinator, and a change by hand', async () => {
    const env = variables('shared')
    await using one = await serving({ env })
    await using two = await serving({ env })
    const { body } = await ask(`${one.url}/register`, 'POST', registration('followed'))
    const followed = await ask(`${two.url}/services/${body.serviceId}?minRevision=${body.revision}`)
    expect(followed.body.service).toMatchObject({ serviceName: 'followed' })
    await server.query(
      `update shared.records set data = data || '{"description": "by hand"}' where kind = 'service';
       insert into shared.records (kind, id, data) values ('service', 'malformed', '{"serviceName": 5}')`,
    )
    for (const coordinator of [one, two])
      await expect
        .poll(
          async () => (await ask(`${coordinator.url}/services/${body.serviceId}`)).body.service.description,
          { interval: 20 },
        )
        .toBe('by hand')
    const { refusedRecords } = (await ask(`${one.url}/database`)).body
    expect(refusedRecords).toMatchObject([{ kind: 'service', id: 'malformed' }])
    expect((await ask(`${one.url}/services`)).body.total).toBe(1)
    const { body: past } = await ask(`${one.url}/services/${body.serviceId}/history`)
    expect(past.entries.map(({ actor }: { actor: string }) => actor)).toEqual([
      'sql:postgres',
      expect.stringMatching(/^http:/),
    ])
  })

  it('says whose open transaction keeps writers waiting, and goes on when it ends', async () => {
    await using coordinator = await serving({ env: variables('held', { COMMIT_TIMEOUT_MS: '8000' }) })
    const hand = await server.leaveOpen(`insert into held.records (kind, id, data) values ('x', 'y', '{}')`)
    const refused = await ask(`${coordinator.url}/register`, 'POST', registration('waits'))
    expect(refused).toMatchObject({ status: 503, body: { code: 'COORD_STORE_BUSY' } })
    const health = await ask(`${coordinator.url}/health`)
    expect(health.body.status).toBe('degraded')
    expect(JSON.stringify(health.body)).toMatch(/pid \d+/)
    expect((await ask(`${coordinator.url}/services`)).status).toBe(200)
    await hand[Symbol.asyncDispose]()
    await expect
      .poll(async () => (await ask(`${coordinator.url}/register`, 'POST', registration('waits'))).status)
      .toBeLessThan(300)
  })
})

describe('the start', () => {
  const refusals: Readonly<Record<string, [env: () => Env, text: RegExp]>> = {
    'a wrong password': [
      () => variables('start', { DATABASE_URL: url().replace(canary, 'wrong') }),
      /password authentication failed/,
    ],
    'a database that does not exist': [
      () => variables('start', { DATABASE_URL: url().replace('/postgres?', '/none?') }),
      /DATABASE_URL/,
    ],
    'a schema that may not be made': [
      () => variables('start', { AUTO_MIGRATE: 'false' }),
      /coordinator migrate/,
    ],
    'a server that does not encrypt': [
      () => variables('start', { DATABASE_URL: url().replace('disable', 'require') }),
      /SSL/,
    ],
    'a URL that is none': [() => ({ DATABASE_URL: `postgres://app:${canary}@[::/x` }), /DATABASE_URL/],
  }

  it.each(Object.entries(refusals))('ends with exit 78 and one line: %s', async (_, [env, text]) => {
    const { code, stderr, stdout } = await runCoordinator(['serve'], {
      env: { PORT: '0', ...env() },
    })
    expect(code).toBe(78)
    const line = stderr.split('\n').filter((part) => part.startsWith('coordinator: '))
    expect(line).toHaveLength(1)
    expect(line[0]).toMatch(text)
    expect(stdout + stderr).not.toContain(canary)
  })

  it.each([
    ['refuses', (proxy: FaultProxy) => proxy.refuse()],
    ['hangs', async (proxy: FaultProxy) => proxy.freeze()],
  ])('goes on connecting to a server that %s, and serves when it is there', async (_, break_) => {
    await using proxy = await FaultProxy.start(server.port)
    await break_(proxy)
    const env = variables('start', {
      DATABASE_URL: url(proxy.port),
      DATABASE_CONNECT_TIMEOUT_MS: '300',
      PORT: '0',
      LOG_FORMAT: 'json',
    })
    const coordinator = new CoordinatorProcess(['serve'], { env })
    try {
      const [, address = ''] = await coordinator.wrote(/listening on (http:[^"\s]+)/)
      await expect
        .poll(async () => (await ask(`${address}/database`)).body.lastErrors.length)
        .toBeGreaterThan(0)
      expect((await ask(`${address}/health`)).body).toMatchObject({
        status: 'starting',
        storage: { backend: 'postgres', status: 'connecting' },
      })
      expect((await ask(`${address}/register`, 'POST', registration('early'))).status).toBe(503)
      proxy.cut()
      proxy.heal()
      await proxy.listen()
      await coordinator.wrote(/the records are loaded/)
      expect((await ask(`${address}/register`, 'POST', registration('late'))).body.storage.durable).toBe(true)
    } finally {
      coordinator.kill('SIGTERM')
      await coordinator.ended
    }
  })
})

describe('secrets', () => {
  it('are in no log line at level trace, no answer, no metric and no argument, through good and bad moments', async () => {
    await using proxy = await FaultProxy.start(server.port)
    await using coordinator = await serving({
      env: variables('secret', {
        DATABASE_URL: url(proxy.port),
        LOG_LEVEL: 'trace',
        LOG_REQUESTS: 'true',
        COMMIT_TIMEOUT_MS: '300',
      }),
    })
    const texts: string[] = []
    const look = async (name: string) => {
      texts.push(JSON.stringify(await ask(`${coordinator.url}/register`, 'POST', registration(name))))
      for (const path of ['/health', '/database', '/metrics', '/services'])
        texts.push(JSON.stringify(await ask(coordinator.url + path)))
    }
    await look('good')
    await proxy.refuse()
    await look('refused')
    await proxy.listen()
    await server.query(`alter role app password 'changed'`)
    proxy.cut()
    await expect
      .poll(async () => (await ask(`${coordinator.url}/health`)).body.storage.reason)
      .toMatch(/password authentication failed/)
    await look('wrong-password')
    await server.query(`alter role app password '${canary}'`)
    const ended = await coordinator.stop()
    texts.push(ended.stdout, ended.stderr)
    expect(ended.stdout + ended.stderr).toMatch(/COORD_STORE_AUTH/)
    for (const text of texts) expect(text).not.toContain(canary)
  })
})
