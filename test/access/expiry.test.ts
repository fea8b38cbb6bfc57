import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { CoordinatorError } from '../../src/errors.ts'
import { fate, identify, refusalOf, startAccess } from './with-access.ts'

const dayMs = 86_400_000

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] }))
afterEach(() => void vi.useRealTimers())

async function startWith(lifetimeMs: number | null) {
  const { store, access } = await startAccess()
  const expiresAt = lifetimeMs === null ? null : Date.now() + lifetimeMs
  const { token } = await access.createToken({ name: 'ci', scopes: ['read'], expiresAt }, 'admin')
  const { ended } = identify(access, token)
  return { store, access, token, ended: ended as AbortSignal, expiresAt }
}

describe('a token that expires', () => {
  it.each([1, 1_000, 90_000, dayMs, 26 * dayMs])(
    'after %i ms ends its principal at that moment',
    async (lifetimeMs) => {
      const { access, token, ended } = await startWith(lifetimeMs)
      vi.advanceTimersByTime(lifetimeMs - 1)
      expect(ended.aborted).toBe(false)
      expect(await fate(access, token)).toBe('accepted')
      vi.advanceTimersByTime(1)
      expect(ended.aborted).toBe(true)
      expect((ended.reason as CoordinatorError).code).toBe('COORD_CREDENTIAL_EXPIRED')
      expect(await fate(access, token)).toBe('expired')
    },
  )

  it('tells when it expired, and only to those who know its secret', async () => {
    const { access, token, expiresAt } = await startWith(1_000)
    vi.advanceTimersByTime(2_000)
    const { code, detail } = await refusalOf(() => identify(access, token))
    expect(code).toBe('COORD_CREDENTIAL_EXPIRED')
    expect(detail).toContain(new Date(expiresAt ?? 0).toISOString())
  })

  it('ends within a minute when the clock is set ahead', async () => {
    const { ended } = await startWith(dayMs)
    vi.setSystemTime(Date.now() + 2 * dayMs)
    vi.advanceTimersByTime(60_000)
    expect(ended.aborted).toBe(true)
  })

  it('ends with the request that finds it expired, if no timer was faster', async () => {
    const { access, token, ended } = await startWith(dayMs)
    vi.setSystemTime(Date.now() + 2 * dayMs)
    expect(ended.aborted).toBe(false)
    expect(await fate(access, token)).toBe('expired')
    expect(ended.aborted).toBe(true)
  })

  it('sooner than another one is not kept waiting by it', async () => {
    const { access, ended } = await startWith(50_000)
    const wish = { name: 'short', scopes: ['read'], expiresAt: Date.now() + 5_000 }
    const short = identify(access, (await access.createToken(wish, 'admin')).token).ended
    vi.advanceTimersByTime(5_000)
    expect([short?.aborted, ended.aborted]).toEqual([true, false])
    vi.advanceTimersByTime(45_000)
    expect(ended.aborted).toBe(true)
  })

  it('never does if it has no end, and leaves no timer behind', async () => {
    const { ended } = await startWith(null)
    expect(vi.getTimerCount()).toBe(0)
    vi.advanceTimersByTime(1_000 * dayMs)
    expect(ended.aborted).toBe(false)
  })

  it('leaves no timer behind when access stops', async () => {
    const { access } = await startWith(dayMs)
    access.stop()
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('a token that was created before AUTH_NOT_BEFORE', () => {
  it('is refused as revoked, and a later one is accepted', async () => {
    const { store, access: earlier } = await startAccess()
    const { token } = await earlier.createToken({ name: 'old', scopes: ['admin'], expiresAt: null }, 'admin')
    vi.advanceTimersByTime(1_000)
    const notBefore = Date.now()
    const { access } = await startAccess({ store, notBefore, adminToken: undefined })
    const { code, detail } = await refusalOf(() => identify(access, token))
    expect(code).toBe('COORD_CREDENTIAL_REVOKED')
    expect(detail).toContain(`${new Date(notBefore).toISOString()} is refused (AUTH_NOT_BEFORE)`)
    expect(access.hasAdministrator).toBe(false)
    const { token: fresh } = await access.createToken(
      { name: 'new', scopes: ['admin'], expiresAt: null },
      'admin',
    )
    expect(await fate(access, fresh)).toBe('accepted')
    expect(access.hasAdministrator).toBe(true)
  })

  it('does not concern the tokens of the environment', async () => {
    const { access } = await startAccess({ notBefore: Date.now() + dayMs, adminToken: 'a'.repeat(32) })
    expect(await fate(access, 'a'.repeat(32))).toBe('accepted')
  })
})

describe('the last use of a token', () => {
  it('is shown by the process that accepted it, and stored nowhere', async () => {
    const { store, access, token } = await startWith(dayMs)
    const { access: other } = await startAccess({ store })
    const calls = store.calls.length
    vi.advanceTimersByTime(5_000)
    identify(access, token)
    expect(access.listTokens()).toMatchObject([{ name: 'ci', lastUsedAt: Date.now() }])
    expect(other.listTokens()).toMatchObject([{ name: 'ci', lastUsedAt: null }])
    expect(store.calls.length).toBe(calls)
  })
})
