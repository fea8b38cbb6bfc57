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
  '/#f',
  '/\\',
)
const endpoint = fc
  .tuple(
    fc.constantFrom('http', 'https', 'grpc', 'HTTP'),
    fc.array(part, { minLength: 1, maxLength: 4 }),
    port,
    path,
  )
  .map(([scheme, hosts, atPort, below]) => `${scheme}://${hosts.join('.')}${atPort}${below}`)

describe('an endpoint', () => {
  it('is accepted where it is a URL, and counts in the form in which the URL standard writes it', () => {
    let accepted = 0
    fc.assert(
      fc.property(endpoint, (text) => {
        const url = URL.parse(text)
        const fault = endpointFault(text)
        expect(fault === undefined).toBe(url !== null && url.hostname !== '' && !/\s/.test(text))
        if (fault !== undefined) return
        accepted += 1
        expect(endpointHref(text)).toBe(url?.href)
      }),
      { numRuns: 5_000 },
    )
    expect(accepted).toBeGreaterThan(500)
  })
})
