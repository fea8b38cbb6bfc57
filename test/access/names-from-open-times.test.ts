import { describe, expect, it } from 'vitest'
import { startAccess } from './with-access.ts'

describe('the names of tokens from open times', () => {
  it('are those that anybody may have created, and that are accepted still', async () => {
    let now = Date.UTC(2026, 0, 1)
    const { store, access } = await startAccess({ now: () => now })
    const create = (name: string, by: string, expiresAt: number | null = null) =>
      access.createToken({ name, scopes: ['read'], expiresAt }, by)
    await create('early', 'http:192.0.2.1')
    now += 1_000
    await create('late', 'http:192.0.2.1')
    await create('short', 'http:192.0.2.1', now + 1_000)
    await create('of-the-administrator', 'admin')
    const { info } = await create('revoked', 'http:192.0.2.1')
    await access.revokeToken(info.id, 'admin')
    expect(access.namesFromOpenTimes).toEqual(['early', 'late', 'short'])
    const { access: strict } = await startAccess({ store, now: () => now, notBefore: now })
    expect(strict.namesFromOpenTimes).toEqual(['late', 'short'])
    now += 1_000
    expect(access.namesFromOpenTimes).toEqual(['early', 'late'])
  })
})
