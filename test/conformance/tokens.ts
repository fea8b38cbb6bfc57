import { describe, expect, it } from 'vitest'
import type { AccessStore, NewToken, Store, StoredToken } from '../../src/database/store.ts'
import { CoordinatorError } from '../../src/errors.ts'
import type { ConformanceBackend } from './backend.ts'
import { commitOf, newCall, put, remove, tokenOf } from './build.ts'
import { offTrack } from './caller.ts'
import { scoped } from './scope.ts'

/** A day is more than two clocks differ. */
const dayMs = 86_400_000

const calls: Readonly<Record<keyof AccessStore, (access: AccessStore) => Promise<unknown>>> = {
  load: (access) => access.load(),
  put: (access) => access.put(tokenOf('ci')),
  revoke: (access) => access.revoke(tokenOf('ci').id, 'token:admin'),
  require: (access) => access.require(),
  seed: (access) => access.seed({ requiredSince: null, tokens: [] }),
}

/** The version in every place that carries it. They must agree. */
async function versionOf(store: Store): Promise<string> {
  const { accessVersion, position } = await store.head()
  expect(accessVersion).not.toBe('')
  const changes = await store.changes(position, 10)
  expect(changes).toMatchObject({ status: 'ok', accessVersion })
  const other = await store.changes({ ...position, lineage: '00000000-0000-4000-8000-000000000000' }, 10)
  expect(offTrack(other, 'diverged').head.accessVersion).toBe(accessVersion)
  expect((await store.access.load()).version).toBe(accessVersion)
  return accessVersion
}

async function codesOf(works: readonly Promise<unknown>[]): Promise<readonly (string | undefined)[]> {
  const results = await Promise.allSettled(works)
  return results.map((result) => {
    if (result.status === 'fulfilled') return undefined
    expect(result.reason).toBeInstanceOf(CoordinatorError)
    expect((result.reason as CoordinatorError).outcome).toBe('not_written')
    return (result.reason as CoordinatorError).code
  })
}

/** Tokens of clients: who wins, what stays, and who notices. */
export function tokens(backend: ConformanceBackend): void {
  describe(`${backend.name}: tokens`, () => {
    it(
      'has none in the beginning, and credentials were never demanded',
      scoped(backend, async ({ store }) => {
        const version = await versionOf(store)
        expect(await store.access.load()).toEqual({ version, requiredSince: null, tokens: [] })
      }),
    )

    it(
      'answers a token with its time by the clock of the store, and gives the same from then on',
      scoped(backend, async ({ store }) => {
        const stored = await store.access.put(tokenOf('ci', { expiresAt: 1_900_000_000_000 }))
        expect(stored).toEqual({
          ...tokenOf('ci', { expiresAt: 1_900_000_000_000 }),
          createdAt: stored.createdAt,
          revokedAt: null,
          revokedBy: null,
        })
        expect(stored.createdAt).toSatisfy(Number.isSafeInteger)
        expect(Math.abs(stored.createdAt - Date.now())).toBeLessThan(dayMs)
        expect((await store.access.load()).tokens).toEqual([stored])
      }),
    )

    it(
      'keeps every field as it came: many scopes in their order, an actor in any script, an end or none',
      scoped(backend, async ({ store }) => {
        const scopes = Array.from({ length: 64 }, (_, at) => `register:ns-${64 - at}/%F0%9F%92%A1-é-"\\-*`)
        const wide = tokenOf('a.b_c-9', { scopes, createdBy: 'jwt:Zoë \u{1F600} "x" \\ ‮ \n' })
        const long = tokenOf('n'.repeat(63), { createdBy: 'x'.repeat(256), expiresAt: 0 })
        const put = [await store.access.put(wide), await store.access.put(long)]
        expect(put).toMatchObject([wide, long])
        expect((await store.access.load()).tokens).toEqual(put.toSorted(byId))
      }),
    )

    it(
      'gives tokens in the order of their ids, upper case before lower case',
      scoped(backend, async ({ store }) => {
        const ids = ['zzzzzzzzzzzz', 'Zzzzzzzzzzzz', '0zzzzzzzzzzz', 'azzzzzzzzzzz']
        for (const [at, id] of ids.entries()) await store.access.put(tokenOf(`t${at}`, { id }))
        expect((await store.access.load()).tokens.map(({ id }) => id)).toEqual(ids.toSorted())
      }),
    )

    it(
      'answers the same id and hash again with what is stored, and changes nothing',
      scoped(backend, async ({ store }) => {
        const first = await store.access.put(tokenOf('ci'))
        const version = await versionOf(store)
        expect(await store.access.put(tokenOf('ci'))).toEqual(first)
        expect(await store.access.put({ ...tokenOf('ci'), name: 'other', scopes: ['admin'] })).toEqual(first)
        expect(await versionOf(store)).toBe(version)
        expect((await store.access.load()).tokens).toEqual([first])
      }),
    )

    it(
      'refuses another token with the same name or the same id, also after the first was revoked',
      scoped(backend, async ({ store }) => {
        const first = tokenOf('ci')
        await store.access.put(first)
        const others = [
          tokenOf('other', { name: 'ci' }),
          tokenOf('other', { id: first.id }),
          { ...first, secretHash: tokenOf('other').secretHash },
        ]
        const taken = others.map(() => 'COORD_TOKEN_NAME_TAKEN')
        expect(await codesOf(others.map((token) => store.access.put(token)))).toEqual(taken)
        const revoked = await store.access.revoke(first.id, 'token:admin')
        const version = await versionOf(store)
        expect(await codesOf(others.map((token) => store.access.put(token)))).toEqual(taken)
        expect(await versionOf(store)).toBe(version)
        expect((await store.access.load()).tokens).toEqual([revoked])
      }),
    )

    it(
      'lets exactly one of several tokens with the same name win',
      scoped(backend, async ({ store }) => {
        const rivals = Array.from({ length: 8 }, (_, at) => tokenOf(`rival-${at}`, { name: 'ci' }))
        const codes = await codesOf(rivals.map((rival) => store.access.put(rival)))
        expect(codes.toSorted()).toEqual([...Array(7).fill('COORD_TOKEN_NAME_TAKEN'), undefined])
        const { tokens } = await store.access.load()
        expect(tokens).toMatchObject([rivals[codes.indexOf(undefined)] as NewToken])
      }),
    )

    it(
      'keeps the first time and actor of a revocation',
      scoped(backend, async ({ store }) => {
        const created = await store.access.put(tokenOf('ci'))
        const revoked = await store.access.revoke(created.id, 'token:first')
        expect(revoked).toEqual({ ...created, revokedAt: revoked.revokedAt, revokedBy: 'token:first' })
        expect(revoked.revokedAt).toBeGreaterThanOrEqual(created.createdAt)
        const version = await versionOf(store)
        expect(await store.access.revoke(created.id, 'token:second')).toEqual(revoked)
        expect(await versionOf(store)).toBe(version)
        expect((await store.access.load()).tokens).toEqual([revoked])
      }),
    )

    it(
      'records one actor when several revoke a token at once',
      scoped(backend, async ({ store }) => {
        const { id } = await store.access.put(tokenOf('ci'))
        const actors = Array.from({ length: 6 }, (_, at) => `token:${at}`)
        const answers = await Promise.all(actors.map((by) => store.access.revoke(id, by)))
        const { tokens } = await store.access.load()
        for (const answer of answers) expect([answer]).toEqual(tokens)
      }),
    )

    it(
      'never undoes a revocation when the same token is stored again',
      scoped(backend, async ({ store }) => {
        const { id } = await store.access.put(tokenOf('ci'))
        const revoked = await store.access.revoke(id, 'token:admin')
        expect(await store.access.put(tokenOf('ci'))).toEqual(revoked)
        expect((await store.access.load()).tokens).toEqual([revoked])
      }),
    )

    it.each([
      ['an id that no token has', 'unknown00000'],
      ['a name', 'ci'],
      ['a text that no token has as its id', `cdt_\0\ud800${'x'.repeat(2_000)}`],
      ['nothing', ''],
    ])('does not find %s, and never repeats it', (_, id) =>
      scoped(backend, async ({ store }) => {
        await store.access.put(tokenOf('ci'))
        const version = await versionOf(store)
        const error = await store.access.revoke(id, 'token:admin').catch((thrown: unknown) => thrown)
        expect(error).toMatchObject({ code: 'COORD_TOKEN_NOT_FOUND', outcome: 'not_written' })
        if (id !== '') expect((error as CoordinatorError).message).not.toContain(id)
        expect(await versionOf(store)).toBe(version)
      })(),
    )

    it.each<[string, Partial<NewToken>]>([
      ['an id that is too short', { id: 'short' }],
      ['an id with other characters', { id: 'abcdefghijk/' }],
      ['no name', { name: '' }],
      ['a name in upper case', { name: 'CI' }],
      ['a name that is too long', { name: 'n'.repeat(64) }],
      ['a hash that is none', { secretHash: 'secret' }],
      ['no scope', { scopes: [] }],
      ['too many scopes', { scopes: Array(65).fill('read') }],
      ['scopes that are too long', { scopes: Array(5).fill('x'.repeat(2_000)) }],
      ['a scope that no database stores', { scopes: ['read\0'] }],
      ['no actor', { createdBy: '' }],
      ['an actor that no database stores', { createdBy: '\ud800' }],
      ['an end that is no time', { expiresAt: 1.5 }],
    ])('refuses %s, and never shows the hash', (_, fields) =>
      scoped(backend, async ({ store }) => {
        const token = tokenOf('ci', fields)
        const error = await store.access.put(token).catch((thrown: unknown) => thrown)
        expect(error).toMatchObject({ code: 'COORD_COMMIT_REFUSED', outcome: 'not_written' })
        expect((error as CoordinatorError).message).not.toContain(token.secretHash)
        expect((await store.access.load()).tokens).toEqual([])
      })(),
    )

    it(
      'refuses a revocation by nobody',
      scoped(backend, async ({ store }) => {
        const stored = await store.access.put(tokenOf('ci'))
        const codes = await codesOf(
          ['', '\0', 'x'.repeat(257)].map((by) => store.access.revoke(stored.id, by)),
        )
        expect(codes).toEqual(Array(3).fill('COORD_COMMIT_REFUSED'))
        expect((await store.access.load()).tokens).toEqual([stored])
      }),
    )

    it(
      'has another version after every change, and the same one as long as nothing changes',
      scoped(backend, async ({ store, caller }) => {
        const versions = [await versionOf(store)]
        const { id } = await store.access.put(tokenOf('ci'))
        versions.push(await versionOf(store))
        await store.access.put(tokenOf('other'))
        versions.push(await versionOf(store))
        await store.access.revoke(id, 'token:admin')
        versions.push(await versionOf(store))
        await store.access.require()
        versions.push(await versionOf(store))
        expect(new Set(versions).size).toBe(5)
        await caller.send(commitOf(put('a')), commitOf(put('b')))
        expect(await versionOf(store)).toBe(versions.at(-1))
      }),
    )

    it(
      'notes the newest revision when credentials are first demanded, and keeps it',
      scoped(backend, async ({ store, caller }) => {
        await caller.send(commitOf(put('a')), commitOf(put('b')))
        await store.access.require()
        const first = await store.access.load()
        expect(first.requiredSince).toBe(2)
        await caller.write(put('c'))
        await Promise.all([store.access.require(), store.access.require()])
        expect(await store.access.load()).toEqual(first)
        expect(await versionOf(store)).toBe(first.version)
      }),
    )

    it(
      'tells an empty store in which credentials are demanded from one in which they are not',
      scoped(backend, async ({ store }) => {
        await store.access.require()
        expect((await store.access.load()).requiredSince).toBe(0)
      }),
    )

    it(
      'leaves records, journal and head alone',
      scoped(backend, async ({ store, caller }) => {
        await caller.write(put('a'))
        const before = await store.head()
        const { id } = await store.access.put(tokenOf('ci'))
        await store.access.revoke(id, 'token:admin')
        await store.access.require()
        const { accessVersion, ...head } = await store.head()
        expect({ ...head, accessVersion: before.accessVersion }).toEqual(before)
        expect(accessVersion).not.toBe(before.accessVersion)
        expect(await caller.follow()).toEqual([])
        const contents = [
          await Array.fromAsync(store.load()),
          await Array.fromAsync(store.asOf({ revision: 1 })),
          await store.changes({ ...before.position, revision: 0, digest: before.position.lineage }, 10),
          await store.history('service', 'a'),
          (await store.inspector?.inspect()) ?? {},
        ]
        expect(JSON.stringify(contents)).not.toContain(tokenOf('ci').secretHash)
      }),
    )

    it(
      'is left alone by records, forks and compactions, also by records that look like tokens',
      scoped(backend, async ({ store, caller }) => {
        const { id } = await store.access.put(tokenOf('ci'))
        await store.access.put(tokenOf('other'))
        await store.access.revoke(id, 'token:admin')
        await store.access.require()
        const before = await store.access.load()
        const forged: StoredToken = {
          ...tokenOf('forged', { scopes: ['admin'] }),
          ...{ createdAt: 1, revokedAt: null, revokedBy: null },
        }
        await caller.write(
          ...['token', 'access', 'access_token', 'access_tokens'].flatMap((kind) => [
            put(forged.id, forged, { kind }),
            put(id, { ...forged, id, name: 'ci' }, { kind }),
          ]),
        )
        await caller.write(remove(id, { kind: 'access_tokens' }), put(id, { ...forged, id }))
        await store.compact(2)
        await store.fork(caller.position)
        expect(await store.access.load()).toEqual(before)
        expect(await versionOf(store)).toBe(before.version)
      }),
    )

    it(
      'gives it to a store that was opened again, where the store is durable',
      scoped(backend, async (scope) => {
        const { id } = await scope.store.access.put(tokenOf('ci'))
        await scope.store.access.put(tokenOf('other'))
        await scope.store.access.revoke(id, 'token:admin')
        await scope.store.access.require()
        const before = await scope.store.access.load()
        const { accessVersion } = await scope.reopen()
        if (backend.durable) {
          expect(accessVersion).toBe(before.version)
          expect(await scope.store.access.load()).toEqual(before)
          expect(await codesOf([scope.store.access.put(tokenOf('x', { name: 'ci' }))])).toEqual([
            'COORD_TOKEN_NAME_TAKEN',
          ])
        } else {
          expect(accessVersion).not.toBe(before.version)
          expect((await scope.store.access.load()).tokens).toEqual([])
        }
      }),
    )

    it(
      `shows its changes to a second store on the same data: ${backend.secondStore}`,
      scoped(backend, async ({ subject, store }) => {
        const second = await subject.beside()
        if (backend.secondStore === 'refused') {
          await expect(second.open()).rejects.toMatchObject({ code: 'COORD_STORE_LOCKED' })
          return
        }
        const shared = backend.secondStore === 'shared'
        await second.open()
        const before = await versionOf(second)
        const { id } = await store.access.put(tokenOf('ci'))
        const after = await versionOf(second)
        expect(after !== before).toBe(shared)
        expect(after === (await versionOf(store))).toBe(shared)
        const revoked = await codesOf([second.access.revoke(id, 'token:other')])
        expect(revoked).toEqual([shared ? undefined : 'COORD_TOKEN_NOT_FOUND'])
        expect((await store.access.load()).tokens[0]?.revokedBy).toBe(shared ? 'token:other' : null)
        expect((await versionOf(store)) !== after).toBe(true)
        const rivals = [store, second].map(({ access }, at) => access.put(tokenOf(`r${at}`, { name: 'one' })))
        const codes = await codesOf(rivals)
        expect(codes.filter((code) => code === undefined)).toHaveLength(shared ? 1 : 2)
      }),
    )

    it(
      'changes tokens while others commit',
      scoped(backend, async ({ store, caller }) => {
        const names = Array.from({ length: 10 }, (_, at) => `t${at}`)
        await Promise.all([
          ...names.map((name) => store.access.put(tokenOf(name))),
          ...names.map((name) => caller.store.commit(caller.position, [commitOf(put(name))], newCall())),
        ])
        const { tokens } = await store.access.load()
        expect(tokens.map(({ name }) => name).toSorted()).toEqual(names)
        expect((await store.head()).position.revision).toBe(10)
      }),
    )

    it(
      'loads more tokens than a page may have',
      scoped(
        backend,
        async ({ store }) => {
          const names = Array.from({ length: 12 }, (_, at) => `t${at}`)
          for (const name of names) await store.access.put(tokenOf(name))
          expect((await store.access.load()).tokens.map(({ name }) => name).toSorted()).toEqual(
            names.toSorted(),
          )
        },
        { pageSize: 5 },
      ),
    )

    it.each(Object.entries(calls))('throws a CoordinatorError from %s after close', (name, call) =>
      scoped(backend, async ({ store }) => {
        await store.close()
        const error = await call(store.access).catch((thrown: unknown) => thrown)
        expect(error).toBeInstanceOf(CoordinatorError)
        if (name !== 'load') expect(error).toMatchObject({ outcome: 'not_written' })
      })(),
    )
  })
}

function byId(left: StoredToken, right: StoredToken): number {
  return left.id < right.id ? -1 : 1
}
