import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask, type Env, registration, scratchFolder, serving } from '../../main/coordinator-process.ts'
import { PostgresServer } from '../../support/postgres.ts'
import { SupabaseProject } from '../../support/supabase.ts'
import { recordsOf, runAt } from './import-into.ts'

let postgres: PostgresServer
let supabase: SupabaseProject
let folder: Awaited<ReturnType<typeof scratchFolder>>
let records: readonly unknown[]
let exported: string
beforeAll(async () => {
  await using first = await serving()
  await fill(first.url)
  records = await recordsOf(first)
  exported = (await runAt(first, ['export'])).stdout
  ;[postgres, supabase, folder] = await Promise.all([
    PostgresServer.start(),
    SupabaseProject.start(),
    scratchFolder(),
  ])
})
afterAll(async () => {
  await postgres.dispose()
  await supabase.dispose()
  await folder[Symbol.asyncDispose]()
})

/** Where the records go, one after the other. */
const targets: readonly (readonly [name: string, env: () => Env])[] = [
  ['sqlite', () => ({ DATABASE_URL: `sqlite:${folder.path}/coordinator.db` })],
  ['postgres', () => ({ DATABASE_URL: postgres.url() })],
  [
    'supabase',
    () => ({ SUPABASE_URL: supabase.api.url, SUPABASE_SERVICE_ROLE_KEY: supabase.keys.secretKey }),
  ],
  ['memory', () => ({})],
]

/** A record of every shape: what JSON, ids and namespaces can hold. */
async function fill(url: string): Promise<void> {
  const services = [
    registration('plain'),
    registration('full', {
      ...{ namespace: 'shop', description: 'ä "\u2028" \\ \u{1f6d2}', instanceId: 'full/0', ttlSeconds: 30 },
      metadata: {
        'coordinator.source': 'shop',
        nested: { list: [1, 2.5, null, true, ''] },
        big: 2 ** 53 - 1,
      },
      ...{ tags: ['b', 'a'], capabilities: ['pay'], healthCheck: '/live' },
      dependencies: ['plain', { serviceName: 'plain', namespace: 'default', version: '^1', type: 'grpc' }],
      migrationFile: { tables: ['carts'], events: { publishes: ['paid'] }, free: { text: 'x' } },
    }),
    registration('名前, with: signs @ %41', { endpoint: 'http://names:1' }),
    ...Array.from({ length: 300 }, (_, at) =>
      registration(`many-${at}`, { dependencies: [`many-${at + 1}`] }),
    ),
  ]
  const { body } = await ask(`${url}/register/batch`, 'POST', services)
  expect(body).toMatchObject({ failed: 0 })
  const name = encodeURIComponent('名'.repeat(200))
  const put = async (path: string, content: object) => {
    const { status } = await ask(`${url}/knowledge-graph/${path}`, 'PUT', content)
    expect({ path, status }).toEqual({ path, status: 201 })
  }
  await put('nodes/team:payments', { label: 'Payments', properties: { 'coordinator.source': 'x', n: [{}] } })
  await put('nodes/team:@shop:web', {})
  await put(`nodes/${encodeURIComponent(`topic:${name}`)}`, { label: 'too long for its own id' })
  await put('edges/team:payments,owns,service:@shop:full', { properties: { since: '2026' } })
  await put('edges/service:plain,calls,service:many-1,observed', {})
  await put(`edges/${encodeURIComponent(`team:payments,owns,topic:${name}`)}`, {})
}

describe('coordinator export and import', () => {
  // What one backend has exported goes into the next one.
  it.each(targets)(
    'bring the same records into %s, and importing twice changes nothing',
    async (_name, env) => {
      await using target = await serving({ env: env() })
      expect(await runAt(target, ['import', '-'], exported)).toMatchObject({
        code: 0,
        stdout: '303 services, 3 nodes and 3 edges: 309 new, 0 changed, 0 unchanged, 0 failed\n',
      })
      expect(await recordsOf(target)).toEqual(records)
      expect((await runAt(target, ['import', '-'], exported)).stdout).toContain('309 unchanged')
      exported = (await runAt(target, ['export'])).stdout
    },
  )

  it('keep every part apart from revisions, times and heartbeats, which are new', async () => {
    await using first = await serving()
    await using second = await serving()
    const { body } = await ask(`${first.url}/register`, 'POST', registration('cart', { ttlSeconds: 60 }))
    await ask(`${first.url}/services/${body.serviceId}/heartbeat`, 'PUT', {})
    await runAt(second, ['import', '-'], (await runAt(first, ['export'])).stdout)
    const { service } = (await ask(`${second.url}/services/${body.serviceId}`)).body
    expect(service).toMatchObject({ serviceId: body.serviceId, health: 'unknown', lastHeartbeat: null })
  })
})
