import { describe, expect, it } from 'vitest'
import { describeDatabase } from '../../src/config/database.ts'
import type { Setting } from '../../src/config/setting.ts'
import { readClientSettings, readSettings, secretTexts } from '../../src/config/settings.ts'
import { settingsTable } from '../../src/config/table.ts'
import { faultOf } from './fault-of.ts'

const all = Object.values(settingsTable).flatMap((section) => Object.values<Setting<unknown>>(section))
const url = 'https://abcdefghijklmnopqrst.supabase.co'

function jwt(claims: object): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part({ alg: 'HS256' })}.${part(claims)}.c2lnbmF0dXJl`
}

describe('the address of a Supabase project', () => {
  it.each([
    ['http://abcdefghijklmnopqrst.supabase.co', 'must begin with https://: the key'],
    ['http://abcdefghijklmnopqrst.supabase.in', 'must begin with https://: the key'],
    ['https://app.supabase.com/project/x', 'address of the dashboard'],
    ['https://x.supabase.co/#a', 'has a query or a fragment'],
    ['https://user@x.supabase.co', 'holds credentials'],
    ['EYJ-is-no-key', 'is not a URL'],
    ['POSTGRES://u:p@host/db', 'put that into DATABASE_URL'],
  ])('%s is refused: %s', (value, reason) => {
    expect(faultOf({ SUPABASE_URL: value, SUPABASE_SECRET_KEY: 'sb_secret_x' }).detail).toContain(reason)
  })

  it('of the older kind must be that of the key as well', () => {
    const key = jwt({ ref: 'zzzzzzzzzzzzzzzzzzzz', role: 'service_role' })
    for (const host of ['supabase.co', 'supabase.in'])
      expect(
        faultOf({ SUPABASE_URL: `https://abcdefghijklmnopqrst.${host}`, SUPABASE_SECRET_KEY: key }).detail,
      ).toContain('belongs to another project')
  })

  it('of another host that only ends alike is no project', () => {
    const env = { SUPABASE_URL: 'http://notsupabase.com:8000', SUPABASE_SECRET_KEY: 'sb_secret_x' }
    expect(readSettings(env).database).toMatchObject({ url: 'http://notsupabase.com:8000' })
  })
})

describe('the other name of a variable', () => {
  const named = all.filter(({ name, aliases }) => aliases !== undefined && name.startsWith('SUPABASE_'))

  it.each(named.map(({ name, aliases = [] }) => [name, ...aliases] as const))(
    '%s may be called %s: read alike, named in messages, no misspelling',
    (name, alias) => {
      const key = name.includes('ANON') ? 'sb_publishable_x' : 'sb_secret_x'
      for (const variable of [name, alias as string]) {
        const settings = readSettings({ SUPABASE_URL: url, [variable]: key })
        expect(settings.database).toMatchObject({ keyVariable: variable })
        expect(settings.warnings.filter((text) => text.includes('not a setting'))).toEqual([])
        expect(secretTexts(settings)).toEqual([key])
      }
      const both = { SUPABASE_URL: url, [name]: key, [alias as string]: key }
      expect(readSettings(both).warnings.filter((text) => text.includes('another name'))).toEqual([])
      const other = { ...both, [alias as string]: `${key}y` }
      expect(secretTexts(readSettings(other))).toEqual([key])
      expect(readSettings(other).warnings).toContain(
        `${name} is used; ${alias} is another name for it, with another value.`,
      )
    },
  )

  it('makes a misspelling of it a question about the name that is near', () => {
    expect(readSettings({ SUPABASE_SECRET_KEYS: 'x' }).warnings).toEqual([
      'SUPABASE_SECRET_KEYS is not a setting and is not read. Is SUPABASE_SECRET_KEY meant?',
    ])
  })
})

describe('the hosts of a PostgreSQL URL', () => {
  const hosts = (text: string) => {
    const { database } = readSettings({ DATABASE_URL: text })
    return database.backend === 'postgres' ? database.hosts.map(({ host, port }) => `${host}:${port}`) : []
  }

  it.each([
    ['postgres:///db?host=a,b&port=6543', ['a:6543', 'b:6543']],
    ['postgres:///db?host=a,b&port=1,2', ['a:1', 'b:2']],
    ['postgres://a:7,b/db', ['a:7', 'b:5432']],
    ['postgres://a:7,b/db?port=6543', ['a:6543', 'b:6543']],
    ['postgres://a:7/db?host=b', ['b:7']],
    ['postgres://[fe80::1%25eth0]:7,[::1]/db', ['fe80::1%eth0:7', '::1:5432']],
    ['postgres://a,b/db', ['a:5432', 'b:5432']],
  ])('%s are %j', (text, expected) => {
    expect(hosts(text)).toEqual(expected)
  })

  it.each(['0', '65536', '99999', '1e3', '-1'])('with the port %s are refused', (port) => {
    expect(faultOf({ DATABASE_URL: `postgres:///db?host=a&port=${port}` }).detail).toContain('a port')
  })

  it('with the highest and the lowest port are taken', () => {
    expect(hosts('postgres://a:65535,b:1/db')).toEqual(['a:65535', 'b:1'])
  })
})

describe('DATABASE_URL', () => {
  it.each(['constructor:x', 'toString:x', '__proto__:x', 'hasOwnProperty://x'])(
    '%s is told what a URL looks like, as any text that is none',
    (value) => {
      expect(faultOf({ DATABASE_URL: value })).toMatchObject({
        code: 'COORD_CONFIG_INVALID',
        detail:
          'DATABASE_URL cannot be read: write sqlite:PATH, postgres://user:password@host:5432/database, or memory:.',
      })
    },
  )

  it.each([
    ['mysql://u:p@host/db', 'begins with mysql:, use postgres:'],
    ['https://x.supabase.co', 'begins with https:, the URL of a Supabase project'],
    ['file:x.db', 'begins with file:, write sqlite:PATH'],
  ])('%s is told what to write instead', (value, reason) => {
    const fault = faultOf({ DATABASE_URL: value })
    expect(fault).toMatchObject({ code: 'COORD_CONFIG_UNSUPPORTED', exitCode: 78 })
    expect(fault.detail).toContain(reason)
    expect(fault.detail).not.toContain('u:p')
  })

  it('in capitals is read all the same, and described without its password', () => {
    const { database } = readSettings({ DATABASE_URL: 'POSTGRESQL://u:secret@a/db' })
    expect(describeDatabase(database)).toBe('postgres u@a:5432/db')
    expect(readSettings({ DATABASE_URL: 'MEMORY:' }).database).toEqual({ backend: 'memory' })
  })
})

describe('bounds of settings', () => {
  it('POLL_MIN_MS may equal POLL_MAX_MS, and not be greater', () => {
    expect(readSettings({ POLL_MIN_MS: '500', POLL_MAX_MS: '500' })).toMatchObject({ pollMinMs: 500 })
    expect(readSettings({ POLL_MIN_MS: '500' })).toMatchObject({ pollMaxMs: 500 })
    expect(faultOf({ POLL_MIN_MS: '501' }).errors.map(({ path }) => path)).toEqual(['POLL_MIN_MS'])
  })

  /** Both ends of every whole number, as the table documents them. */
  const numbers = all.flatMap(({ name, kind }) => {
    const [, min, max] = /^a whole number from (\d+) to (\d+)$/.exec(kind.label) ?? []
    return min === undefined || max === undefined ? [] : [[name, Number(min), Number(max)] as const]
  })

  it.each(numbers)('%s is taken at %i and at %i, and refused beyond', (name, min, max) => {
    const others = name === 'POLL_MAX_MS' ? { POLL_MIN_MS: '10' } : { POLL_MAX_MS: '600000' }
    const env = (value: number) => ({ ...others, [name]: String(value) })
    for (const value of [min, max]) expect(() => readSettings(env(value))).not.toThrow()
    expect(faultOf(env(max + 1)).errors.map(({ path }) => path)).toEqual([name])
    if (min > 0) expect(faultOf(env(min - 1)).errors.map(({ path }) => path)).toEqual([name])
  })

  it('a schema name may have forty letters, and begin with an underscore', () => {
    for (const name of ['x'.repeat(40), '_private', 'a1'])
      expect(readSettings({ DATABASE_SCHEMA: name }).databaseSchema).toBe(name)
  })

  it.each([
    ['on', true],
    ['1', true],
    ['TRUE', true],
    ['off', false],
    ['0', false],
    ['no', false],
  ])('AUTO_MIGRATE=%s means %s', (text, expected) => {
    expect(readSettings({ AUTO_MIGRATE: text }).autoMigrate).toBe(expected)
  })
})

describe('COORDINATOR_URL', () => {
  it.each([
    ['http://host:3000/', 'http://host:3000'],
    ['https://host/a//', 'https://host/a'],
  ])('%s is read as %s', (text, expected) => {
    expect(readClientSettings({ COORDINATOR_URL: text }).coordinatorUrl).toBe(expected)
  })

  it.each(['http://host?x=1', 'http://host#x', 'http://:p@host', 'host'])('%s is refused', (text) => {
    expect(() => readClientSettings({ COORDINATOR_URL: text })).toThrow('COORDINATOR_URL must be a URL')
  })

  it('follows the port of the coordinator on this machine where it is not set', () => {
    expect(readClientSettings({ PORT: '4000' }).coordinatorUrl).toBe('http://127.0.0.1:4000')
    const tls = { TLS_CERT_FILE: 'x', TLS_KEY_FILE: 'y', PORT: '4000' }
    for (const settings of [readClientSettings(tls), readSettings(tls)])
      expect(settings.coordinatorUrl).toBe('https://localhost:4000')
  })
})
