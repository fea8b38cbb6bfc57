import { describe, expect, it } from 'vitest'
import { readScopes } from '../../../src/access/jwt/read-scopes.ts'
import { createKey, withIssuer } from './with-issuer.ts'

describe('the scopes of a JWT', () => {
  it.each([
    ['a text with spaces', 'scope', { scope: 'openid read  graph' }, ['read', 'graph']],
    ['a list of texts', 'scope', { scope: ['read', 7, null, 'register:cart*'] }, ['read', 'register:cart*']],
    [
      'a member of a claim',
      'app_metadata.coordinator',
      { app_metadata: { coordinator: ['admin'] } },
      ['admin'],
    ],
    [
      'a claim that is named by a URL',
      'https://example.org/scopes',
      { 'https://example.org/scopes': 'read' },
      ['read'],
    ],
    [
      'a member of a claim that is named by a URL',
      'https://example.org/x.y',
      { 'https://example.org/x': { y: 'read' } },
      ['read'],
    ],
    [
      'a member whose name has dots',
      'resource_access.a.b.roles',
      { resource_access: { 'a.b': { roles: ['graph'] } } },
      ['graph'],
    ],
    ['the claim with the whole name before a path', 'a.b', { 'a.b': 'read', a: { b: 'admin' } }, ['read']],
    ['each scope once', 'scope', { scope: 'read read' }, ['read']],
  ])('are read from %s', (_title, path, claims, scopes) => {
    expect(readScopes(claims, path)).toEqual(scopes)
  })

  it.each([
    ['without the claim', 'scope', {}],
    ['without the member', 'app_metadata.coordinator', { app_metadata: { provider: 'email' } }],
    ['with a claim on the way that is no object', 'app_metadata.coordinator', { app_metadata: 'admin' }],
    ['with a claim on the way that is null', 'a.b', { a: null }],
    ['with a list on the way', 'a.0', { a: ['admin'] }],
    ['with a claim of another type', 'scope', { scope: { admin: true } }],
    ['with `true`', 'scope', { scope: true }],
    ['with an empty text', 'scope', { scope: '' }],
    ['with names that every object has', 'constructor.name', {}],
    ['with the prototype of an object', '__proto__.scope', {}],
    ['with unknown texts', 'scope', { scope: 'Admin ADMIN admin, write register: * email' }],
  ])('are none %s', (_title, path, claims) => {
    expect(readScopes(claims, path)).toEqual([])
  })

  it('are none for a sender without the claim, who is known all the same', () =>
    withIssuer(async (issuer) => {
      const key = await createKey('ES256', 'one')
      issuer.keys = [key.jwk]
      const principal = await issuer.verifier().verify(await key.sign(issuer.claims({ scope: undefined })))
      expect(principal.actor).toBe('jwt:ada')
      for (const scope of ['read', 'register', 'graph', 'metrics', 'admin'] as const)
        expect(principal.grants.may(scope)).toBe(false)
    }))

  it('cover the services that they name', () =>
    withIssuer(async (issuer) => {
      const key = await createKey('ES256', 'one')
      issuer.keys = [key.jwk]
      const verifier = issuer.verifier({ scopeClaim: 'app_metadata.coordinator' })
      const claims = issuer.claims({ scope: 'admin', app_metadata: { coordinator: ['register:cart*'] } })
      const { grants } = await verifier.verify(await key.sign(claims))
      expect([grants.mayRegister('cart-api'), grants.mayRegister('billing'), grants.may('admin')]).toEqual([
        true,
        false,
        false,
      ])
    }))
})
