import { describe, expect, it } from 'vitest'
import { ask, registration, runCoordinator, scratchFolder, serving } from './coordinator-process.ts'

describe('quick check', () => {
  it('answers 201, then 200 with the same id and revision and nothing changed', async () => {
    await using coordinator = await serving()
    const first = await ask(`${coordinator.url}/register`, 'POST', registration('test'))
    expect(first.status).toBe(201)
    expect(first.body).toMatchObject({
      success: true,
      serviceId: expect.stringMatching(
        /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
      ),
      status: 'pending_migration',
      changed: true,
      revision: 1,
      storage: { backend: 'memory', durable: false },
    })
    const second = await ask(`${coordinator.url}/register`, 'POST', registration('test'))
    expect(second.status).toBe(200)
    expect(second.body).toMatchObject({
      serviceId: first.body.serviceId,
      changed: false,
      revision: 1,
      storage: { backend: 'memory', durable: false },
    })
  })

  it('in memory: a restart loses it, and the log and /health say so beforehand', async () => {
    {
      await using coordinator = await serving()
      await ask(`${coordinator.url}/register`, 'POST', registration('test'))
      expect((await ask(`${coordinator.url}/health`)).body.storage).toMatchObject({
        backend: 'memory',
        durable: false,
      })
      const { stdout, code } = await coordinator.stop()
      expect(code).toBe(0)
      expect(stdout).toMatch(/kept in memory: a restart of the coordinator loses it/)
    }
    await using coordinator = await serving()
    expect((await ask(`${coordinator.url}/services`)).body).toMatchObject({
      services: [],
      total: 0,
      revision: 0,
    })
  })

  it('on SQLite: a restart finds it with the same id and revision', async () => {
    await using folder = await scratchFolder()
    const options = { cwd: folder.path, env: { DATABASE_URL: 'sqlite:./data/coordinator.db' } }
    const register = async () => {
      await using coordinator = await serving(options)
      const { status, body } = await ask(`${coordinator.url}/register`, 'POST', registration('test'))
      const list = await ask(`${coordinator.url}/services`)
      expect((await coordinator.stop()).code).toBe(0)
      return { status, body, list: list.body }
    }
    const before = await register()
    expect(before).toMatchObject({
      status: 201,
      body: { changed: true, revision: 1, storage: { backend: 'sqlite', durable: true } },
    })
    const after = await register()
    expect(after).toMatchObject({
      status: 200,
      body: { serviceId: before.body.serviceId, changed: false, revision: 1 },
    })
    expect(after.list).toEqual(before.list)
  })

  it('imports the 28 services of a real system, which filters find by tag, metadata and version', async () => {
    await using coordinator = await serving()
    const env = { COORDINATOR_URL: coordinator.url }
    const imported = await runCoordinator(['import', 'examples/data/opentelemetry-demo.json'], { env })
    expect(imported).toMatchObject({
      code: 0,
      stdout: '28 services: 28 new, 0 changed, 0 unchanged, 0 failed\n',
    })
    const again = await runCoordinator(['import', 'examples/data/opentelemetry-demo.json'], { env })
    expect(again).toMatchObject({
      code: 0,
      stdout: '28 services: 0 new, 0 changed, 28 unchanged, 0 failed\n',
    })
    const names = async (query: string) => {
      const { body } = await ask(`${coordinator.url}/services?${query}`)
      return body.services.map(({ serviceName }: { serviceName: string }) => serviceName)
    }
    const { default: demo } = await import('../../examples/data/opentelemetry-demo.json')
    const expected = (keep: (service: (typeof demo)[number]) => boolean) =>
      demo
        .filter(keep)
        .map(({ serviceName }) => serviceName)
        .sort()
    expect(await names('tag=database')).toEqual(expected(({ tags }) => tags.includes('database')))
    expect(await names('metadata.system=opentelemetry-demo')).toHaveLength(28)
    expect(await names('metadata.system=other')).toEqual([])
    expect(await names('version=^3')).toEqual(expected(({ version }) => version.startsWith('3.')))
  })
})
