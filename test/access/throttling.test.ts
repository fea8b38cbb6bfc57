import { describe, expect, it } from 'vitest'
import { denialReasonOf } from '../../src/access/denial.ts'
import { JwtVerifier } from '../../src/access/jwt/jwt-verifier.ts'
import type { Principal } from '../../src/access/principal.ts'
import { RateByAddress } from '../../src/access/rate-by-address.ts'
import { Grants } from '../../src/access/scopes/grants.ts'
import { createTokenText } from '../../src/access/token-format.ts'
import { CoordinatorError } from '../../src/errors.ts'
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
    expect(hint).toContain('coordinator token create')
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
  const good: Principal = { kind: 'jwt', id: 'jwt:i s', actor: 'jwt:s', grants: Grants.READ }

  /** Accepts `good.N.jwt`, and counts its signatures. */
  function counting() {
    const remembered = new Set<string>()
    const figures = { verified: 0 }
    const jwt = {
      start: () => undefined,
      stop: () => undefined,
      remembered: (token: string) => (remembered.has(token) ? good : undefined),
      verify(token: string): Principal | Promise<Principal> {
        if (remembered.has(token)) return good
        figures.verified += 1
        if (!token.startsWith('good.'))
          return Promise.reject(new CoordinatorError('COORD_CREDENTIAL_INVALID'))
        remembered.add(token)
        return Promise.resolve(good)
      },
    }
    return { jwt, figures }
  }

  it('are verified a few times each second, so that others have the time that signatures take', async () => {
    const { jwt, figures } = counting()
    const { access } = await startAccess({ jwt, badCredentials: { burst: 20, perSecond: 0.001 } })
    const fates: string[] = []
    for (let count = 0; count < 1_000; count += 1) fates.push(await fate(access, `bad.${count}.jwt`))
    expect(fates.slice(0, 20)).toEqual(Array<string>(20).fill('jwt'))
    expect(new Set(fates.slice(20))).toEqual(new Set(['throttled']))
    // 20 that were counted, 10 afterwards, and 5 for each second that this took.
    expect(figures.verified).toBeGreaterThanOrEqual(30)
    expect(figures.verified).toBeLessThan(200)
  })

  it('are accepted if they were verified before, and new good ones get their turn, too', async () => {
    const { jwt, figures } = counting()
    const { access } = await startAccess({ jwt, badCredentials: { burst: 1, perSecond: 0.001 } })
    expect(await fate(access, 'good.1.jwt')).toBe('accepted')
    expect(await fate(access, 'nonsense')).toBe('malformed')
    expect(await fate(access, 'nonsense')).toBe('throttled')
    for (let count = 0; count < 100; count += 1) expect(await fate(access, 'good.1.jwt')).toBe('accepted')
    expect(figures.verified).toBe(1)
    expect(await fate(access, 'good.2.jwt')).toBe('accepted')
    expect(await fate(access, 'bad.2.jwt', elsewhere)).toBe('jwt')
  })
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
