import { describe, expect, it } from 'vitest'
import { Access } from '../../src/access/access.ts'
import { plainly } from './with-access.ts'
import { type ServerScope, type ServerSetup, withServer } from './with-server.ts'

async function serversOf({ port }: ServerScope, headers: Record<string, string>): Promise<unknown> {
  const { text } = await plainly(port, { method: 'GET', path: '/openapi.json', headers })
  return JSON.parse(text).servers
}

const behind = (trustedProxies: readonly string[]): ServerSetup => ({
  access: new Access({ mode: 'off' }),
  settings: { trustedProxies, host: '0.0.0.0' },
})

describe('http: the servers of the reference', () => {
  it('are the URL that the client used', () =>
    withServer(async (scope) => {
      const { port } = scope
      for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`, 'x'])
        expect(await serversOf(scope, { host })).toEqual([{ url: `http://${host}` }])
      const answer = await scope.ask('/openapi.json', { headers: { host: 'evil.example' } })
      expect(answer.headers.get('cache-control')).toBe('private, no-cache')
      const refused = await plainly(port, {
        ...{ method: 'GET', path: '/openapi.json' },
        headers: { host: 'evil.example' },
      })
      expect(refused.status).toBe(421)
    }))

  const forwarded = {
    host: 'x',
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'coordinator.example.org',
    'x-forwarded-prefix': '/registry/',
  }

  it('are what a trusted proxy says that its client used', () =>
    withServer(
      async (scope) => {
        expect(await serversOf(scope, forwarded)).toEqual([
          { url: 'https://coordinator.example.org/registry' },
        ])
        expect(await serversOf(scope, { ...forwarded, 'x-forwarded-host': 'a.example:8443, b' })).toEqual([
          { url: 'https://a.example:8443/registry' },
        ])
      },
      behind(['127.0.0.1']),
    ))

  it.each([
    ['x-forwarded-proto', 'javascript'],
    ['x-forwarded-host', 'a.example/"x'],
    ['x-forwarded-prefix', '//evil.example'],
    ['x-forwarded-prefix', `/${'a/'.repeat(2_000)}`],
  ])('do not hold a malformed %s', (name, value) =>
    withServer(
      async (scope) =>
        expect(await serversOf(scope, { host: 'x', [name]: value })).toEqual([{ url: 'http://x' }]),
      behind(['127.0.0.1']),
    ),
  )

  it('do not hold what others say than trusted proxies', () =>
    withServer(
      async (scope) => expect(await serversOf(scope, forwarded)).toEqual([{ url: 'http://x' }]),
      behind(['10.0.0.0/8']),
    ))

  it('are where the document came from, for a client that named no host', () =>
    withServer(async ({ raw }) => {
      expect(await raw('GET /openapi.json HTTP/1.0\r\n\r\n', 10_000)).toContain('{"servers":[{"url":"."}]')
    }))
})
