import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { describeDatabase } from '../../src/config/database.ts'
import { readSettings } from '../../src/config/settings.ts'
import { faultOf } from './fault-of.ts'

function target(url: string) {
  return readSettings({ DATABASE_URL: url }).database
}

describe('DATABASE_URL', () => {
  it.each(['memory:', 'memory://', 'MEMORY:'])('%s means memory', (url) => {
    expect(target(url)).toEqual({ backend: 'memory' })
  })

  it.each([
    ['sqlite:data.db', resolve('data.db')],
    ['sqlite:./data/x.db', resolve('data/x.db')],
    ['sqlite:../x.db', resolve('../x.db')],
    ['sqlite:/var/lib/x.db', '/var/lib/x.db'],
    ['sqlite:///var/lib/x.db', '/var/lib/x.db'],
    ['SQLite:with space%20.db', resolve('with space%20.db')],
  ])('%s is the file %s', (url, path) => {
    expect(target(url)).toEqual({ backend: 'sqlite', path })
  })

  it.each([
    ['sqlite:', 'names no file'],
    ['sqlite::memory:', 'which keeps nothing'],
    ['sqlite://data/x.db', 'has two slashes'],
    ['sqlite:x.db?mode=ro', 'has parameters'],
    ['sqlite:./data/', 'names a folder'],
    ['sqlite:a\0b', 'NUL'],
    ['postgres://', 'has no host'],
    ['postgres:///db', 'has no host'],
    ['postgres://u:pa?ss@host/db', 'has no host'],
    ['postgres://host:0/db', 'has a port'],
    ['postgres://host:65536/db', 'has a port'],
    ['postgres://h1,,h2/db', 'has no host'],
    ['postgres://u:%zz@host/db', 'has a password that cannot be decoded'],
    ['postgres://u:[YOUR-PASSWORD]@host/db', 'placeholder'],
    ['postgres://host/db?sslmode=on', 'unknown sslmode'],
    ['postgres://host/db?target_session_attrs=read-only', 'cannot write'],
    ['nonsense', 'cannot be read'],
    ['postgres:/host/db', 'cannot be read'],
    ['user:password@host/db', 'cannot be read'],
  ])('%j is refused: %s', (url, reason) => {
    const fault = faultOf({ DATABASE_URL: url })
    expect(fault).toMatchObject({ code: 'COORD_CONFIG_INVALID', exitCode: 78 })
    expect(fault.detail).toMatch(/^DATABASE_URL .*\.$/)
    expect(fault.detail).toContain(reason)
  })

  it.each(['mysql://u:p@host/db', 'mongodb://host', 'file:./x.db', 'https://x.supabase.co', 'redis://x'])(
    '%s is refused as unsupported, with what to write instead',
    (url) => {
      expect(faultOf({ DATABASE_URL: url })).toMatchObject({ code: 'COORD_CONFIG_UNSUPPORTED', exitCode: 78 })
    },
  )

  it('wins over the Supabase variables, even half of them, and says so', () => {
    const settings = readSettings({ DATABASE_URL: 'memory:', SUPABASE_ANON_KEY: 'x' })
    expect(settings.database).toEqual({ backend: 'memory' })
    expect(settings.warnings).toEqual([
      'DATABASE_URL is used; the Supabase variables (SUPABASE_ANON_KEY, ...) are not.',
    ])
  })
})

describe('a PostgreSQL URL', () => {
  it('gives host, port, user, password, database and TLS mode', () => {
    const found = target('postgresql://ann:secret@db.example.org:6543/main?sslmode=verify-full')
    expect(found).toMatchObject({
      backend: 'postgres',
      hosts: [{ host: 'db.example.org', port: 6543 }],
      user: 'ann',
      database: 'main',
      tls: { mode: 'verify-full' },
    })
    expect(passwordOf(found)).toBe('secret')
  })

  it('leaves to the driver what it does not say', () => {
    expect(target('postgres://localhost')).toEqual({
      backend: 'postgres',
      hosts: [{ host: 'localhost', port: 5432 }],
      tls: { mode: 'prefer' },
    })
  })

  it('may name several hosts, each with its port or the default', () => {
    expect(target('postgres://u@a:1,b,[::1]:3,10.0.0.1/db')).toMatchObject({
      hosts: [
        { host: 'a', port: 1 },
        { host: 'b', port: 5432 },
        { host: '::1', port: 3 },
        { host: '10.0.0.1', port: 5432 },
      ],
    })
  })

  it.each([
    ['postgres://%2Fvar%2Frun%2Fpostgresql/db', 5432],
    ['postgres:///db?host=/var/run/postgresql', 5432],
    ['postgres:///db?host=%2Fvar%2Frun%2Fpostgresql&port=5433', 5433],
  ])('%s names the folder of a Unix socket', (url, port) => {
    expect(target(url)).toMatchObject({ hosts: [{ host: '/var/run/postgresql', port }], database: 'db' })
  })

  it.each([
    ['p%40ss%2Fw%3Frd', 'p@ss/w?rd'],
    ['p@ss', 'p@ss'],
    ['p:ss', 'p:ss'],
    ['a/b@c', 'a/b@c'],
    ['p#ss', 'p#ss'],
    ['%C3%A9', 'é'],
  ])('takes the password %s as %s', (written, password) => {
    expect(passwordOf(target(`postgres://u:${written}@host/db`))).toBe(password)
  })

  it("takes Supabase's pooler URLs", () => {
    const url =
      'postgresql://postgres.abcdefghijklmnopqrst:pw@aws-0-eu-central-1.pooler.supabase.com:6543/postgres?pgbouncer=true'
    expect(target(url)).toMatchObject({
      hosts: [{ host: 'aws-0-eu-central-1.pooler.supabase.com', port: 6543 }],
      user: 'postgres.abcdefghijklmnopqrst',
    })
  })

  it('takes user, password, database and certificates from parameters', () => {
    const found = target(
      'postgres://host?user=u&password=p%26&dbname=d&sslrootcert=/ca.pem&sslcert=/c.pem&sslkey=/k.pem',
    )
    expect(found).toMatchObject({
      user: 'u',
      database: 'd',
      tls: { mode: 'prefer', caFile: '/ca.pem', certFile: '/c.pem', keyFile: '/k.pem' },
    })
    expect(passwordOf(found)).toBe('p&')
  })

  it('warns of parameters that have a setting of their own, and keeps quiet about harmless ones', () => {
    const url =
      'postgres://host/db?connect_timeout=3&schema=x&whatever=1&application_name=a&target_session_attrs=read-write'
    expect(readSettings({ DATABASE_URL: url }).warnings).toEqual([
      'DATABASE_URL has a parameter connect_timeout that is not used: set DATABASE_CONNECT_TIMEOUT_MS.',
      'DATABASE_URL has a parameter schema that is not used: set DATABASE_SCHEMA.',
      'DATABASE_URL has a parameter that is not used.',
    ])
  })
})

describe('the description of a target', () => {
  it.each([
    ['memory:', 'memory'],
    ['sqlite:/x.db', 'sqlite /x.db'],
    ['postgres://u:p@a:1,[::1]/db', 'postgres u@a:1,[::1]:5432/db'],
    ['postgres://a', 'postgres a:5432'],
  ])('of %s is "%s"', (url, text) => {
    expect(describeDatabase(target(url))).toBe(text)
  })
})

function passwordOf(found: ReturnType<typeof target>): string | undefined {
  return found.backend === 'postgres' ? found.password?.reveal() : undefined
}
