import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask, registration, serving } from '../main/coordinator-process.ts'
import { PostgresServer } from '../support/postgres.ts'

const guide = readFileSync('docs/supabase-container.md', 'utf8')
const [, sql = ''] = /^```sql\n([\s\S]*?)^```$/m.exec(guide) ?? []

let server: PostgresServer
beforeAll(async () => {
  server = await PostgresServer.start()
  // As `postgres` is in a project: no superuser, and not the owner of the database.
  await server.query('create role dashboard login createrole bypassrls')
  await server.query('create database project')
  await server.query('grant create on database project to dashboard', 'postgres')
  await server.query("create table secrets as select 'of others' as text", 'project')
})
afterAll(() => server.dispose())

describe('docs/supabase-container.md', () => {
  it('shows the SQL for a role that runs a coordinator, and sees nothing else of the project', async () => {
    expect(sql).toContain('create role coordinator')
    await server.query(sql.replaceAll('postgres', 'dashboard'), 'project', 'dashboard')
    const env = { DATABASE_URL: server.url('project', 'coordinator') }
    {
      await using coordinator = await serving({ env })
      const { body } = await ask(`${coordinator.url}/register`, 'POST', registration('test'))
      expect(body.storage).toEqual({ backend: 'postgres', durable: true })
      await coordinator.stop()
    }
    await using again = await serving({ env })
    expect((await ask(`${again.url}/services`)).body.services).toHaveLength(1)
    const others = server.query('select * from public.secrets', 'project', 'coordinator')
    await expect(others).rejects.toThrow('permission denied')
    const wider = server.query('create schema another', 'project', 'coordinator')
    await expect(wider).rejects.toThrow('permission denied')
  })
})
