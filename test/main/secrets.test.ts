import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { variablesOf } from '../../src/config/given-text.ts'
import type { Setting } from '../../src/config/setting.ts'
import { settingsTable } from '../../src/config/table.ts'
import {
  ask,
  CoordinatorProcess,
  type Env,
  registration,
  runCoordinator,
  scratchFolder,
  serving,
} from './coordinator-process.ts'

/** A text that stands nowhere else. Letters only, so that every place would show it unescaped. */
const canary = 'Kanarienvogel'

function jwt(claims: Record<string, unknown>): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}.${canary}Signature`
}

/** Variables whose values are keys, passwords, or URLs that may hold them. */
const secrets: Record<string, Env> = {
  'a password in the URL of PostgreSQL': { DATABASE_URL: `postgres://user:${canary}@127.0.0.1:1/db` },
  'the same with characters that need encoding': {
    DATABASE_URL: `postgres://user:${canary}%40%2F@127.0.0.1:1/db`,
  },
  'a password in a URL that cannot be parsed': { DATABASE_URL: `postgres://user:${canary}@[::1:x/db` },
  'a password in a URL of another kind': { DATABASE_URL: `mysql://user:${canary}@127.0.0.1/db` },
  'a key where a URL belongs': {
    SUPABASE_URL: `sb_secret_${canary}`,
    SUPABASE_SECRET_KEY: `sb_secret_${canary}`,
  },
  'credentials in the URL of Supabase': {
    SUPABASE_URL: `http://user:${canary}@127.0.0.1:1`,
    SUPABASE_SECRET_KEY: `sb_secret_${canary}`,
  },
  'a secret key': { SUPABASE_URL: 'http://127.0.0.1:1', SUPABASE_SECRET_KEY: `sb_secret_${canary}` },
  'a publishable key': {
    SUPABASE_URL: 'http://127.0.0.1:1',
    SUPABASE_PUBLISHABLE_KEY: `sb_publishable_${canary}`,
  },
  'a legacy key': {
    SUPABASE_URL: 'http://127.0.0.1:1',
    SUPABASE_SERVICE_ROLE_KEY: jwt({ role: 'service_role' }),
  },
  'a key with a line break': {
    SUPABASE_URL: 'http://127.0.0.1:1',
    SUPABASE_SERVICE_ROLE_KEY: `eyJ${canary}\nx`,
  },
  'a key without a URL': { SUPABASE_SERVICE_ROLE_KEY: `sb_secret_${canary}` },
  "an administrator's token that is too short": { AUTH: 'required', AUTH_ADMIN_TOKEN: canary },
  'the tokens of the environment': {
    AUTH: 'required',
    AUTH_ADMIN_TOKEN: canary.repeat(3),
    AUTH_METRICS_TOKEN: canary.repeat(4),
  },
  'a URL for the commands with a password': { COORDINATOR_URL: `http://user:${canary}@127.0.0.1:1` },
}

/** Starts, waits for an end or for a while, and answers everything that was written. */
async function outputOf(env: Env): Promise<string> {
  const coordinator = new CoordinatorProcess(['serve'], { env: { PORT: '0', LOG_LEVEL: 'trace', ...env } })
  await coordinator.wrote(/\n/)
  const tried = new Promise((resolve) => setTimeout(resolve, 1_000))
  await Promise.race([coordinator.ended, tried])
  coordinator.kill('SIGTERM')
  await coordinator.ended
  return coordinator.output
}

describe('secrets', () => {
  it.each(Object.entries(secrets))('%s: not in the log, at level trace', async (_what, env) => {
    const [json, pretty] = await Promise.all([
      outputOf({ LOG_FORMAT: 'json', ...env }),
      outputOf({ LOG_FORMAT: 'pretty', ...env }),
    ])
    expect(json + pretty).not.toContain(canary)
    expect(json).not.toBe('')
  })

  it('a value in the wrong variable is not repeated, whichever variable it is', async () => {
    const names = Object.values(settingsTable).flatMap((section) =>
      Object.values<Setting<unknown>>(section).flatMap(variablesOf),
    )
    expect(names.length).toBeGreaterThan(15)
    // A schema may be called anything; and a host, which is then shown as the address that cannot be listened on.
    const wrong = names.filter((name) => name !== 'HOST' && name !== 'DATABASE_SCHEMA')
    const all = Object.fromEntries(wrong.map((name) => [name, `:${canary}:`]))
    const { code, stdout, stderr } = await runCoordinator(['serve'], { env: all })
    expect(code).toBe(78)
    expect(stdout + stderr).not.toContain(canary)
  })

  it('beside a database that is used: in no answer, metric, log line or argument', async () => {
    await using folder = await scratchFolder()
    await using coordinator = await serving({
      env: {
        DATABASE_URL: `sqlite:${folder.path}/coordinator.db`,
        SUPABASE_URL: `https://user:${canary}@project.supabase.co`,
        SUPABASE_SERVICE_ROLE_KEY: jwt({ role: 'service_role', ref: canary }),
        SUPABASE_SECRET_KEY: `sb_secret_${canary}`,
        SUPABASE_ANON_KEY: `sb_publishable_${canary}`,
        SUPABASE_PUBLISHABLE_KEY: canary,
        LOG_LEVEL: 'trace',
        LOG_REQUESTS: 'true',
      },
    })
    const { url } = coordinator
    const texts: string[] = []
    for (const path of [
      '/health',
      '/health/ready',
      '/database',
      '/metrics',
      '/services',
      '/openapi.json',
      '/docs',
      '/none',
    ])
      texts.push(JSON.stringify(await ask(url + path)))
    // What a client sends is its own, and yet does not belong into the log.
    await ask(`${url}/register`, 'POST', { ...registration('secret'), metadata: { token: canary } })
    await ask(`${url}/register`, 'POST', {
      ...registration('secret'),
      endpoint: `http://user:${canary}@secret`,
    })
    await fetch(`${url}/services`, { headers: { authorization: `Bearer ${canary}`, cookie: canary } })
    texts.push(JSON.stringify(await ask(`${url}/metrics`)))
    if (process.platform === 'linux')
      texts.push(await readFile(`/proc/${coordinator.process.child.pid}/cmdline`, 'utf8'))
    const { stdout, stderr } = await coordinator.stop()
    expect(texts.join('\n') + stdout + stderr).not.toContain(canary)
    expect(stdout).toContain('"level":"info"')
  })
})
