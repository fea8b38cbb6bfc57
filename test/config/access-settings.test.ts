import { describe, expect, it } from 'vitest'
import { Secret } from '../../src/config/secret.ts'
import { readClientSettings, readSettings, secretTexts } from '../../src/config/settings.ts'
import { faultOf } from './fault-of.ts'

type Env = Readonly<Record<string, string>>

const admin = 'a'.repeat(32)
const metrics = 'm'.repeat(32)
const required = { AUTH: 'required', AUTH_ADMIN_TOKEN: admin }
const sqlite = { AUTH: 'required', DATABASE_URL: 'sqlite:x.db' }
const issuer = 'https://issuer.example.org/'
const jwt = {
  AUTH: 'required',
  AUTH_JWT_ISSUER: issuer,
  AUTH_JWT_AUDIENCE: 'coordinator',
  AUTH_JWKS_URL: 'https://issuer.example.org/keys?p=1',
}
const project = 'https://abcdefghijklmnopqrst.supabase.co'
const supabase = { SUPABASE_URL: project, SUPABASE_SECRET_KEY: 'sb_secret_x' }

const access = (env: Env) => readSettings(env).access
const faults = (env: Env) => faultOf(env).errors.map(({ path, message }) => `${path}: ${message}`)

describe('the mode of access', () => {
  it.each(['127.0.0.1', '127.1.2.3', 'localhost', '::1', '[::1]'])(
    'is open to this machine where AUTH is not set and HOST is %s',
    (host) => {
      expect(readSettings({ HOST: host })).toMatchObject({ access: { mode: 'open' }, warnings: [] })
    },
  )

  it.each(['0.0.0.0', '::', '10.0.0.1', 'localhost.example.org', '127.0.0.1.example.org'])(
    'must be chosen where HOST is %s',
    (host) => {
      expect(faultOf({ HOST: host })).toMatchObject({ code: 'COORD_CONFIG_INVALID', exitCode: 78 })
      expect(faults({ HOST: host })).toEqual([
        'AUTH: HOST is an address that other machines can reach, and AUTH is not set: set AUTH=required, or AUTH=off if everybody who reaches this port may change everything.',
      ])
      expect(access({ HOST: host, ...required }).mode).toBe('required')
      expect(access({ HOST: host, AUTH: 'off' }).mode).toBe('off')
    },
  )

  it('off warns at start, on every address', () => {
    for (const HOST of ['127.0.0.1', '0.0.0.0'])
      expect(readSettings({ HOST, AUTH: 'off' }).warnings).toEqual([
        'AUTH is off: everybody who reaches the port can read and change everything.',
      ])
  })

  it('required warns on an address for others without TLS, because tokens can be read on their way', () => {
    const warnings = (env: Env) => readSettings({ ...required, ...env }).warnings
    expect(warnings({ HOST: '0.0.0.0' })).toEqual([
      'Credentials cross the network unencrypted, unless a proxy encrypts them: set TLS_CERT_FILE and TLS_KEY_FILE.',
    ])
    expect(warnings({ HOST: '0.0.0.0', TLS_CERT_FILE: 'x', TLS_KEY_FILE: 'y' })).toEqual([])
    expect(warnings({ HOST: '127.0.0.1' })).toEqual([])
  })

  it('that is misspelled is one fault, whatever else is set', () => {
    for (const AUTH of ['true', 'on', 'require', 'none'])
      expect(faults({ ...required, AUTH, HOST: '0.0.0.0' })).toEqual([
        'AUTH: AUTH must be one of required, off.',
      ])
  })

  it.each<[string, Env]>([
    ['AUTH_ADMIN_TOKEN', { AUTH_ADMIN_TOKEN: admin }],
    ['AUTH_METRICS_TOKEN', { AUTH_METRICS_TOKEN: metrics }],
    ['AUTH_ANONYMOUS', { AUTH_ANONYMOUS: 'none' }],
    ['AUTH_NOT_BEFORE', { AUTH_NOT_BEFORE: '2026-01-01T00:00:00Z' }],
    ['AUTH_JWT_ISSUER', { AUTH_JWT_ISSUER: issuer }],
    ['AUTH_JWT_AUDIENCE', { AUTH_JWT_AUDIENCE: 'x' }],
    ['AUTH_JWKS_URL', { AUTH_JWKS_URL: 'https://x/' }],
    ['AUTH_JWT_SECRET', { AUTH_JWT_SECRET: 'x'.repeat(32) }],
    ['AUTH_JWT_SCOPE_CLAIM', { AUTH_JWT_SCOPE_CLAIM: 'scope' }],
  ])('must be required for %s to have an effect', (name, env) => {
    for (const more of [{}, { AUTH: 'off' }])
      expect(faults({ ...env, ...more })).toEqual([
        `${name}: ${name} has no effect without AUTH=required: set AUTH=required, or unset ${name}.`,
      ])
  })
})

describe('AUTH=required', () => {
  it('is one whole: mode, secrets and times', () => {
    const settings = readSettings({
      ...required,
      AUTH_METRICS_TOKEN: metrics,
      AUTH_ANONYMOUS: 'READ',
      AUTH_NOT_BEFORE: '2026-01-01T01:00:00.5+01:00',
    })
    expect(settings.access).toEqual({
      mode: 'required',
      anonymous: 'read',
      adminToken: expect.any(Secret),
      metricsToken: expect.any(Secret),
      notBefore: Date.UTC(2026, 0, 1) + 500,
    })
    expect(settings.access.adminToken?.reveal()).toBe(admin)
    expect(settings.access.metricsToken?.reveal()).toBe(metrics)
    expect(settings.warnings).toEqual([])
  })

  it('lets nobody in where memory keeps no tokens and no other credential is set', () => {
    expect(faults({ AUTH: 'required' })).toEqual([
      'AUTH_ADMIN_TOKEN: AUTH=required lets nobody in, because memory keeps no tokens: set AUTH_ADMIN_TOKEN to a secret of at least 32 characters, or AUTH_JWT_ISSUER, or DATABASE_URL.',
    ])
    expect(faults({ AUTH: 'required', AUTH_METRICS_TOKEN: metrics })).toHaveLength(1)
    for (const env of [required, jwt, sqlite]) expect(access(env).mode).toBe('required')
    expect(readSettings({ AUTH: 'required' }, { ownStore: true }).access.mode).toBe('required')
  })

  it('needs the secret key of a Supabase project', () => {
    const anon = { SUPABASE_URL: project, SUPABASE_ANON_KEY: 'sb_publishable_x' }
    expect(faults({ ...required, ...anon })).toEqual([
      'SUPABASE_SERVICE_ROLE_KEY: AUTH=required needs the secret key of the Supabase project, because everybody may have the public one (SUPABASE_ANON_KEY): set SUPABASE_SERVICE_ROLE_KEY.',
    ])
    expect(access({ ...required, ...anon, ...supabase }).mode).toBe('required')
  })

  it.each<[string, Env]>([
    ['AUTH_METRICS_TOKEN', { AUTH_METRICS_TOKEN: admin }],
    ['AUTH_JWT_SECRET', { ...jwt, AUTH_JWT_SECRET: admin }],
    ['the credential of the database', { SUPABASE_URL: project, SUPABASE_SECRET_KEY: admin }],
    ['the credential of the database', { DATABASE_URL: `postgres://u:${admin}@host/db` }],
  ])('refuses an AUTH_ADMIN_TOKEN that is also %s', (other, env) => {
    expect(faults({ ...required, ...env })).toEqual([
      `AUTH_ADMIN_TOKEN: AUTH_ADMIN_TOKEN has the same value as ${other}: give it a secret of its own.`,
    ])
  })

  it.each(['x'.repeat(31), 'x'.repeat(1_025), `${'x'.repeat(32)} x`, 'ä'.repeat(32), `${admin}\n${admin}`])(
    'refuses the token %#, which is short, long or not visible ASCII',
    (token) => {
      const text =
        'must be a secret of 32 to 1024 visible ASCII characters, such as openssl rand -base64 32 prints'
      for (const name of ['AUTH_ADMIN_TOKEN', 'AUTH_METRICS_TOKEN'])
        expect(faults({ ...sqlite, [name]: token })).toEqual([`${name}: ${name} ${text}.`])
    },
  )

  it.each(['2026-01-01', '2026-01-01T00:00:00', '2026-02-30T00:00:00Z', 'now', '1764489600'])(
    'refuses AUTH_NOT_BEFORE=%s, which is no time with a zone',
    (text) => {
      expect(faults({ ...required, AUTH_NOT_BEFORE: text })).toEqual([
        'AUTH_NOT_BEFORE: AUTH_NOT_BEFORE must be a time with its zone, such as 2026-11-30T08:00:00Z.',
      ])
    },
  )

  it('warns of an AUTH_NOT_BEFORE in the future', () => {
    expect(readSettings({ ...required, AUTH_NOT_BEFORE: '9999-01-01T00:00:00Z' }).warnings).toEqual([
      'AUTH_NOT_BEFORE is in the future: until then, every token and every JWT is refused.',
    ])
  })
})

describe('JWTs', () => {
  it('of an issuer have an audience, and public keys or a secret', () => {
    expect(access(jwt).jwt).toEqual({
      issuer,
      audience: 'coordinator',
      jwksUrl: 'https://issuer.example.org/keys?p=1',
      scopeClaim: 'scope',
      supabase: false,
    })
    const { AUTH_JWKS_URL: _, ...rest } = jwt
    const secret = 's'.repeat(32)
    const found = access({ ...rest, AUTH_JWT_SECRET: secret, AUTH_JWT_SCOPE_CLAIM: 'https://x.org/scopes' })
    expect(found.jwt).toMatchObject({ scopeClaim: 'https://x.org/scopes', secret: expect.any(Secret) })
    expect(found.jwt?.secret?.reveal()).toBe(secret)
    expect(found.jwt).not.toHaveProperty('jwksUrl')
  })

  it('need an audience', () => {
    const { AUTH_JWT_AUDIENCE: _, ...rest } = jwt
    expect(faults(rest)).toEqual([
      expect.stringMatching(
        /^AUTH_JWT_AUDIENCE: AUTH_JWT_ISSUER is set without AUTH_JWT_AUDIENCE: set it to/,
      ),
    ])
  })

  it('have the keys that the issuer names, which nobody can exchange on their way', () => {
    const { AUTH_JWKS_URL: _, ...rest } = jwt
    expect(access(rest).jwt).not.toHaveProperty('jwksUrl')
    expect(access({ ...rest, AUTH_JWT_ISSUER: 'http://127.0.0.1:9' }).jwt).toBeDefined()
    const plain = { ...rest, AUTH_JWT_ISSUER: 'http://issuer.example.org' }
    expect(faults(plain)).toEqual([
      expect.stringMatching(/^AUTH_JWKS_URL: AUTH_JWT_ISSUER begins with http:\/\/, so its keys/),
    ])
    expect(access({ ...plain, AUTH_JWKS_URL: 'https://keys' }).jwt).toMatchObject({
      jwksUrl: 'https://keys/',
    })
    expect(access({ ...plain, AUTH_JWT_SECRET: 's'.repeat(32) }).jwt).toMatchObject({
      audience: 'coordinator',
    })
  })

  it.each(['AUTH_JWT_AUDIENCE', 'AUTH_JWKS_URL', 'AUTH_JWT_SCOPE_CLAIM', 'AUTH_JWT_SECRET'])(
    '%s has no effect without an issuer',
    (name) => {
      const value = name === 'AUTH_JWKS_URL' ? 'https://x/' : 'x'.repeat(32)
      expect(faults({ ...required, [name]: value })).toEqual([
        `AUTH_JWT_ISSUER: ${name} has no effect without AUTH_JWT_ISSUER: set AUTH_JWT_ISSUER, or unset ${name}.`,
      ])
    },
  )

  it('of Supabase need only the URL of the project', () => {
    const derived = {
      issuer: `${project}/auth/v1`,
      audience: 'authenticated',
      jwksUrl: `${project}/auth/v1/.well-known/jwks.json`,
      scopeClaim: 'scope',
      supabase: true,
    }
    const env = { AUTH: 'required', AUTH_JWT_ISSUER: 'supabase' }
    expect(access({ ...env, ...supabase }).jwt).toEqual(derived)
    expect(access({ ...env, ...supabase, SUPABASE_URL: `${project}/rest/v1/` }).jwt).toEqual(derived)
    const elsewhere = readSettings({
      ...env,
      SUPABASE_URL: `${project}/`,
      DATABASE_URL: 'postgres://host/db',
    })
    expect(elsewhere).toMatchObject({ access: { jwt: derived }, database: { backend: 'postgres' } })
    expect(elsewhere.warnings).toEqual([])
    const both = readSettings({ ...env, ...supabase, DATABASE_URL: 'memory:' })
    expect(both.access.jwt).toEqual(derived)
    expect(both.warnings).toEqual([
      'DATABASE_URL is used; the Supabase variables (SUPABASE_SECRET_KEY, ...) are not.',
    ])
    const own = { AUTH_JWT_AUDIENCE: 'other', AUTH_JWKS_URL: 'http://127.0.0.1:9999/keys' }
    expect(access({ ...env, ...supabase, ...own }).jwt).toMatchObject({
      audience: 'other',
      jwksUrl: own.AUTH_JWKS_URL,
    })
    const local = access({ ...env, ...supabase, SUPABASE_URL: 'http://127.0.0.1:54321' })
    expect(local.jwt?.jwksUrl).toBe('http://127.0.0.1:54321/auth/v1/.well-known/jwks.json')
  })

  it('of Supabase without the URL of a project, or with one that others can change on its way, are refused', () => {
    const env = { AUTH: 'required', AUTH_JWT_ISSUER: 'supabase' }
    expect(faults(env)).toEqual([
      'SUPABASE_URL: AUTH_JWT_ISSUER=supabase needs SUPABASE_URL: set it to the URL of the project whose users sign in.',
    ])
    expect(faults({ ...env, ...supabase, SUPABASE_URL: 'http://kong:8000' })).toEqual([
      expect.stringMatching(
        /^SUPABASE_URL: AUTH_JWT_ISSUER=supabase needs a SUPABASE_URL that begins with https/,
      ),
    ])
    expect(faults({ ...env, SUPABASE_URL: 'nonsense', DATABASE_URL: 'memory:' })).toEqual([
      expect.stringContaining('SUPABASE_URL is not a URL'),
    ])
    expect(faults({ ...env, ...supabase, SUPABASE_URL: 'nonsense' })).toHaveLength(1)
  })

  it.each(['user_metadata', 'user_metadata.coordinator'])(
    'never take their scopes from %s, which users write themselves',
    (claim) => {
      expect(faultOf({ ...jwt, AUTH_JWT_SCOPE_CLAIM: claim })).toMatchObject({ exitCode: 78 })
      expect(faults({ ...jwt, AUTH_JWT_SCOPE_CLAIM: claim })).toEqual([
        expect.stringContaining('is under user_metadata, which users can change themselves'),
      ])
    },
  )

  it.each([
    ['AUTH_JWT_ISSUER', 'issuer.example.org'],
    ['AUTH_JWT_ISSUER', 'ftp://issuer'],
    ['AUTH_JWT_ISSUER', 'https://u:p@issuer'],
    ['AUTH_JWT_ISSUER', 'https://issuer?x=1'],
    ['AUTH_JWKS_URL', 'http://issuer.example.org/keys'],
    ['AUTH_JWKS_URL', 'https://u:p@issuer/keys'],
    ['AUTH_JWKS_URL', 'file:///keys'],
    ['AUTH_JWT_SECRET', 'x'.repeat(31)],
    ['AUTH_JWT_AUDIENCE', 'two words'],
    ['AUTH_JWT_SCOPE_CLAIM', 'two words'],
  ])('%s=%s is refused, once', (name, value) => {
    expect(faults({ ...jwt, [name]: value })).toEqual([expect.stringContaining(`${name} must be `)])
  })
})

describe('TLS, proxies and limits', () => {
  it('TLS needs both files', () => {
    const [cert, key] = [{ TLS_CERT_FILE: '/tls/tls.crt' }, { TLS_KEY_FILE: '/tls/tls.key' }]
    expect(readSettings({ ...cert, ...key })).toMatchObject({
      tlsCertFile: '/tls/tls.crt',
      tlsKeyFile: '/tls/tls.key',
    })
    expect(faults(cert)).toEqual([
      'TLS_KEY_FILE: TLS_CERT_FILE is set without TLS_KEY_FILE: set both, or none.',
    ])
    expect(faults(key)).toEqual([
      'TLS_CERT_FILE: TLS_KEY_FILE is set without TLS_CERT_FILE: set both, or none.',
    ])
  })

  it('a key in the place of its path is refused and not repeated', () => {
    const key = '-----BEGIN PRIVATE KEY----- MC4CAQ -----END PRIVATE KEY-----'
    const fault = faultOf({ TLS_CERT_FILE: 'x', TLS_KEY_FILE: key })
    expect(fault.detail).toBe('TLS_KEY_FILE must be the path of a file in PEM form.')
  })

  it('TRUSTED_PROXIES are addresses and networks', () => {
    const read = (text: string) => readSettings({ AUTH: 'off', TRUSTED_PROXIES: text }).trustedProxies
    expect(read('10.0.0.0/8, 192.0.2.7,2001:DB8::/32 , ::1, 0.0.0.0/0')).toEqual([
      '10.0.0.0/8',
      '192.0.2.7/32',
      '2001:db8::/32',
      '::1/128',
      '0.0.0.0/0',
    ])
    for (const text of [
      '10.0.0.0/33',
      '::/129',
      '10.0.0',
      'proxy',
      '10.0.0.0/',
      '/8',
      'fe80::1%eth0',
      '1.2.3.4/-1',
    ])
      expect(faults({ AUTH: 'off', TRUSTED_PROXIES: text })).toEqual([
        expect.stringContaining('TRUSTED_PROXIES must be addresses and networks'),
      ])
    expect(readSettings({ TRUSTED_PROXIES: '10.0.0.0/8' }).warnings).toEqual([
      expect.stringContaining('TRUSTED_PROXIES has no effect while AUTH is not set'),
    ])
  })

  it('limits are off unless they are set', () => {
    expect(readSettings({})).toMatchObject({ limitWritesPerSecond: undefined, limitStreams: undefined })
    expect(readSettings({ LIMIT_WRITES_PER_SECOND: '5', LIMIT_STREAMS: '6' })).toMatchObject({
      limitWritesPerSecond: 5,
      limitStreams: 6,
    })
    expect(faults({ LIMIT_STREAMS: '0' })).toHaveLength(1)
  })
})

describe('COORDINATOR_TOKEN', () => {
  it('is read by commands and hidden from logs', () => {
    const settings = readClientSettings({ COORDINATOR_TOKEN: 'cdt_x', AUTH: 'nonsense' })
    expect(settings.coordinatorToken?.reveal()).toBe('cdt_x')
    expect(secretTexts(settings)).toEqual(['cdt_x'])
    expect(JSON.stringify(settings)).not.toContain('cdt_x')
    expect(() => readClientSettings({ COORDINATOR_TOKEN: 'two words' })).toThrow('COORDINATOR_TOKEN must be')
  })
})

it('every secret of access is removed from logs', () => {
  const env = { ...jwt, ...required, AUTH_METRICS_TOKEN: metrics, AUTH_JWT_SECRET: 's'.repeat(40) }
  const settings = readSettings({
    ...env,
    COORDINATOR_TOKEN: 'cdt_x',
    DATABASE_URL: 'postgres://u:pw@host/db',
  })
  expect(secretTexts(settings).toSorted()).toEqual([admin, 'cdt_x', metrics, 'pw', 's'.repeat(40)].toSorted())
})

it.each([
  ['AUTH_ENABLED', 'AUTH'],
  ['AUTH_TOKEN', 'AUTH_ADMIN_TOKEN'],
  ['ATUH', 'AUTH'],
  ['AUTH_ADMIN', 'AUTH_ADMIN_TOKEN'],
  ['AUTH_ADMIN_TOKN', 'AUTH_ADMIN_TOKEN'],
  ['AUTH_ADMIN_TOKEN_FIL', 'AUTH_ADMIN_TOKEN_FILE'],
  ['TLS_CERT', 'TLS_CERT_FILE'],
  ['TRUSTED_PROXY', 'TRUSTED_PROXIES'],
  ['COORDINATOR_TOKENS', 'COORDINATOR_TOKEN'],
  ['SSL_CERT_FILE', undefined],
  ['OAUTH', undefined],
  ['PATH', undefined],
  ['SSH_AUTH_SOCK', undefined],
])('%s draws the question whether %s is meant', (name, meant) => {
  const warnings = meant === undefined ? [] : [`${name} is not a setting and is not read. Is ${meant} meant?`]
  expect(readSettings({ [name]: 'x' }).warnings).toEqual(warnings)
})

it.each(['AUTH_URL', 'AUTH_SECRET', 'TLS_CIPHERS'])(
  '%s is named as not read, though it resembles no setting',
  (name) => {
    expect(readSettings({ [name]: 'x' }).warnings).toEqual([`${name} is not a setting and is not read.`])
  },
)
