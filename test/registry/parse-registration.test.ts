import { describe, expect, it } from 'vitest'
import { CoordinatorError, type ErrorCode } from '../../src/errors.ts'
import { canonicalJson } from '../../src/records/canonical-json.ts'
import { LIMITS } from '../../src/records/limits.ts'
import { parseMigration, parseRegistration } from '../../src/records/service/parse-registration.ts'
import { serviceCheck } from '../../src/records/service/service-check.ts'
import { cart } from './with-registry.ts'

function refusal(input: unknown): CoordinatorError {
  try {
    parseRegistration(input)
  } catch (thrown) {
    if (thrown instanceof CoordinatorError) return thrown
    throw thrown
  }
  throw new Error('it was accepted')
}

function accepted(fields: Record<string, unknown>) {
  return parseRegistration({ ...cart, ...fields }).registration
}

const times = (count: number, make: (index: number) => unknown = (index) => `item-${index}`) =>
  Array.from({ length: count }, (_, index) => make(index))

/** An object whose JSON text has exactly so many bytes. */
const sized = (bytes: number) => ({ text: 'x'.repeat(bytes - '{"text":""}'.length) })

/** An object nested so deep that the whole body has that many levels. */
function nested(levels: number): unknown {
  let value: unknown = 'deep'
  for (let level = 2; level <= levels; level += 1) value = { inner: value }
  return value
}

describe('parseRegistration', () => {
  it('fills in every default, and leaves out what has none', () => {
    expect(parseRegistration(cart)).toEqual({
      registration: {
        ...cart,
        healthCheck: '/health',
        metadata: {},
        tags: [],
        capabilities: [],
        dependencies: [],
      },
      warnings: [],
    })
  })

  it('keeps every field as it was sent', () => {
    const complete = {
      serviceName: 'checkout 🛒/eu: "a"',
      version: '1.0.0-rc.1+build',
      endpoint: 'grpc://checkout:5050',
      healthCheck: 'https://checkout/health',
      description: 'Takes\nmoney',
      metadata: { team: 'payments', n: 1.5, nested: { deep: [true, null] } },
      tags: ['b', 'a'],
      capabilities: ['pay'],
      dependencies: ['cart', { serviceName: 'bank', version: '^2', type: 'https' }],
      instanceId: 'checkout-0',
      ttlSeconds: 30,
      migrationFile: { tables: [{ name: 'orders' }] },
    }
    expect(parseRegistration(complete)).toEqual({ registration: complete, warnings: [] })
  })

  it('drops repeated tags and capabilities, and keeps their order', () => {
    expect(accepted({ tags: ['b', 'a', 'b'], capabilities: ['c', 'c'] })).toMatchObject({
      tags: ['b', 'a'],
      capabilities: ['c'],
    })
  })

  it('writes a dependency of which only the name is known as that name', () => {
    const dependencies = [{ serviceName: 'cart' }, 'cart', { serviceName: 'bank', type: 'sql' }]
    expect(accepted({ dependencies }).dependencies).toEqual([
      'cart',
      'cart',
      { serviceName: 'bank', type: 'sql' },
    ])
  })

  it('takes null in a member that may be left out for nothing, at every level', () => {
    const optional = Object.keys(parseRegistration(cart).registration).filter((key) => !(key in cart))
    const nothing = Object.fromEntries(
      [...optional, 'namespace', 'description', 'instanceId', 'ttlSeconds', 'migrationFile'].map((key) => [
        key,
        null,
      ]),
    )
    expect(parseRegistration({ ...cart, ...nothing })).toEqual(parseRegistration(cart))
    const dependencies = [
      { serviceName: 'a', namespace: null, version: null, type: null },
      { serviceName: 'b', version: '^1', type: null },
    ]
    // A member with a fault makes the schema read the others.
    for (const more of [{}, { unknown: 1 }])
      expect(parseRegistration({ ...cart, ...more, dependencies, tags: null }).registration).toEqual({
        ...parseRegistration(cart).registration,
        dependencies: ['a', { serviceName: 'b', version: '^1' }],
      })
  })

  it('keeps constructor and prototype as keys like others, and changes nothing but the registration', () => {
    const hostile = JSON.parse(
      '{"constructor":{"prototype":{"polluted":1}},"prototype":{"polluted":1},"toString":{"polluted":1},"hasOwnProperty":1}',
    )
    for (const more of [{}, { unknown: 1 }]) {
      const { registration } = parseRegistration({
        ...cart,
        ...more,
        metadata: hostile,
        migrationFile: hostile,
      })
      expect(registration.metadata).toEqual(hostile)
      expect(canonicalJson(registration)).toContain('"constructor":{"prototype":{"polluted":1}}')
    }
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
    expect((Object as unknown as Record<string, unknown>)['polluted']).toBeUndefined()
  })

  it('makes data that passes the check of stored services', () => {
    expect(serviceCheck(JSON.parse(canonicalJson(accepted({ ttlSeconds: 1, tags: ['a'] }))))).toBeUndefined()
  })
})

describe('limits: at the limit it is accepted, above it has a code', () => {
  const emoji = '🛒'
  const url = (length: number) => `http://cart/${'x'.repeat(length - 'http://cart/'.length)}`
  const cases: [field: string, at: unknown, above: unknown, code: ErrorCode][] = [
    ['serviceName', 'x'.repeat(255), 'x'.repeat(256), 'COORD_NAME_TOO_LONG'],
    ['serviceName', emoji.repeat(255), emoji.repeat(256), 'COORD_NAME_TOO_LONG'],
    ['serviceName', 'x', '', 'COORD_NAME_EMPTY'],
    ['serviceName', ' x ', '  ', 'COORD_NAME_EMPTY'],
    ['version', 'x'.repeat(128), 'x'.repeat(129), 'COORD_VERSION_TOO_LONG'],
    ['version', '1', '', 'COORD_VERSION_EMPTY'],
    ['endpoint', url(2_048), url(2_049), 'COORD_ENDPOINT_TOO_LONG'],
    ['healthCheck', 'x'.repeat(2_048), 'x'.repeat(2_049), 'COORD_FIELD_TOO_LARGE'],
    ['healthCheck', '/', '', 'COORD_FIELD_INVALID'],
    ['healthCheck', '/ ', ' ', 'COORD_FIELD_INVALID'],
    ['description', 'x'.repeat(4_096), 'x'.repeat(4_097), 'COORD_FIELD_TOO_LARGE'],
    ['metadata', sized(16_384), sized(16_385), 'COORD_FIELD_TOO_LARGE'],
    ['metadata', { text: 'ä'.repeat(8_186) }, { text: 'ä'.repeat(8_187) }, 'COORD_FIELD_TOO_LARGE'],
    ['tags', times(64), times(65), 'COORD_TAGS_TOO_MANY'],
    ['tags', times(64), times(10_000), 'COORD_TAGS_TOO_MANY'],
    ['tags', ['x'.repeat(256)], ['x'.repeat(257)], 'COORD_FIELD_TOO_LARGE'],
    ['tags', ['x'], [''], 'COORD_FIELD_INVALID'],
    ['capabilities', times(64), times(65), 'COORD_FIELD_TOO_LARGE'],
    ['capabilities', ['x'.repeat(256)], ['x'.repeat(257)], 'COORD_FIELD_TOO_LARGE'],
    ['dependencies', times(256), times(257), 'COORD_FIELD_TOO_LARGE'],
    ['dependencies', ['x'.repeat(255)], ['x'.repeat(256)], 'COORD_NAME_TOO_LONG'],
    ['dependencies', ['x'], [''], 'COORD_NAME_EMPTY'],
    [
      'dependencies',
      [{ serviceName: 'a', version: 'x'.repeat(255) }],
      [{ serviceName: 'a', version: 'x'.repeat(256) }],
      'COORD_FIELD_TOO_LARGE',
    ],
    [
      'dependencies',
      [{ serviceName: 'a', type: 'x'.repeat(100) }],
      [{ serviceName: 'a', type: 'x'.repeat(101) }],
      'COORD_FIELD_TOO_LARGE',
    ],
    ['instanceId', 'x'.repeat(255), 'x'.repeat(256), 'COORD_FIELD_TOO_LARGE'],
    ['ttlSeconds', 86_400, 86_401, 'COORD_FIELD_INVALID'],
    ['ttlSeconds', 1, 0, 'COORD_FIELD_INVALID'],
    ['ttlSeconds', 2, 1.5, 'COORD_FIELD_INVALID'],
    ['migrationFile', sized(262_144), sized(262_145), 'COORD_FIELD_TOO_LARGE'],
    ['metadata', nested(32), nested(33), 'COORD_BODY_TOO_DEEP'],
  ]

  it.each(cases)('%s', (field, at, above, code) => {
    expect(() => accepted({ [field]: at })).not.toThrow()
    const error = refusal({ ...cart, [field]: above })
    expect(error).toMatchObject({ code, outcome: 'not_written' })
    expect(error.errors[0]?.path.startsWith(`/${field}`)).toBe(true)
  })
})

describe('faults', () => {
  it.each<[what: string, input: unknown, code: ErrorCode, path: string]>([
    ['null', null, 'COORD_BODY_WRONG_TYPE', ''],
    ['an array', [cart], 'COORD_BODY_WRONG_TYPE', ''],
    ['a text', 'cart', 'COORD_BODY_WRONG_TYPE', ''],
    ['nothing', undefined, 'COORD_BODY_WRONG_TYPE', ''],
    ['no name', { version: '1', endpoint: 'http://a' }, 'COORD_FIELD_MISSING', '/serviceName'],
    ['no version', { serviceName: 'a', endpoint: 'http://a' }, 'COORD_FIELD_MISSING', '/version'],
    ['no endpoint', { serviceName: 'a', version: '1' }, 'COORD_FIELD_MISSING', '/endpoint'],
    ['a number as name', { ...cart, serviceName: 7 }, 'COORD_BODY_WRONG_TYPE', '/serviceName'],
    ['a version as number', { ...cart, version: 1.5 }, 'COORD_BODY_WRONG_TYPE', '/version'],
    ['null as name', { ...cart, serviceName: null }, 'COORD_BODY_WRONG_TYPE', '/serviceName'],
    ['null among tags', { ...cart, tags: [null] }, 'COORD_BODY_WRONG_TYPE', '/tags/0'],
    ['a text as tags', { ...cart, tags: 'a,b' }, 'COORD_BODY_WRONG_TYPE', '/tags'],
    ['a number among tags', { ...cart, tags: ['a', 7] }, 'COORD_BODY_WRONG_TYPE', '/tags/1'],
    ['an array as metadata', { ...cart, metadata: [] }, 'COORD_BODY_WRONG_TYPE', '/metadata'],
    ['a text as migrationFile', { ...cart, migrationFile: 'x' }, 'COORD_BODY_WRONG_TYPE', '/migrationFile'],
    ['a number as dependency', { ...cart, dependencies: [7] }, 'COORD_BODY_WRONG_TYPE', '/dependencies/0'],
    [
      'a dependency without name',
      { ...cart, dependencies: ['a', { version: '1' }] },
      'COORD_FIELD_MISSING',
      '/dependencies/1/serviceName',
    ],
    ['a text as ttlSeconds', { ...cart, ttlSeconds: '30' }, 'COORD_BODY_WRONG_TYPE', '/ttlSeconds'],
    ['an endpoint that is no URL', { ...cart, endpoint: 'http://' }, 'COORD_ENDPOINT_NOT_URL', '/endpoint'],
    ['an empty endpoint', { ...cart, endpoint: '' }, 'COORD_ENDPOINT_NOT_URL', '/endpoint'],
    ['an endpoint with blanks', { ...cart, endpoint: ' http://cart' }, 'COORD_ENDPOINT_NOT_URL', '/endpoint'],
    [
      'an endpoint with a line break',
      { ...cart, endpoint: 'http://ca\nrt' },
      'COORD_ENDPOINT_NOT_URL',
      '/endpoint',
    ],
    [
      'an endpoint without slashes',
      { ...cart, endpoint: 'http:cart' },
      'COORD_ENDPOINT_NOT_URL',
      '/endpoint',
    ],
    [
      'an endpoint with a bad port',
      { ...cart, endpoint: 'http://cart:99999' },
      'COORD_ENDPOINT_NOT_URL',
      '/endpoint',
    ],
    ['a path as endpoint', { ...cart, endpoint: '/cart' }, 'COORD_ENDPOINT_RELATIVE', '/endpoint'],
    [
      'an endpoint without scheme',
      { ...cart, endpoint: '//cart:7070/' },
      'COORD_ENDPOINT_RELATIVE',
      '/endpoint',
    ],
    ['a host and port as endpoint', { ...cart, endpoint: 'cart:7070' }, 'COORD_ENDPOINT_SCHEME', '/endpoint'],
    ['a script', { ...cart, endpoint: 'javascript:alert(1)' }, 'COORD_ENDPOINT_SCHEME', '/endpoint'],
    ['a file', { ...cart, endpoint: 'file:///etc/passwd' }, 'COORD_ENDPOINT_SCHEME', '/endpoint'],
    ['a user', { ...cart, endpoint: 'http://me@cart' }, 'COORD_ENDPOINT_CREDENTIALS', '/endpoint'],
    ['a password', { ...cart, endpoint: 'http://:secret@cart' }, 'COORD_ENDPOINT_CREDENTIALS', '/endpoint'],
    [
      'a script as health check',
      { ...cart, healthCheck: 'javascript:x' },
      'COORD_FIELD_INVALID',
      '/healthCheck',
    ],
    [
      'a health check with a password',
      { ...cart, healthCheck: 'http://a:b@cart/' },
      'COORD_FIELD_INVALID',
      '/healthCheck',
    ],
    ['NUL in a name', { ...cart, serviceName: 'a\0b' }, 'COORD_TEXT_NUL', '/serviceName'],
    ['NUL in a key', { ...cart, metadata: { 'a\0': 1 } }, 'COORD_TEXT_NUL', '/metadata'],
    ['half a surrogate pair', { ...cart, tags: ['ok', 'x\ud800'] }, 'COORD_TEXT_SURROGATE', '/tags/1'],
    [
      'half a surrogate pair in a key',
      { ...cart, metadata: { '\udc00': 1 } },
      'COORD_TEXT_SURROGATE',
      '/metadata',
    ],
    [
      'a nested prototype',
      { ...cart, metadata: JSON.parse('{"a":{"__proto__":1}}') },
      'COORD_KEY_FORBIDDEN',
      '/metadata/a',
    ],
    ['a prototype', JSON.parse('{"__proto__":{"tags":[]}}'), 'COORD_KEY_FORBIDDEN', ''],
    ['infinity', { ...cart, metadata: { n: JSON.parse('1e999') } }, 'COORD_BODY_WRONG_TYPE', '/metadata/n'],
    ['a function', { ...cart, metadata: { f: () => 1 } }, 'COORD_BODY_WRONG_TYPE', '/metadata/f'],
    ['a date', { ...cart, metadata: { d: new Date() } }, 'COORD_BODY_WRONG_TYPE', '/metadata/d'],
    ['a big integer', { ...cart, metadata: { b: 1n } }, 'COORD_BODY_WRONG_TYPE', '/metadata/b'],
  ])('%s', (_, input, code, path) => {
    const error = refusal(input)
    expect(error).toMatchObject({ code, status: 400, outcome: 'not_written' })
    expect(error.errors[0]).toMatchObject({ code, path })
    expect(error.detail).not.toBe('')
  })

  it('lists every problem, with its place and code', () => {
    const error = refusal({ serviceName: '', endpoint: 'nowhere', tags: ['', 7], ttlSeconds: -1 })
    expect(error.code).toBe('COORD_NAME_EMPTY')
    expect(error.errors.map(({ path, code }) => [path, code])).toEqual([
      ['/serviceName', 'COORD_NAME_EMPTY'],
      ['/version', 'COORD_FIELD_MISSING'],
      ['/endpoint', 'COORD_ENDPOINT_RELATIVE'],
      ['/tags/0', 'COORD_FIELD_INVALID'],
      ['/tags/1', 'COORD_BODY_WRONG_TYPE'],
      ['/ttlSeconds', 'COORD_FIELD_INVALID'],
    ])
  })

  it('lists not more problems than anybody reads', () => {
    expect(refusal({ ...cart, tags: times(64, (index) => index) }).errors).toHaveLength(LIMITS.problems)
    expect(refusal({ ...cart, tags: times(64, () => '\0') }).errors).toHaveLength(LIMITS.problems)
  })

  it('never repeats a password', () => {
    const error = refusal({ ...cart, endpoint: 'http://me:canary-secret@cart' })
    expect(JSON.stringify([error.detail, error.hint, error.errors, error.message])).not.toContain(
      'canary-secret',
    )
  })

  it('escapes the place as a JSON pointer', () => {
    expect(refusal({ ...cart, metadata: { 'a/b~c': '\0' } }).errors[0]?.path).toBe('/metadata/a~1b~0c')
  })

  it('does not overflow the stack on 200,000 levels', () => {
    const deep = JSON.parse(`${'['.repeat(200_000)}${']'.repeat(200_000)}`)
    expect(refusal({ ...cart, metadata: deep }).code).toBe('COORD_BODY_TOO_DEEP')
    const objects = JSON.parse(`${'{"a":'.repeat(200_000)}1${'}'.repeat(200_000)}`)
    expect(refusal({ ...cart, metadata: objects }).code).toBe('COORD_BODY_TOO_DEEP')
  })

  it('says what a required field was probably called', () => {
    const error = refusal({ name: 'cart', version: '1', endpoint: 'http://cart' })
    expect(error.errors[0]?.message).toBe('is required; did you send it as "name"?')
  })
})

describe('warnings', () => {
  it.each([
    ['tag', 'tags'],
    ['dependancies', 'dependencies'],
    ['healthcheck', 'healthCheck'],
    ['meta', 'metadata'],
    ['ttl', 'ttlSeconds'],
  ])('%s is ignored, and %s was probably meant', (sent, meant) => {
    const { registration, warnings } = parseRegistration({ ...cart, [sent]: 'x' })
    expect(registration).not.toHaveProperty(sent)
    expect(warnings).toEqual([
      {
        code: 'unknown_field',
        path: `/${sent}`,
        message: `${sent} is not a known field and was ignored; did you mean ${meant}?`,
      },
    ])
  })

  it('suggests nothing where nothing is close', () => {
    expect(parseRegistration({ ...cart, favouriteColour: 1 }).warnings[0]?.message).toBe(
      'favouriteColour is not a known field and was ignored',
    )
  })

  it('finds unknown members of dependencies too', () => {
    const dependencies = ['a', { serviceName: 'b', versoin: '^1' }]
    const { registration, warnings } = parseRegistration({ ...cart, dependencies })
    expect(registration.dependencies).toEqual(['a', 'b'])
    expect(warnings).toMatchObject([{ path: '/dependencies/1/versoin' }])
  })

  it('names some of 200 unknown fields, and refuses more than there can be sense in', () => {
    const unknown = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`unknown-${index}`, 1]))
    expect(parseRegistration({ ...cart, ...unknown(200) }).warnings).toHaveLength(LIMITS.warnings)
    const refused = { path: '', message: 'has more than 256 members', code: 'COORD_FIELD_TOO_LARGE' }
    expect(refusal({ ...cart, ...unknown(254) }).errors).toEqual([refused])
  })
})

describe('parseMigration', () => {
  it('reads the second stage, and warns of what else there is', () => {
    expect(parseMigration({ migrationFile: { tables: [] }, extra: 1 })).toMatchObject({
      migrationFile: { tables: [] },
      warnings: [{ code: 'unknown_field', path: '/extra' }],
    })
  })

  it.each<[what: string, body: unknown, code: ErrorCode]>([
    ['nothing', {}, 'COORD_FIELD_MISSING'],
    ['a text', { migrationFile: 'x' }, 'COORD_BODY_WRONG_TYPE'],
    ['one that is too large', { migrationFile: sized(262_145) }, 'COORD_FIELD_TOO_LARGE'],
    ['no object', null, 'COORD_BODY_WRONG_TYPE'],
    ['NUL', { migrationFile: { a: '\0' } }, 'COORD_TEXT_NUL'],
  ])('refuses %s', (_, body, code) => {
    expect(() => parseMigration(body)).toThrow(expect.objectContaining({ code }))
  })
})
