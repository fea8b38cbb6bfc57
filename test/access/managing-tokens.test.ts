import { describe, expect, it } from 'vitest'
import { TOKEN_LIFETIME_MS } from '../../src/access/token-wish.ts'
import { TOKENS_MAX } from '../../src/database/access-store.ts'
import { MovedClock } from '../support/moved-clock.ts'
import { fate, makeAccess, refusalOf, startAccess } from './with-access.ts'

const wish = { name: 'ci', scopes: ['read'], expiresAt: null }

describe('creating a token', () => {
  it('answers its text once, and stores only the hash of its secret', async () => {
    const { store, access } = await startAccess()
    const expiresAt = Date.now() + TOKEN_LIFETIME_MS
    const { token, info } = await access.createToken({ ...wish, expiresAt }, 'token:boss')
    expect(info).toEqual({
      id: token.slice(4, 16),
      name: 'ci',
      scopes: ['read'],
      createdAt: expect.any(Number),
      createdBy: 'token:boss',
      expiresAt,
      revokedAt: null,
      revokedBy: null,
      lastUsedAt: null,
      state: 'active',
    })
    expect(access.listTokens()).toEqual([info])
    const stored = JSON.stringify(await store.dump())
    expect(stored).not.toContain(token.slice(17, 60))
    expect(await fate(access, token)).toBe('accepted')
  })

  it.each([
    [{ name: '' }, ['/name']],
    [{ name: 'Ci' }, ['/name']],
    [{ name: 'c i' }, ['/name']],
    [{ name: 'ci\n' }, ['/name']],
    [{ name: 'ü' }, ['/name']],
    [{ name: 'c'.repeat(64) }, ['/name']],
    [{ scopes: [] }, ['/scopes']],
    [{ scopes: Array<string>(65).fill('read') }, ['/scopes']],
    [{ scopes: ['read', 'write', 'graph', 'register:'] }, ['/scopes/1', '/scopes/3']],
    [{ scopes: ['register:\ud800'] }, ['/scopes/0']],
    [{ scopes: Array<string>(64).fill(`register:${'a'.repeat(2_000)}`) }, ['/scopes']],
    [{ expiresAt: 0 }, ['/expiresAt']],
    [{ expiresAt: Date.now() - 1 }, ['/expiresAt']],
    [{ expiresAt: Date.now() + 1_000.5 }, ['/expiresAt']],
    [{ expiresAt: Number.NaN }, ['/expiresAt']],
    [{ expiresAt: Number.POSITIVE_INFINITY }, ['/expiresAt']],
    [{ expiresAt: 8_640_000_000_000_001 }, ['/expiresAt']],
    [{ name: 'X', scopes: ['x'], expiresAt: 1 }, ['/name', '/scopes/0', '/expiresAt']],
  ])('%#: is refused with a problem for each field that is wrong', async (fields, paths) => {
    const { store, access } = await startAccess()
    const { code, errors, detail } = await refusalOf(() =>
      access.createToken({ ...wish, ...fields }, 'admin'),
    )
    expect(code).toBe('COORD_FIELD_INVALID')
    expect(errors.map(({ path }) => path)).toEqual(paths)
    for (const { path } of errors) expect(detail).toContain(`\`${path.slice(1)}\` must `)
    expect(store.count('put')).toBe(0)
  })

  it.each(['a', '0', '.', '-', '_', 'c'.repeat(63), 'team-a.ci_1'])('may have the name %s', async (name) => {
    const { access } = await startAccess()
    expect((await access.createToken({ ...wish, name }, 'admin')).info.name).toBe(name)
  })

  it('is refused with a name that was used before, even by a token that was revoked', async () => {
    const { access } = await startAccess()
    const { info } = await access.createToken(wish, 'admin')
    await access.revokeToken(info.id, 'admin')
    expect((await refusalOf(() => access.createToken(wish, 'admin'))).code).toBe('COORD_TOKEN_NAME_TAKEN')
  })

  it('stores one token when answers are lost on the way', async () => {
    const { store, access } = await startAccess()
    store.lost.set('put', 3)
    const { token, info } = await access.createToken(wish, 'admin')
    expect(store.count('put')).toBe(4)
    expect(await store.dump()).toMatchObject([{ id: info.id, name: 'ci' }])
    expect(await fate(access, token)).toBe('accepted')
  })

  it('fails after 10 seconds, and says that the token may be stored if an answer was lost', async () => {
    using clock = new MovedClock()
    const { store, access } = await startAccess()
    for (const losses of [0, 1]) {
      store.repair()
      store.lost.set('put', losses)
      const puts = store.count('put')
      if (losses === 0) store.breakDown('put')
      const failing = refusalOf(() => access.createToken({ ...wish, name: `t${losses}` }, 'admin'))
      await expect.poll(() => store.count('put')).toBeGreaterThan(puts)
      store.breakDown('put')
      await expect.poll(() => store.count('put')).toBeGreaterThan(puts + 1)
      clock.advance(10_000)
      const { code, outcome } = await failing
      expect([code, outcome]).toEqual(['COORD_STORE_UNAVAILABLE', losses === 0 ? 'not_written' : 'unknown'])
    }
    expect(await store.dump()).toMatchObject([{ name: 't1' }])
  })

  it('ends when the store has too many', async () => {
    const { store, access } = await startAccess()
    for (let at = 0; at < TOKENS_MAX; at += 1)
      await store.behind.put({
        id: String(at).padStart(12, '0'),
        name: `t${at}`,
        scopes: ['read'],
        secretHash: '0'.repeat(64),
        createdBy: 'admin',
        expiresAt: null,
      })
    expect((await refusalOf(() => access.createToken(wish, 'admin'))).code).toBe('COORD_TOKENS_TOO_MANY')
    access.versionSeen(await store.version())
    await expect.poll(() => access.listTokens().length).toBe(TOKENS_MAX)
  })

  it('cannot be done where no tokens are stored', async () => {
    const access = makeAccess()
    expect((await refusalOf(() => access.createToken(wish, 'admin'))).code).toBe('COORD_AUTH_UNAVAILABLE')
    expect((await refusalOf(() => access.revokeToken('0', 'admin'))).code).toBe('COORD_AUTH_UNAVAILABLE')
  })
})

describe('revoking a token', () => {
  it('is repeated when the answer is lost, and the first one who did it stays', async () => {
    const { store, access } = await startAccess()
    const { token, info } = await access.createToken(wish, 'admin')
    store.lost.set('revoke', 2)
    const revoked = await access.revokeToken(info.id, 'token:boss')
    expect(revoked).toMatchObject({ id: info.id, revokedBy: 'token:boss', revokedAt: expect.any(Number) })
    expect(revoked).not.toHaveProperty('secretHash')
    expect((await access.revokeToken(info.id, 'admin')).revokedBy).toBe('token:boss')
    expect(await fate(access, token)).toBe('revoked')
  })

  it('is refused for an id that no token has', async () => {
    const { access } = await startAccess()
    for (const id of ['000000000000', '', 'nonsense'])
      expect((await refusalOf(() => access.revokeToken(id, 'admin'))).code).toBe('COORD_TOKEN_NOT_FOUND')
  })
})

describe('the list of tokens', () => {
  it('has every token, the oldest first, and no hash', async () => {
    let now = 1_000_000
    const { access } = await startAccess({ now: () => now })
    for (const name of ['b', 'c', 'a']) {
      await access.createToken({ ...wish, name }, 'admin')
      now += 1
    }
    await access.createToken({ ...wish, name: 'z' }, 'admin')
    await access.createToken({ ...wish, name: 'y' }, 'admin')
    expect(access.listTokens().map(({ name }) => name)).toEqual(['b', 'c', 'a', 'y', 'z'])
    for (const info of access.listTokens()) expect(info).not.toHaveProperty('secretHash')
  })
})
