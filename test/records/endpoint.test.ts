// biome-ignore-all lint/suspicious/noTemplateCurlyInString: templates that were never filled in are what endpoints contain
import { isIPv4 } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { endpointFault, endpointHref } from '../../src/records/service/endpoint.ts'

const part = fc.constantFrom(
  ...['a', 'cart', 'xn--', 'xn--a', 'host-1', '-a', 'a-', '1', '0x7f', 'CART', 'é', 'a_b', '', 'localhost'],
)
const port = fc.constantFrom(
  '',
  ':',
  ':0',
  ':80',
  ':443',
  ':801',
  ':08',
  ':8080',
  ':9999',
  ':50051',
  ':59999',
  ':65535',
  ':65536',
  ':99999',
)
const path = fc.constantFrom(
  '',
  '/',
  '//',
  '/a/b-c_d',
  '/.',
  '/..',
  '/a%20b',
  '/a b',
  '/é',
  '/?q',
  '?q',
  '?',
  '#f',
  '/#f',
  '/\\',
)
const host = fc.oneof(
  fc.array(part, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.')),
  fc.constantFrom(
    '[::1]',
    '[0:0::1]',
    '[::ffff:10.0.0.1]',
    '[fe80::1%25eth0]',
    '[fe80::1%eth0]',
    '[::1',
    '[x]',
  ),
  fc.constantFrom(
    '10.0.0.1',
    '10.0.0.256',
    '0.0.0.0',
    '127.1',
    'cart.',
    '.',
    '%2Frun%2Fpg',
    'a,b',
    '${HOST}',
    '<h>',
  ),
)
const endpointOf = (schemes: readonly string[]) =>
  fc
    .tuple(fc.constantFrom(...schemes), host, port, path)
    .map(([scheme, name, atPort, below]) => `${scheme}://${name}${atPort}${below}`)
const anything = fc
  .tuple(
    fc.constantFrom('http', 'https', 'HTTP', 'grpc', 'GRPC', 'redis', 'mongodb+srv', 'unix', 'file', 'x'),
    fc.constantFrom('://', ':///', ':', ':/', ''),
    fc.oneof(
      host,
      fc.string({
        unit: fc.constantFrom(...'aZ09.-_:/?#[]@%25,${}()<> "\'\\^|é\u200b\u0001'),
        maxLength: 20,
      }),
    ),
    port,
    path,
  )
  .map((texts) => texts.join(''))

describe('a web address', () => {
  it('counts in the form in which the URL standard writes it, wherever that standard accepts it', () => {
    let accepted = 0
    fc.assert(
      fc.property(endpointOf(['http', 'https', 'HTTP']), (text) => {
        const url = URL.parse(text)
        if (url === null || /\s/.test(text)) return
        accepted += 1
        expect(endpointFault(text)).toBeUndefined()
        expect(endpointHref(text)).toBe(url.href)
      }),
      { numRuns: 5_000 },
    )
    expect(accepted).toBeGreaterThan(500)
  })
})

describe('an endpoint', () => {
  it('of grpc without capitals, and without a slash for an empty path, counts as it always did', () => {
    let accepted = 0
    fc.assert(
      fc.property(endpointOf(['grpc']), (text) => {
        const url = URL.parse(text)
        if (url === null || url.hostname === '' || endpointFault(text) !== undefined) return
        if (/[A-Z]/.test(text.split(/[/?#]/, 3).join('')) || url.pathname === '/') return
        accepted += 1
        expect(endpointHref(text)).toBe(url.href)
      }),
      { numRuns: 5_000 },
    )
    expect(accepted).toBeGreaterThan(300)
  })

  it('of grpc is accepted as before, except for addresses that are none, and hosts without a letter', () => {
    fc.assert(
      fc.property(endpointOf(['grpc', 'GRPC']), (text) => {
        const url = URL.parse(text)
        if (url === null || url.hostname === '' || /\s/.test(text)) return
        const { hostname } = url
        const isWrongAddress = /^[\d.]*\d\.\d[\d.]*$/.test(hostname) && !isIPv4(hostname)
        expect(endpointFault(text) === undefined).toBe(!isWrongAddress && /[^.-]/.test(hostname))
      }),
      { numRuns: 3_000 },
    )
  })

  it('has a canonical form that is its own canonical form, and that is accepted', () => {
    let accepted = 0
    fc.assert(
      fc.property(fc.oneof(anything, endpointOf(['http', 'grpc', 'Redis', 'mongodb+srv', 'WSS'])), (text) => {
        const href = endpointHref(text)
        if (endpointFault(text) !== undefined) {
          expect(href).toBe(text)
          return
        }
        accepted += 1
        expect(endpointFault(href)).toBeUndefined()
        expect(endpointHref(href)).toBe(href)
      }),
      { numRuns: 10_000 },
    )
    expect(accepted).toBeGreaterThan(1_000)
  })

  it('has one form for everything that means the same', () => {
    const capitals = (text: string, mask: number) =>
      [...text].map((letter, at) => ((mask >> (at % 31)) & 1 ? letter.toUpperCase() : letter)).join('')
    const scheme = fc.constantFrom('http', 'grpc', 'redis', 'amqps', 'mongodb+srv')
    const name = fc.stringMatching(/^[a-z][a-z0-9_-]{0,8}(\.[a-z0-9_-]{1,6}){0,2}$/)
    const below = fc.constantFrom('', '/a', '/A/b', '?x=1')
    fc.assert(
      fc.property(
        scheme,
        name,
        fc.integer({ min: 1, max: 9_999 }),
        below,
        fc.nat(),
        (by, at, port, tail, mask) => {
          const plain = `${by}://${at}:${port}${tail}`
          const other = `${capitals(by, mask)}://${capitals(at, mask >> 3)}:0${port}${tail.startsWith('/') ? tail : `/${tail}`}`
          expect(endpointHref(other)).toBe(endpointHref(plain))
        },
      ),
      { numRuns: 3_000 },
    )
  })

  it.each([
    ['grpc://cart:7070', 'grpc://cart:7070'],
    ['grpc://cart:7070/', 'grpc://cart:7070'],
    ['GRPC://CART:7070', 'grpc://cart:7070'],
    ['redis://cache:6379', 'redis://cache:6379'],
    ['redis://cache:6379/0', 'redis://cache:6379/0'],
    ['postgres://db:5432', 'postgres://db:5432'],
    ['postgresql://db-1,DB-2:5433/shop', 'postgresql://db-1,db-2:5433/shop'],
    ['postgres://%2FRun%2Fdb:5432/shop', 'postgres://%2FRun%2Fdb:5432/shop'],
    ['mongodb://a:27017,b:27017/?replicaSet=rs', 'mongodb://a:27017,b:27017?replicaSet=rs'],
    ['mongodb+srv://cluster.example.net/shop', 'mongodb+srv://cluster.example.net/shop'],
    ['tcp://kafka:9092', 'tcp://kafka:9092'],
    ['http://mysql5.7:3306', 'http://mysql5.7:3306'],
    ['mysql://mysql5.7:3306/', 'mysql://mysql5.7:3306'],
    ['http://my_service:8080', 'http://my_service:8080/'],
    ['amqp://my_service.', 'amqp://my_service.'],
    ['nats://1:4222', 'nats://1:4222'],
    ['http://[fe80::1%25eth0]:80/x', 'http://[fe80::1%25eth0]:80/x'],
    ['grpc://[FE80:0::1%eth0]:7070', 'grpc://[fe80::1%25eth0]:7070'],
    ['ws://cart:80/', 'ws://cart:80'],
    ['wss://cart:443/Path', 'wss://cart:443/Path'],
    ['unix:///run/Cart.sock', 'unix:///run/Cart.sock'],
    ['UNIX:///run/x/../y.sock', 'unix:///run/y.sock'],
    ['http://${HOST}:8080', 'http://${host}:8080/'],
    ['http://${HOST}:${PORT}/x', 'http://${HOST}:${PORT}/x'],
    ['tcp://{{host}}:$(PORT)', 'tcp://{{host}}:$(PORT)'],
    ['http://<your-host>:80', 'http://<your-host>:80'],
    ['http://{{ .Values.host }}:{{ .Values.port }}', 'http://{{ .Values.host }}:{{ .Values.port }}'],
  ])('%s is accepted, and counts as %s', (text, href) => {
    expect(endpointFault(text)).toBeUndefined()
    expect(endpointHref(text)).toBe(href)
  })

  it.each([
    ['cart:7070', 'COORD_ENDPOINT_SCHEME', /^lacks a scheme/],
    ['my_service:8080/x', 'COORD_ENDPOINT_SCHEME', /^lacks a scheme/],
    ['10.0.0.1:80', 'COORD_ENDPOINT_SCHEME', /^lacks a scheme/],
    ['javascript:alert(1)', 'COORD_ENDPOINT_SCHEME', /names no transport/],
    ['javascript://cart/%0aalert(1)', 'COORD_ENDPOINT_SCHEME', /names no transport/],
    ['JavaScript://cart', 'COORD_ENDPOINT_SCHEME', /names no transport/],
    ['data:text/html,x', 'COORD_ENDPOINT_SCHEME', /names no transport/],
    ['file:///etc/passwd', 'COORD_ENDPOINT_SCHEME', /names no transport/],
    ['blob:http://a/1', 'COORD_ENDPOINT_SCHEME', /names no transport/],
    ['vbscript://a', 'COORD_ENDPOINT_SCHEME', /names no transport/],
    ['about:blank', 'COORD_ENDPOINT_SCHEME', /names no transport/],
    ['unix://run/x.sock', 'COORD_ENDPOINT_NOT_URL', /socket/],
    ['unix:/run/x.sock', 'COORD_ENDPOINT_NOT_URL', /socket/],
    ['unix:///', 'COORD_ENDPOINT_NOT_URL', /socket/],
    ['jdbc:postgresql://db:5432/x', 'COORD_ENDPOINT_NOT_URL', /with a host/],
    ['http://{{a\nb}}', 'COORD_ENDPOINT_NOT_URL', /blanks/],
    ['http://a b/{{ x }}', 'COORD_ENDPOINT_NOT_URL', /blanks/],
    ['http://redis\u001b', 'COORD_ENDPOINT_NOT_URL', /control characters/],
    ['tcp://a\u009b31m', 'COORD_ENDPOINT_NOT_URL', /control characters/],
    ['http://redis/x\u007fy', 'COORD_ENDPOINT_NOT_URL', /control characters/],
    ['redis://', 'COORD_ENDPOINT_NOT_URL', /with a host/],
    ['redis:///0', 'COORD_ENDPOINT_NOT_URL', /with a host/],
    ['redis://:6379', 'COORD_ENDPOINT_NOT_URL', /with a host/],
    ['redis://cache:x', 'COORD_ENDPOINT_NOT_URL', /with a host/],
    ['redis://10.0.0.256:6379', 'COORD_ENDPOINT_NOT_URL', /with a host/],
    ['redis://a,', 'COORD_ENDPOINT_NOT_URL', /with a host/],
    ['redis://a:1:2', 'COORD_ENDPOINT_NOT_URL', /with a host/],
    ['redis://[::1', 'COORD_ENDPOINT_NOT_URL', /with a host/],
    ['redis://:secret@cache', 'COORD_ENDPOINT_CREDENTIALS', /user name or a password/],
    ['postgres://me@db/x', 'COORD_ENDPOINT_CREDENTIALS', /user name or a password/],
    ['mongodb://me:secret@a:1,b:2/x', 'COORD_ENDPOINT_CREDENTIALS', /user name or a password/],
    ['postgres://db/x?user=me&password=secret', 'COORD_ENDPOINT_CREDENTIALS', /user name or a password/],
    ['sqlserver://db;user=sa;password=secret', 'COORD_ENDPOINT_CREDENTIALS', /user name or a password/],
    [
      'sqlserver://db:1433;databaseName=x;Password=secret',
      'COORD_ENDPOINT_CREDENTIALS',
      /user name or a password/,
    ],
  ])('%s is refused', (text, code, message) => {
    expect(endpointFault(text)).toMatchObject({ code, message: expect.stringMatching(message) })
    expect(endpointFault(text)?.message).not.toContain('secret')
  })
})
