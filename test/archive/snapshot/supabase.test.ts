import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type Coordinator, createCoordinator } from '../../../src/coordinator.ts'
import { FaultProxy, httpPage } from '../../support/fault-proxy.ts'
import { SupabaseProject } from '../../support/supabase.ts'
import { ask, names, register } from './asking.ts'

vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 })

let project: SupabaseProject
let proxy: FaultProxy
let folder: string

beforeAll(async () => {
  project = await SupabaseProject.start()
  proxy = await FaultProxy.start(Number(new URL(project.api.url).port))
  folder = await mkdtemp(join(tmpdir(), 'coordinator-snapshots-'))
})
afterAll(async () => {
  await proxy.refuse()
  await project.dispose()
  await rm(folder, { recursive: true, force: true })
})

async function withCoordinator(body: (coordinator: Coordinator) => Promise<void>): Promise<void> {
  const env = {
    ...{ SUPABASE_URL: `http://127.0.0.1:${proxy.port}`, SNAPSHOT_DIR: folder, PORT: '0' },
    SUPABASE_SERVICE_ROLE_KEY: project.keys.secretKey,
  }
  const coordinator = await createCoordinator({ env })
  try {
    await coordinator.start()
    await body(coordinator)
  } finally {
    await coordinator.stop()
  }
}

describe('a start without the Supabase project', () => {
  it('serves the snapshot while the project is away, and takes writes when it is back', async () => {
    await withCoordinator(async (coordinator) => {
      expect((await register(coordinator, 'cart')).status).toBe(201)
    })
    await proxy.refuse()
    await withCoordinator(async (coordinator) => {
      expect(await names(coordinator)).toEqual(['cart'])
      expect((await register(coordinator, 'late')).status).toBe(503)
      expect((await ask(coordinator, '/health')).body).toMatchObject({
        status: 'degraded',
        storage: { backend: 'supabase', source: 'snapshot' },
      })
      await proxy.listen()
      await expect.poll(() => coordinator.live.status.state).toBe('ready')
      expect((await register(coordinator, 'late')).status).toBe(201)
      expect(await names(coordinator)).toEqual(['cart', 'late'])
    })
  })

  it.each([
    ['does not answer', { do: 'hang' }],
    ['answers with an error page', { do: 'answer', bytes: httpPage(522) }],
  ] as const)('serves the snapshot while the gateway %s', async (_, fault) => {
    await withCoordinator(async (coordinator) => {
      await register(coordinator, 'cart')
    })
    proxy.add({ fault })
    try {
      await withCoordinator(async (coordinator) => {
        expect(await names(coordinator)).toContain('cart')
        proxy.heal()
        await expect.poll(() => coordinator.live.status.state, { timeout: 60_000 }).toBe('ready')
      })
    } finally {
      proxy.heal()
    }
  })
})
