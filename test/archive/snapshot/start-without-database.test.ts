import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Coordinator, createCoordinator } from '../../../src/coordinator.ts'
import { dearness } from '../../support/dearness.ts'
import { PostgresServer } from '../../support/postgres.ts'
import { ask, names, register } from './asking.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let server: PostgresServer
let folder: string
let made = 0
let schema: string

beforeAll(async () => {
  server = await PostgresServer.start()
})
afterAll(() => server.dispose())
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'coordinator-snapshots-'))
  made += 1
  schema = `snapshot_${made}`
})
afterEach(async () => {
  await bringUp()
  await rm(folder, { recursive: true, force: true })
})

let isUp = true
async function takeDown(): Promise<void> {
  await server.stop()
  isUp = false
}
async function bringUp(): Promise<void> {
  if (!isUp) await server.start()
  isUp = true
}

type Env = Record<string, string>

async function withCoordinator<T>(env: Env, body: (coordinator: Coordinator) => Promise<T>): Promise<T> {
  const given = {
    ...{ DATABASE_URL: server.url(), DATABASE_SCHEMA: schema, SNAPSHOT_DIR: folder },
    ...{ PORT: '0', DATABASE_CONNECT_TIMEOUT_MS: '1000', ...env },
  }
  const coordinator = await createCoordinator({ env: given })
  try {
    await coordinator.start()
    return await body(coordinator)
  } finally {
    await coordinator.stop()
  }
}

/** Registers services, and stops in order, so that a snapshot has them. */
const filled = (...serviceNames: string[]) =>
  withCoordinator({}, async (coordinator) => {
    for (const name of serviceNames) expect((await register(coordinator, name)).status).toBe(201)
    return coordinator.live.view.position
  })

/** Every file below the folder of snapshots, with its mode. */
async function files(): Promise<{ path: string; mode: number }[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const found = entries.filter((entry) => entry.isFile())
  return Promise.all(
    found.map(async ({ parentPath, name }) => {
      const path = join(parentPath, name)
      return { path, mode: (await stat(path)).mode & 0o777 }
    }),
  )
}

describe('a start without the database', () => {
  it('serves the newest snapshot after 3 seconds without an answer, for reads only, and says so', async () => {
    await filled('cart', 'shop')
    await takeDown()
    const startedAt = performance.now()
    await withCoordinator({}, async (coordinator) => {
      const tookMs = performance.now() - startedAt
      expect(tookMs).toBeGreaterThan(2_900)
      expect(await names(coordinator)).toEqual(['cart', 'shop'])
      const health = await ask(coordinator, '/health')
      expect(health.status).toBe(200)
      expect(health.body).toMatchObject({
        status: 'degraded',
        registeredServices: 2,
        storage: {
          status: 'degraded',
          source: 'snapshot',
          snapshotAt: expect.stringMatching(/^20/),
          code: 'COORD_STORE_UNAVAILABLE',
          reason: expect.stringContaining('started without its database'),
        },
      })
      const services = await ask(coordinator, '/services')
      expect(services.headers.get('x-coordinator-degraded')).toBe('COORD_STORE_UNAVAILABLE')
      expect(Number(services.headers.get('age'))).toBeGreaterThanOrEqual(3)
      expect((await ask(coordinator, '/database')).body).toMatchObject({ source: 'snapshot', durable: true })
      expect((await ask(coordinator, '/health/ready')).status).toBe(200)
      expect((await ask(coordinator, '/health/ready?for=writes')).status).toBe(503)
    })
  })

  it('refuses writes, questions about the newest state and the past with 503 at once', async () => {
    await filled('cart')
    await takeDown()
    await withCoordinator({}, async (coordinator) => {
      const startedAt = performance.now()
      const write = await register(coordinator, 'late')
      expect(write).toMatchObject({
        status: 503,
        body: { code: 'COORD_STORE_UNAVAILABLE', outcome: 'not_written', retryable: true },
      })
      expect(write.headers.get('retry-after')).toBe('2')
      for (const path of ['/services?consistency=latest', '/services?asOf=0', '/knowledge-graph?asOf=0'])
        expect(await ask(coordinator, path)).toMatchObject({
          status: 503,
          body: { code: 'COORD_STORE_UNAVAILABLE' },
        })
      expect(performance.now() - startedAt).toBeLessThan(2_000 * dearness())
    })
  })

  it('reads only the tail when the database is back, and then takes writes', async () => {
    const { revision } = await filled('cart', 'shop')
    const elsewhere = await mkdtemp(join(tmpdir(), 'coordinator-snapshots-'))
    try {
      await withCoordinator({ SNAPSHOT_DIR: elsewhere }, async (other) => {
        await register(other, 'tax')
        const { body } = await ask(other, '/services')
        const [cart] = body['services'] as { serviceId: string }[]
        const gone = await fetch(`${other.url}/services/${cart?.serviceId}`, { method: 'DELETE' })
        expect(gone.status).toBe(200)
      })
      await takeDown()
      await withCoordinator({}, async (coordinator) => {
        expect(await names(coordinator)).toEqual(['cart', 'shop'])
        const loads = () => coordinator.metrics.database.calls.latency['load']?.count ?? 0
        await bringUp()
        await expect.poll(() => coordinator.live.status.state).toBe('ready')
        expect(await names(coordinator)).toEqual(['shop', 'tax'])
        expect(coordinator.live.view.revision).toBe(revision + 2)
        expect(loads()).toBe(0)
        expect((await register(coordinator, 'late')).status).toBe(201)
        expect((await ask(coordinator, '/health')).body['storage']).not.toHaveProperty('source')
      })
    } finally {
      await rm(elsewhere, { recursive: true })
    }
  })

  it('loads all records when the database kept no journal after the snapshot', async () => {
    await filled('cart', 'shop')
    await withCoordinator({ SNAPSHOT_DIR: '' }, async (other) => {
      for (const version of ['2.0.0', '3.0.0', '4.0.0']) await register(other, 'tax', { version })
      await other.live.store.compact(other.live.view.revision)
    })
    await takeDown()
    await withCoordinator({}, async (coordinator) => {
      await bringUp()
      await expect.poll(() => coordinator.live.status.state).toBe('ready')
      expect(await names(coordinator)).toEqual(['cart', 'shop', 'tax', 'tax', 'tax'])
      expect(coordinator.metrics.database.calls.latency['load']?.count).toBe(1)
    })
  })

  it('keeps the snapshot when the database comes back with an unrelated history', async () => {
    await filled('cart')
    await server.query(`drop schema ${schema} cascade`)
    await withCoordinator({ SNAPSHOT_DIR: '' }, (other) => register(other, 'stranger'))
    await takeDown()
    await withCoordinator({}, async (coordinator) => {
      await bringUp()
      await expect.poll(() => coordinator.live.status.code).toBe('COORD_STORE_REPLACED')
      expect(await names(coordinator)).toEqual(['cart'])
      expect((await register(coordinator, 'late')).status).toBe(503)
    })
  })

  it('lets nobody expire until the database is back', async () => {
    await withCoordinator({}, async (coordinator) => {
      await register(coordinator, 'cart', { ttlSeconds: 1 })
    })
    await takeDown()
    await withCoordinator({}, async (coordinator) => {
      const health = async () => {
        const { body } = await ask(coordinator, '/services')
        return (body['services'] as { health: string }[])[0]?.health
      }
      const startedAt = performance.now()
      while (performance.now() - startedAt < 2_500) expect(await health()).toBe('unknown')
      await bringUp()
      await expect.poll(health).toBe('expired')
    })
  })

  it('degrades instead of ending when the database refuses the coordinator once a snapshot is served', async () => {
    await filled('cart')
    await server.query(`alter schema ${schema} rename to elsewhere`)
    await server.query(`create schema ${schema}`)
    await server.query(`create table ${schema}.records (id text)`)
    await takeDown()
    await withCoordinator({}, async (coordinator) => {
      await bringUp()
      await expect.poll(() => coordinator.live.status.code).toMatch(/^COORD_SCHEMA_/)
      expect(await names(coordinator)).toEqual(['cart'])
      expect(coordinator.live.status.state).toBe('degraded')
      // In one transaction: in between, the coordinator would find no schema, and create it.
      await server.query(`drop schema ${schema} cascade; alter schema elsewhere rename to ${schema}`)
      await expect.poll(() => coordinator.live.status.state, { timeout: 40_000 }).toBe('ready')
    })
  })
})

describe('snapshots', () => {
  it('are readable only for the account of the coordinator, and name no host and no credential', async () => {
    await filled('cart')
    const found = await files()
    expect(found.length).toBeGreaterThanOrEqual(3)
    for (const { path, mode } of found) {
      expect(mode).toBe(0o600)
      expect(path.slice(folder.length)).not.toMatch(/postgres|127\.0\.0\.1/)
    }
  })

  it('are two at most, and the newest is served', async () => {
    for (const name of ['a', 'b', 'c', 'd']) await filled(name)
    const [database = ''] = await readdir(folder)
    expect(await readdir(join(folder, database))).toHaveLength(2)
    await takeDown()
    await withCoordinator({}, async (coordinator) =>
      expect(await names(coordinator)).toEqual(['a', 'b', 'c', 'd']),
    )
  })

  it('that are damaged are ignored, and the one before is served', async () => {
    await filled('cart')
    await filled('shop')
    const bases = (await files()).map(({ path }) => path).filter((path) => path.includes('/base/'))
    const newest = bases.sort().at(-1) ?? ''
    const content = await readFile(newest)
    content[content.length >> 1] = (content[content.length >> 1] ?? 0) ^ 1
    await writeFile(newest, content)
    await takeDown()
    await withCoordinator({}, async (coordinator) => expect(await names(coordinator)).toEqual(['cart']))
  })
})
