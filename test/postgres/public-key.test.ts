import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Env, runCoordinator, serving } from '../main/coordinator-process.ts'
import { PostgresServer } from '../support/postgres.ts'
import { makeSupabaseRoles } from './supabase-roles.ts'

const credentials = { AUTH: 'required', AUTH_ADMIN_TOKEN: 'administrator-'.repeat(3) }

let server: PostgresServer

beforeAll(async () => {
  server = await PostgresServer.start()
  await makeSupabaseRoles(server)
})
afterAll(() => server.dispose())

const variables = (schema: string, more: Env = {}): Env => ({
  DATABASE_URL: server.url(),
  DATABASE_SCHEMA: schema,
  ...more,
})

async function migrate(schema: string, ...options: string[]) {
  return await runCoordinator(['migrate', ...options], { env: variables(schema) })
}

async function expectRefusedStart(schema: string): Promise<void> {
  const { code, stdout, stderr } = await runCoordinator(['serve'], {
    env: variables(schema, { PORT: '0', LOG_LEVEL: 'silent', ...credentials }),
  })
  expect({ code, stdout }).toEqual({ code: 78, stdout: '' })
  expect(stderr).toMatch(
    /^coordinator: AUTH=required protects nothing here.*`coordinator migrate --forbid-anon`.*AUTH=off\. \[COORD_CONFIG_INVALID\]\n$/,
  )
}

const rightOf = async (schema: string) =>
  server.query(
    `select anon_allowed as flag, has_function_privilege('anon', 'public.${schema}_commit(jsonb)', 'execute') as right
     from ${schema}.head`,
  )

describe('a database whose public key may write', () => {
  it('ends a start with AUTH=required with exit code 78 and a line that mends it, until the right is taken back', async () => {
    expect(await migrate('opened', '--allow-anon')).toMatchObject({ code: 0 })
    await expectRefusedStart('opened')
    const [head] = await server.query('select required_since from opened.head')
    expect(head).toEqual({ required_since: null })
    expect(await migrate('opened', '--forbid-anon')).toMatchObject({ code: 0 })
    await using coordinator = await serving({ env: variables('opened', credentials) })
    expect(coordinator.url).toContain('http://')
  })

  it('ends the start where credentials were demanded before, too', async () => {
    await migrate('reopened')
    await server.query(`begin; select set_config('reopened.writer', 'on', true);
      update reopened.head set anon_allowed = true, required_since = 0; commit`)
    await expectRefusedStart('reopened')
  })

  it('serves where AUTH=off says that everybody may write', async () => {
    await migrate('open', '--allow-anon')
    await using coordinator = await serving({ env: variables('open', { AUTH: 'off' }) })
    expect(coordinator.url).toContain('http://')
  })
})

describe('a database on which credentials were demanded', () => {
  it('stays closed to the public key: --allow-anon is refused, and changes nothing', async () => {
    {
      await using _ = await serving({ env: variables('closed', credentials) })
      await expect
        .poll(() => server.query('select required_since from closed.head'))
        .toEqual([{ required_since: '0' }])
    }
    const { code, stderr } = await migrate('closed', '--allow-anon')
    expect(code).toBe(78)
    expect(stderr).toMatch(
      /has demanded credentials \(AUTH=required\).*DATABASE_SCHEMA\. \[COORD_CONFIG_INVALID\]\n$/,
    )
    expect(await rightOf('closed')).toEqual([{ flag: false, right: false }])
  })

  it('refuses the file with --allow-anon, too', async () => {
    await migrate('by_file')
    await server.query(`select by_file.access_require('{"schema": 9}')`)
    const { stdout } = await runCoordinator(['migrate', '--emit', 'supabase', '--allow-anon'], {
      env: { DATABASE_SCHEMA: 'by_file' },
    })
    await expect(server.query(stdout)).rejects.toMatchObject({ code: '55K02' })
    expect(await rightOf('by_file')).toEqual([{ flag: false, right: false }])
  })
})
