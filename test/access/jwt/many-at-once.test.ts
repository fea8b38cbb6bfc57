import { describe, expect, it } from 'vitest'
import type { CoordinatorError } from '../../../src/errors.ts'
import { createKey, refusalOf, withIssuer } from './with-issuer.ts'

describe('many JWTs at once', () => {
  it('the same unknown token is verified once', () =>
    withIssuer(async (issuer) => {
      const key = await createKey('ES256', 'one')
      issuer.keys = [key.jwk]
      const verifier = issuer.verifier()
      const token = await key.sign(issuer.claims())
      const answers = Array.from({ length: 100 }, () => verifier.verify(token))
      expect(verifier.figures.checking).toBe(1)
      const principals = new Set(await Promise.all(answers))
      expect(principals.size).toBe(1)
      expect(verifier.figures).toMatchObject({ checking: 0, remembered: 1 })
    }))

  it('a refusal is not remembered', () =>
    withIssuer(async (issuer) => {
      const verifier = issuer.verifier()
      await refusalOf(verifier.verify('a.b.c'))
      expect(verifier.figures).toMatchObject({ checking: 0, remembered: 0 })
    }))

  it('beyond 1,000 tokens that are being verified, others are told to come again', () =>
    withIssuer(async (issuer) => {
      const key = await createKey('EdDSA', 'one')
      issuer.keys = [key.jwk]
      const verifier = issuer.verifier()
      const good = await key.sign(issuer.claims())
      const answers = Array.from({ length: 1_100 }, (_, index) =>
        Promise.resolve(verifier.verify(`${good.slice(0, -4)}${String(index).padStart(4, '0')}`)).catch(
          (thrown: CoordinatorError) => thrown.code,
        ),
      )
      const codes = Object.groupBy((await Promise.all(answers)) as string[], (code) => code)
      expect(codes['COORD_AUTH_UNAVAILABLE']).toHaveLength(100)
      expect(codes['COORD_CREDENTIAL_INVALID']).toHaveLength(1_000)
      expect((await verifier.verify(good)).actor).toBe('jwt:ada')
      expect(verifier.figures.checking).toBe(0)
    }))

  it('no more than twice as many tokens are remembered as were asked for', () =>
    withIssuer(async (issuer) => {
      const key = await createKey('EdDSA', 'one')
      issuer.keys = [key.jwk]
      const verifier = issuer.verifier({ rememberedMax: 3 })
      for (let index = 0; index < 20; index += 1)
        await verifier.verify(await key.sign(issuer.claims({ sub: `user-${index}` })))
      expect(verifier.figures.remembered).toBeLessThanOrEqual(6)
    }))

  it('a remembered token of a suspect waits for no turn', () =>
    withIssuer(async (issuer) => {
      const key = await createKey('ES256', 'one')
      issuer.keys = [key.jwk]
      const verifier = issuer.verifier()
      const token = await key.sign(issuer.claims())
      const principal = await verifier.verify(token)
      const never = () => new Promise<never>(() => undefined)
      expect(verifier.verify(token, never)).toBe(principal)
    }))

  it('suspects whose tokens wait leave half of the places to others', () =>
    withIssuer(async (issuer) => {
      const key = await createKey('EdDSA', 'one')
      issuer.keys = [key.jwk]
      const verifier = issuer.verifier()
      const good = await key.sign(issuer.claims())
      const turn = Promise.withResolvers<void>()
      const answers = Array.from({ length: 600 }, (_, index) =>
        refusalOf(
          verifier.verify(`${good.slice(0, -4)}${String(index).padStart(4, '0')}`, async (work) => {
            await turn.promise
            return work()
          }),
        ),
      )
      expect((await verifier.verify(good)).actor).toBe('jwt:ada')
      turn.resolve()
      const codes = Object.groupBy(await Promise.all(answers), ({ code }) => code)
      expect(codes['COORD_AUTH_UNAVAILABLE']).toHaveLength(100)
      expect(codes['COORD_CREDENTIAL_INVALID']).toHaveLength(500)
    }))
})
