import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { readSettings } from '../../src/config/settings.ts'
import { makeStore } from '../../src/database/open.ts'
import { Cluster } from '../../src/database/postgres/cluster.ts'
import { withDefaults } from '../../src/database/postgres/options.ts'
import { type CoordinatorError, toCoordinatorError } from '../../src/errors.ts'
import { put } from '../conformance/build.ts'
import { Caller } from '../conformance/caller.ts'
import { isInstalled, itWith } from '../support/it-with.ts'
import { PostgresServer } from '../support/postgres.ts'

/** A server that can speak TLS, with a certificate for `localhost` from an authority of our own. */
let server: PostgresServer
let folder: string

/** A secret that must never be seen. */
const canary = 'c4nary-k3y'

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'coordinator-tls-'))
  server = await PostgresServer.start({
    hba: [
      'local all all trust',
      'host all postgres 127.0.0.1/32 trust',
      'hostssl all certified 127.0.0.1/32 cert',
      'host all open 127.0.0.1/32 trust',
    ],
  })
  await server.query('create role certified login; create role open login')
  await server.query('create database shop owner open')
  if (!isInstalled('openssl')) return
  certify()
  for (const file of ['server.crt', 'server.key', 'ca.crt']) {
    copyFileSync(join(folder, file), join(server.dataFolder, file))
    chmodSync(join(server.dataFolder, file), 0o600)
    if (process.getuid?.() === 0) chownSync(join(server.dataFolder, file), 65_534, 65_534)
  }
  server.configure({
    ssl_cert_file: 'server.crt',
    ssl_key_file: 'server.key',
    ssl_ca_file: 'ca.crt',
    ssl: 'on',
  })
  await server.stop()
  await server.start()
})

afterAll(async () => {
  await server.dispose()
  rmSync(folder, { recursive: true, force: true })
})

function openssl(...args: readonly string[]): void {
  execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
}

/** An authority, a server, a client whose key has a password, and two lists of revoked certificates. */
function certify(): void {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']
  openssl('req', '-x509', ...key, '-nodes', '-keyout', 'ca.key', '-out', 'ca.crt', '-subj', '/CN=ours')
  const by = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-days', '30']
  const name = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
  openssl('req', '-x509', ...key, '-nodes', ...by, '-keyout', 'server.key', '-out', 'server.crt', ...name)
  const password = ['-passout', `pass:${canary}`]
  const client = ['-keyout', 'client.key', '-out', 'client.crt', '-subj', '/CN=certified']
  openssl('req', '-x509', ...key, ...password, ...by, ...client)
  writeFileSync(
    join(folder, 'ca.cnf'),
    `[ca]\ndefault_ca = ours\n[ours]\ndatabase = index.txt\ncrlnumber = number\ndefault_md = sha256
     default_crl_days = 30\ncertificate = ca.crt\nprivate_key = ca.key\n`,
  )
  writeFileSync(join(folder, 'index.txt'), '')
  writeFileSync(join(folder, 'number'), '01\n')
  openssl('ca', '-config', 'ca.cnf', '-gencrl', '-out', 'none.crl')
  openssl('ca', '-config', 'ca.cnf', '-revoke', 'server.crt')
  openssl('ca', '-config', 'ca.cnf', '-gencrl', '-out', 'server.crl')
  const home = join(folder, 'home', '.postgresql')
  mkdirSync(home, { recursive: true })
  copyFileSync(join(folder, 'ca.crt'), join(home, 'root.crt'))
  copyFileSync(join(folder, 'client.crt'), join(home, 'postgresql.crt'))
  openssl('pkey', '-in', 'client.key', '-passin', `pass:${canary}`, '-out', join(home, 'postgresql.key'))
}

/** Settings for a connection as some role. `FOLDER` stands for the folder of the certificates. */
function settingsFor(role: string, query: string, home = 'nowhere') {
  const url = `postgres://${role}@localhost:${server.port}/shop?${query.replaceAll('FOLDER', folder)}`
  return readSettings({ DATABASE_URL: url, HOME: join(folder, home) })
}

/** Who is connected and how, or the error. */
async function connecting(role: string, query: string, home?: string): Promise<string | CoordinatorError> {
  const { database: target } = settingsFor(role, query, home)
  if (target.backend !== 'postgres') return target.backend
  try {
    const connection = await new Cluster(withDefaults({ target })).connect()
    const [row] = await connection.run({
      text: `select current_user || case when ssl then ' by tls' else ' in plain text' end as facts
        from pg_stat_ssl where pid = pg_backend_pid()`,
      doing: 'asking how it is connected',
    })
    await connection.close()
    return row?.['facts'] ?? ''
  } catch (thrown) {
    const error = toCoordinatorError(thrown)
    expect(JSON.stringify([error, error.message, error.stack, String(error.cause)])).not.toContain(canary)
    return error
  }
}

const refused = { code: 'COORD_STORE_TLS', retryable: false, exitCode: 78 }
const trusting = 'sslmode=verify-full&sslrootcert=FOLDER/ca.crt'
const client = 'sslcert=FOLDER/client.crt&sslkey=FOLDER/client.key'

describe('a connection with TLS', () => {
  itWith('openssl')('shows the certificate of the client, whose key may have a password', async () => {
    expect(await connecting('certified', `${trusting}&${client}&sslpassword=${canary}`)).toBe(
      'certified by tls',
    )
    for (const password of ['', `&sslpassword=x${canary}`])
      expect(await connecting('certified', `${trusting}&${client}${password}`)).toMatchObject(refused)
    const none = { code: 'COORD_STORE_AUTH', exitCode: 78 }
    expect(await connecting('certified', trusting)).toMatchObject(none)
    expect(
      await connecting('certified', `${trusting}&${client}&sslpassword=${canary}&sslcertmode=disable`),
    ).toMatchObject(none)
  })

  itWith('openssl')('finds its certificates where libpq does', async () => {
    expect(await connecting('certified', 'sslmode=verify-full', 'home')).toBe('certified by tls')
    expect(await connecting('open', 'sslmode=verify-ca', 'home')).toBe('open by tls')
    expect(await connecting('open', 'sslmode=verify-ca')).toMatchObject({
      ...refused,
      detail: expect.stringContaining('verify-ca needs the certificate of the authority'),
    })
  })

  itWith('openssl')('refuses a certificate that was revoked', async () => {
    expect(await connecting('open', `${trusting}&sslcrl=FOLDER/none.crl`)).toBe('open by tls')
    expect(await connecting('open', `${trusting}&sslcrl=FOLDER/server.crl`)).toMatchObject(refused)
    expect(await connecting('open', `${trusting}&sslcrl=FOLDER/missing.crl`)).toMatchObject({
      ...refused,
      detail: 'The file of sslcrl cannot be read (ENOENT).',
    })
  })

  itWith('openssl')('begins at once where that is asked', async () => {
    expect(await connecting('open', `${trusting}&sslnegotiation=direct`)).toBe('open by tls')
    expect(await connecting('open', 'sslmode=require&sslnegotiation=direct')).toBe('open by tls')
  })

  itWith('openssl')('says what to write for a certificate that it cannot trust', async () => {
    expect(await connecting('open', 'sslmode=verify-full')).toMatchObject({
      ...refused,
      hint: expect.stringContaining('sslrootcert=FILE'),
    })
    expect(await connecting('open', `${trusting}&hostaddr=127.0.0.1&host=127.0.0.1`)).toMatchObject({
      ...refused,
      hint: expect.stringContaining('Connect to a name that the certificate'),
    })
  })
})

describe('a server that loses its TLS', () => {
  const schema = 'kept'

  itWith('openssl')(
    'gets no plain text from a store that was asked for TLS: not from its pool, not from its migrations',
    async () => {
      const settings = { ...settingsFor('open', 'sslmode=require'), databaseSchema: schema }
      const store = await makeStore(settings)
      await store.open()
      const caller = await Caller.at(store)
      await caller.write(put('a'))
      server.configure({ ssl: 'off' })
      await server.stop()
      await server.start()
      const hint = expect.stringMatching(/ssl = on.*sslmode=disable.*nothing is encrypted/)
      for (const attempt of [() => store.head(), () => caller.write(put('b'))]) {
        // The first attempt may meet a session that the server has ended.
        await attempt().catch(() => undefined)
        await expect(attempt()).rejects.toMatchObject({ code: 'COORD_STORE_TLS', hint })
      }
      await store.close()
      const other = await makeStore(settings)
      for (const attempt of [
        () => other.open(),
        () => other.migrator?.status(),
        () => other.migrator?.migrate(),
        () => other.migrator?.verify(),
        () => other.inspector?.inspect(),
      ])
        await expect(attempt()).rejects.toMatchObject({ ...refused, hint })
      await other.close()
      expect(await connecting('open', 'sslmode=prefer')).toBe('open in plain text')
      for (const way of ['ssl=true', 'sslmode=verify-ca&sslrootcert=FOLDER/ca.crt', trusting])
        expect(await connecting('open', way)).toMatchObject({ ...refused, hint })
    },
  )
})
