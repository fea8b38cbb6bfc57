import { describe, expect, it } from 'vitest'
import { describeDatabase } from '../../src/config/database.ts'
import { readSettings } from '../../src/config/settings.ts'
import { keyHeaders } from '../../src/config/supabase.ts'
import { faultOf } from './fault-of.ts'

const url = 'https://abcdefghijklmnopqrst.supabase.co'

function token(claims: Record<string, unknown>): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}.c2lnbmF0dXJl`
}

const serviceToken = token({ iss: 'supabase', ref: 'abcdefghijklmnopqrst', role: 'service_role' })
const anonToken = token({ iss: 'supabase', ref: 'abcdefghijklmnopqrst', role: 'anon' })

function target(env: Record<string, string>) {
  const { database } = readSettings(env)
  if (database.backend !== 'supabase') throw new Error(`chose ${database.backend}`)
  return database
}

describe('the Supabase variables', () => {
  it.each([
    ['SUPABASE_SERVICE_ROLE_KEY', serviceToken, 'legacy', 'service'],
    ['SUPABASE_SECRET_KEY', serviceToken, 'legacy', 'service'],
    ['SUPABASE_SERVICE_ROLE_KEY', 'sb_secret_abc', 'secret', 'service'],
    ['SUPABASE_SECRET_KEY', 'sb_secret_abc', 'secret', 'service'],
    ['SUPABASE_ANON_KEY', anonToken, 'legacy', 'anon'],
    ['SUPABASE_ANON_KEY', 'sb_publishable_abc', 'publishable', 'anon'],
    ['SUPABASE_PUBLISHABLE_KEY', 'sb_publishable_abc', 'publishable', 'anon'],
    ['SUPABASE_SERVICE_ROLE_KEY', 'own-key', 'other', 'service'],
    ['SUPABASE_ANON_KEY', 'own-key', 'other', 'anon'],
    // What a key is decides, not the variable it stands in.
    ['SUPABASE_SERVICE_ROLE_KEY', anonToken, 'legacy', 'anon'],
    ['SUPABASE_SERVICE_ROLE_KEY', 'sb_publishable_abc', 'publishable', 'anon'],
    ['SUPABASE_ANON_KEY', 'sb_secret_abc', 'secret', 'service'],
  ])('with %s=%.18s... give a %s key with the rights of %s', (variable, key, keyKind, access) => {
    const found = target({ SUPABASE_URL: url, [variable]: key })
    expect(found).toMatchObject({ backend: 'supabase', url, keyKind, access, keyVariable: variable })
    expect(found.key.reveal()).toBe(key)
  })

  it('use the secret key where both are set', () => {
    expect(
      target({ SUPABASE_URL: url, SUPABASE_ANON_KEY: anonToken, SUPABASE_SECRET_KEY: 'sb_secret_x' }),
    ).toMatchObject({
      keyVariable: 'SUPABASE_SECRET_KEY',
      access: 'service',
    })
  })

  it('use the first name where an alias holds another value, and say so', () => {
    const env = {
      SUPABASE_URL: url,
      SUPABASE_SERVICE_ROLE_KEY: serviceToken,
      SUPABASE_SECRET_KEY: 'sb_secret_x',
    }
    expect(target(env).keyKind).toBe('legacy')
    expect(readSettings(env).warnings).toEqual([
      'SUPABASE_SERVICE_ROLE_KEY is used; SUPABASE_SECRET_KEY is another name for it, with another value.',
    ])
  })

  it('warn where only a public key is set', () => {
    const { warnings } = readSettings({ SUPABASE_URL: url, SUPABASE_ANON_KEY: anonToken })
    expect(warnings).toEqual([
      expect.stringContaining('only where the schema was migrated with --allow-anon'),
    ])
  })

  it.each([
    [{ SUPABASE_URL: url }, 'SUPABASE_SERVICE_ROLE_KEY', 'SUPABASE_URL is set without a key'],
    [
      { SUPABASE_SECRET_KEY: 'sb_secret_x' },
      'SUPABASE_URL',
      'SUPABASE_SECRET_KEY is set without SUPABASE_URL',
    ],
    [{ SUPABASE_ANON_KEY: anonToken }, 'SUPABASE_URL', 'SUPABASE_ANON_KEY is set without SUPABASE_URL'],
    [
      { SUPABASE_URL: url, SUPABASE_ANON_KEY: '' },
      'SUPABASE_SERVICE_ROLE_KEY',
      'SUPABASE_URL is set without a key',
    ],
  ])('half set end the start, never in memory: %#', (env, variable, reason) => {
    const fault = faultOf(env as Record<string, string>)
    expect(fault).toMatchObject({ code: 'COORD_CONFIG_INCOMPLETE', exitCode: 78 })
    expect(fault.detail).toContain(reason)
    expect(fault.errors.map(({ path }) => path)).toEqual([variable])
  })

  it.each([
    ['abcdefghijklmnopqrst.supabase.co', 'is not a URL'],
    ['ftp://x.supabase.co', 'must begin with https://'],
    ['http://abcdefghijklmnopqrst.supabase.co', 'must begin with https://: the key'],
    ['https://u:p@x.supabase.co', 'holds credentials'],
    ['https://supabase.com/dashboard/project/abcdefghijklmnopqrst', 'address of the dashboard'],
    ['https://x.supabase.co?apikey=1', 'has a query'],
    ['postgresql://postgres:pw@db.x.supabase.co:5432/postgres', 'put that into DATABASE_URL'],
    ['sb_secret_x', 'holds a key'],
    [serviceToken, 'holds a key'],
  ])('SUPABASE_URL=%.40s is refused: %s', (value, reason) => {
    const fault = faultOf({ SUPABASE_URL: value, SUPABASE_SECRET_KEY: 'sb_secret_x' })
    expect(fault).toMatchObject({ code: 'COORD_CONFIG_INVALID', exitCode: 78 })
    expect(fault.detail).toContain(reason)
  })

  it.each([
    [url, 'holds a URL'],
    ['sb_secret_a b', 'has a character that no key has'],
    ['sb_secret_a\nb', 'has a character that no key has'],
    ['sb_secret_ä', 'has a character that no key has'],
    ['eyJhbGciOiJIUzI1NiJ9.cut', 'cannot be read'],
    ['eyJhbGciOiJIUzI1NiJ9.cut.cut', 'cannot be read'],
  ])('SUPABASE_SERVICE_ROLE_KEY=%j is refused: %s', (value, reason) => {
    const fault = faultOf({ SUPABASE_URL: url, SUPABASE_SERVICE_ROLE_KEY: value })
    expect(fault).toMatchObject({ code: 'COORD_CONFIG_INVALID', exitCode: 78 })
    expect(fault.detail).toContain(reason)
  })

  it('refuse a key of another project', () => {
    const other = token({ ref: 'zzzzzzzzzzzzzzzzzzzz', role: 'service_role' })
    expect(faultOf({ SUPABASE_URL: url, SUPABASE_SERVICE_ROLE_KEY: other }).detail).toContain(
      'another project',
    )
    expect(target({ SUPABASE_URL: 'http://127.0.0.1:54321', SUPABASE_SERVICE_ROLE_KEY: other }).access).toBe(
      'service',
    )
  })

  it.each([
    [`${url}/`, url, 0],
    [`${url}/rest/v1`, url, 1],
    ['http://localhost:54321/', 'http://localhost:54321', 0],
    ['https://example.org/base/', 'https://example.org/base', 0],
  ])('SUPABASE_URL=%s is read as %s', (value, expected, warnings) => {
    const env = { SUPABASE_URL: value, SUPABASE_SECRET_KEY: 'sb_secret_x' }
    expect(target(env).url).toBe(expected)
    expect(readSettings(env).warnings).toHaveLength(warnings)
  })
})

describe('a Supabase key', () => {
  it('is sent twice where it is a JWT, and as apikey only where it is not', () => {
    const headers = (key: string) => keyHeaders(target({ SUPABASE_URL: url, SUPABASE_SERVICE_ROLE_KEY: key }))
    expect(headers(serviceToken)).toEqual({ apikey: serviceToken, authorization: `Bearer ${serviceToken}` })
    expect(headers('sb_secret_x')).toEqual({ apikey: 'sb_secret_x' })
    expect(headers('sb_publishable_x')).toEqual({ apikey: 'sb_publishable_x' })
  })

  it.each([
    [serviceToken, 'legacy service_role key (eyJ...)'],
    [anonToken, 'legacy anon key (eyJ...)'],
    ['sb_secret_x', 'secret key (sb_secret_...)'],
    ['sb_publishable_x', 'publishable key (sb_publishable_...)'],
    ['own-key', 'key of unknown kind, used as service'],
  ])('is described by its kind only: %.16s...', (key, text) => {
    const found = target({ SUPABASE_URL: url, SUPABASE_SERVICE_ROLE_KEY: key })
    expect(describeDatabase(found)).toBe(`supabase ${url} with a ${text}`)
  })
})
