import { describe, expect, it } from 'vitest'
import { variablesOf } from '../../src/config/given-text.ts'
import { Secret } from '../../src/config/secret.ts'
import type { Setting } from '../../src/config/setting.ts'
import { readClientSettings, readSettings } from '../../src/config/settings.ts'
import { settingsTable } from '../../src/config/table.ts'
import { CoordinatorError } from '../../src/errors.ts'
import { faultOf } from './fault-of.ts'

/** A public key of `age`. */
const recipient = 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p'

const all = Object.values(settingsTable).flatMap((section) => Object.values<Setting<unknown>>(section))

describe('settings', () => {
  it('with nothing set are the documented defaults, in memory', () => {
    expect(readSettings({})).toEqual({
      host: '127.0.0.1',
      port: 3000,
      allowedHosts: [],
      allowedOrigins: [],
      console: true,
      connectionsMax: 10_000,
      bodiesMaxBytes: 134_217_728,
      shutdownTimeoutMs: 10_000,
      unsentMaxMib: 64,
      streamsMax: 8,
      logLevel: 'info',
      logFormat: 'auto',
      logRequests: false,
      authAnonymous: 'none',
      authJwtScopeClaim: 'scope',
      trustedProxies: [],
      access: { mode: 'open', anonymous: 'none' },
      database: { backend: 'memory' },
      databaseReplicas: [],
      databaseReplicaReads: ['load', 'asOf', 'history'],
      databaseSchema: 'coordinator',
      autoMigrate: true,
      databasePoolMax: 4,
      databaseConnectTimeoutMs: 5_000,
      databaseAcquireTimeoutMs: 5_000,
      databaseStatementTimeoutMs: 10_000,
      expectSyncStandby: false,
      expectFailoverMs: 30_000,
      commitTimeoutMs: 10_000,
      commitQueueMax: 20_000,
      questionTimeoutMs: 10_000,
      pastQuestionTimeoutMs: 60_000,
      pollMinMs: 100,
      pollMaxMs: 500,
      journalKeepHours: 0,
      journalKeepRevisions: 10_000,
      backupIntervalMs: 10_000,
      backupBaseHours: 24,
      backupRecipients: [],
      backupKeepDays: 35,
      backupDrillHours: 24,
      snapshotMaxAgeHours: 24,
      coordinatorUrl: 'http://127.0.0.1:3000',
      warnings: [],
    })
  })

  it('with every variable empty or blank are the same as with nothing set', () => {
    for (const blank of ['', ' ', '\t\n']) {
      const env = Object.fromEntries(all.flatMap(variablesOf).map((name) => [name, blank]))
      expect(readSettings(env)).toEqual(readSettings({}))
    }
  })

  it('are frozen', () => {
    expect(Object.isFrozen(readSettings({}))).toBe(true)
  })

  it('take a value for every variable that has a simple one', () => {
    const settings = readSettings({
      HOST: 'localhost',
      PORT: ' 8080 ',
      ALLOWED_HOSTS: 'Registry.example.org, *.example.net,',
      ALLOWED_ORIGINS: 'https://app.example.org:443/, http://localhost:5173',
      BASE_PATH: '/tools/registry',
      CONSOLE: 'off',
      CONNECTIONS_MAX: '113',
      BODIES_MAX_BYTES: '8388608',
      SHUTDOWN_TIMEOUT_MS: '0',
      UNSENT_MAX_MIB: '9',
      STREAMS_MAX: '2',
      LOG_LEVEL: 'DEBUG',
      LOG_FORMAT: 'json',
      LOG_REQUESTS: 'yes',
      AUTH: 'Off',
      TRUSTED_PROXIES: '10.0.0.0/8',
      LIMIT_WRITES_PER_SECOND: '3',
      LIMIT_STREAMS: '4',
      TLS_CERT_FILE: 'tls.crt',
      TLS_KEY_FILE: 'tls.key',
      DATABASE_REPLICA_READS: 'History, asof,',
      DATABASE_SCHEMA: 'team_a',
      AUTO_MIGRATE: 'False',
      DATABASE_POOL_MAX: '9',
      DATABASE_CONNECT_TIMEOUT_MS: '101',
      DATABASE_ACQUIRE_TIMEOUT_MS: '102',
      DATABASE_STATEMENT_TIMEOUT_MS: '103',
      EXPECT_SYNC_STANDBY: 'true',
      EXPECT_FAILOVER_MS: '20000',
      COMMIT_TIMEOUT_MS: '104',
      COMMIT_QUEUE_MAX: '105',
      QUESTION_TIMEOUT_MS: '106',
      PAST_QUESTION_TIMEOUT_MS: '107',
      POLL_MIN_MS: '10',
      POLL_MAX_MS: '11',
      JOURNAL_KEEP_HOURS: '24',
      JOURNAL_KEEP_REVISIONS: '12',
      BACKUP_URL: 's3://backups/coordinator',
      BACKUP_INTERVAL_MS: '108',
      BACKUP_BASE_HOURS: '13',
      BACKUP_RECIPIENTS: `${recipient}, ${recipient}`,
      BACKUP_KEEP_DAYS: '14',
      BACKUP_DRILL_HOURS: '0',
      BACKUP_IDENTITY_FILE: '/keys/backup.txt',
      AWS_ACCESS_KEY_ID: 'key',
      AWS_SECRET_ACCESS_KEY: 'secret',
      AWS_SESSION_TOKEN: 'token',
      AWS_REGION: 'eu-central-1',
      AWS_ENDPOINT_URL_S3: 'http://localhost:9000/',
      SNAPSHOT_DIR: '/var/lib/coordinator/snapshots',
      SNAPSHOT_MAX_AGE_HOURS: '48',
    })
    expect(settings).toEqual({
      host: 'localhost',
      port: 8080,
      allowedHosts: ['registry.example.org', '*.example.net'],
      allowedOrigins: ['https://app.example.org', 'http://localhost:5173'],
      basePath: '/tools/registry',
      console: false,
      connectionsMax: 113,
      bodiesMaxBytes: 8_388_608,
      shutdownTimeoutMs: 0,
      unsentMaxMib: 9,
      streamsMax: 2,
      logLevel: 'debug',
      logFormat: 'json',
      logRequests: true,
      auth: 'off',
      authAnonymous: 'none',
      authJwtScopeClaim: 'scope',
      trustedProxies: ['10.0.0.0/8'],
      limitWritesPerSecond: 3,
      limitStreams: 4,
      tlsCertFile: 'tls.crt',
      tlsKeyFile: 'tls.key',
      access: { mode: 'off', anonymous: 'none' },
      database: { backend: 'memory' },
      databaseReplicas: [],
      databaseReplicaReads: ['asOf', 'history'],
      databaseSchema: 'team_a',
      autoMigrate: false,
      databasePoolMax: 9,
      databaseConnectTimeoutMs: 101,
      databaseAcquireTimeoutMs: 102,
      databaseStatementTimeoutMs: 103,
      expectSyncStandby: true,
      expectFailoverMs: 20_000,
      commitTimeoutMs: 104,
      commitQueueMax: 105,
      questionTimeoutMs: 106,
      pastQuestionTimeoutMs: 107,
      pollMinMs: 10,
      pollMaxMs: 11,
      journalKeepHours: 24,
      journalKeepRevisions: 12,
      backupUrl: 's3://backups/coordinator',
      backupIntervalMs: 108,
      backupBaseHours: 13,
      backupRecipients: [recipient, recipient],
      backupKeepDays: 14,
      backupDrillHours: 0,
      backupIdentityFile: '/keys/backup.txt',
      awsAccessKeyId: 'key',
      awsSecretAccessKey: new Secret('secret'),
      awsSessionToken: new Secret('token'),
      awsRegion: 'eu-central-1',
      awsEndpointUrl: 'http://localhost:9000',
      snapshotDir: '/var/lib/coordinator/snapshots',
      snapshotMaxAgeHours: 48,
      coordinatorUrl: 'https://localhost:8080',
      warnings: [expect.stringMatching(/^SNAPSHOT_DIR has no effect/), expect.stringMatching(/^AUTH is off/)],
    })
  })

  it('have other defaults where the backend asks for them', () => {
    const sqlite = readSettings({ DATABASE_URL: 'sqlite:x.db' })
    expect(sqlite).toMatchObject({ journalKeepHours: 720, journalKeepRevisions: 100_000, pollMaxMs: 500 })
    const supabase = readSettings({
      SUPABASE_URL: 'http://localhost:54321',
      SUPABASE_SECRET_KEY: 'sb_secret_x',
    })
    expect(supabase).toMatchObject({ journalKeepHours: 720, journalKeepRevisions: 100_000, pollMaxMs: 2_000 })
  })

  it.each<string[]>([
    ['PORT', '65536', 'PORT must be a whole number from 0 to 65535.'],
    ['PORT', '3000.5', 'PORT must be a whole number from 0 to 65535.'],
    ['PORT', '-1', 'PORT must be a whole number from 0 to 65535.'],
    ['PORT', '1e3', 'PORT must be a whole number from 0 to 65535.'],
    ['POLL_MIN_MS', '9', 'POLL_MIN_MS must be a whole number from 10 to 60000, in milliseconds.'],
    ['JOURNAL_KEEP_HOURS', '23', 'JOURNAL_KEEP_HOURS must be a whole number from 24 to 876000, in hours.'],
    ['LOG_LEVEL', 'loud', 'LOG_LEVEL must be one of trace, debug, info, warn, error, fatal, silent.'],
    ['AUTO_MIGRATE', 'maybe', 'AUTO_MIGRATE must be true or false.'],
    [
      'COORDINATOR_URL',
      'localhost:3000',
      'COORDINATOR_URL must be a URL such as http://host:3000, without credentials.',
    ],
    [
      'COORDINATOR_URL',
      'http://u:p@host',
      'COORDINATOR_URL must be a URL such as http://host:3000, without credentials.',
    ],
    ...['Shop', 'a b', 'a_b', 'x'.repeat(64)].map((value) => [
      'COORDINATOR_NAMESPACE',
      value,
      'COORDINATOR_NAMESPACE must be a namespace: 1 to 63 lower-case letters, digits and dashes.',
    ]),
    ...['a b', 'host:80', '*', 'a.*', 'http://a', '[::1]'].map((value) => [
      'ALLOWED_HOSTS',
      value,
      'ALLOWED_HOSTS must be host names without scheme and port, such as registry.example.org, *.example.net.',
    ]),
    ...['app.example.org', '*', 'null', 'https://a/b', 'https://u:p@a', 'ftp://a'].map((value) => [
      'ALLOWED_ORIGINS',
      value,
      'ALLOWED_ORIGINS must be origins such as https://app.example.org, http://localhost:5173.',
    ]),
    ['HOST', 'a b', 'HOST must be an address or a host name, without a port.'],
    ['HOST', '127.0.0.1:80', 'HOST must be an address or a host name, without a port.'],
    ['HOST', '[::1]:80', 'HOST must be an address or a host name, without a port.'],
    ['HOST', '[]', 'HOST must be an address or a host name, without a port.'],
    ['LOG_LEVEL', '"info"', 'LOG_LEVEL has quotation marks around its value: remove them.'],
  ])('%s=%s is refused with exit code 78', (variable, value, detail) => {
    const fault = faultOf({ [variable]: value })
    expect(fault).toMatchObject({ code: 'COORD_CONFIG_INVALID', exitCode: 78, detail })
    expect(fault.errors).toEqual([{ path: variable, code: 'COORD_CONFIG_INVALID', message: detail }])
  })

  it.each([
    'public',
    'pg_catalog',
    'information_schema',
    'auth',
    'storage',
    'graphql_public',
    'supabase_functions',
    'A',
    '1a',
    'a-b',
    'a"b',
    'x'.repeat(41),
  ])('DATABASE_SCHEMA=%s is refused: the schema must be private', (name) => {
    expect(faultOf({ DATABASE_SCHEMA: name }).detail).toContain('DATABASE_SCHEMA must be a lower-case name')
  })

  it('report every fault at once, in one line', () => {
    const fault = faultOf({
      PORT: 'x',
      LOG_LEVEL: 'x',
      DATABASE_URL: 'x',
      POLL_MIN_MS: '600',
      POLL_MAX_MS: '500',
    })
    expect(fault.errors.map(({ path }) => path)).toEqual(['DATABASE_URL', 'PORT', 'LOG_LEVEL', 'POLL_MIN_MS'])
    expect(fault.detail).not.toContain('\n')
    for (const { message } of fault.errors) expect(fault.detail).toContain(message)
  })

  it('take an IPv6 address with and without the brackets of URLs, as it is listened on', () => {
    for (const HOST of ['::1', '[::1]']) expect(readSettings({ HOST }).host).toBe('::1')
    expect(readSettings({ AUTH: 'off', HOST: 'fe80::1%eth0' }).host).toBe('fe80::1%eth0')
  })

  it.each([
    ['DATABSE_URL', 'DATABASE_URL'],
    ['DATABASE_URI', 'DATABASE_URL'],
    ['SUPABASE_KEY', 'SUPABASE_SERVICE_ROLE_KEY'],
    ['NEXT_PUBLIC_SUPABASE_URL', 'SUPABASE_URL'],
    ['COMMIT_TIMEOUT', undefined],
    ['PATH', undefined],
    ['POSTGRES_USER', undefined],
    ['SUPABASE_JWT_SECRET', undefined],
  ])('%s draws the question whether %s is meant', (name, meant) => {
    const warnings =
      meant === undefined ? [] : [`${name} is not a setting and is not read. Is ${meant} meant?`]
    expect(readSettings({ [name]: 'x' }).warnings).toEqual(warnings)
  })

  it('stay silent about a misspelled variable beside the right one', () => {
    expect(readSettings({ DATABASE_URI: 'x', DATABASE_URL: 'memory:' }).warnings).toEqual([])
  })
})

describe('client settings', () => {
  it('ignore what only the server needs', () => {
    const env = {
      ...{ DATABASE_URL: 'nonsense', POLL_MIN_MS: 'x', COORDINATOR_URL: 'http://cart:7070/base/' },
      COORDINATOR_NAMESPACE: 'shop',
    }
    expect(readClientSettings(env)).toEqual({
      coordinatorUrl: 'http://cart:7070/base',
      coordinatorNamespace: 'shop',
      logLevel: 'info',
      logFormat: 'auto',
    })
  })

  it('refuse a URL that is none', () => {
    expect(() => readClientSettings({ COORDINATOR_URL: 'ftp://cart' })).toThrow(CoordinatorError)
  })
})
