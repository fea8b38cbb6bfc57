import { describe, expect, it } from 'vitest'
import { createKey, refusalOf, withIssuer } from './with-issuer.ts'

/** What Supabase Auth puts into the access token of a session. */
const session = {
  aud: 'authenticated',
  sub: '4b2e6f0c-9d3a-4f0e-8d5b-0f6f1a2b3c4d',
  email: 'ada@example.org',
  role: 'authenticated',
  aal: 'aal1',
  session_id: 'c1f3f0f6-6c0b-4f7e-9f1a-7a4f9d2b1e3c',
  is_anonymous: false,
  app_metadata: { provider: 'email', providers: ['email'], coordinator: ['read', 'register:cart'] },
  user_metadata: { coordinator: ['admin'] },
}
const options = { supabase: true, audience: undefined, scopeClaim: 'app_metadata.coordinator' } as const

describe('tokens of a Supabase project', () => {
  it('name the user who signed in, with the scopes in app_metadata', () =>
    withIssuer(async (issuer) => {
      const key = await createKey('ES256', 'one')
      issuer.keys = [key.jwk]
      const principal = await issuer.verifier(options).verify(await key.sign(issuer.claims(session)))
      expect(principal.actor).toBe(`jwt:${session.sub}`)
      expect(principal.grants.texts).toEqual(['read', 'register:cart'])
    }))

  it.each([
    ['the key anon', { role: 'anon' }, /the anon key/],
    [
      'the key anon, as older projects have it',
      { role: 'anon', iss: 'supabase', sub: undefined, aud: undefined },
      /the anon key/,
    ],
    [
      'the key service_role',
      { role: 'service_role', sub: undefined, aud: undefined },
      /the service_role key/,
    ],
    ['an anonymous user', { is_anonymous: true }, /anonymous user/],
    ['an anonymous user, said in another way', { is_anonymous: 'true' }, /anonymous user/],
    ['another audience', { aud: 'anon' }, /another audience/],
  ])('are refused for %s', (_title, claims, detail) =>
    withIssuer(async (issuer) => {
      const key = await createKey('ES256', 'one')
      issuer.keys = [key.jwk]
      const refusal = await refusalOf(
        issuer.verifier(options).verify(await key.sign(issuer.claims({ ...session, ...claims }))),
      )
      expect(refusal.code).toBe('COORD_CREDENTIAL_INVALID')
      expect(refusal.detail).toMatch(detail)
    }),
  )

  it('are judged by these rules only where the issuer is Supabase', () =>
    withIssuer(async (issuer) => {
      const key = await createKey('ES256', 'one')
      issuer.keys = [key.jwk]
      const token = await key.sign(issuer.claims({ role: 'anon', is_anonymous: true }))
      expect((await issuer.verifier().verify(token)).actor).toBe('jwt:ada')
    }))
})
