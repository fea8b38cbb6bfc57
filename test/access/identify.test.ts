import { describe, expect, it, onTestFinished } from 'vitest'
import { Access, type AccessOptions } from '../../src/access/access.ts'
import { denialReasonOf } from '../../src/access/denial.ts'
import { EVERYBODY, type Principal } from '../../src/access/principal.ts'
import { createTokenText } from '../../src/access/token-format.ts'
import type { CoordinatorError } from '../../src/errors.ts'
import { SmallAccessStore } from './small-access-store.ts'

const adminToken = 'the administrator is only me, myself and I'
const metricsToken = 'm'.repeat(32)
const here = '192.0.2.1'

async function started(options: Partial<AccessOptions> = {}) {
  const store = new SmallAccessStore()
  const access = new Access({ mode: 'required', adminToken, metricsToken, store, ...options })
  onTestFinished(() => access.stop())
  await access.start()
  return { store, access }
}

async function refused(run: () => unknown): Promise<{ code: string; reason: string | undefined }> {
  try {
    await run()
  } catch (thrown) {
    return { code: (thrown as CoordinatorError).code, reason: denialReasonOf(thrown) }
  }
  throw new Error('It was accepted.')
}

describe('the caller of a request', () => {
  it.each(['open', 'off'] as const)('is everybody in mode %s, with any credential or none', async (mode) => {
    const { access } = await started({ mode })
    for (const header of [undefined, '', 'Bearer nonsense', `Bearer ${adminToken}`, 'Basic eDp5'])
      expect(access.identify(header, here)).toBe(EVERYBODY)
  })

  it('needs a credential where credentials are demanded', async () => {
    const { access } = await started()
    expect(await refused(() => access.identify(undefined, here))).toEqual({
      code: 'COORD_AUTH_REQUIRED',
      reason: 'missing',
    })
  })

  it('may read without a credential where anonymous reads are allowed, but not with a bad one', async () => {
    const { access } = await started({ anonymous: 'read' })
    const { kind, id, actor, grants } = access.identify(undefined, here) as Principal
    expect({ kind, id, actor, texts: grants.texts }).toEqual({
      kind: 'anonymous',
      id: '',
      actor: undefined,
      texts: ['read'],
    })
    expect((await refused(() => access.identify('Bearer nonsense', here))).code).toBe(
      'COORD_CREDENTIAL_INVALID',
    )
  })

  it('is the administrator, or who reads metrics, with a token of the environment', async () => {
    const { access } = await started()
    expect(access.identify(`Bearer ${adminToken}`, here)).toMatchObject({
      kind: 'admin',
      id: 'admin',
      actor: 'admin',
    })
    expect(access.identify(`bearer   ${metricsToken}`, here)).toMatchObject({
      kind: 'metrics',
      actor: 'metrics',
    })
    expect((access.identify(`BEARER ${metricsToken}`, here) as Principal).grants.may('read')).toBe(false)
  })

  it('is the same object for each request with the same stored token', async () => {
    const { access } = await started()
    const { token } = await access.createToken(
      { name: 'ci', scopes: ['read', 'register:cart'], expiresAt: null },
      'admin',
    )
    const principal = access.identify(`Bearer ${token}`, here) as Principal
    expect(principal).toMatchObject({ kind: 'token', id: 'token:ci', actor: 'token:ci' })
    expect(principal.grants.mayRegister('cart')).toBe(true)
    expect(principal.grants.may('graph')).toBe(false)
    expect(access.identify(`Bearer ${token}`, '198.51.100.7')).toBe(principal)
  })

  it('is refused with anything else', async () => {
    const { access } = await started()
    const { token } = createTokenText()
    const reasons = await Promise.all(
      [
        `Bearer ${token}`,
        `Bearer ${token}x`,
        'Bearer',
        'Bearer ',
        'Basic eDp5',
        '',
        'nonsense',
        'Bearer a.b.c',
      ].map((header) => refused(() => access.identify(header, here))),
    )
    expect(new Set(reasons.map(({ code }) => code))).toEqual(new Set(['COORD_CREDENTIAL_INVALID']))
    expect(reasons.map(({ reason }) => reason)).toEqual(['unknown', ...Array<string>(7).fill('malformed')])
  })
})
