import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Principal } from '../../src/access/principal.ts'
import type { StoredToken } from '../../src/database/access-store.ts'
import { turns } from '../support/turns.ts'
import { DisturbedAccessStore } from './disturbed-access-store.ts'
import { fate, startAccess } from './with-access.ts'

type Step =
  | { readonly does: 'create' | 'follow'; readonly at: number }
  | { readonly does: 'revoke' | 'use'; readonly at: number; readonly token: number }
  | { readonly does: 'dump' | 'restore' | 'break' | 'repair' }

const at = fc.nat({ max: 1 })
const token = fc.nat({ max: 5 })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ does: fc.constant('create' as const), at }) },
  { weight: 4, arbitrary: fc.record({ does: fc.constant('follow' as const), at }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('revoke' as const), at, token }) },
  { weight: 6, arbitrary: fc.record({ does: fc.constant('use' as const), at, token }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constantFrom('dump', 'restore', 'break', 'repair') }) },
)

/** Two coordinators over one store, and what each of them must never forget. */
async function run(steps: readonly Step[]): Promise<void> {
  const store = new DisturbedAccessStore()
  const options = { store, badCredentials: { burst: 1e6, perSecond: 1 } }
  const coordinators = [await startAccess(options), await startAccess(options)].map(({ access }) => ({
    access,
    revoked: new Set<string>(),
    principals: new Map<string, Principal>(),
  }))
  const created: { token: string; id: string }[] = []
  let dump: readonly StoredToken[] = []

  const follow = async ({ access, revoked }: (typeof coordinators)[number]) => {
    access.versionSeen(await store.version())
    await turns(20)
    for (const { id, revokedAt } of access.listTokens()) if (revokedAt !== null) revoked.add(id)
  }
  const use = async (
    { access, revoked, principals }: (typeof coordinators)[number],
    text: string,
    id: string,
  ) => {
    const seen = await fate(access, text)
    if (revoked.has(id)) expect(seen).not.toBe('accepted')
    if (seen === 'accepted') principals.set(id, await access.identify(`Bearer ${text}`, ''))
    else if (seen !== 'unavailable') expect(principals.get(id)?.ended?.aborted ?? true).toBe(true)
    return seen
  }
  const take = async (step: Step) => {
    if (step.does === 'dump') dump = await store.dump()
    if (step.does === 'restore') await store.restore(dump)
    // Changes would try for 10 seconds.
    if (step.does === 'break') store.breakDown('load', 'require')
    if (step.does === 'repair') store.repair()
    if (!('at' in step)) return
    const coordinator = coordinators[step.at]
    if (coordinator === undefined) return
    if (step.does === 'follow') await follow(coordinator)
    if (step.does === 'create') {
      const wish = { name: `t${created.length}`, scopes: ['read'], expiresAt: null }
      const { token, info } = await coordinator.access.createToken(wish, 'admin')
      created.push({ token, id: info.id })
      expect(await use(coordinator, token, info.id)).toBe('accepted')
    }
    const chosen = 'token' in step ? created[step.token] : undefined
    if (chosen === undefined) return
    if (step.does === 'use') await use(coordinator, chosen.token, chosen.id)
    if (step.does === 'revoke') {
      const done = await coordinator.access.revokeToken(chosen.id, 'admin').catch(() => undefined)
      if (done !== undefined) coordinator.revoked.add(chosen.id)
    }
  }

  for (const step of steps) await take(step)
  store.repair()
  // What one of them revokes again, the other one has to load.
  for (let round = 0; round < 3; round += 1) for (const coordinator of coordinators) await follow(coordinator)
  const stored = new Map((await store.dump()).map((token) => [token.id, token]))
  for (const coordinator of coordinators)
    for (const { token, id } of created) {
      const revokedAt = stored.get(id)?.revokedAt
      const expected = revokedAt === undefined ? 'unknown' : revokedAt === null ? 'accepted' : 'revoked'
      await expect.poll(() => use(coordinator, token, id)).toBe(expected)
    }
  for (const { access } of coordinators) access.stop()
}

describe('two coordinators over one store', () => {
  it('agree in the end, and neither accepts again what it saw revoked, whatever happens to the store', async () => {
    await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), run), {
      numRuns: 25,
      endOnFailure: true,
    })
  })
})
