import type { IncomingMessage } from 'node:http'
import { describe, expect, it } from 'vitest'
import { Access } from '../../src/access/access.ts'
import { TrustedProxies } from '../../src/http/client/trusted-proxies.ts'
import { cart, withServer } from './with-server.ts'

const proxies = new TrustedProxies(['10.0.0.0/8', '192.0.2.1', 'fd00::/8', '::1/128'])

function request(remoteAddress: string | undefined, forwarded?: string): IncomingMessage {
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded }
  return { socket: { remoteAddress }, headers } as never
}

describe('the address of a client', () => {
  it.each([
    ['a stranger says what it wants', '198.51.100.7', '203.0.113.9', '198.51.100.7'],
    ['a proxy names one', '10.1.2.3', '203.0.113.9', '203.0.113.9'],
    ['a proxy names none', '10.1.2.3', undefined, '10.1.2.3'],
    ['the client has put others before it', '10.1.2.3', '127.0.0.1, 10.9.9.9, 203.0.113.9', '203.0.113.9'],
    ['it came over several proxies', '10.1.2.3', '203.0.113.9, 10.0.0.5,192.0.2.1', '203.0.113.9'],
    ['all are proxies', '10.1.2.3', '10.0.0.7, 10.0.0.5', '10.0.0.7'],
    ['the proxy connects over an IPv6 socket', '::ffff:10.1.2.3', '203.0.113.9', '203.0.113.9'],
    ['the proxy has an IPv6 address', 'fd00::1', '203.0.113.9', '203.0.113.9'],
    ['it is an IPv4 address in IPv6', '10.1.2.3', '::ffff:203.0.113.9', '203.0.113.9'],
    ['the same in other digits', '10.1.2.3', '::FFFF:cb00:7109', '203.0.113.9'],
    ['an IPv4 proxy is written in IPv6', '10.1.2.3', '203.0.113.9, ::ffff:10.0.0.5', '203.0.113.9'],
    ['it is an IPv6 address', '10.1.2.3', '2001:DB8:0:0::1', '2001:db8::1'],
    ['it has a port', '10.1.2.3', '203.0.113.9:4711', '203.0.113.9'],
    ['it has brackets and a port', '10.1.2.3', '[2001:db8::1]:4711', '2001:db8::1'],
    ['it is no address', '10.1.2.3', 'unknown', '10.1.2.3'],
    ['one before a proxy is none', '10.1.2.3', '203.0.113.9, unknown, 10.0.0.5', '10.0.0.5'],
    ['it is empty', '10.1.2.3', '', '10.1.2.3'],
    ['it ends with a comma', '10.1.2.3', '203.0.113.9,', '10.1.2.3'],
    ['it begins with a comma', '10.1.2.3', ',10.0.0.5', '10.0.0.5'],
    ['it is half an address', '10.1.2.3', '203.0.113', '10.1.2.3'],
    ['it has a zone', '10.1.2.3', 'fe80::1%eth0', '10.1.2.3'],
    ['the connection is on a link', 'fe80::1%eth0', '203.0.113.9', 'fe80::1%eth0'],
    ['the connection has closed', undefined, '203.0.113.9', 'unknown'],
  ])('where %s: %s with %s is %s', (_, remote, forwarded, expected) => {
    expect(proxies.addressOf(request(remote, forwarded))).toBe(expected)
  })

  it('is looked for in the last 20 entries, however many there are', () => {
    const list = (trusted: number) => ['203.0.113.9', ...Array<string>(trusted).fill('10.0.0.1')].join()
    expect(proxies.addressOf(request('10.1.2.3', list(19)))).toBe('203.0.113.9')
    expect(proxies.addressOf(request('10.1.2.3', list(20)))).toBe('10.0.0.1')
  })

  it('is that of the connection where no proxies are set, even over an IPv6 socket', () => {
    expect(new TrustedProxies().addressOf(request('::ffff:10.1.2.3', '203.0.113.9'))).toBe('10.1.2.3')
  })

  it('is the author of a write only where the proxy is trusted', async () => {
    const headers = {
      'x-forwarded-for': '203.0.113.9',
      'x-real-ip': '203.0.113.10',
      forwarded: 'for=1.2.3.4',
    }
    const actors: string[] = []
    for (const trustedProxies of [[], ['127.0.0.0/8']])
      await withServer(
        async ({ ask }) => {
          await ask('/register', { json: cart, headers })
          const { body } = await ask('/changes?after=0')
          actors.push(body.entries[0].actor)
        },
        { access: new Access({ mode: 'off' }), settings: { trustedProxies, host: '0.0.0.0' } },
      )
    expect(actors).toEqual(['http:127.0.0.1', 'http:203.0.113.9'])
  })
})
