import { describe, expect, it } from 'vitest'
import { readSettings } from '../../src/config/settings.ts'
import type { NewToken } from '../../src/database/access-store.ts'
import { type AccessFacts, findTokens } from '../../src/database/diagnosis/find-tokens.ts'
import { MemoryStore } from '../../src/database/memory/store.ts'
import { makeStore } from '../../src/database/open.ts'
import { runInProcess } from '../cli/run-in-process.ts'
import { scratchFolder } from '../main/coordinator-process.ts'

let number = 0
function tokenOf(name: string, fields: Partial<NewToken> = {}): NewToken {
  number += 1
  const id = String(number).padStart(12, '0')
  const secretHash = `${number}`.padStart(64, 'a')
  return { id, name, scopes: ['read'], secretHash, createdBy: 'admin', expiresAt: null, ...fields }
}

const required: AccessFacts = { isRequired: true }
const missing = {
  check: 'administrator',
  state: 'warning',
  found: 'Nobody can create or revoke tokens: no token with the scope admin is active.',
  repair: 'Set AUTH_ADMIN_TOKEN to a secret of at least 32 characters, and restart the coordinators.',
}

async function withMemory(body: (store: MemoryStore) => Promise<void>): Promise<void> {
  const store = new MemoryStore()
  await store.open()
  await body(store)
  await store.close()
}

describe('the diagnosis of tokens', () => {
  it('counts what is active, expired and revoked, and shows no hash', () =>
    withMemory(async (store) => {
      expect(await findTokens(store, { isRequired: false })).toEqual([
        { check: 'tokens', state: 'ok', found: 'Tokens can be stored. There are none yet.' },
      ])
      const soon = Date.now() + 3_600_000
      await store.access.put(tokenOf('never'))
      await store.access.put(tokenOf('later', { expiresAt: soon }))
      await store.access.put(tokenOf('expired', { expiresAt: 1 }))
      const { id } = await store.access.put(tokenOf('revoked', { expiresAt: 1 }))
      await store.access.revoke(id, 'admin')
      const findings = await findTokens(store, { isRequired: false })
      expect(findings).toEqual([
        { check: 'tokens', state: 'ok', found: 'Active tokens: 2. Expired: 1. Revoked: 1.' },
      ])
      for (const { secretHash } of (await store.access.load()).tokens)
        expect(JSON.stringify(findings)).not.toContain(secretHash)
    }))

  it('warns where credentials are demanded and nobody can create tokens', () =>
    withMemory(async (store) => {
      expect((await findTokens(store, required))[1]).toEqual(missing)
      await store.access.put(tokenOf('reader', { scopes: ['read', 'register:admin'] }))
      await store.access.put(tokenOf('expired', { scopes: ['admin'], expiresAt: 1 }))
      expect((await findTokens(store, required))[1]).toEqual(missing)
      expect((await findTokens(store, { ...required, administrator: 'AUTH_ADMIN_TOKEN' }))[1]).toEqual({
        ...{ check: 'administrator', state: 'ok', found: 'AUTH_ADMIN_TOKEN is set.' },
      })
      const { id } = await store.access.put(tokenOf('boss', { scopes: ['admin'] }))
      const found = 'The token boss has the scope admin.'
      expect((await findTokens(store, required))[1]).toEqual({ check: 'administrator', state: 'ok', found })
      await store.access.revoke(id, 'admin')
      expect((await findTokens(store, required))[1]).toEqual(missing)
    }))

  it('neither counts tokens that AUTH_NOT_BEFORE refuses as active, nor takes one for an administrator', () =>
    withMemory(async (store) => {
      await store.access.put(tokenOf('old', { scopes: ['admin'] }))
      await store.access.put(tokenOf('ended', { expiresAt: 1 }))
      const [numbers, administrator] = await findTokens(store, {
        ...required,
        notBefore: Date.now() + 60_000,
      })
      expect(numbers?.found).toBe('Active tokens: 0. Expired: 1. Revoked: 0. Refused by AUTH_NOT_BEFORE: 1.')
      expect(administrator).toEqual(missing)
    }))

  it('is part of `coordinator doctor`, whose settings name the administrator', async () => {
    await using folder = await scratchFolder()
    const env = { DATABASE_URL: `sqlite:${folder.path}/coordinator.db`, AUTH: 'required' }
    await runInProcess(['migrate'], { env })
    const bare = await runInProcess(['doctor'], { env })
    expect([bare.code, bare.stdout]).toEqual([0, expect.stringContaining(`WARN  administrator: Nobody`)])
    expect(bare.stdout).toContain('ok    tokens: Tokens can be stored. There are none yet.\n')
    // The command reads AUTH_NOT_BEFORE, which refuses the one token that there is.
    const settings = readSettings(env)
    const store = await makeStore(settings)
    await store.open()
    await store.access.put(tokenOf('boss', { scopes: ['admin'] }))
    await store.close()
    const found = async (more: Record<string, string>) =>
      (await runInProcess(['doctor'], { env: { ...env, ...more } })).stdout
    expect(await found({})).toContain('ok    administrator: The token boss has the scope admin.')
    const refused = await found({ AUTH_NOT_BEFORE: '9999-01-01T00:00:00Z' })
    expect(refused).toContain('Active tokens: 0. Expired: 0. Revoked: 0. Refused by AUTH_NOT_BEFORE: 1.')
    expect(refused).toContain('WARN  administrator: Nobody')
    const secret = 'of-the-doctor-0123456789-0123456789'
    const set = await runInProcess(['doctor', '--json'], { env: { ...env, AUTH_ADMIN_TOKEN: secret } })
    expect(set.stdout + set.stderr).not.toContain(secret)
    expect(JSON.parse(set.stdout).findings).toContainEqual({
      ...{ check: 'administrator', state: 'ok', found: 'AUTH_ADMIN_TOKEN is set.' },
    })
  })
})
