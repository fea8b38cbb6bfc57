import { createHmac } from 'node:crypto'
import { SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { createKey, withIssuer } from './with-issuer.ts'

describe('JWTs that are accepted', () => {
  it.each(['ES256', 'RS256', 'EdDSA'] as const)('a token signed with %s names its sender', (algorithm) =>
    withIssuer(async (issuer) => {
      const key = await createKey(algorithm, 'one')
      issuer.keys = [key.jwk]
      const principal = await issuer.verifier().verify(await key.sign(issuer.claims({ sub: 'auth0|ada b' })))
      expect(principal).toMatchObject({
        kind: 'jwt',
        id: `jwt:${issuer.url} auth0|ada b`,
        actor: 'jwt:auth0%7Cada%20b',
        expiresAt: issuer.now + 3_600_000,
      })
      expect(principal.grants.texts).toEqual(['read'])
      expect(principal.ended?.aborted).toBe(false)
    }),
  )

  it('a token that was verified before is answered at once, with the same principal', () =>
    withIssuer(async (issuer) => {
      const key = await createKey('ES256', 'one')
      issuer.keys = [key.jwk]
      const verifier = issuer.verifier()
      const token = await key.sign(issuer.claims())
      const principal = await verifier.verify(token)
      expect(verifier.verify(token)).toBe(principal)
      expect(verifier.figures).toMatchObject({ remembered: 1, checking: 0, keys: 1 })
    }))

  it('HS256 is accepted with the secret, beside the public keys', () =>
    withIssuer(async (issuer) => {
      const secret = 'a secret that is long enough for HS256'
      const key = await createKey('ES256', 'one')
      issuer.keys = [key.jwk]
      const verifier = issuer.verifier({ secret })
      const signed = await new SignJWT(issuer.claims({ sub: 'bot' }))
        .setProtectedHeader({ alg: 'HS256' })
        .sign(new TextEncoder().encode(secret))
      expect((await verifier.verify(signed)).actor).toBe('jwt:bot')
      expect((await verifier.verify(await key.sign(issuer.claims()))).actor).toBe('jwt:ada')
    }))

  it('a token that was made without a library is accepted', () =>
    withIssuer(async (issuer) => {
      const secret = 'a secret that is long enough for HS256'
      const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
      const text = `${part({ alg: 'HS256' })}.${part(issuer.claims())}`
      const token = `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
      expect((await issuer.verifier({ secret }).verify(token)).actor).toBe('jwt:ada')
    }))
})
