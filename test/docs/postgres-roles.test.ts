import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PostgresStore } from '../../src/database/postgres/store.ts'
import { registration, runCoordinator, serving } from '../main/coordinator-process.ts'
import { storeOptions } from '../support/backends/postgres.ts'
import { PostgresServer } from '../support/postgres.ts'

const guide = readFileSync('docs/postgres.md', 'utf8').split('## Other roles')[1] ?? ''
const [reading = '', running = ''] = [...guide.matchAll(/^```sql\n([\s\S]*?)^```$/gm)].map(([, sql]) => sql)

let server: PostgresServer
beforeAll(async () => {
  server = await PostgresServer.start()
  await server.query('create role owning login')
  await server.query('create database guide owner owning')
  const store = new PostgresStore(storeOptions(server, { role: 'owning', database: 'guide' }))
  await store.open()
  await store.close()
})
afterAll(() => server.dispose())

describe('docs/postgres.md', () => {
  it('shows what lets a role run a coordinator that it cannot migrate, and another one read', async () => {
    await server.query(running, 'guide')
    const env = { DATABASE_URL: server.url('guide', 'runner'), AUTO_MIGRATE: 'false' }
    await using coordinator = await serving({ env })
    const imported = await runCoordinator(['import', '-', '--url', coordinator.url], {
      input: JSON.stringify(registration('by-runner')),
    })
    expect(imported).toMatchObject({ code: 0 })
    expect((await runCoordinator(['graph', 'diff', '0', '--url', coordinator.url])).code).toBe(0)
    expect(await runCoordinator(['migrate', 'verify'], { env })).toMatchObject({ code: 0 })

    await server.query(reading, 'guide')
    const rows = await server.query('select service_name from coordinator.services', 'guide', 'reader')
    expect(rows).toEqual([{ service_name: 'by-runner' }])
  })

  it('says truly that without bypassrls the start ends, naming row security', async () => {
    await server.query('alter role runner nobypassrls')
    const env = { DATABASE_URL: server.url('guide', 'runner'), AUTO_MIGRATE: 'false' }
    expect(await runCoordinator(['serve', '--port', '0'], { env })).toMatchObject({
      code: 78,
      stderr: expect.stringMatching(/Row security hides .* role runner.*\[COORD_STORE_RIGHTS\]/s),
    })
  })
})
