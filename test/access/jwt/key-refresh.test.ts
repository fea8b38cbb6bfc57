import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { KeySet, REFRESH_MS, SERVE_MS } from '../../../src/access/jwt/key-set.ts'
import { createKey } from './with-issuer.ts'

// Nothing here uses the network, so that no time passes but the one that the tests let pass.
beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] }))
afterEach(() => void vi.useRealTimers())

/** A key set whose issuer answers at once. */
async function createKeySet() {
  const { jwk } = await createKey('ES256', 'one')
  const issuer = { isUp: true, requests: 0, changes: 0 }
  const keySet = new KeySet({
    locate: () => new URL('https://issuer.example/keys'),
    fetch: async () => {
      issuer.requests += 1
      return issuer.isUp ? Response.json({ keys: [jwk] }) : new Response('', { status: 500 })
    },
    timeoutMs: 1_000,
    now: Date.now,
    onChange: () => {
      issuer.changes += 1
    },
    onFault: () => undefined,
  })
  return { keySet, issuer }
}

describe('keys that are fetched in the background', () => {
  it('are fetched about every ten minutes, without a token that asks for it', async () => {
    const { keySet, issuer } = await createKeySet()
    const refresh = vi.spyOn(keySet, 'refresh')
    keySet.start()
    await keySet.refresh()
    expect(issuer.requests).toBe(1)
    refresh.mockClear()
    vi.advanceTimersByTime(REFRESH_MS * 0.94)
    expect(refresh).not.toHaveBeenCalled()
    vi.advanceTimersByTime(REFRESH_MS * 0.12)
    expect(refresh).toHaveBeenCalledTimes(1)
    await keySet.refresh()
    expect(issuer.requests).toBe(2)
    keySet.stop()
  })

  it('are fetched again soon after a fault, and about every 30 seconds while it lasts', async () => {
    const { keySet, issuer } = await createKeySet()
    issuer.isUp = false
    keySet.start()
    await keySet.refresh()
    for (const seconds of [2, 4, 8, 16, 30, 30, 30]) {
      const refresh = vi.spyOn(keySet, 'refresh')
      vi.advanceTimersByTime(seconds * 940)
      expect(refresh).not.toHaveBeenCalled()
      vi.advanceTimersByTime(seconds * 120)
      expect(refresh).toHaveBeenCalledTimes(1)
      refresh.mockRestore()
      await keySet.refresh()
    }
    issuer.isUp = true
    await keySet.refresh()
    expect(keySet.fault).toBeUndefined()
    keySet.stop()
  })

  it('serve no more after an hour without the issuer, and whoever remembers tokens is told', async () => {
    const { keySet, issuer } = await createKeySet()
    keySet.start()
    await keySet.refresh()
    const [{ thumbprint } = { thumbprint: '' }] = await keySet.find('ES256', 'one')
    issuer.isUp = false
    vi.setSystemTime(Date.now() + SERVE_MS - 1)
    expect(keySet.serves(thumbprint)).toBe(true)
    const before = issuer.changes
    vi.setSystemTime(Date.now() + 1)
    expect(keySet.serves(thumbprint)).toBe(false)
    await keySet.refresh()
    expect(issuer.changes).toBe(before + 1)
    keySet.stop()
  })

  it('are not fetched after the stop, and no timer stays', async () => {
    const { keySet, issuer } = await createKeySet()
    keySet.start()
    await keySet.refresh()
    keySet.stop()
    expect(vi.getTimerCount()).toBe(0)
    await keySet.refresh()
    expect(issuer.requests).toBe(1)
  })
})
