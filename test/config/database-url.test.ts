import { userInfo } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { describeDatabase } from '../../src/config/database.ts'
import { readSettings } from '../../src/config/settings.ts'
import { itUnless } from '../support/it-with.ts'
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
    ['sqlite:~/x.db', 'has a ~, which only a shell replaces'],
    ['sqlite:~', 'has a ~'],
    ['sqlite:~ann/x.db', 'has a ~'],
    ['sqlite:///~/x.db', 'has a ~'],
    ['sqlite:$DIR/x.db', 'a variable that nothing has replaced'],
    [`sqlite:\${DIR}/x.db`, 'a variable that nothing has replaced'],
    ['sqlite:/data/$(hostname).db', 'a variable that nothing has replaced'],
    [`sqlite:/data/x-\${NAME:-a}.db`, 'a variable that nothing has replaced'],
    ['sqlite:%APPDATA%/x.db', 'a variable that nothing has replaced'],
    ['sqlite:{{ dir }}/x.db', 'a variable that nothing has replaced'],
    ['sqlite:<path>/x.db', 'a variable that nothing has replaced'],
    ['sqlite:file:./x.db', 'has two schemes'],
    ['sqlite:file:///x.db', 'has two schemes'],
    ['sqlite:sqlite:x.db', 'has two schemes'],
    ['sqlite: x.db', 'has a space'],
    ['sqlite://host/x.db', 'has two slashes'],
    ['postgres://', 'has no host'],
    ['postgres:///db', 'has no host'],
    ['postgres://host:0/db', 'has a port'],
    ['postgres://host:65536/db', 'has a port'],
    ['postgres://h1,,h2/db', 'has no host'],
    ['postgres://u:%zz@host/db', 'has a password that cannot be decoded'],
    ['postgres://u:[YOUR-PASSWORD]@host/db', 'placeholder'],
    ['postgres://host/db?sslmode=on', 'unknown sslmode'],
    ['postgres://host/db?target_session_attrs=read-only', 'cannot write'],
    ['postgres://host/db?target_session_attrs=prefer-standby', 'cannot write'],
    ['postgres://u:p@host/db@x', 'has an @ behind a slash'],
    ['postgres://host:5432/3@db', 'has an @ behind a slash'],
    ['postgres://host/db?whatever=1', 'a parameter that libpq does not have (number 1)'],
    ['postgres://host/db?user=u&sslmod=require', '(number 2): write sslmode, if that is meant'],
    ['postgres://host/db?ssl=1', 'ssl with another value than true: use sslmode'],
    ['postgres://host/db?sslmode=no-verify', 'unknown sslmode'],
    ['postgres://host/db?sslrootcert=system&sslmode=require', 'too weak for sslrootcert=system'],
    ['postgres://host/db?sslnegotiation=direct', 'too weak for sslnegotiation=direct'],
    ['postgres://host/db?sslnegotiation=soon', 'unknown sslnegotiation'],
    ['postgres://host/db?sslcertmode=require', 'neither disable nor allow'],
    [
      'postgres://host/db?require_auth=scram-sha-256',
      'asks for require_auth, which the coordinator cannot do',
    ],
    ['postgres://host/db?requirepeer=postgres', 'asks for requirepeer, which'],
    ['postgres://host/db?gssencmode=require', 'asks for gssencmode, which'],
    ['postgres://host/db?sslcrldir=/x', 'asks for sslcrldir, which'],
    ['postgres://host/db?sslsni=0', 'asks for sslsni, which'],
    ['postgres://host/db?sslkeylogfile=/x', 'asks for sslkeylogfile, which'],
    ['postgres://host/db?replication=database', 'asks for replication, which'],
    ['postgres://host/db?connect_timeout=3601', 'a connect_timeout'],
    ['postgres://%40abstract/db', 'has no host'],
    ['host=a,b port=1,2,3', 'a port for some hosts only'],
    ['host=a password', 'a parameter that cannot be read (number 2)'],
    ['dbname=x', 'has no host'],
    ['nonsense', 'cannot be read'],
    ['postgres:/host/db', 'cannot be read'],
    ['user:password@host/db', 'cannot be read'],
  ])('%j is refused: %s', (url, reason) => {
    const fault = faultOf({ DATABASE_URL: url })
    expect(fault).toMatchObject({ code: 'COORD_CONFIG_INVALID', exitCode: 78 })
    expect(fault.detail).toMatch(/^DATABASE_URL .*\.$/)
    expect(fault.detail).toContain(reason)
  })

  itUnless(process.platform === 'win32' ? 'here are drives' : undefined)(
    'of a path with a drive is refused',
    async () => {
      expect(faultOf({ DATABASE_URL: 'sqlite:C:\\data\\x.db' }).detail).toContain(
        'the path of another system',
      )
    },
  )

  it('takes a price, a backup and a percent sign for names of files, and says that %20 is no space', () => {
    for (const name of ['a$1.db', 'x.db~', 'a~b/x.db', '100%.db'])
      expect(readSettings({ DATABASE_URL: `sqlite:/${name}` })).toMatchObject({
        database: { path: `/${name}` },
        warnings: [],
      })
    expect(readSettings({ DATABASE_URL: 'sqlite:/my%20data/x.db' }).warnings).toEqual([
      'DATABASE_URL has a percent sign in the path of its file. It is not decoded: %20 is no space.',
    ])
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

  it('takes what it does not say from the user of the system, and from where libpq looks', () => {
    const { username, homedir } = userInfo()
    const { database } = readSettings({ DATABASE_URL: 'postgres://localhost', HOME: homedir })
    expect(database).toEqual({
      backend: 'postgres',
      hosts: [{ host: 'localhost', port: 5432 }],
      user: username,
      database: username,
      passwordFile: join(homedir, '.pgpass'),
      applicationName: 'coordinator',
      channelBinding: 'prefer',
      tls: { mode: 'prefer', folder: join(homedir, '.postgresql'), showsCertificate: true, direct: false },
    })
  })

  it('takes the strongest mode where only the authorities of the system are named', () => {
    expect(target('postgres://host/db?sslrootcert=system')).toMatchObject({ tls: { mode: 'verify-full' } })
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
    ['postgres://u@%2Fvar%2Frun%2Fpostgresql:5433/db', 5433],
  ])('%s names the folder of a Unix socket', (url, port) => {
    expect(target(url)).toMatchObject({ hosts: [{ host: '/var/run/postgresql', port }], database: 'db' })
  })

  it.each([
    ['p%40ss%2Fw%3Frd', 'p@ss/w?rd'],
    ['p@ss', 'p@ss'],
    ['p:ss', 'p:ss'],
    ['a/b@c', 'a/b@c'],
    ['pa?ss', 'pa?ss'],
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

  it('warns of parameters of other tools, and keeps quiet about those that change nothing', () => {
    const url =
      'postgres://host/db?pgbouncer=true&schema=x&keepalives_idle=30&application_name=a&target_session_attrs=any'
    expect(readSettings({ DATABASE_URL: url }).warnings).toEqual([
      'DATABASE_URL has a parameter pgbouncer that is not used.',
      'DATABASE_URL has a parameter schema that is not used: set DATABASE_SCHEMA.',
    ])
  })

  it('gives its time for connecting, if it does not ask to wait without end', () => {
    expect(target('postgres://host/db?connect_timeout=3')).toMatchObject({ connectTimeoutMs: 3_000 })
    for (const endless of ['0', '-1', ''])
      expect(target(`postgres://host/db?connect_timeout=${endless}`)).not.toHaveProperty('connectTimeoutMs')
  })

  it.each([
    [{ PGSSLMODE: 'on' }, 'PGSSLMODE has an unknown sslmode'],
    [{ PGPORT: '0' }, 'PGPORT has a port'],
    [{ PGREQUIREPEER: 'postgres' }, 'PGREQUIREPEER asks for requirepeer'],
    [{ PGREQUIREAUTH: 'scram-sha-256' }, 'PGREQUIREAUTH asks for require_auth'],
    [{ PGGSSENCMODE: 'require' }, 'PGGSSENCMODE asks for gssencmode'],
    [{ PGSERVICE: 'none', HOME: '/nowhere' }, 'PGSERVICE names a service that no service file has'],
    [
      { PGSERVICE: 'x', PGSERVICEFILE: '/nowhere' },
      'PGSERVICEFILE names a file that cannot be read (ENOENT)',
    ],
    [{ PGTARGETSESSIONATTRS: 'standby' }, 'PGTARGETSESSIONATTRS asks for a server that cannot write'],
    [{ PGHOSTADDR: 'localhost' }, 'PGHOSTADDR has a hostaddr that is not an IP address'],
  ])('is refused together with %j: %s', (variables, reason) => {
    const fault = faultOf({ DATABASE_URL: 'postgres://localhost', ...variables })
    expect(fault).toMatchObject({ code: 'COORD_CONFIG_INVALID', exitCode: 78 })
    expect(fault.detail).toContain(reason)
  })

  it('may leave everything to the variables of libpq, which choose no database by themselves', () => {
    const variables = { PGHOST: 'db', PGUSER: 'ann', PGDATABASE: 'shop', PGPASSWORD: 'secret' }
    const { database } = readSettings({ DATABASE_URL: 'postgres://', ...variables })
    expect(describeDatabase(database)).toBe('postgres ann@db:5432/shop')
    expect(passwordOf(database)).toBe('secret')
    const alone = readSettings(variables)
    expect(alone.database).toEqual({ backend: 'memory' })
    expect(alone.warnings).toEqual([
      'PGHOST is set, and DATABASE_URL is not, so everything is kept in memory. Set DATABASE_URL=postgres:// to use the database of the variables PG*.',
    ])
  })
})

describe('the description of a target', () => {
  it.each([
    ['memory:', 'memory'],
    ['sqlite:/x.db', 'sqlite /x.db'],
    ['postgres://u:p@a:1,[::1]/db', 'postgres u@a:1,[::1]:5432/db'],
    ['postgres://u@%2Ftmp%2Fpg:5433/db', 'postgres u@/tmp/pg:5433/db'],
    ['postgres://u@a', 'postgres u@a:5432/u'],
  ])('of %s is "%s"', (url, text) => {
    expect(describeDatabase(target(url))).toBe(text)
  })
})

function passwordOf(found: ReturnType<typeof target>): string | undefined {
  return found.backend === 'postgres' ? found.password?.reveal() : undefined
}
