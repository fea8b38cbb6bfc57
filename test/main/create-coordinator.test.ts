import { Writable } from 'node:stream'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type Coordinator, type CoordinatorOptions, createCoordinator } from '../../src/coordinator.ts'
import { guardStore } from '../../src/database/guard-store.ts'
import { MemoryStore } from '../../src/database/memory/store.ts'
import type { Head, Store } from '../../src/database/store.ts'
import { CoordinatorError } from '../../src/errors.ts'
import type { RegistrationInput } from '../../src/records/service/service.ts'
import type { RegisterAnswer } from '../../src/registry/registry.ts'
import { createLogger } from '../../src/telemetry/logging.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import { ask, registration, scratchFolder } from './coordinator-process.ts'

const made: Coordinator[] = []
afterEach(async () => {
  await Promise.all(made.splice(0).map((coordinator) => coordinator.stop(0)))
})

async function make(options: CoordinatorOptions = {}): Promise<Coordinator> {
  const coordinator = await createCoordinator({ port: 0, ...options })
  made.push(coordinator)
  return coordinator
}

/** A store whose opening a test decides. */
class LateStore extends MemoryStore {
  readonly opening = Promise.withResolvers<void>()

  override async open(): Promise<Head> {
    await this.opening.promise
    return super.open()
  }
}

describe('createCoordinator', () => {
  it('serves, in memory, with nothing given', async () => {
    const coordinator = await make()
    await coordinator.start()
    const { status, body } = await ask(`${coordinator.url}/register`, 'POST', registration('library'))
    expect({ status, storage: body.storage }).toEqual({
      status: 201,
      storage: { backend: 'memory', durable: false },
    })
    expect(coordinator.registry.counts().services).toBe(1)
    expect(coordinator.live.view.revision).toBe(1)
    expect(await coordinator.stop()).toEqual({ cut: 0 })
  })

  it('a program registers without HTTP, and is warned of what the graph knows', async () => {
    const coordinator = await make()
    await coordinator.start()
    const { registry } = coordinator
    const shop: RegistrationInput = {
      serviceName: 'shop',
      version: '1.0.0',
      endpoint: 'http://shop:1',
      dependencies: ['bank', { serviceName: 'mail', version: '^2' }],
    }
    const unknown = [
      { code: 'unknown_dependency', path: '/dependencies/0' },
      { code: 'unknown_dependency', path: '/dependencies/1' },
    ]
    const answer: RegisterAnswer = await registry.register(shop)
    expect(answer).toMatchObject({ created: true, revision: 1, warnings: unknown })
    const bank = { ...shop, serviceName: 'bank', endpoint: 'http://bank:1', dependencies: ['shop'] }
    const { results } = await registry.registerBatch([shop, bank, { ...bank, serviceName: '' }])
    expect(results).toMatchObject([
      { changed: false, warnings: [{ code: 'unknown_dependency' }, { code: 'dependency_cycle' }] },
      { created: true, warnings: [{ code: 'dependency_cycle' }] },
      { code: 'COORD_NAME_EMPTY' },
    ])
    const { entries } = await registry.history(answer.serviceId)
    expect(entries.map(({ actor }) => actor)).toEqual(['library'])
    // @ts-expect-error a name is a text
    await expect(registry.register({ ...shop, serviceName: 7 })).rejects.toMatchObject({
      code: 'COORD_BODY_WRONG_TYPE',
    })
  })

  it('reads the settings it is given, and not those of the process', async () => {
    vi.stubEnv('DATABASE_URL', 'sqlite:')
    vi.stubEnv('PORT', 'none')
    const coordinator = await make({ env: { COMMIT_QUEUE_MAX: '7' } })
    expect(coordinator.settings).toMatchObject({ database: { backend: 'memory' }, commitQueueMax: 7 })
    await expect(createCoordinator({ env: process.env })).rejects.toMatchObject({
      code: 'COORD_CONFIG_INVALID',
    })
  })

  it('two in one process have nothing in common', async () => {
    await using folder = await scratchFolder()
    const [one, two] = [await make(), await make({ databaseUrl: `sqlite:${folder.path}/two.db` })]
    await Promise.all([one.start(), two.start()])
    await ask(`${one.url}/register`, 'POST', registration('one'))
    expect((await ask(`${two.url}/services`)).body.total).toBe(0)
    const metrics = await Promise.all([one, two].map(({ url }) => ask(`${url}/metrics`)))
    expect(metrics.map(({ body }) => /^coordinator_registered_services (\d)$/m.exec(body)?.[1])).toEqual([
      '1',
      '0',
    ])
  })

  it('takes a store of its user', async () => {
    const store = new MemoryStore({ firstRevision: 41 })
    const coordinator = await make({ store })
    await coordinator.start()
    const { body } = await ask(`${coordinator.url}/register`, 'POST', registration('own'))
    expect(body.revision).toBe(42)
    expect((await store.head()).position.revision).toBe(42)
  })

  it('shows a store of its user under the name that it gives itself', async () => {
    const memory = guardStore(new MemoryStore(), createMetrics({ backend: 'mine', process: false }).database)
    const coordinator = await make({ store: { ...memory, backend: 'mine', durable: true } })
    await coordinator.start()
    const { body } = await ask(`${coordinator.url}/register`, 'POST', registration('own'))
    expect(body.storage).toEqual({ backend: 'mine', durable: true })
    expect((await ask(`${coordinator.url}/metrics`)).body).toMatch(
      /^coordinator_database_status\{backend="mine",status="ready"\} 1$/m,
    )
    expect((await ask(`${coordinator.url}/health`)).body.storage).toMatchObject({
      backend: 'mine',
      status: 'ready',
    })
  })

  it('counts commits and calls to the database', async () => {
    const coordinator = await make()
    await coordinator.start()
    expect((await ask(`${coordinator.url}/metrics`)).body).toMatch(
      /^coordinator_commits_total\{backend="memory",outcome="replayed"\} 0$/m,
    )
    await ask(`${coordinator.url}/register`, 'POST', registration('counted'))
    await ask(`${coordinator.url}/register`, 'POST', registration('counted', { tags: ['x'] }))
    for (let times = 0; times < 2; times += 1)
      await ask(`${coordinator.url}/register`, 'POST', registration('again'), { 'idempotency-key': 'one' })
    const { body } = await ask(`${coordinator.url}/metrics`)
    expect(body).toMatch(/^coordinator_commits_total\{backend="memory",outcome="accepted"\} 3$/m)
    expect(body).toMatch(/^coordinator_commits_total\{backend="memory",outcome="replayed"\} 1$/m)
    expect(body).toMatch(
      /^coordinator_database_queries_total\{backend="memory",operation="commit",outcome="ok"\} 4$/m,
    )
    expect(body).toMatch(/^coordinator_database_status\{backend="memory",status="memory"\} 1$/m)
  })
})

describe('createCoordinator: starting', () => {
  it('answers /health, and 503 for the records, before the database does', async () => {
    const store = new LateStore()
    const coordinator = await make({ store })
    expect(() => coordinator.url).toThrow(CoordinatorError)
    const started = coordinator.start()
    await expect.poll(() => coordinator.url).toMatch(/^http:/)
    expect((await ask(`${coordinator.url}/health`)).body).toMatchObject({ status: 'starting' })
    expect((await ask(`${coordinator.url}/health/ready`)).status).toBe(503)
    for (const [method, path] of [
      ['GET', '/services'],
      ['POST', '/register'],
    ] as const) {
      const body = method === 'POST' ? registration('early') : undefined
      const answer = await ask(coordinator.url + path, method, body)
      expect(answer).toMatchObject({ status: 503, body: { code: 'COORD_NOT_LOADED' } })
      expect(answer.headers.get('retry-after')).toMatch(/^\d+$/)
    }
    store.opening.resolve()
    await started
    expect((await ask(`${coordinator.url}/services`)).status).toBe(200)
  })

  it('goes on trying while the database is away', async () => {
    class AwayStore extends MemoryStore {
      attempts = 0

      override async open(): Promise<Head> {
        this.attempts += 1
        if (this.attempts < 3) throw new CoordinatorError('COORD_STORE_UNAVAILABLE')
        return super.open()
      }
    }
    const store = new AwayStore()
    const coordinator = await make({ store })
    await coordinator.start()
    expect(store.attempts).toBe(3)
  })

  it('ends with the first definite answer, and listens no more', async () => {
    const store = new LateStore()
    const coordinator = await make({ store })
    const started = coordinator.start()
    await expect.poll(() => coordinator.url).toMatch(/^http:/)
    store.opening.reject(new CoordinatorError('COORD_SCHEMA_OLD'))
    await expect(started).rejects.toMatchObject({ code: 'COORD_SCHEMA_OLD', exitCode: 78 })
    await expect(fetch(coordinator.url)).rejects.toThrow()
  })

  it('stopped meanwhile: says so, and is not served afterwards', async () => {
    const store = new LateStore()
    const coordinator = await make({ store })
    const started = coordinator.start()
    const refused = expect(started).rejects.toMatchObject({ code: 'COORD_SHUTTING_DOWN' })
    await expect.poll(() => coordinator.url).toMatch(/^http:/)
    const stopped = coordinator.stop(500)
    store.opening.resolve()
    expect(await stopped).toEqual({ cut: 0 })
    await refused
    await expect(fetch(coordinator.url)).rejects.toThrow()
  })

  it('starts once, however often it is asked to, and not again after its end', async () => {
    const coordinator = await make()
    await Promise.all([coordinator.start(), coordinator.start()])
    await coordinator.start()
    const { url } = coordinator
    expect((await fetch(`${url}/health/ready`)).status).toBe(200)
    await coordinator.stop()
    await expect(coordinator.start()).rejects.toMatchObject({ code: 'COORD_SHUTTING_DOWN' })
    await expect(fetch(url)).rejects.toThrow()
  })

  it('that was stopped before it started does not listen', async () => {
    const coordinator = await make()
    await coordinator.stop()
    await expect(coordinator.start()).rejects.toMatchObject({ code: 'COORD_SHUTTING_DOWN' })
    expect(() => coordinator.url).toThrow('does not listen')
  })

  it('refuses a port that is taken, and frees the database', async () => {
    await using folder = await scratchFolder()
    const first = await make()
    await first.start()
    const databaseUrl = `sqlite:${folder.path}/coordinator.db`
    const second = await make({ databaseUrl, port: Number(new URL(first.url).port) })
    await expect(second.start()).rejects.toMatchObject({ code: 'COORD_LISTEN_FAILED' })
    const third = await make({ databaseUrl })
    await third.start()
  })
})

/** A logger, and the lines that it has written. */
async function gatherLog() {
  const lines: Record<string, unknown>[] = []
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      for (const line of chunk.toString().trim().split('\n')) lines.push(JSON.parse(line))
      done()
    },
  })
  return { lines, logger: await createLogger({ level: 'info', destination }) }
}

describe('createCoordinator: the log', () => {
  it('says what runs where, and warns where a restart loses everything and where everybody can reach it', async () => {
    const { lines, logger } = await gatherLog()
    const coordinator = await make({ logger, host: '0.0.0.0', env: { AUTH: 'off' } })
    await coordinator.start()
    expect(lines).toMatchObject([
      { level: 'info', database: 'memory', version: expect.any(String), access: 'off' },
      { level: 'warn', msg: expect.stringMatching(/^AUTH is off: everybody/) },
      {
        level: 'info',
        msg: `listening on all addresses, port ${new URL(coordinator.url).port}`,
        url: coordinator.url,
      },
      { level: 'info', msg: 'the records are loaded' },
      { level: 'warn', msg: expect.stringMatching(/kept in memory.*DATABASE_URL=/) },
    ])
  })

  it('says from which number to which the schema was migrated, and nothing where it was as it should be', async () => {
    await using folder = await scratchFolder()
    const databaseUrl = `sqlite:${folder.path}/coordinator.db`
    const migrations: unknown[][] = []
    for (const _ of ['made', 'found']) {
      const { lines, logger } = await gatherLog()
      const coordinator = await make({ databaseUrl, logger })
      await coordinator.start()
      await coordinator.stop()
      migrations.push(lines.filter(({ msg }) => msg === 'the schema was migrated'))
    }
    expect(migrations).toEqual([
      [expect.objectContaining({ level: 'info', backend: 'sqlite', from: 0, to: expect.any(Number) })],
      [],
    ])
  })
})

describe('the store under a coordinator', () => {
  it('keeps what its backend has, and adds nothing', async () => {
    const bare: Store = new MemoryStore()
    const coordinator = await make({ store: bare })
    const { store } = coordinator.live
    expect(store).toMatchObject({ backend: 'memory', durable: false })
    expect([store.migrator, store.inspector, store.pool]).toEqual([undefined, undefined, undefined])
    await using folder = await scratchFolder()
    const durable = (await make({ databaseUrl: `sqlite:${folder.path}/x.db` })).live.store
    expect([durable.migrator, durable.inspector]).not.toContain(undefined)
  })
})
