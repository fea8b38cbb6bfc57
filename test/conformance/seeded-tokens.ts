import { describe, expect, it } from 'vitest'
import type { AccessStore, StoredToken } from '../../src/database/store.ts'
import type { ConformanceBackend } from './backend.ts'
import { commitOf, put, tokenOf } from './build.ts'
import { Caller } from './caller.ts'
import { scoped } from './scope.ts'
import { Source } from './source.ts'

/** A token of another store. */
function tokenFrom(name: string, fields: Partial<StoredToken> = {}): StoredToken {
  return { ...tokenOf(name), createdAt: 1_600_000_000_123, revokedAt: null, revokedBy: null, ...fields }
}

function revokedFrom(name: string, fields: Partial<StoredToken> = {}): StoredToken {
  return tokenFrom(name, { revokedAt: 1_600_000_001_234, revokedBy: 'token:zoë', ...fields })
}

function seedTokens(access: AccessStore, ...tokens: readonly StoredToken[]) {
  return access.seed({ requiredSince: null, tokens })
}

function byId(left: StoredToken, right: StoredToken): number {
  return left.id < right.id ? -1 : 1
}

/** `access.seed`: the tokens of another store come in. What was revoked stays revoked. */
export function seededTokens(backend: ConformanceBackend): void {
  describe(`${backend.name}: seeded tokens`, () => {
    it(
      'keeps every field as it came, and the tokens through a seed of records and the opening',
      scoped(backend, async (scope) => {
        const scopes = Array.from({ length: 64 }, (_, at) => `register:ns-${64 - at}/%F0%9F%92%A1-é-"\\-*`)
        const tokens = [
          tokenFrom('wide', { scopes, createdBy: 'jwt:Zoë \u{1F600} "x" \\ ‮ \n' }),
          tokenFrom('n'.repeat(63), { id: 'nnnnnnnnnnnn', createdBy: 'x'.repeat(256), expiresAt: 0 }),
          revokedFrom('gone', { expiresAt: 1_900_000_000_000 }),
        ]
        await scope.store.setMode('open', 'seeding')
        const state = await scope.store.access.seed({ requiredSince: 7, tokens })
        expect(state).toMatchObject({ requiredSince: 7, tokens: tokens.toSorted(byId) })
        const source = await Source.of([commitOf(put('a'))])
        await source.moveInto(scope.store, 1)
        await scope.reopenIfDurable()
        expect(await scope.store.access.load()).toEqual(state)
        expect((await scope.store.head()).accessVersion).toBe(state.version)
      }),
    )

    it(
      'takes the same tokens again without a change, and tells a change by the version',
      scoped(backend, async ({ store }) => {
        await store.setMode('open', 'copy')
        const before = (await store.head()).accessVersion
        const first = await seedTokens(store.access, tokenFrom('a'), revokedFrom('b'))
        expect(first.version).not.toBe(before)
        expect(await seedTokens(store.access, tokenFrom('a'), revokedFrom('b'))).toEqual(first)
        expect(await seedTokens(store.access)).toEqual(first)
        const second = await seedTokens(store.access, tokenFrom('c'))
        expect(second.version).not.toBe(first.version)
        expect((await store.head()).accessVersion).toBe(second.version)
        const { position } = await store.head()
        expect(await store.changes(position, 10)).toMatchObject({ accessVersion: second.version })
      }),
    )

    it(
      'revokes a token that is there if it was revoked in the other store, and un-revokes none',
      scoped(backend, async ({ store }) => {
        const [lives, dies, dead] = ['lives', 'dies', 'dead'].map((name) => tokenOf(name))
        if (lives === undefined || dies === undefined || dead === undefined) throw new Error('three tokens')
        const kept = await store.access.put(lives)
        const created = await store.access.put(dies)
        await store.access.put(dead)
        const revoked = await store.access.revoke(dead.id, 'token:admin')
        await store.setMode('open', 'seeding')
        const state = await seedTokens(
          store.access,
          tokenFrom('lives', { scopes: ['admin'], createdAt: 1 }),
          revokedFrom('dies', { scopes: ['admin'] }),
          tokenFrom('dead'),
        )
        const { revokedAt, revokedBy } = revokedFrom('dies')
        expect(state.tokens).toEqual([kept, { ...created, revokedAt, revokedBy }, revoked].toSorted(byId))
        const again = await seedTokens(
          store.access,
          tokenFrom('dies'),
          revokedFrom('dead', { revokedBy: 'x' }),
        )
        expect(again).toEqual(state)
      }),
    )

    it(
      'keeps a revoked token revoked after the opening, whatever comes',
      scoped(backend, async (scope) => {
        await scope.store.setMode('open', 'seeding')
        const gone = revokedFrom('gone')
        await seedTokens(scope.store.access, gone)
        await scope.store.setMode('seeding', 'open')
        await scope.reopenIfDurable()
        const { access } = scope.store
        expect(await access.put(tokenOf('gone'))).toEqual(gone)
        expect(await access.revoke(gone.id, 'token:other')).toEqual(gone)
        await expect(access.put(tokenOf('other', { name: 'gone' }))).rejects.toMatchObject({
          code: 'COORD_TOKEN_NAME_TAKEN',
        })
        expect((await access.load()).tokens).toEqual([gone])
        const live = await access.put(tokenOf('live'))
        expect((await access.revoke(live.id, 'token:admin')).revokedBy).toBe('token:admin')
      }),
    )

    it(
      'takes over since when credentials are demanded, unless that is known',
      scoped(backend, async ({ store }) => {
        await store.setMode('open', 'seeding')
        expect((await store.access.seed({ requiredSince: null, tokens: [] })).requiredSince).toBeNull()
        const first = await store.access.seed({ requiredSince: 0, tokens: [] })
        expect(first.requiredSince).toBe(0)
        expect(await store.access.seed({ requiredSince: 9, tokens: [] })).toEqual(first)
        expect(await store.access.seed({ requiredSince: null, tokens: [] })).toEqual(first)
        await store.setMode('seeding', 'open')
        const caller = await Caller.at(store)
        await caller.write(put('a'))
        await store.access.require()
        expect(await store.access.load()).toEqual(first)
      }),
    )

    it.each<[string, readonly StoredToken[]]>([
      ['another token has the name', [tokenFrom('new'), tokenFrom('other', { name: 'ci' })]],
      ['another token has the id', [tokenFrom('new'), tokenFrom('other', { id: tokenOf('ci').id })]],
      [
        'the id comes with another hash',
        [tokenFrom('new'), tokenFrom('ci', { secretHash: tokenOf('x').secretHash })],
      ],
      ['two of them have one name', [tokenFrom('new'), tokenFrom('other', { name: 'new' })]],
    ])('takes none if %s', (_, tokens) =>
      scoped(backend, async ({ store }) => {
        await store.access.put(tokenOf('ci'))
        await store.setMode('open', 'seeding')
        const before = await store.access.load()
        await expect(store.access.seed({ requiredSince: 3, tokens })).rejects.toMatchObject({
          code: 'COORD_TOKEN_NAME_TAKEN',
          outcome: 'not_written',
        })
        expect(await store.access.load()).toEqual(before)
      })(),
    )

    it.each<[string, Partial<StoredToken>]>([
      ['no scope', { scopes: [] }],
      ['a hash that is none', { secretHash: 'secret' }],
      ['a creation that is no time', { createdAt: Number.NaN }],
      ['a revocation without an actor', { revokedAt: 5 }],
      ['a revocation without a time', { revokedBy: 'token:admin' }],
      ['a revocation at no time', { revokedAt: 1.5, revokedBy: 'token:admin' }],
    ])('refuses a token with %s, and never shows the hash', (_, fields) =>
      scoped(backend, async ({ store }) => {
        await store.setMode('open', 'seeding')
        const token = tokenFrom('bad', fields)
        const error: unknown = await seedTokens(store.access, tokenFrom('new'), token).catch(
          (thrown) => thrown,
        )
        expect(error).toMatchObject({ code: 'COORD_COMMIT_REFUSED', outcome: 'not_written' })
        expect((error as Error).message).not.toContain(token.secretHash)
        expect((await store.access.load()).tokens).toEqual([])
      })(),
    )

    it(
      'takes many tokens at once',
      scoped(backend, async ({ store }) => {
        const tokens = Array.from({ length: 1_000 }, (_, at) =>
          (at % 2 === 0 ? tokenFrom : revokedFrom)(`t${at}`, { id: String(at).padStart(12, 'x') }),
        )
        await store.setMode('open', 'seeding')
        expect((await seedTokens(store.access, ...tokens)).tokens).toEqual(tokens.toSorted(byId))
      }),
    )
  })
}
