import { describe, expect, it } from 'vitest'
import type { Access, JwtChecker } from '../../src/access/access.ts'
import { denialReasonOf } from '../../src/access/denial.ts'
import { JwtVerifier } from '../../src/access/jwt/jwt-verifier.ts'
import type { Principal } from '../../src/access/principal.ts'
import { RateByAddress } from '../../src/access/rate-by-address.ts'
import { createTokenText } from '../../src/access/token-format.ts'
import { createKey, type Issuer, type SigningKey, withIssuer } from './jwt/with-issuer.ts'
import { adminToken, denialOf, fate, here, identify, refusalOf, startAccess } from './with-access.ts'

const elsewhere = '198.51.100.7'

describe('bad credentials', () => {
  it('are refused as what they are 20 times, then throttled with the time to wait', async () => {
    const { access } = await startAccess()
    for (let count = 0; count < 20; count += 1) expect(await fate(access, 'nonsense')).toBe('malformed')
    const error = await refusalOf(() => identify(access, 'nonsense'))
    expect(error).toMatchObject({
      code: 'COORD_RATE_LIMITED',
      status: 429,
      retryAfterSeconds: 1,
      outcome: 'not_written',
    })
    expect(denialReasonOf(error)).toBe('throttled')
  })

  it('are throttled for each address, and never good ones beside them', async () => {
    const { access } = await startAccess({ anonymous: 'read' })
    const { token } = await access.createToken({ name: 'ci', scopes: ['read'], expiresAt: null }, 'admin')
    for (let count = 0; count < 100; count += 1) await fate(access, 'nonsense')
    expect(await fate(access, 'nonsense')).toBe('throttled')
    expect(await fate(access, 'nonsense', elsewhere)).toBe('malformed')
    expect(await fate(access, adminToken)).toBe('accepted')
    expect(await fate(access, token)).toBe('accepted')
    expect((access.identify(undefined, here) as Principal).kind).toBe('anonymous')
  })

  it('still tell what is wrong with them, for those who have to repair the client', async () => {
    const { access } = await startAccess({ badCredentials: { burst: 0, perSecond: 0.1 } })
    const { token, info } = await access.createToken(
      { name: 'ci', scopes: ['read'], expiresAt: null },
      'admin',
    )
    await access.revokeToken(info.id, 'admin')
    const { detail, hint, retryAfterSeconds } = await refusalOf(() => identify(access, token))
    expect(detail).toBe('Too many bad credentials come from this address. The credential was revoked.')
    expect(hint).toBe(
      'Wait as long as Retry-After says, then send the request again with a correct credential.',
    )
    expect(retryAfterSeconds).toBe(10)
  })

  it('are counted if they are malformed, unknown, expired or revoked, and not if they are missing', async () => {
    let now = Date.now()
    const { access } = await startAccess({ now: () => now, badCredentials: { burst: 4, perSecond: 0.001 } })
    const gone = await access.createToken({ name: 'gone', scopes: ['read'], expiresAt: null }, 'admin')
    await access.revokeToken(gone.info.id, 'admin')
    const old = await access.createToken({ name: 'old', scopes: ['read'], expiresAt: now + 1 }, 'admin')
    now += 1
    for (let count = 0; count < 10; count += 1)
      expect(await denialOf(() => access.identify(undefined, here))).toBe('COORD_AUTH_REQUIRED missing')
    const bad = ['nonsense', createTokenText().token, old.token, gone.token, 'nonsense']
    const fates: string[] = []
    for (const credential of bad) fates.push(await fate(access, credential))
    expect(fates).toEqual(['malformed', 'unknown', 'expired', 'revoked', 'throttled'])
  })

  it('are not counted while the store is down: a client that waits is not a bad one', async () => {
    const { store, access } = await startAccess({ badCredentials: { burst: 2, perSecond: 0.001 } })
    store.breakDown('load')
    for (let count = 0; count < 10; count += 1)
      expect(await fate(access, createTokenText().token)).toBe('unavailable')
    expect(await fate(access, 'nonsense')).toBe('malformed')
  })
})

describe('JWTs from an address that sends bad credentials', () => {
  const impatient = { burst: 1, perSecond: 0.001 }

  /** An address that sent too many bad credentials, and what the verifier of JWTs does for it. */
  async function withSuspect(
    body: (suspect: {
      readonly access: Access
      readonly issuer: Issuer
      readonly key: SigningKey
      readonly figures: { readonly verified: number; readonly most: number }
    }) => Promise<void>,
  ): Promise<void> {
    await withIssuer(async (issuer) => {
      const key = await createKey('ES256', 'one')
      issuer.keys = [key.jwk]
      const verifier = issuer.verifier()
      const figures = { verified: 0, running: 0, most: 0 }
      const jwt: JwtChecker = {
        start: () => verifier.start(),
        stop: () => verifier.stop(),
        verify: (token, inTurn = (work) => work()) =>
          verifier.verify(token, (work) =>
            inTurn(async () => {
              figures.verified += 1
              figures.running += 1
              figures.most = Math.max(figures.most, figures.running)
              try {
                return await work()
              } finally {
                figures.running -= 1
              }
            }),
          ),
      }
      const { access } = await startAccess({ jwt, badCredentials: impatient })
      expect(await fate(access, 'nonsense')).toBe('malformed')
      expect(await fate(access, 'nonsense')).toBe('throttled')
      await body({ access, issuer, key, figures })
    })
  }

  /** Changes the signature. */
  const forge = (token: string, count: number) => `${token.slice(0, -8)}${String(count).padStart(8, '0')}`

  it('are accepted if they are good, even new ones in a flood of bad ones of every kind', () =>
    withSuspect(async ({ access, issuer, key, figures }) => {
      const other = await createKey('ES256', 'unknown')
      const rightClaims = await key.sign(issuer.claims())
      const bad = [
        () => 'e30.e30.AAAA',
        (count: number) => `e30.${count}.AAAA`,
        () => 'nonsense',
        await key.sign(issuer.claims({ exp: 1 })),
        await key.sign(issuer.claims({ iss: 'https://other.example' })),
        await other.sign(issuer.claims()),
        (count: number) => forge(rightClaims, count),
      ].map((each) => (typeof each === 'string' ? () => each : each))
      // These wait until the store was asked, which is once a second.
      const unknown: Promise<string>[] = []
      let sent = 0
      for (let wave = 0; wave < 20; wave += 1) {
        const flood = Array.from({ length: 10 }, () => bad.map((text) => fate(access, text(++sent)))).flat()
        unknown.push(fate(access, createTokenText().token))
        const good = fate(access, await key.sign(issuer.claims({ sub: `user-${wave}` })))
        expect(await good).toBe('accepted')
        expect(new Set(await Promise.all(flood))).toEqual(new Set(['throttled']))
      }
      expect(new Set(await Promise.all(unknown))).toEqual(new Set(['throttled']))
      // The good ones, and those whose signature is all that is wrong with them.
      expect(figures.verified).toBe(20 + 200)
      expect(figures.most).toBeLessThanOrEqual(2)
    }))

  it('cost no signature if a look at them is enough', () =>
    withSuspect(async ({ access, issuer, key, figures }) => {
      const expired = await key.sign(issuer.claims({ exp: 1 }))
      for (let count = 0; count < 500; count += 1)
        for (const token of ['e30.e30.AAAA', expired]) expect(await fate(access, token)).toBe('throttled')
      expect(figures.verified).toBe(0)
    }))

  it('have their signatures verified 2 at a time, with 100 that wait, so that others have the time that it takes', () =>
    withSuspect(async ({ access, issuer, key, figures }) => {
      const good = await key.sign(issuer.claims())
      // The keys are there before the flood comes.
      expect(await fate(access, good, elsewhere)).toBe('accepted')
      const before = figures.verified
      const flood = Array.from({ length: 400 }, (_, at) =>
        refusalOf(() => access.identify(`Bearer ${forge(good, at)}`, here)),
      )
      const answers = Object.groupBy(await Promise.all(flood), ({ detail }) => detail)
      expect(figures.verified - before).toBe(102)
      expect(figures.most).toBe(2)
      expect(Object.entries(answers).map(([detail, errors = []]) => [detail, errors.length])).toEqual(
        expect.arrayContaining([
          ['Too many bad credentials come from this address; this one was not verified.', 298],
          ['Too many bad credentials come from this address. The signature of the token is wrong.', 102],
        ]),
      )
      expect(await fate(access, good)).toBe('accepted')
    }))
})

describe('a JWT', () => {
  const secret = 's'.repeat(32)

  it('is verified where an issuer is set, and refused as malformed elsewhere', async () => {
    const jwt = new JwtVerifier({
      issuer: 'https://issuer.example',
      audience: 'coordinator',
      secret,
      scopeClaim: 'scope',
      supabase: false,
    })
    const { SignJWT } = await import('jose/jwt/sign')
    const token = await new SignJWT({ scope: 'read register:cart' })
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuer('https://issuer.example')
      .setAudience('coordinator')
      .setSubject('auth0|1')
      .setExpirationTime('1h')
      .sign(new TextEncoder().encode(secret))
    const { access } = await startAccess({ jwt })
    const principal = await access.identify(`Bearer ${token}`, here)
    expect(principal).toMatchObject({ kind: 'jwt', actor: 'jwt:auth0%7C1' })
    expect(principal.grants.mayRegister('cart')).toBe(true)
    expect(identify(access, token)).toBe(principal)
    const forged = `${token.slice(0, -4)}AAAA`
    expect(await fate(access, forged)).toBe('jwt')
    const { access: other } = await startAccess()
    expect(await fate(other, token)).toBe('malformed')
  })
})

describe('a rate by address', () => {
  const rate = { burst: 2, perSecond: 0.5 }

  it('is shared by the addresses of an IPv6 network of 64 bits', () => {
    const limit = new RateByAddress(rate)
    expect(
      ['2001:db8::1', '2001:db8::2', '2001:db8::3', '2001:db8:0:1::1'].map((from) => limit.spend(from)),
    ).toEqual([true, true, false, true])
    expect(['::ffff:192.0.2.1', '192.0.2.1', '::ffff:192.0.2.1'].map((from) => limit.spend(from))).toEqual([
      true,
      true,
      false,
    ])
  })

  it('comes back with time, and never exceeds the burst', () => {
    let now = 0
    const limit = new RateByAddress({ ...rate, now: () => now })
    const spend = () => [1, 2, 3].filter(() => limit.spend(here)).length
    expect(spend()).toBe(2)
    expect([limit.isExhausted(here), limit.secondsLeft(here)]).toEqual([true, 2])
    now += 1_000
    expect([limit.isExhausted(here), limit.secondsLeft(here), spend()]).toEqual([true, 1, 0])
    now += 1_000
    expect([limit.isExhausted(here), spend()]).toEqual([false, 1])
    now += 1_000_000
    expect(spend()).toBe(2)
  })

  it('remembers 10,000 addresses, and forgets the one that was quiet for the longest time', () => {
    const limit = new RateByAddress({ burst: 1, perSecond: 0.000_1 })
    const addresses = Array.from({ length: 20_000 }, (_, at) => `10.0.${at >> 8}.${at & 255}`)
    expect(limit.spend(here)).toBe(true)
    expect(addresses.filter((address) => limit.spend(address) && !limit.spend(here))).toHaveLength(20_000)
    expect(limit.size).toBe(10_000)
    expect(limit.isExhausted(addresses.at(-1) ?? '')).toBe(true)
    expect(limit.isExhausted(addresses[0] ?? '')).toBe(false)
  })

  it('remembers no address that only asks', () => {
    const limit = new RateByAddress(rate)
    expect(limit.isExhausted(here)).toBe(false)
    expect(limit.size).toBe(0)
  })
})
