import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it, vi } from 'vitest'
import { COOLDOWN_MS, REFRESH_MS } from '../../../src/access/jwt/key-set.ts'
import { createKey, refusalOf, withIssuer } from './with-issuer.ts'

describe('keys that change', () => {
  it('a token with a new key is accepted at once, because an unknown key is looked up', () =>
    withIssuer(async (issuer) => {
      const [old, next] = [await createKey('ES256', 'old'), await createKey('RS256', 'next')]
      issuer.keys = [old.jwk]
      const verifier = issuer.verifier()
      await verifier.verify(await old.sign(issuer.claims()))
      issuer.keys = [old.jwk, next.jwk]
      issuer.now += COOLDOWN_MS
      await verifier.verify(await next.sign(issuer.claims()))
      expect(issuer.requests).toHaveLength(2)
    }))

  it('unknown keys are looked up at most once in 30 seconds, however many tokens name them', () =>
    withIssuer(async (issuer) => {
      const [key, foreign] = [await createKey('ES256', 'one'), await createKey('ES256')]
      issuer.keys = [key.jwk]
      const verifier = issuer.verifier()
      await verifier.verify(await key.sign(issuer.claims()))
      const attack = () =>
        Promise.all(
          Array.from({ length: 20 }, async (_, index) => {
            const token = await foreign.sign(issuer.claims({ sub: `eve-${index}` }), {
              kid: `made-up-${index}`,
            })
            expect((await refusalOf(verifier.verify(token))).code).toBe('COORD_CREDENTIAL_INVALID')
          }),
        )
      issuer.now += COOLDOWN_MS - 1
      await attack()
      expect(issuer.requests).toHaveLength(1)
      issuer.now += 1
      await attack()
      await attack()
      expect(issuer.requests).toHaveLength(2)
    }))

  it('a token is forgotten and its streams end when its key is gone; those of other keys stay', () =>
    withIssuer(async (issuer) => {
      const [old, next] = [await createKey('ES256', 'old'), await createKey('ES256', 'next')]
      issuer.keys = [old.jwk, next.jwk]
      const verifier = issuer.verifier()
      const [oldToken, nextToken] = [await old.sign(issuer.claims()), await next.sign(issuer.claims())]
      const [oldOne, nextOne] = [await verifier.verify(oldToken), await verifier.verify(nextToken)]
      const [oldEnd, nextEnd] = [oldOne.ended, nextOne.ended]

      issuer.keys = [next.jwk]
      issuer.now += REFRESH_MS
      const gone = new Promise((resolve) => oldEnd?.addEventListener('abort', resolve))
      // A token that is not remembered notices that the keys are due.
      await verifier.verify(await next.sign(issuer.claims({ sub: 'eve' })))
      await gone

      expect(nextEnd?.aborted).toBe(false)
      expect(verifier.verify(nextToken)).toBe(nextOne)
      expect((await refusalOf(verifier.verify(oldToken))).detail).toMatch(/no key for ES256 with the id/)
    }))

  it('a key that keeps its id and becomes another one does not keep its tokens', () =>
    withIssuer(async (issuer) => {
      const [old, next] = [await createKey('ES256', 'same'), await createKey('ES256', 'same')]
      issuer.keys = [old.jwk]
      const verifier = issuer.verifier()
      const token = await old.sign(issuer.claims())
      const { ended } = await verifier.verify(token)
      issuer.keys = [next.jwk]
      issuer.now += REFRESH_MS
      const gone = new Promise((resolve) => ended?.addEventListener('abort', resolve))
      await verifier.verify(await old.sign(issuer.claims({ sub: 'eve' })))
      await gone
      expect((await refusalOf(verifier.verify(token))).detail).toMatch(/signature/)
    }))

  it('a key that gets another id keeps its tokens', () =>
    withIssuer(async (issuer) => {
      const key = await createKey('ES256', 'one')
      issuer.keys = [key.jwk]
      const verifier = issuer.verifier()
      const token = await key.sign(issuer.claims())
      const principal = await verifier.verify(token)
      issuer.keys = [{ ...key.jwk, kid: 'two' }]
      issuer.now += COOLDOWN_MS
      await refusalOf(verifier.verify(await key.sign(issuer.claims(), { kid: 'three' })))
      expect(issuer.requests).toHaveLength(2)
      expect(verifier.verify(token)).toBe(principal)
    }))

  it('a token whose key goes while its signature is being checked is refused', () =>
    withIssuer(async (issuer) => {
      const [old, next] = [await createKey('ES256', 'old'), await createKey('ES256', 'next')]
      issuer.keys = [old.jwk]
      const verifier = issuer.verifier()
      await verifier.verify(await old.sign(issuer.claims()))
      const { subtle } = globalThis.crypto
      const verify = subtle.verify.bind(subtle)
      const [begun, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
      vi.spyOn(subtle, 'verify').mockImplementationOnce(async (...args) => {
        begun.resolve()
        await released.promise
        return verify(...args)
      })
      const answer = refusalOf(verifier.verify(await old.sign(issuer.claims({ sub: 'slow' }))))
      await begun.promise

      issuer.keys = [next.jwk]
      issuer.now += COOLDOWN_MS
      await verifier.verify(await next.sign(issuer.claims()))
      released.resolve()
      expect((await answer).detail).toMatch(/withdrawn the key/)
      expect(verifier.figures.remembered).toBe(1)
    }))

  it('an issuer that withdraws all keys lets nobody in', () =>
    withIssuer(async (issuer) => {
      const key = await createKey('ES256', 'one')
      issuer.keys = [key.jwk]
      const verifier = issuer.verifier()
      const token = await key.sign(issuer.claims())
      await verifier.verify(token)
      issuer.keys = []
      issuer.now += COOLDOWN_MS
      await refusalOf(verifier.verify(await key.sign(issuer.claims(), { kid: 'two' })))
      expect((await refusalOf(verifier.verify(token))).code).toBe('COORD_CREDENTIAL_INVALID')
      expect(verifier.figures).toMatchObject({ keys: 0, remembered: 0 })
    }))
})

describe('keys of a key set', () => {
  it('a token that names no key is tried with each key for its algorithm', () =>
    withIssuer(async (issuer) => {
      const keys = await Promise.all([createKey('ES256'), createKey('ES256'), createKey('RS256')])
      issuer.keys = keys.map(({ jwk }) => jwk)
      const verifier = issuer.verifier()
      for (const key of keys)
        expect((await verifier.verify(await key.sign(issuer.claims()))).actor).toBe('jwt:ada')
    }))

  it('a token that names no key is refused where more than four keys could have signed it', () =>
    withIssuer(async (issuer) => {
      const keys = await Promise.all(Array.from({ length: 5 }, (_, index) => createKey('ES256', `${index}`)))
      issuer.keys = keys.map(({ jwk }) => jwk)
      const verifier = issuer.verifier()
      const refusal = await refusalOf(
        verifier.verify((await keys[0]?.sign(issuer.claims(), { kid: undefined })) ?? ''),
      )
      expect(refusal.detail).toMatch(/names no key \(kid\), and the issuer has 5 keys/)
    }))

  it.each([
    ['is for encryption', { use: 'enc' }],
    ['is for another algorithm', { alg: 'ES384' }],
    ['is for signing only', { key_ops: ['sign'] }],
    ['is of an unknown type', { kty: 'XX' }],
    ['is a secret', { kty: 'oct', k: 'c2VjcmV0', crv: undefined }],
    ['is on another curve', { crv: 'P-384' }],
    ['is broken', { x: 'AAAA' }],
    ['is no point of its curve', { x: 'A'.repeat(43), y: 'A'.repeat(43) }],
  ])('a key that %s is left out, and the others serve', (_title, changed) =>
    withIssuer(async (issuer) => {
      const [bad, good] = [await createKey('ES256', 'bad'), await createKey('ES256', 'good')]
      issuer.keys = [{ ...bad.jwk, ...changed }, null as never, good.jwk]
      const verifier = issuer.verifier()
      await verifier.verify(await good.sign(issuer.claims()))
      expect((await refusalOf(verifier.verify(await bad.sign(issuer.claims())))).detail).toMatch(/no key/)
      expect(verifier.figures.keys).toBe(1)
    }),
  )

  it('an RSA key of 1,024 bits is left out', () =>
    withIssuer(async (issuer) => {
      const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1_024 })
      const good = await createKey('ES256', 'good')
      issuer.keys = [{ ...publicKey.export({ format: 'jwk' }), kid: 'weak' }, good.jwk]
      const verifier = issuer.verifier()
      await verifier.verify(await good.sign(issuer.claims()))
      expect(verifier.figures.keys).toBe(1)
    }))

  it('a key that was published with its private part verifies, and signs nothing', () =>
    withIssuer(async (issuer) => {
      const key = await createKey('ES256', 'one')
      issuer.keys = [{ ...key.jwk, d: 'A'.repeat(43), key_ops: undefined }]
      expect((await issuer.verifier().verify(await key.sign(issuer.claims()))).actor).toBe('jwt:ada')
    }))

  it('a key whose algorithm is called Ed25519 verifies EdDSA', () =>
    withIssuer(async (issuer) => {
      const key = await createKey('EdDSA', 'one')
      issuer.keys = [{ ...key.jwk, alg: 'Ed25519' }]
      expect((await issuer.verifier().verify(await key.sign(issuer.claims()))).actor).toBe('jwt:ada')
    }))
})
