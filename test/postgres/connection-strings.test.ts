import { execFile } from 'node:child_process'
import { chmodSync, chownSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { readSettings } from '../../src/config/settings.ts'
import { Cluster } from '../../src/database/postgres/cluster.ts'
import { withDefaults } from '../../src/database/postgres/options.ts'
import { toCoordinatorError } from '../../src/errors.ts'
import { itWith } from '../support/it-with.ts'
import { PostgresServer } from '../support/postgres.ts'

const certificates = fileURLToPath(new URL('../support/certificates', import.meta.url))
const run = promisify(execFile)

/** One server without TLS, and one with it, whose certificate is for `localhost` alone. */
let plain: PostgresServer
let secure: PostgresServer
let folder: string

const hba = [
  'local all all trust',
  'host all postgres 127.0.0.1/32 trust',
  'hostssl all encrypted 127.0.0.1/32 trust',
  'hostnossl all encrypted 127.0.0.1/32 reject',
  'host all open 127.0.0.1/32 trust',
  'host all all 127.0.0.1/32 scram-sha-256',
]

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'coordinator-strings-'))
  ;[plain, secure] = await Promise.all([PostgresServer.start({ hba }), PostgresServer.start({ hba })])
  for (const file of ['server.crt', 'server.key'])
    copyFileSync(join(certificates, file), join(secure.dataFolder, file))
  const key = join(secure.dataFolder, 'server.key')
  chmodSync(key, 0o600)
  if (process.getuid?.() === 0) chownSync(key, 65_534, 65_534)
  secure.configure({ ssl: 'on', ssl_cert_file: 'server.crt', ssl_key_file: 'server.key' })
  await secure.stop()
  await secure.start()
  for (const server of [plain, secure]) {
    await server.query(
      `create role ann login password 'p@ss/w:rd'; create role "b@b" login password 'pa?ss'; create role open login;
       create role encrypted login; grant open to ann; grant pg_monitor to open`,
    )
    for (const name of ['ann', 'open', 'shop', '"my db"', '"a/b"'])
      await server.query(`create database ${name}`)
  }
  writeHome('home', {})
  writeHome('passwords', {
    '.pgpass': `# a comment\nelsewhere:*:*:ann:wrong\n127.0.0.1:${plain.port}:shop:ann:p@ss/w\\:rd:ignored\n*:*:*:b@b:pa?ss\n`,
  })
  writeHome('careless', { '.pgpass': '*:*:*:ann:p@ss/w\\:rd\n' }, 0o644)
  writeHome('services', {
    '.pg_service.conf': `# services\n[other]\nhost=nowhere.invalid\n[ours]\nhost=127.0.0.1\nport=${plain.port}\nuser=open\ndbname=shop\n[strict]\nhost=127.0.0.1\nport=${plain.port}\nuser=open\ndbname=shop\nsslmode=require\n[next]\nhost=x\n`,
  })
  writeHome('trusting', { '.postgresql/root.crt': 'authority.crt' })
  writeHome('mistrusting', { '.postgresql/root.crt': 'other.crt' })
})

afterAll(async () => {
  await Promise.all([plain.dispose(), secure.dispose()])
  rmSync(folder, { recursive: true, force: true })
})

function writeHome(name: string, files: Readonly<Record<string, string>>, mode = 0o600): void {
  mkdirSync(join(folder, name, '.postgresql'), { recursive: true })
  for (const [file, content] of Object.entries(files)) {
    const path = join(folder, name, file)
    if (content.endsWith('.crt')) copyFileSync(join(certificates, content), path)
    else writeFileSync(path, content)
    chmodSync(path, mode)
  }
}

type Variables = Readonly<Record<string, string>>

/** Puts in what only this run knows: ports, folders, files. */
function filled(text: string): string {
  return text
    .replaceAll('PLAIN', String(plain.port))
    .replaceAll('SECURE', String(secure.port))
    .replaceAll('%SOCKETS', encodeURIComponent(plain.socketFolder))
    .replaceAll('SOCKETS', plain.socketFolder)
    .replaceAll('CERTIFICATES', certificates)
    .replaceAll('FOLDER', folder)
}

function variablesOf({ HOME = 'home', ...variables }: Variables): Record<string, string> {
  const given = Object.entries(variables).map(([name, text]) => [name, filled(text)])
  return { HOME: join(folder, HOME), ...Object.fromEntries(given) }
}

/** Who is connected, with which database, by which way, and the name of the program if one was given. */
const facts = `select concat_ws(' ', current_user, current_database(), coalesce(inet_server_port()::text, 'socket'),
  (select case when ssl then 'tls' else 'plain' end from pg_stat_ssl where pid = pg_backend_pid()),
  nullif(nullif(current_setting('application_name'), 'psql'), 'coordinator')) as facts`

function named(found: string): string {
  return found.replace(` ${plain.port} `, ' PLAIN ').replace(` ${secure.port} `, ' SECURE ')
}

async function byPsql(text: string, variables: Variables): Promise<string> {
  const env = { PATH: process.env['PATH'], PGCONNECT_TIMEOUT: '5', ...variablesOf(variables) }
  try {
    const { stdout } = await run('psql', ['-XAtqw', '-d', filled(text), '-c', facts], { env })
    return named(stdout.trim())
  } catch (thrown) {
    // psql says 2 for a connection that it does not get, or a string that it cannot read.
    expect(thrown).toMatchObject({ code: 2 })
    return 'refused'
  }
}

async function byCoordinator(text: string, variables: Variables): Promise<string> {
  try {
    const { database: target } = readSettings({ DATABASE_URL: filled(text), ...variablesOf(variables) })
    if (target.backend !== 'postgres') return target.backend
    const cluster = new Cluster(withDefaults({ target, connectTimeoutMs: 5_000 }))
    const connection = await cluster.connect()
    const [row] = await connection.run({ text: facts, doing: 'asking who is connected' })
    await connection.close()
    return named(row?.['facts'] ?? '')
  } catch (thrown) {
    const error = toCoordinatorError(thrown)
    expect(error.code).toMatch(/^COORD_(STORE|CONFIG)_/)
    for (const secret of ['p@ss/w', 'pa?ss']) expect(`${error.detail} ${error.hint}`).not.toContain(secret)
    return 'refused'
  }
}

const ann = 'ann:p%40ss%2Fw%3Ard'
const authority = 'sslrootcert=CERTIFICATES/authority.crt'
const other = 'sslrootcert=CERTIFICATES/other.crt'

/** A connection string, what it means, and the variables that are set beside it. */
const strings: readonly (readonly [text: string, means: string, variables?: Variables])[] = [
  // The parts of a URL
  [`postgres://${ann}@127.0.0.1:PLAIN/shop`, 'ann shop PLAIN plain'],
  [`postgresql://${ann}@127.0.0.1:PLAIN/shop`, 'ann shop PLAIN plain'],
  ['postgres://ann:wrong@127.0.0.1:PLAIN/shop', 'refused'],
  ['postgres://ann@127.0.0.1:PLAIN/shop', 'refused'],
  ['postgres://b%40b:pa?ss@127.0.0.1:PLAIN/shop', 'b@b shop PLAIN plain'],
  ['postgres://open@127.0.0.1:PLAIN', 'open open PLAIN plain'],
  ['postgres://open@127.0.0.1:PLAIN/', 'open open PLAIN plain'],
  ['postgres://open@127.0.0.1:PLAIN/my%20db', 'open my db PLAIN plain'],
  ['postgres://open@127.0.0.1:PLAIN/a/b', 'open a/b PLAIN plain'],
  ['postgres://open@127.0.0.1:PLAIN/none', 'refused'],
  ['postgres://open@127.0.0.1:PLAIN/%zz', 'refused'],
  ['postgres://open@127.0.0.1:0/shop', 'refused'],
  ['postgres://open@127.0.0.1:x/shop', 'refused'],
  ['postgres://open@[::1/shop', 'refused'],
  ['postgres://127.0.0.1:PLAIN/shop?user=open', 'open shop PLAIN plain'],
  [`postgres://127.0.0.1:PLAIN?user=ann&password=p%40ss/w:rd&dbname=shop`, 'ann shop PLAIN plain'],
  ['postgres://ann@127.0.0.1:PLAIN/none?user=open&dbname=shop', 'open shop PLAIN plain'],
  // Hosts, addresses and ports
  ['postgres://open@nowhere.invalid:PLAIN/shop?host=127.0.0.1', 'open shop PLAIN plain'],
  ['postgres://open@127.0.0.1:1/shop?port=PLAIN', 'open shop PLAIN plain'],
  ['postgres://open@127.0.0.1:1,127.0.0.1:PLAIN/shop', 'open shop PLAIN plain'],
  ['postgres://open@/shop?host=127.0.0.1,localhost&port=PLAIN', 'open shop PLAIN plain'],
  ['postgres://open@/shop?host=127.0.0.1,127.0.0.1&port=1,PLAIN', 'open shop PLAIN plain'],
  ['postgres://open@/shop?host=127.0.0.1,127.0.0.1,127.0.0.1&port=PLAIN,PLAIN', 'refused'],
  ['postgres://open@nowhere.invalid:PLAIN/shop?hostaddr=127.0.0.1', 'open shop PLAIN plain'],
  ['postgres://open@a,b/shop?hostaddr=127.0.0.1&port=PLAIN', 'refused'],
  ['postgres://open@/shop?hostaddr=localhost&port=PLAIN', 'refused'],
  // Unix sockets
  ['postgres://open@%SOCKETS:PLAIN/shop', 'open shop socket plain'],
  ['postgres:///shop?host=SOCKETS&port=PLAIN&user=open', 'open shop socket plain'],
  ['postgres://open@/shop?host=%SOCKETS&port=PLAIN', 'open shop socket plain'],
  ['postgres://open@%SOCKETS:1/shop', 'refused'],
  ['postgres://open@%SOCKETS:PLAIN/shop?sslmode=verify-full', 'open shop socket plain'],
  // The other form
  ["host=127.0.0.1 port=PLAIN user=ann password='p@ss/w:rd' dbname=shop", 'ann shop PLAIN plain'],
  ["host = SOCKETS port = PLAIN user = open dbname = 'my db'", 'open my db socket plain'],
  ['host=SOCKETS port=PLAIN user=o\\pen dbname=my\\ db', 'open my db socket plain'],
  ["host=127.0.0.1 port=PLAIN user=open dbname='shop", 'refused'],
  ['host=127.0.0.1 port=PLAIN user=open shop', 'refused'],
  ['host=127.0.0.1 port=PLAIN user=open dbname=shop ssl=true', 'refused'],
  // Variables, files of passwords, services
  ['postgres:///shop', 'open shop PLAIN plain', { PGHOST: '127.0.0.1', PGPORT: 'PLAIN', PGUSER: 'open' }],
  [
    'postgres:///',
    'open shop socket plain',
    { PGHOST: 'SOCKETS', PGPORT: 'PLAIN', PGUSER: 'open', PGDATABASE: 'shop' },
  ],
  [
    'postgres://',
    'open shop PLAIN plain',
    { PGHOSTADDR: '127.0.0.1', PGPORT: 'PLAIN', PGUSER: 'open', PGDATABASE: 'shop' },
  ],
  ['postgres://127.0.0.1,127.0.0.1/shop', 'refused', { PGPORT: '1,PLAIN', PGUSER: 'open', PGHOST: 'x' }],
  [
    'postgres://ann@127.0.0.1:PLAIN/shop',
    'ann shop PLAIN plain',
    { PGPASSWORD: 'p@ss/w:rd', PGUSER: 'open', PGPORT: '1' },
  ],
  ['postgres://ann@127.0.0.1:PLAIN/shop', 'ann shop PLAIN plain', { HOME: 'passwords' }],
  ['postgres://b%40b@127.0.0.1:PLAIN/ann', 'b@b ann PLAIN plain', { HOME: 'passwords' }],
  ['postgres://ann@127.0.0.1:PLAIN/ann', 'refused', { HOME: 'passwords' }],
  ['postgres://ann@127.0.0.1:PLAIN/ann', 'refused', { HOME: 'careless' }],
  ['postgres://ann@127.0.0.1:PLAIN/shop', 'ann shop PLAIN plain', { PGPASSFILE: 'FOLDER/passwords/.pgpass' }],
  ['postgres://ann@127.0.0.1:PLAIN/shop?passfile=FOLDER/passwords/.pgpass', 'ann shop PLAIN plain'],
  ['postgres://ann@127.0.0.1:PLAIN/shop', 'refused', { HOME: 'passwords', PGPASSWORD: 'wrong' }],
  ['postgres://?service=ours', 'open shop PLAIN plain', { HOME: 'services' }],
  [
    'postgres://',
    'open shop PLAIN plain',
    { HOME: 'services', PGSERVICE: 'ours', PGUSER: 'ann', PGPORT: '1' },
  ],
  [
    'postgres:///ann',
    'open ann PLAIN plain',
    { PGSERVICE: 'ours', PGSERVICEFILE: 'FOLDER/services/.pg_service.conf' },
  ],
  ['postgres://?service=strict', 'refused', { HOME: 'services', PGSSLMODE: 'disable' }],
  ['postgres://?service=none', 'refused', { HOME: 'services', PGHOST: '127.0.0.1' }],
  // Encryption, asked of a server that has none
  ['postgres://open@127.0.0.1:PLAIN/shop?sslmode=disable', 'open shop PLAIN plain'],
  ['postgres://open@127.0.0.1:PLAIN/shop?sslmode=allow', 'open shop PLAIN plain'],
  ['postgres://open@127.0.0.1:PLAIN/shop?sslmode=prefer', 'open shop PLAIN plain'],
  ['postgres://open@127.0.0.1:PLAIN/shop?sslmode=require', 'refused'],
  ['postgres://open@127.0.0.1:PLAIN/shop?sslmode=verify-ca', 'refused'],
  [`postgres://open@127.0.0.1:PLAIN/shop?sslmode=verify-full&${authority}`, 'refused'],
  ['postgres://open@127.0.0.1:PLAIN/shop?ssl=true', 'refused'],
  ['postgres://open@127.0.0.1:PLAIN/shop?ssl=1', 'refused'],
  ['postgres://open@127.0.0.1:PLAIN/shop?requiressl=1', 'refused'],
  ['postgres://open@127.0.0.1:PLAIN/shop?requiressl=0', 'open shop PLAIN plain'],
  ['postgres://open@127.0.0.1:PLAIN/shop?sslmode=on', 'refused'],
  ['postgres://open@127.0.0.1:PLAIN/shop?sslmode=', 'refused'],
  ['postgres://open@127.0.0.1:PLAIN/shop?sslmod=require', 'refused'],
  ['postgres://open@127.0.0.1:PLAIN/shop', 'refused', { PGSSLMODE: 'require' }],
  ['postgres://open@127.0.0.1:PLAIN/shop', 'refused', { PGREQUIRESSL: '1' }],
  ['postgres://open@127.0.0.1:PLAIN/shop?sslmode=disable', 'open shop PLAIN plain', { PGSSLMODE: 'require' }],
  // Encryption, asked of a server that has it
  ['postgres://open@127.0.0.1:SECURE/shop', 'open shop SECURE tls'],
  ['postgres://open@127.0.0.1:SECURE/shop?ssl=true', 'open shop SECURE tls'],
  ['postgres://open@127.0.0.1:SECURE/shop?sslmode=disable', 'open shop SECURE plain'],
  ['postgres://encrypted@127.0.0.1:SECURE/shop?sslmode=disable', 'refused'],
  ['postgres://open@127.0.0.1:SECURE/shop?sslmode=allow', 'open shop SECURE plain'],
  ['postgres://encrypted@127.0.0.1:SECURE/shop?sslmode=allow', 'encrypted shop SECURE tls'],
  ['postgres://open@127.0.0.1:SECURE/shop?sslmode=require', 'open shop SECURE tls'],
  [`postgres://open@127.0.0.1:SECURE/shop?sslmode=require&${other}`, 'refused'],
  [`postgres://open@127.0.0.1:SECURE/shop?sslmode=prefer&${other}`, 'open shop SECURE plain'],
  [`postgres://encrypted@127.0.0.1:SECURE/shop?sslmode=prefer&${other}`, 'refused'],
  ['postgres://open@127.0.0.1:SECURE/shop?sslmode=verify-ca', 'refused'],
  [`postgres://open@127.0.0.1:SECURE/shop?sslmode=verify-ca&${authority}`, 'open shop SECURE tls'],
  [`postgres://open@127.0.0.1:SECURE/shop?sslmode=verify-ca&${other}`, 'refused'],
  [`postgres://open@localhost:SECURE/shop?sslmode=verify-full&${authority}`, 'open shop SECURE tls'],
  [`postgres://open@127.0.0.1:SECURE/shop?sslmode=verify-full&${authority}`, 'refused'],
  [
    `postgres://open@localhost:SECURE/shop?sslmode=verify-full&${authority}&hostaddr=127.0.0.1`,
    'open shop SECURE tls',
  ],
  [
    `postgres://open@nowhere.invalid:SECURE/shop?sslmode=verify-full&${authority}&hostaddr=127.0.0.1`,
    'refused',
  ],
  [`postgres://open@/shop?sslmode=verify-full&${authority}&hostaddr=127.0.0.1&port=SECURE`, 'refused'],
  [
    'postgres://open@localhost:SECURE/shop?sslmode=verify-full',
    'refused',
    { PGSSLROOTCERT: 'CERTIFICATES/other.crt' },
  ],
  ['postgres://open@localhost:SECURE/shop?sslmode=verify-full', 'open shop SECURE tls', { HOME: 'trusting' }],
  ['postgres://open@localhost:SECURE/shop?sslmode=require', 'refused', { HOME: 'mistrusting' }],
  [
    'postgres://open@127.0.0.1:SECURE/shop?sslmode=require&ssl_min_protocol_version=TLSv1.3',
    'open shop SECURE tls',
  ],
  [
    'postgres://open@127.0.0.1:SECURE/shop?sslmode=require&ssl_max_protocol_version=tlsv1.2',
    'open shop SECURE tls',
  ],
  [
    'postgres://open@127.0.0.1:SECURE/shop?ssl_min_protocol_version=TLSv1.3&ssl_max_protocol_version=TLSv1.2',
    'refused',
  ],
  ['postgres://open@127.0.0.1:SECURE/shop?ssl_min_protocol_version=3', 'refused'],
  // The login and the session
  [`postgres://${ann}@127.0.0.1:SECURE/shop?channel_binding=require`, 'ann shop SECURE tls'],
  [`postgres://${ann}@127.0.0.1:SECURE/shop?channel_binding=require&sslmode=disable`, 'refused'],
  [`postgres://${ann}@127.0.0.1:PLAIN/shop`, 'refused', { PGCHANNELBINDING: 'require' }],
  ['postgres://open@127.0.0.1:SECURE/shop?channel_binding=require', 'refused'],
  [`postgres://${ann}@127.0.0.1:SECURE/shop?channel_binding=disable`, 'ann shop SECURE tls'],
  [`postgres://${ann}@127.0.0.1:SECURE/shop?channel_binding=on`, 'refused'],
  [`postgres://${ann}@127.0.0.1:PLAIN/shop?options=-c%20role%3Dopen`, 'open shop PLAIN plain'],
  [`postgres://${ann}@127.0.0.1:PLAIN/shop`, 'open shop PLAIN plain', { PGOPTIONS: '-c role=open' }],
  ['postgres://open@127.0.0.1:PLAIN/shop?options=-c%20nonsense', 'refused'],
  ['postgres://open@127.0.0.1:PLAIN/shop?application_name=registry', 'open shop PLAIN plain registry'],
  ['postgres://open@127.0.0.1:PLAIN/shop', 'open shop PLAIN plain registry', { PGAPPNAME: 'registry' }],
  ['postgres://open@127.0.0.1:PLAIN/shop?connect_timeout=3', 'open shop PLAIN plain'],
  ['postgres://open@127.0.0.1:PLAIN/shop?connect_timeout=soon', 'refused'],
  ['postgres://open@127.0.0.1:PLAIN/shop?target_session_attrs=read-write', 'open shop PLAIN plain'],
  ['postgres://open@127.0.0.1:PLAIN/shop?target_session_attrs=standby', 'refused'],
  ['postgres://open@127.0.0.1:PLAIN/shop?target_session_attrs=master', 'refused'],
  [
    'postgres://open@127.0.0.1:PLAIN/shop?keepalives=1&keepalives_idle=30&gssencmode=disable',
    'open shop PLAIN plain',
  ],
  ['postgres://open@127.0.0.1:PLAIN/shop?user', 'refused'],
]

describe('a connection string means the same to psql', () => {
  for (const [text, means, variables = {}] of strings) {
    const beside = Object.entries(variables).map(([name, value]) => `${name}=${value}`)
    itWith('psql')(`${[...beside, text].join(' ')}: ${means}`, async () => {
      expect(await byPsql(text, variables)).toBe(means)
      expect(await byCoordinator(text, variables)).toBe(means)
    })
  }
})
