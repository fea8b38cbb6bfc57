import { chmodSync, chownSync, copyFileSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Findings } from '../../src/config/findings.ts'
import { parsePostgresUrl } from '../../src/config/postgres/postgres-url.ts'
import type { PostgresOptions } from '../../src/database/postgres/options.ts'
import { PostgresStore } from '../../src/database/postgres/store.ts'
import { type CoordinatorError, toCoordinatorError } from '../../src/errors.ts'
import { PostgresServer } from '../support/postgres.ts'

/** A secret that must never be seen. */
const canary = 'c4nary-p4ssword'

const certificates = fileURLToPath(new URL('../support/certificates', import.meta.url))

let server: PostgresServer
let folder: string

beforeAll(async () => {
  server = await PostgresServer.start({
    hba: [
      'local all postgres trust',
      'host all postgres 127.0.0.1/32 trust',
      'hostnossl all encrypted 127.0.0.1/32 reject',
      'hostssl all plain 127.0.0.1/32 reject',
      'host all md5 127.0.0.1/32 md5',
      'host all password 127.0.0.1/32 password',
      'host all all 127.0.0.1/32 scram-sha-256',
    ],
  })
  folder = server.dataFolder
  certify()
  // Where OpenSSL looks for what the system trusts; Node.js reads it once.
  process.env['SSL_CERT_FILE'] = join(certificates, 'authority.crt')
  server.configure({ ssl: 'on', ssl_cert_file: 'server.crt', ssl_key_file: 'server.key' })
  await server.stop()
  await server.start()
  for (const role of ['encrypted', 'plain', 'someone', 'powerless'])
    await server.query(`create role ${role} login password '${canary}'`)
  await server.query(
    `grant create on database postgres to encrypted, plain, someone; revoke all on database postgres from public;
     grant connect on database postgres to encrypted, plain, someone, powerless`,
  )
  await server.query(`create database latin encoding latin1 locale 'C' template template0`)
  await server.query('create database standing')
  await server.query('alter database standing set default_transaction_read_only = on')
})
afterAll(() => server.dispose())

/** Gives the server its certificate, which is for `localhost` alone. */
function certify(): void {
  for (const file of ['server.crt', 'server.key']) copyFileSync(join(certificates, file), join(folder, file))
  const key = join(folder, 'server.key')
  chmodSync(key, 0o600)
  if (process.getuid?.() === 0) chownSync(key, 65_534, 65_534)
}

interface Place {
  readonly role?: string
  readonly password?: string
  readonly host?: string
  readonly database?: string
  readonly query?: string
}

function options(place: Place, more: Partial<PostgresOptions> = {}): PostgresOptions {
  const {
    role = 'someone',
    password = canary,
    host = `127.0.0.1:${server.port}`,
    database = 'postgres',
    query = '',
  } = place
  const target = parsePostgresUrl(
    `postgres://${role}:${password}@${host}/${database}?${query}`,
    new Findings(),
  )
  if (target === undefined) throw new Error('The URL cannot be read.')
  return { target, refusalPauseMs: 10, connectTimeoutMs: 1_000, ...more }
}

/** What opening a store there throws; `undefined` where it opens. */
async function opening(place: Place, more?: Partial<PostgresOptions>): Promise<CoordinatorError | undefined> {
  const store = new PostgresStore(options(place, more))
  try {
    await store.open()
    return undefined
  } catch (thrown) {
    const error = toCoordinatorError(thrown)
    expect(JSON.stringify([error, error.message, error.stack, String(error.cause)])).not.toContain(canary)
    return error
  } finally {
    await store.close()
  }
}

describe('opening', () => {
  it('works with the right password', async () => {
    expect(await opening({})).toBeUndefined()
  })

  it('works over a Unix socket, where sslmode means nothing', async () => {
    const query = `host=${encodeURIComponent(server.socketFolder)}&port=${server.port}&sslmode=verify-full`
    expect(await opening({ role: 'postgres', password: '', host: '', query })).toBeUndefined()
  })

  const definite: readonly (readonly [string, Place, string])[] = [
    ['a wrong password', { password: 'wrong' }, 'COORD_STORE_AUTH'],
    ['an unknown role', { role: 'nobody' }, 'COORD_STORE_AUTH'],
    ['no password', { password: '' }, 'COORD_STORE_AUTH'],
    [
      'a database that does not exist',
      { role: 'postgres', database: 'none' },
      'COORD_STORE_DATABASE_MISSING',
    ],
    ['a role without the right to make a schema', { role: 'powerless' }, 'COORD_STORE_RIGHTS'],
    ['a database of another encoding', { role: 'postgres', database: 'latin' }, 'COORD_STORE_ENCODING'],
    [
      'a certificate for another name',
      { query: `sslmode=verify-full&sslrootcert=CERTIFICATES/authority.crt` },
      'COORD_STORE_TLS',
    ],
    [
      'a certificate of another authority',
      { query: `sslmode=verify-ca&sslrootcert=CERTIFICATES/other.crt` },
      'COORD_STORE_TLS',
    ],
    ['a certificate that no known authority gave', { query: 'sslmode=verify-full' }, 'COORD_STORE_TLS'],
    [
      'an authority named beside sslmode=require',
      { query: `sslmode=require&sslrootcert=CERTIFICATES/other.crt` },
      'COORD_STORE_TLS',
    ],
    [
      'a file that is not there',
      { query: 'sslmode=verify-ca&sslrootcert=/nowhere/ca.crt' },
      'COORD_STORE_TLS',
    ],
    [
      'a login that must be encrypted, and is not',
      { role: 'encrypted', query: 'sslmode=disable' },
      'COORD_STORE_AUTH',
    ],
  ]
  it.each(definite)('is refused for %s: the start ends with exit code 78', async (_what, place, code) => {
    const query = place.query?.replace('CERTIFICATES', certificates) ?? ''
    expect(await opening({ ...place, query })).toMatchObject({ code, retryable: false, exitCode: 78 })
  })

  it.each(['scram-sha-256', 'md5', 'password'])(
    'says that a password is wanted and none is there: %s',
    async (way) => {
      await server.query(`set password_encryption = '${way === 'md5' ? 'md5' : 'scram-sha-256'}';
      create role ${way.replaceAll('-', '_')} login password '${canary}'`)
      expect(await opening({ role: way.replaceAll('-', '_'), password: '' })).toMatchObject({
        code: 'COORD_STORE_AUTH',
        exitCode: 78,
        detail: `Connecting to 127.0.0.1:${server.port} failed: it asks for a password, and there is none in DATABASE_URL, PGPASSWORD or the password file.`,
        hint: expect.stringMatching(/^Check user and password/),
      })
    },
  )

  const passing: readonly (readonly [string, Place, string])[] = [
    ['a port that nobody listens on', { host: '127.0.0.1:1' }, 'COORD_STORE_UNAVAILABLE'],
    ['a name that does not resolve', { host: 'nowhere.invalid:5432' }, 'COORD_STORE_UNAVAILABLE'],
    ['a database that takes no writes', { role: 'postgres', database: 'standing' }, 'COORD_STORE_STANDBY'],
  ]
  it.each(passing)('may work later with %s', async (_what, place, code) => {
    expect(await opening(place)).toMatchObject({ code, retryable: true })
  })

  it('may work later with a server that accepts and says nothing, within the time for connecting', async () => {
    const silent = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => silent.once('listening', resolve))
    const { port } = silent.address() as { port: number }
    const started = performance.now()
    const error = await opening({ host: `127.0.0.1:${port}` }, { connectTimeoutMs: 300 })
    expect(error).toMatchObject({ code: 'COORD_STORE_TIMEOUT', retryable: true })
    expect(performance.now() - started).toBeLessThan(4_500)
    silent.close()
  })

  it('says so when the server has no connection left', async () => {
    await server.query(`alter role someone connection limit 0`)
    expect(await opening({})).toMatchObject({ code: 'COORD_STORE_CONNECTIONS', retryable: true })
    await server.query(`alter role someone connection limit -1`)
  })

  it('tries a refused login three times before it counts', async () => {
    const logged = () => server.log.split('password authentication failed').length
    const before = logged()
    await opening({ password: 'wrong' }, {})
    expect(logged() - before).toBeGreaterThanOrEqual(3)
  })

  it.each([
    ['disable', { role: 'plain', query: 'sslmode=disable' }, false],
    ['allow, plain', { role: 'plain', query: 'sslmode=allow' }, false],
    ['allow, encrypted where it must be', { role: 'encrypted', query: 'sslmode=allow' }, true],
    ['prefer, encrypted', { role: 'encrypted', query: 'sslmode=prefer' }, true],
    ['prefer, plain where it must be', { role: 'plain', query: 'sslmode=prefer' }, false],
    ['require', { query: 'sslmode=require' }, true],
    [
      'require, with its authority',
      { query: 'sslmode=require&sslrootcert=CERTIFICATES/authority.crt' },
      true,
    ],
    [
      'verify-ca, whatever the name',
      { query: 'sslmode=verify-ca&sslrootcert=CERTIFICATES/authority.crt' },
      true,
    ],
    [
      'verify-full',
      { host: 'localhost:PORT', query: 'sslmode=verify-full&sslrootcert=CERTIFICATES/authority.crt' },
      true,
    ],
    [
      'verify-full by what the system trusts',
      { host: 'localhost:PORT', query: 'sslmode=verify-full&sslrootcert=system' },
      true,
    ],
  ] as const)('means by sslmode what libpq means: %s', async (_mode, place: Place, encrypted) => {
    const host = place.host?.replace('PORT', String(server.port))
    const query = place.query?.replace('CERTIFICATES', certificates) ?? ''
    const name = `tls_${_mode.replaceAll(/\W/g, '_')}`
    const store = new PostgresStore(
      options({ ...place, query, ...(host === undefined ? {} : { host }) }, { schema: name }),
    )
    await store.open()
    const { details } = await store.inspector.inspect()
    await store.close()
    expect(details['encrypted']).toBe(encrypted)
  })

  it('never shows the password, not even where the driver prints itself', () => {
    const store = new PostgresStore(options({}))
    expect(JSON.stringify(store)).not.toContain(canary)
    expect(readFileSync(join(folder, 'pg_hba.conf'), 'utf8')).not.toContain(canary)
  })
})
