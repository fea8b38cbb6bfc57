import { describe, expect, it } from 'vitest'
import { EVERYBODY, type Principal } from '../../src/access/principal.ts'
import { createTokenText, parseToken, writeToken } from '../../src/access/token-format.ts'
import {
  adminToken,
  denialOf,
  fate,
  here,
  identify,
  makeAccess,
  metricsToken,
  refusalOf,
  startAccess,
} from './with-access.ts'

describe('the caller of a request', () => {
  it.each(['open', 'off'] as const)('is everybody in mode %s, with any credential or none', async (mode) => {
    const { access } = await startAccess({ mode })
    for (const header of [undefined, '', 'Bearer nonsense', `Bearer ${adminToken}`, 'Basic eDp5'])
      expect(access.identify(header, here)).toBe(EVERYBODY)
  })

  it('needs a credential where credentials are demanded', async () => {
    const { access } = await startAccess()
    expect(await denialOf(() => access.identify(undefined, here))).toBe('COORD_AUTH_REQUIRED missing')
  })

  it('may read without a credential where anonymous reads are allowed, but is refused with a bad one', async () => {
    const { access } = await startAccess({ anonymous: 'read' })
    const { kind, id, actor, grants } = access.identify(undefined, here) as Principal
    expect({ kind, id, actor, scopes: grants.texts }).toEqual({
      kind: 'anonymous',
      id: '',
      actor: undefined,
      scopes: ['read'],
    })
    for (const header of ['', 'Bearer', 'Bearer nonsense', `Bearer ${createTokenText().token}`])
      expect(await denialOf(() => access.identify(header, here))).toMatch(/^COORD_CREDENTIAL_INVALID/)
  })

  it('is the administrator, or one who reads metrics, with a token of the environment', async () => {
    const { access } = await startAccess()
    expect(identify(access, adminToken)).toMatchObject({ kind: 'admin', id: 'admin', actor: 'admin' })
    const metrics = identify(access, metricsToken)
    expect(metrics).toMatchObject({ kind: 'metrics', id: 'metrics', actor: 'metrics' })
    expect(metrics.grants.texts).toEqual(['metrics'])
    for (const other of [adminToken.slice(1), `${adminToken}.`, adminToken.toUpperCase(), 'm'.repeat(33)])
      expect(await fate(access, other)).toBe('malformed')
  })

  it('may have a token of the environment in any form: with dots, in UTF-8, or like one of the store', async () => {
    for (const secret of [
      'a.b.c'.repeat(8),
      'größer als zweiunddreißig Zeichen ist das',
      createTokenText().token,
      'long'.repeat(1_000),
    ]) {
      const { access } = await startAccess({ adminToken: secret })
      const header = Buffer.from(secret).toString('latin1')
      expect(identify(access, header).kind).toBe('admin')
    }
  })

  it('may write the scheme in any case, with any number of spaces', async () => {
    const { access } = await startAccess()
    for (const scheme of ['Bearer ', 'bearer ', 'BEARER   ', 'Bearer   '])
      expect((access.identify(`${scheme}${metricsToken}`, here) as Principal).kind).toBe('metrics')
    for (const scheme of ['Basic ', 'Token ', 'Bearer', 'Bearer\t', ' Bearer ', 'Bearers ', ''])
      expect(await denialOf(() => access.identify(`${scheme}${metricsToken}`, here))).toBe(
        'COORD_CREDENTIAL_INVALID malformed',
      )
  })

  it('learns which form a credential must have', async () => {
    const { access } = await startAccess()
    const detailOf = async (header: string) => (await refusalOf(() => access.identify(header, here))).detail
    expect(await detailOf(`Basic ${metricsToken}`)).toBe(
      'The header Authorization must begin with `Bearer `.',
    )
    expect(await detailOf('Bearer swordfish')).toBe(
      'The credential is neither a token of this coordinator nor a secret of its settings.',
    )
  })

  it('is the same object for each request with the same stored token', async () => {
    const { access } = await startAccess()
    const expiresAt = Date.now() + 60_000
    const { token } = await access.createToken(
      { name: 'ci', scopes: ['read', 'register:cart'], expiresAt },
      'admin',
    )
    const principal = identify(access, token)
    expect(principal).toMatchObject({ kind: 'token', id: 'token:ci', actor: 'token:ci', expiresAt })
    expect(principal.grants.mayRegister('cart')).toBe(true)
    expect(principal.grants.may('graph')).toBe(false)
    expect(principal.ended?.aborted).toBe(false)
    expect(identify(access, token, '198.51.100.7')).toBe(principal)
  })

  it('is refused with a wrong secret for a known id, without learning that the id is known', async () => {
    const { access } = await startAccess()
    const { token, info } = await access.createToken(
      { name: 'ci', scopes: ['read'], expiresAt: null },
      'admin',
    )
    await access.revokeToken(info.id, 'admin')
    const forged = writeToken({ id: info.id, secret: parseToken(createTokenText().token)?.secret ?? '' })
    const unknown = createTokenText().token
    expect(await fate(access, token)).toBe('revoked')
    const answers = [forged, unknown].map((text) => denialOf(() => access.identify(`Bearer ${text}`, here)))
    expect(new Set(await Promise.all(answers))).toEqual(new Set(['COORD_CREDENTIAL_INVALID unknown']))
  })

  it('is refused without a look into the store if the token cannot be one', async () => {
    const { access, store } = await startAccess()
    const { token } = createTokenText()
    const strange = writeToken({ id: '-'.repeat(12), secret: '-'.repeat(43) })
    const loads = store.count('load')
    const last = token.at(-1) === '0' ? '1' : '0'
    for (const text of [
      `${token}0`,
      token.slice(0, -1),
      token.slice(0, -1) + last,
      strange,
      'nonsense',
      'a.b.c',
      '...',
      'é',
    ])
      expect(await fate(access, text, text)).toBe('malformed')
    expect(store.count('load')).toBe(loads)
  })

  it('is refused with a well-formed token where no tokens are stored', async () => {
    const access = makeAccess()
    await access.start()
    expect(await fate(access, createTokenText().token)).toBe('unknown')
    expect(access.listTokens()).toEqual([])
  })
})

describe('whether somebody can administer', () => {
  it('is certain where access is open, with a token of the environment, and with JWTs', async () => {
    const jwt = { verify: () => EVERYBODY, start: () => undefined, stop: () => undefined }
    expect(makeAccess({ mode: 'open', adminToken: undefined }).hasAdministrator).toBe(true)
    expect(makeAccess({ mode: 'off', adminToken: undefined }).hasAdministrator).toBe(true)
    expect(makeAccess().hasAdministrator).toBe(true)
    expect(makeAccess({ adminToken: undefined, jwt }).hasAdministrator).toBe(true)
    expect(makeAccess({ adminToken: undefined }).hasAdministrator).toBe(false)
  })

  it('depends on the stored tokens otherwise: one must permit it, and count', async () => {
    let now = Date.now()
    const { access } = await startAccess({ adminToken: undefined, now: () => now })
    await access.createToken({ name: 'reader', scopes: ['read', 'register:*/*'], expiresAt: null }, 'admin')
    expect(access.hasAdministrator).toBe(false)
    await access.createToken({ name: 'short', scopes: ['admin'], expiresAt: now + 1_000 }, 'admin')
    expect(access.hasAdministrator).toBe(true)
    now += 1_000
    expect(access.hasAdministrator).toBe(false)
    const { info } = await access.createToken(
      { name: 'long', scopes: ['read', 'admin'], expiresAt: null },
      'admin',
    )
    expect(access.hasAdministrator).toBe(true)
    await access.revokeToken(info.id, 'admin')
    expect(access.hasAdministrator).toBe(false)
  })
})
