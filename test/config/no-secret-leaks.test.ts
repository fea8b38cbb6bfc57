import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { describeDatabase } from '../../src/config/database.ts'
import { variablesOf } from '../../src/config/given-text.ts'
import { Secret } from '../../src/config/secret.ts'
import type { Setting } from '../../src/config/setting.ts'
import { readSettings, secretTexts } from '../../src/config/settings.ts'
import { settingsTable } from '../../src/config/table.ts'

const canary = 'CaNaRy7f3a'
const variables = Object.values(settingsTable).flatMap((section) =>
  Object.values<Setting<unknown>>(section).flatMap(variablesOf),
)

/** Everything that printing, logging or answering could show of a value, to any depth. */
function everythingOf(value: unknown): string {
  const parts = [
    inspect(value, { depth: null, showHidden: true, getters: true }),
    JSON.stringify(value) ?? '',
    String(value),
  ]
  for (let error = value; error instanceof Error; error = error.cause) {
    parts.push(
      error.message,
      error.stack ?? '',
      inspect(Object.getOwnPropertyDescriptors(error), { depth: null }),
    )
  }
  return parts.join('\n')
}

/** What reading an environment makes visible. */
function visible(env: Record<string, string>): string {
  try {
    const settings = readSettings(env)
    return everythingOf(settings) + describeDatabase(settings.database)
  } catch (error) {
    return everythingOf(error)
  }
}

describe('a secret', () => {
  it('shows itself only when asked', () => {
    const secret = new Secret(canary)
    expect(`${everythingOf({ secret, list: [secret] })}${secret}`).not.toContain(canary)
    expect(secret.reveal()).toBe(canary)
  })

  it.each([
    { DATABASE_URL: `postgres://u:${canary}@host/db` },
    { DATABASE_URL: `postgres://host/db?password=${canary}` },
    { DATABASE_URL: `postgres://u:${canary}@h1,h2:5433/db?x=${canary}&${canary}=1&${canary}` },
    { DATABASE_URL: `postgres://u:${canary}@/db` },
    { DATABASE_URL: `postgres://u:${canary}@host:99999/db` },
    { DATABASE_URL: `postgres://u:${canary}?more@host/db` },
    { DATABASE_URL: `postgres://u:${canary}%zz@host/db` },
    { DATABASE_URL: `postgres://u:p@host/db?sslmode=${canary}` },
    { DATABASE_URL: `postgres://u:12/${canary}@host/db` },
    { DATABASE_URL: `postgres://u:${canary}/x?@host/db` },
    { DATABASE_URL: `postgres://u:${canary}/x@y@host:1/db?sslmode=on` },
    { DATABASE_URL: `postgres://u:p?${canary}=1/x@host/db` },
    { DATABASE_URL: `postgres://host/db?sslmode${canary}=1` },
    { DATABASE_URL: `postgres://host/db?${canary}` },
    { DATABASE_URL: `postgres://host/db?require_auth=${canary}` },
    { DATABASE_URL: `postgres://host/db?ssl=${canary}&sslpassword=${canary}` },
    { DATABASE_URL: `postgres://host/db?sslpassword=${canary}&sslkey=x` },
    { DATABASE_URL: `postgres://host/db?port=${canary}` },
    { DATABASE_URL: `postgres://host/db?hostaddr=${canary}` },
    { DATABASE_URL: `postgres://host/db?service=${canary}`, HOME: '/nowhere' },
    { DATABASE_URL: `host=a user=u password=${canary}` },
    { DATABASE_URL: `host=a user=u password='${canary}` },
    { DATABASE_URL: `host=a user=u password=${canary} x` },
    { DATABASE_URL: `host=a pasword=${canary}` },
    { DATABASE_URL: `${canary}=x` },
    { DATABASE_URL: 'postgres://host/db', PGPASSWORD: canary },
    { DATABASE_URL: 'postgres://host/db', PGPASSWORD: canary, PGPORT: '0' },
    { DATABASE_URL: 'postgres://host/db', PGSERVICE: canary, PGSERVICEFILE: canary },
    { DATABASE_URL: `sqlite:$${canary}/x` },
    { DATABASE_URL: `mysql://u:${canary}@host/db` },
    { DATABASE_URL: `${canary}:x@host/db` },
    { DATABASE_URL: `"postgres://u:${canary}@host/db"` },
    { DATABASE_URL: canary },
    { DATABASE_URI: `postgres://u:${canary}@host/db` },
    { SUPABASE_URL: 'https://x.supabase.co', SUPABASE_SERVICE_ROLE_KEY: `sb_secret_${canary}` },
    { SUPABASE_URL: 'https://x.supabase.co', SUPABASE_ANON_KEY: `sb_secret_${canary}` },
    { SUPABASE_URL: 'https://x.supabase.co', SUPABASE_ANON_KEY: `eyJ${canary}.${canary}.${canary}` },
    { SUPABASE_URL: 'https://x.supabase.co', SUPABASE_SECRET_KEY: `sb_secret_\n${canary}` },
    { SUPABASE_URL: 'https://x.supabase.co', SUPABASE_SECRET_KEY: canary },
    { SUPABASE_URL: `sb_secret_${canary}`, SUPABASE_SECRET_KEY: 'https://x.supabase.co' },
    { SUPABASE_URL: `https://u:${canary}@x.supabase.co`, SUPABASE_SECRET_KEY: 'sb_secret_x' },
    { SUPABASE_URL: `https://x.supabase.co?apikey=${canary}`, SUPABASE_SECRET_KEY: 'sb_secret_x' },
    { SUPABASE_URL: `http://[${canary}`, SUPABASE_SECRET_KEY: 'sb_secret_x' },
    { SUPABASE_SECRET_KEY: `sb_secret_${canary}` },
    { SUPABASE_KEY: `sb_secret_${canary}` },
    { DATABASE_URL: 'postgres://u@host/db', DATABASE_REPLICAS: `postgres://u:${canary}@r1/db ${canary}` },
    { DATABASE_URL: 'postgres://u@host/db', DATABASE_REPLICAS: `postgres://u:${canary}@r1:x/db?a=${canary}` },
    {
      DATABASE_URL: 'postgres://u@host/db',
      DATABASE_REPLICAS: `postgres://u:${canary}@r1/db?schema=${canary}`,
    },
    { DATABASE_REPLICAS: `postgres://u:${canary}@r1/db` },
    { COORDINATOR_URL: `http://u:${canary}@host` },
    { COORDINATOR_TOKEN: canary },
    { AUTH: 'required', AUTH_ADMIN_TOKEN: canary.repeat(4), AUTH_METRICS_TOKEN: canary.repeat(4) },
    { AUTH: 'required', AUTH_ADMIN_TOKEN: canary.repeat(4), AUTH_METRICS_TOKEN: canary.repeat(5) },
    { AUTH_ADMIN_TOKEN_FILE: canary },
    { AUTH: canary, AUTH_JWT_ISSUER: `https://u:${canary}@host`, AUTH_JWKS_URL: canary },
    { TLS_KEY_FILE: `-----BEGIN PRIVATE KEY-----${canary}`, TLS_CERT_FILE: 'x' },
  ])('never becomes visible: case %#', (env) => {
    expect(visible(env as unknown as Record<string, string>)).not.toContain(canary)
  })

  it('never comes back in an error or a warning, whatever variable it was put into', () => {
    const junk = fc.string({ unit: 'binary', maxLength: 12 })
    const glue = fc.constantFrom(
      '',
      ':',
      '@',
      '/',
      '?',
      '#',
      '%',
      '://',
      'postgres://',
      'sqlite:',
      'https://',
      '=',
      '&',
      ',',
    )
    const value = fc
      .tuple(glue, junk, glue, glue, junk, glue)
      .map(([a, b, c, d, e, f]) => `${a}${b}${c}${canary}${d}${e}${f}`)
    const environment = fc.dictionary(fc.constantFrom(...variables), value, { maxKeys: 4 })
    fc.assert(
      fc.property(environment, (env) => {
        try {
          expect(readSettings(env).warnings.join()).not.toContain(canary)
        } catch (error) {
          expect(everythingOf(error)).not.toContain(canary)
        }
      }),
      { numRuns: 1_000 },
    )
  })

  it('is handed to what removes it from logs', () => {
    expect(secretTexts(readSettings({ DATABASE_URL: 'postgres://u:pw%21@host/db' }))).toEqual(['pw!'])
    expect(
      secretTexts(
        readSettings({ DATABASE_URL: 'postgres://host/db?sslpassword=key', PGPASSWORD: 'variable' }),
      ),
    ).toEqual(['variable', 'key'])
    expect(
      secretTexts(
        readSettings({ SUPABASE_URL: 'https://x.supabase.co', SUPABASE_SECRET_KEY: 'sb_secret_x' }),
      ),
    ).toEqual(['sb_secret_x'])
    expect(
      secretTexts(
        readSettings({
          DATABASE_URL: 'postgres://u:first@host/db',
          DATABASE_REPLICAS: 'postgres://u:second@r1/db postgres://u:third@r2/db?sslpassword=fourth',
        }),
      ),
    ).toEqual(['first', 'second', 'third', 'fourth'])
    expect(secretTexts(readSettings({}))).toEqual([])
  })
})
