import { expect, it } from 'vitest'
import { ask, registration, runCoordinator, serving } from '../main/coordinator-process.ts'
import { S3Server } from '../support/s3-server.ts'
import { SupabaseProject } from '../support/supabase.ts'

function variablesOf({ api, keys }: SupabaseProject, s3: S3Server) {
  return {
    ...s3.env,
    ...{ SUPABASE_URL: api.url, SUPABASE_SECRET_KEY: keys.secretKey },
    ...{ BACKUP_URL: s3.url('demo'), BACKUP_INTERVAL_MS: '200' },
  }
}

it('a Supabase project that is lost comes back, with its history, from a bucket into a new project', async () => {
  const s3 = await S3Server.start()
  try {
    let lost: { services: unknown[]; lineage: string; cartId: string } | undefined
    {
      await using project = await SupabaseProject.start()
      const env = variablesOf(project, s3)
      await using coordinator = await serving({ env })
      const imported = await runCoordinator(['import', 'examples/data/opentelemetry-demo.json'], {
        env: { COORDINATOR_URL: coordinator.url },
      })
      expect(imported.code).toBe(0)
      const { body } = await ask(`${coordinator.url}/services?limit=100`)
      const cart = body.services.find((service: { serviceName: string }) => service.serviceName === 'cart')
      await ask(`${coordinator.url}/services/${cart.serviceId}`, 'DELETE')
      await ask(`${coordinator.url}/register`, 'POST', registration('late'))
      const revision = body.services.length + 2
      await expect
        .poll(async () => (await ask(`${coordinator.url}/health`)).body.backup)
        .toMatchObject({ state: 'ok', archivedRevision: revision, unarchivedRevisions: 0 })
      const now = await ask(`${coordinator.url}/services?limit=100`)
      lost = {
        services: now.body.services,
        lineage: now.headers.get('x-coordinator-lineage') ?? '',
        cartId: cart.serviceId,
      }
      await coordinator.stop('SIGKILL')
    }

    await using project = await SupabaseProject.start()
    const env = variablesOf(project, s3)
    const { code, stdout, stderr } = await runCoordinator(['restore', '--json'], { env, timeoutMs: 60_000 })
    expect({ code, stderr }).toMatchObject({ code: 0 })
    expect(JSON.parse(stdout)).toMatchObject({ previous: lost.lineage, floor: 0 })
    expect(stdout + stderr).not.toContain(project.keys.secretKey)
    await using coordinator = await serving({ env })
    const { body, headers } = await ask(`${coordinator.url}/services?limit=100`)
    const stored = (services: readonly { [member: string]: unknown }[]) =>
      services.map(({ serviceId, serviceName, version, revision, registeredAt }) => ({
        ...{ serviceId, serviceName, version, revision, registeredAt },
      }))
    expect(stored(body.services)).toEqual(stored(lost.services as never))
    expect(headers.get('x-coordinator-lineage')).toBe(JSON.parse(stdout).lineage)
    const { body: history } = await ask(`${coordinator.url}/services/${lost.cartId}/history`)
    expect(history.entries).toHaveLength(2)
  } finally {
    await s3.close()
  }
})
