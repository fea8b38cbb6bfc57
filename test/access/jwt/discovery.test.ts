import { describe, expect, it } from 'vitest'
import { createKey, type Issuer, refusalOf, type SigningKey, sendJson, withIssuer } from './with-issuer.ts'

/** Answers like an issuer that OpenID Connect Discovery describes. */
function describeAs(issuer: Issuer, document: unknown): void {
  issuer.respond = ({ url }, response) => {
    if (url === '/.well-known/openid-configuration') return sendJson(response, document)
    if (url === '/real-keys') return sendJson(response, { keys: issuer.keys })
    response.writeHead(404).end()
  }
}

async function withDiscovery(run: (issuer: Issuer, key: SigningKey) => Promise<void>): Promise<void> {
  await withIssuer(async (issuer) => {
    const key = await createKey('ES256', 'one')
    issuer.keys = [key.jwk]
    await run(issuer, key)
  })
}

describe('an issuer without a URL of keys', () => {
  it('is asked where its keys are', () =>
    withDiscovery(async (issuer, key) => {
      describeAs(issuer, { issuer: issuer.url, jwks_uri: `${issuer.url}/real-keys` })
      const principal = await issuer.verifier({ jwksUrl: undefined }).verify(await key.sign(issuer.claims()))
      expect(principal.actor).toBe('jwt:ada')
      expect(issuer.requests).toEqual(['/.well-known/openid-configuration', '/real-keys'])
    }))

  it('may end in a slash', () =>
    withDiscovery(async (issuer, key) => {
      const name = `${issuer.url}/`
      describeAs(issuer, { issuer: name, jwks_uri: `${issuer.url}/real-keys` })
      const verifier = issuer.verifier({ jwksUrl: undefined, issuer: name })
      await verifier.verify(await key.sign(issuer.claims({ iss: name })))
      expect(issuer.requests[0]).toBe('/.well-known/openid-configuration')
    }))

  it('that does not describe itself has its keys at the usual place', () =>
    withDiscovery(async (issuer, key) => {
      issuer.respond = ({ url }, response) =>
        url === '/.well-known/jwks.json'
          ? sendJson(response, { keys: issuer.keys })
          : void response.writeHead(404).end()
      await issuer.verifier({ jwksUrl: undefined }).verify(await key.sign(issuer.claims()))
      expect(issuer.requests).toEqual(['/.well-known/openid-configuration', '/.well-known/jwks.json'])
    }))

  it.each([
    [
      'names another issuer',
      (url: string) => ({ issuer: 'https://evil.example', jwks_uri: `${url}/real-keys` }),
      /names another issuer/,
    ],
    ['names no issuer', (url: string) => ({ jwks_uri: `${url}/real-keys` }), /names another issuer/],
    ['names no keys', (url: string) => ({ issuer: url }), /names no jwks_uri/],
    [
      'names keys that anybody on the way could change',
      (url: string) => ({ issuer: url, jwks_uri: 'http://keys.example.org/' }),
      /neither an https: URL nor on this machine/,
    ],
    [
      'names a file',
      (url: string) => ({ issuer: url, jwks_uri: 'file:///etc/passwd' }),
      /neither an https: URL nor on this machine/,
    ],
    [
      'names a URL with a password',
      (url: string) => ({ issuer: url, jwks_uri: 'https://a:hidden@example.org/' }),
      /neither an https: URL/,
    ],
    ['is null', () => null, /names another issuer/],
  ])('whose description %s lets nobody in', (_title, documentOf, text) =>
    withDiscovery(async (issuer, key) => {
      describeAs(issuer, documentOf(issuer.url))
      const verifier = issuer.verifier({ jwksUrl: undefined })
      const refusal = await refusalOf(verifier.verify(await key.sign(issuer.claims())))
      expect(refusal.code).toBe('COORD_AUTH_UNAVAILABLE')
      expect(issuer.faults[0]?.detail).toMatch(text)
      expect(issuer.faults[0]?.detail).not.toContain('hidden')
      expect(issuer.requests).toEqual(['/.well-known/openid-configuration'])
    }),
  )

  it('whose description cannot be read is not asked for keys at the usual place', () =>
    withDiscovery(async (issuer, key) => {
      issuer.respond = (_request, response) => void response.writeHead(500).end()
      await refusalOf(issuer.verifier({ jwksUrl: undefined }).verify(await key.sign(issuer.claims())))
      expect(issuer.requests).toEqual(['/.well-known/openid-configuration'])
    }))

  it('is not asked at all if anybody on the way could change its answer', () =>
    withDiscovery(async (issuer, key) => {
      const name = 'http://issuer.example.org'
      const asked: unknown[] = []
      const fetch = async (url: unknown) => {
        asked.push(url)
        return new Response()
      }
      const verifier = issuer.verifier({
        jwksUrl: undefined,
        issuer: name,
        fetch: fetch as typeof globalThis.fetch,
      })
      const refusal = await refusalOf(verifier.verify(await key.sign(issuer.claims({ iss: name }))))
      expect(refusal.code).toBe('COORD_AUTH_UNAVAILABLE')
      expect(asked).toEqual([])
    }))
})
