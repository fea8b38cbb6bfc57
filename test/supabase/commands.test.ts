import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Ended, type Env, runCoordinator } from '../main/coordinator-process.ts'
import { SupabaseProject } from '../support/supabase.ts'

let project: SupabaseProject

beforeAll(async () => {
  project = await SupabaseProject.start({
    schemas: ['coordinator', 'older', 'newer'],
    prepare: `
      delete from older.migrations where version = (select max(version) from older.migrations);
      insert into newer.migrations (version, name, checksum, source) values (99, 'later', 'x', '')`,
  })
})
afterAll(() => project.dispose())

function run(args: readonly string[], env: Env = {}): Promise<Ended> {
  const { api, keys } = project
  return runCoordinator(args, {
    env: { SUPABASE_URL: api.url, SUPABASE_SERVICE_ROLE_KEY: keys.secretKey, ...env },
  })
}

describe('commands on a Supabase project, with its key alone', () => {
  it.each([
    [['migrate', 'status'], /The schema is at \d+, as it should be/],
    [['migrate', 'verify'], /The schema is as it should be/],
    [['migrate'], /The schema is at \d+/],
  ])('coordinator %s: finds a migrated schema in order', async (args, text) => {
    const { code, stdout, stderr } = await run(args)
    expect(stdout).toMatch(text)
    expect(code).toBe(0)
    expect(stdout + stderr).not.toContain(project.keys.secretKey)
  })

  it('coordinator migrate: says with which commands a missing schema is made, as a key cannot make it', async () => {
    const { code, stderr } = await run(['migrate'], { DATABASE_SCHEMA: 'missing' })
    expect(code).toBe(78)
    expect(stderr).toContain("DATABASE_SCHEMA=missing DATABASE_URL='postgres://...' coordinator migrate")
    expect(stderr).toContain('supabase db push')
  })

  it('names the way that a key does not have where the schema is too old, and the upgrade where it is too new', async () => {
    for (const args of [['migrate', 'status'], ['doctor']]) {
      const old = await run(args, { DATABASE_SCHEMA: 'older' })
      expect(old.code).toBe(1)
      expect(old.stdout).toContain("Run once `DATABASE_SCHEMA=older DATABASE_URL='postgres://...'")
    }
    const recent = await run(['migrate', 'status'], { DATABASE_SCHEMA: 'newer' })
    expect(recent.stdout).toMatch(
      /The schema is at 99, this program brings \d+\. Upgrade the coordinator\.\n$/,
    )
  })

  it.each([
    ['older', 'COORD_SCHEMA_OLD', 'DATABASE_SCHEMA=older'],
    ['newer', 'COORD_SCHEMA_NEWER', 'Upgrade the coordinator'],
  ])(
    'coordinator migrate verify: of a schema that is %s prints no SQL, and ends with 78',
    async (schema, code, next) => {
      const verified = await run(['migrate', 'verify'], { DATABASE_SCHEMA: schema })
      expect(verified).toMatchObject({ code: 78, stdout: '' })
      expect(verified.stderr).toContain(`[${code}]`)
      expect(verified.stderr).toContain(next)
    },
  )

  it('coordinator migrate verify: finds a function that was opened to everybody, and prints what closes it', async () => {
    const opened = 'function public.coordinator_commit(jsonb)'
    await project.server.query(`grant execute on ${opened} to anon`)
    try {
      const { code, stdout } = await run(['migrate', 'verify'])
      expect(code).toBe(1)
      expect(stdout).toMatch(/revoke .*coordinator_commit.* from .*anon/)
    } finally {
      await project.server.query(`revoke execute on ${opened} from anon`)
    }
  })

  it('coordinator migrate --allow-anon: refuses, as a key cannot grant rights, and warns of what that means', async () => {
    const { code, stderr } = await run(['migrate', '--allow-anon'])
    expect(code).not.toBe(0)
    expect(stderr).toMatch(/everybody who has the public key/)
    expect(stderr).toContain('DATABASE_URL')
  })

  it('coordinator doctor: names key, role and drift', async () => {
    const { stdout, stderr } = await run(['doctor'])
    expect(stdout).toMatch(/ok +key: SUPABASE_SERVICE_ROLE_KEY: secret key \(sb_secret_\.\.\.\)/)
    expect(stdout).toMatch(/ok +drift/)
    expect(stdout + stderr).not.toContain(project.keys.secretKey)
  })
})
