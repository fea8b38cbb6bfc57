import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { SupabaseStore } from '../../src/database/supabase/store.ts'
import { ERRORS } from '../../src/errors.ts'
import { ask, plainEnv, registration, runCoordinator, serving } from '../main/coordinator-process.ts'
import type { PostgresServer } from '../support/postgres.ts'
import { SupabaseProject } from '../support/supabase.ts'
import { answers } from './answer-cases.ts'

const guide = readFileSync('docs/supabase-setup.md', 'utf8')
const codes = [...guide.matchAll(/^\| `(COORD_\w+)` \|/gm)].map(([, code]) => code ?? '')
const ending = guide.slice(guide.indexOf('exit code 78'), guide.indexOf('is `connecting` or'))

/** Runs the genuine `supabase` command in the folder of somebody's project. */
async function supabase(folder: string, args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [resolve('node_modules/supabase/dist/supabase.js'), ...args], {
    cwd: folder,
    // It keeps a profile in the home folder, and asks whoever sits at a terminal.
    env: plainEnv({ HOME: folder, SUPABASE_TELEMETRY_DISABLED: '1' }),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk
    })
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`supabase ${args[0]} ended with ${code}:\n${output}`)
  return output
}

/** Writes what `--emit supabase` prints where the guide says, and pushes it, as a role with the rights of `postgres` there. */
async function push(folder: string, server: PostgresServer, time: string): Promise<string> {
  const { code, stdout } = await runCoordinator(['migrate', '--emit', 'supabase'])
  expect(code).toBe(0)
  await mkdir(join(folder, 'supabase/migrations'), { recursive: true })
  await writeFile(join(folder, `supabase/migrations/${time}_coordinator.sql`), stdout)
  return supabase(folder, ['db', 'push', '--yes', '--db-url', server.url('postgres', 'owning')])
}

describe('docs/supabase-setup.md', () => {
  it('explains every code that the Data API and the network can lead to', () => {
    const met = new Set(answers.map(([, , { code }]) => code))
    for (const code of [
      ...met,
      'COORD_STORE_DNS',
      'COORD_STORE_REFUSED',
      'COORD_STORE_TLS',
      'COORD_STORE_ANON',
    ])
      expect(codes).toContain(code)
  })

  it.each(codes)('says of %s truly whether it ends the start', (code) => {
    expect(Object.keys(ERRORS)).toContain(code)
    const { retryable } = ERRORS[code as keyof typeof ERRORS]
    // A schema that is too new stops the writing of a coordinator, not the start.
    expect(ending.includes(`\`${code}\``)).toBe(!retryable && code !== 'COORD_SCHEMA_NEWER')
  })

  it('leads to a project that works: what `--emit supabase` prints can be pasted into the SQL editor', async () => {
    const { code, stdout } = await runCoordinator(['migrate', '--emit', 'supabase'])
    expect(code).toBe(0)
    await using project = await SupabaseProject.start({ schemas: [], prepare: stdout })
    const store = new SupabaseStore(project.options())
    expect((await store.open()).position.revision).toBe(0)
    expect(await store.migrator.verify()).toEqual([])
    const { current, target, steps } = await store.migrator.migrate()
    expect(current).toBe(target)
    expect(new Set(steps.map(({ state }) => state))).toEqual(new Set(['applied']))
    await store.close()
  })

  it('leads to a project that works: the genuine `supabase db push` applies the file, and a later one over it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'coordinator-supabase-cli-'))
    try {
      await using project = await SupabaseProject.start({
        schemas: [],
        prepare: async (server) => {
          // Nobody is a superuser in a project.
          await server.query(
            'create role owning login; grant create on database postgres to owning; grant all on schema public to owning',
          )
          await supabase(folder, ['init'])
          expect(await push(folder, server, '20260101000000')).toContain('20260101000000_coordinator.sql')
        },
      })
      const env = { SUPABASE_URL: project.api.url, SUPABASE_SECRET_KEY: project.keys.secretKey }
      await using coordinator = await serving({ env })
      const register = async (name: string) =>
        (await ask(`${coordinator.url}/register`, 'POST', registration(name))).status
      expect(await register('before')).toBe(201)
      await push(folder, project.server, '20260102000000')
      expect(await register('after')).toBe(201)
      expect(await runCoordinator(['migrate', 'verify'], { env })).toMatchObject({ code: 0 })
      const pushed = await project.server.query(
        'select version from supabase_migrations.schema_migrations order by 1',
      )
      expect(pushed).toEqual([{ version: '20260101000000' }, { version: '20260102000000' }])
    } finally {
      await rm(folder, { recursive: true })
    }
  }, 60_000)
})
