import { describe, expect, it, vi } from 'vitest'
import type { Access } from '../../src/access/access.ts'
import { createTokenText } from '../../src/access/token-format.ts'
import type { CoordinatorError } from '../../src/errors.ts'
import { turns } from '../support/turns.ts'
import { DisturbedAccessStore } from './disturbed-access-store.ts'
import {
  adminToken,
  fate,
  here,
  identify,
  makeAccess,
  metricsToken,
  refusalOf,
  startAccess,
} from './with-access.ts'

/** Two coordinators over one store. */
async function startTwo() {
  const { store, access } = await startAccess()
  const { access: other } = await startAccess({ store })
  return { store, access, other }
}

async function create(access: Access, name: string, expiresAt: number | null = null) {
  const { token, info } = await access.createToken({ name, scopes: ['read'], expiresAt }, 'admin')
  return { token, id: info.id }
}

describe('before the tokens are loaded', () => {
  it('a well-formed token is answered with 503, and the tokens of the environment work', async () => {
    const store = new DisturbedAccessStore()
    store.breakDown()
    const access = makeAccess({ store })
    const starting = access.start()
    const { token } = createTokenText()
    const { code, status, retryAfterSeconds, outcome } = await refusalOf(() =>
      access.identify(`Bearer ${token}`, here),
    )
    expect({ code, status, retryAfterSeconds, outcome }).toEqual({
      code: 'COORD_AUTH_UNAVAILABLE',
      status: 503,
      retryAfterSeconds: 1,
      outcome: 'not_written',
    })
    expect(identify(access, adminToken).kind).toBe('admin')
    expect(identify(access, metricsToken).kind).toBe('metrics')
    expect(await fate(access, `${token}x`)).toBe('malformed')
    expect((await refusalOf(() => access.listTokens())).code).toBe('COORD_AUTH_UNAVAILABLE')
    store.repair()
    await starting
    expect(await fate(access, token)).toBe('unknown')
  })

  it('start tries until it succeeds, and tells once that the store cannot be read', async () => {
    const faults: CoordinatorError[] = []
    const store = new DisturbedAccessStore()
    store.breakDown()
    const access = makeAccess({ store, onFault: (error) => faults.push(error) })
    const starting = access.start()
    await expect.poll(() => store.count('load')).toBeGreaterThan(2)
    store.repair()
    await starting
    expect(faults.map(({ code }) => code)).toEqual(['COORD_STORE_UNAVAILABLE'])
    expect(access.listTokens()).toEqual([])
  })

  it('start ends at stop, too', async () => {
    const store = new DisturbedAccessStore()
    store.breakDown()
    const access = makeAccess({ store })
    const starting = access.start()
    access.stop()
    await starting
    const loads = store.count('load')
    access.versionSeen('another')
    await turns()
    expect(store.count('load')).toBe(loads)
  })

  it('start records that credentials are demanded, again and again until it succeeds, and does not wait for it', async () => {
    const store = new DisturbedAccessStore()
    store.breakDown('require')
    const { access } = await startAccess({ store })
    await create(access, 'ci')
    expect((await store.behind.load()).requiredSince).toBeNull()
    store.repair()
    await expect.poll(async () => (await store.behind.load()).requiredSince).toBe(0)
  })

  it('start fails where the store says that credentials protect nothing, also if they were demanded before', async () => {
    for (const before of ['never', 'before']) {
      const faults: CoordinatorError[] = []
      const store = new DisturbedAccessStore()
      if (before === 'before') await store.behind.require()
      store.protectsNothing = true
      const access = makeAccess({ store, onFault: (error) => faults.push(error) })
      await expect(access.start()).rejects.toMatchObject({ code: 'COORD_CONFIG_INVALID', exitCode: 78 })
      // Whoever started it tells.
      expect(faults).toEqual([])
    }
  })

  it('a store that says so after the start is told once, though another fault was told before', async () => {
    const faults: CoordinatorError[] = []
    const store = new DisturbedAccessStore()
    store.breakDown('require')
    await startAccess({ store, onFault: (error) => faults.push(error) })
    store.protectsNothing = true
    store.repair()
    const asked = store.count('require')
    await expect.poll(() => store.count('require')).toBeGreaterThan(asked + 1)
    expect(faults.map(({ code }) => code)).toEqual(['COORD_STORE_UNAVAILABLE', 'COORD_CONFIG_INVALID'])
  })

  it('start waits for nothing where access is open, and demands nothing; tokens can be created and listed there', async () => {
    const store = new DisturbedAccessStore()
    const release = store.hold('load')
    const access = makeAccess({ mode: 'open', store })
    await access.start()
    release()
    await expect.poll(() => store.count('load')).toBe(1)
    await create(access, 'ci')
    await expect.poll(() => access.listTokens().map(({ name }) => name)).toEqual(['ci'])
    expect(store.count('require')).toBe(0)
  })
})

describe('a change of another coordinator', () => {
  it('counts as soon as its version was seen: a new token is accepted, a revoked one is refused and ends', async () => {
    const { store, access, other } = await startTwo()
    const { token, id } = await create(other, 'ci')
    access.versionSeen(await store.version())
    await expect.poll(() => access.listTokens().length).toBe(1)
    const { ended } = identify(access, token)
    await other.revokeToken(id, 'token:boss')
    expect(ended?.aborted).toBe(false)
    access.versionSeen(await store.version())
    await expect.poll(() => ended?.aborted).toBe(true)
    expect(ended?.reason).toMatchObject({ code: 'COORD_CREDENTIAL_REVOKED' })
    expect(await fate(access, token)).toBe('revoked')
    expect(access.listTokens()).toMatchObject([{ id, revokedBy: 'token:boss' }])
  })

  it('is not loaded twice: a version that is known costs nothing', async () => {
    const { store, access } = await startAccess()
    await expect.poll(async () => (await store.behind.load()).requiredSince).toBe(0)
    access.versionSeen(await store.version())
    await turns()
    const loads = store.count('load')
    access.versionSeen(await store.version())
    await turns()
    expect(store.count('load')).toBe(loads)
  })

  it('is loaded again if it came while an older state was read', async () => {
    const { store, access, other } = await startTwo()
    const release = store.hold('load')
    access.versionSeen('something older')
    await turns()
    await other.createToken({ name: 'ci', scopes: ['read'], expiresAt: null }, 'admin')
    access.versionSeen(await store.version())
    release()
    await expect.poll(() => access.listTokens().length).toBe(1)
  })

  it('is noticed by the first request with a new token, before any version was seen', async () => {
    const { access, other } = await startTwo()
    const { token } = await create(other, 'ci')
    const principal = await access.identify(`Bearer ${token}`, here)
    expect(principal.actor).toBe('token:ci')
    expect(identify(access, token)).toBe(principal)
  })
})

describe('tokens that nobody knows', () => {
  it('are looked for once each', async () => {
    const { store, access } = await startAccess({ badCredentials: { burst: 100, perSecond: 1 } })
    const { token } = createTokenText()
    expect(await fate(access, token)).toBe('unknown')
    const loads = store.count('load')
    for (let again = 0; again < 20; again += 1) expect(await fate(access, token)).toBe('unknown')
    expect(store.count('load')).toBe(loads)
  })

  it('make the store load once a second at most, however many come from however many addresses', async () => {
    const { store, access, other } = await startTwo()
    await fate(access, createTokenText().token)
    const before = store.count('load')
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const fates = Array.from({ length: 500 }, (_, at) =>
        fate(access, createTokenText().token, `2001:db8:0:${at.toString(16)}::1`),
      )
      const fresh = await create(other, 'ci')
      await turns()
      const duringOthers = store.count('load')
      fates.push(fate(access, fresh.token))
      await turns()
      expect(store.count('load')).toBe(duringOthers)
      await vi.advanceTimersByTimeAsync(1_000)
      expect(await Promise.all(fates)).toEqual([...Array<string>(500).fill('unknown'), 'accepted'])
      // One for the strangers, and one of the other coordinator after its change.
      expect(store.count('load')).toBeLessThanOrEqual(before + 2)
    } finally {
      vi.useRealTimers()
    }
  })

  it('wait in limited numbers: 1,000 of all, and 100 from addresses that sent many bad credentials', async () => {
    const { store, access } = await startAccess({ badCredentials: { burst: 1, perSecond: 0.001 } })
    await fate(access, 'nonsense')
    const release = store.hold('load')
    const suspects = Array.from({ length: 150 }, () => fate(access, createTokenText().token))
    const others = Array.from({ length: 1_000 }, () => fate(access, createTokenText().token, '198.51.100.7'))
    await turns()
    release()
    const counts = (fates: string[]) => [fates.filter((one) => one === 'unavailable').length, fates.length]
    expect(counts(await Promise.all(suspects))).toEqual([50, 150])
    expect(counts(await Promise.all(others))).toEqual([100, 1_000])
  })

  it('are answered with 503 while the store is down, and at stop', async () => {
    const { store, access } = await startAccess()
    store.breakDown('load')
    expect(await fate(access, createTokenText().token)).toBe('unavailable')
    // Nobody waits for the next try.
    const fates: string[] = []
    void fate(access, createTokenText().token).then((one) => fates.push(one))
    await turns(1)
    expect(fates).toEqual(['unavailable'])
    store.repair()
    await expect.poll(() => fate(access, createTokenText().token)).toBe('unknown')
    store.hold('load')
    const waiting = fate(access, createTokenText().token)
    await turns()
    access.stop()
    expect(await waiting).toBe('unavailable')
  })
})

describe('while the store is down', () => {
  it('what was known last counts, and nobody new gets in', async () => {
    const { store, access, other } = await startTwo()
    const { token } = await create(access, 'old')
    store.breakDown('load')
    access.versionSeen('another')
    const { token: fresh } = await create(other, 'new')
    await turns()
    expect(await fate(access, token)).toBe('accepted')
    expect(await fate(access, fresh)).toBe('unavailable')
    store.repair()
    await expect.poll(() => fate(access, fresh)).toBe('accepted')
  })
})

describe('after the store returned to an older state', () => {
  it('a token that was seen revoked stays revoked, and is revoked again in the store', async () => {
    const { store, access, other } = await startTwo()
    const { token, id } = await create(access, 'ci')
    const dump = await store.dump()
    await other.revokeToken(id, 'token:boss')
    access.versionSeen(await store.version())
    await expect.poll(() => fate(access, token)).toBe('revoked')
    await store.restore(dump)
    access.versionSeen(await store.version())
    await expect.poll(async () => (await store.dump())[0]?.revokedBy).toBe('token:boss')
    expect(await fate(access, token)).toBe('revoked')
  })

  it('it is revoked again until the store takes it', async () => {
    const { store, access } = await startAccess()
    const { token, id } = await create(access, 'ci')
    const dump = await store.dump()
    await access.revokeToken(id, 'admin')
    await store.restore(dump)
    store.breakDown('revoke')
    access.versionSeen(await store.version())
    await expect.poll(() => store.count('revoke')).toBeGreaterThan(2)
    expect(await fate(access, token)).toBe('revoked')
    store.repair()
    await expect.poll(async () => (await store.dump())[0]?.revokedBy).toBe('admin')
  })

  it('it stays revoked even if the store forgot it in between', async () => {
    const { store, access } = await startAccess()
    const { token, id } = await create(access, 'ci')
    const dump = await store.dump()
    await access.revokeToken(id, 'admin')
    await store.restore([])
    access.versionSeen(await store.version())
    await expect.poll(() => access.listTokens()).toEqual([])
    expect(await fate(access, token)).toBe('unknown')
    await store.restore(dump)
    access.versionSeen(await store.version())
    await expect.poll(() => fate(access, token)).toBe('revoked')
  })

  it('a token that is not there any more is unknown and ends, and counts again when it is back', async () => {
    const { store, access } = await startAccess()
    const { token } = await create(access, 'ci')
    const dump = await store.dump()
    const principal = identify(access, token)
    await store.restore([])
    access.versionSeen(await store.version())
    await expect.poll(() => principal.ended?.aborted).toBe(true)
    expect(await fate(access, token)).toBe('unknown')
    await store.restore(dump)
    access.versionSeen(await store.version())
    await expect.poll(() => fate(access, token)).toBe('accepted')
    expect(identify(access, token)).not.toBe(principal)
    expect(identify(access, token).ended?.aborted).toBe(false)
  })

  it('a token with other scopes than before has another principal, and the earlier one ends', async () => {
    const { store, access } = await startAccess()
    const { token } = await create(access, 'ci')
    const principal = identify(access, token)
    const [stored] = await store.dump()
    await store.restore(stored === undefined ? [] : [{ ...stored, scopes: ['graph'] }])
    access.versionSeen(await store.version())
    await expect.poll(() => principal.ended?.aborted).toBe(true)
    expect(identify(access, token).grants.texts).toEqual(['graph'])
  })
})

describe('after the store forgot since when credentials are demanded', () => {
  it('it is told again', async () => {
    const { store, access } = await startAccess()
    expect(access.requiredSince).toBe(0)
    await store.restore([])
    access.versionSeen(await store.version())
    await expect.poll(async () => (await store.behind.load()).requiredSince).toBe(0)
    await expect.poll(() => access.requiredSince).toBe(0)
    expect(store.count('require')).toBe(2)
  })
})

describe('a change of this coordinator', () => {
  it('is not undone by a load that began before it', async () => {
    const { store, access } = await startAccess()
    const { token: doomed, id } = await create(access, 'doomed')
    await turns()
    const release = store.hold('load')
    access.versionSeen('another')
    await turns()
    const { token } = await create(access, 'ci')
    await access.revokeToken(id, 'admin')
    const principal = identify(access, token)
    release()
    await turns()
    expect(identify(access, token)).toBe(principal)
    expect(principal.ended?.aborted).toBe(false)
    expect(await fate(access, doomed)).toBe('revoked')
    expect(store.count('revoke')).toBe(1)
  })

  it('ends the principal of a token that is revoked at once', async () => {
    const { access } = await startAccess()
    const { token, id } = await create(access, 'ci')
    const { ended } = identify(access, token)
    const reasons: unknown[] = []
    ended?.addEventListener('abort', () => reasons.push((ended.reason as CoordinatorError).code))
    await access.revokeToken(id, 'admin')
    await access.revokeToken(id, 'somebody else')
    expect(reasons).toEqual(['COORD_CREDENTIAL_REVOKED'])
    expect(access.listTokens()).toMatchObject([{ revokedBy: 'admin' }])
  })
})
