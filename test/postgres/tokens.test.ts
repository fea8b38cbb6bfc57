import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { PostgresOptions } from '../../src/database/postgres/options.ts'
import { PostgresStore } from '../../src/database/postgres/store.ts'
import type { AccessStore } from '../../src/database/store.ts'
import { put, tokenOf } from '../conformance/build.ts'
import { Caller } from '../conformance/caller.ts'
import { storeOptions } from '../support/backends/postgres.ts'
import { FaultProxy } from '../support/fault-proxy.ts'
import { itUnless } from '../support/it-with.ts'
import { dump, noPgDump, restoreDump } from '../support/pg-dump.ts'
import { PostgresServer } from '../support/postgres.ts'

let server: PostgresServer
let proxy: FaultProxy
let schema: string
let made = 0

beforeAll(async () => {
  // The same version as `pg_dump`.
  server = await PostgresServer.start({ version: 15 })
  proxy = await FaultProxy.start(server.port)
})
afterAll(async () => {
  await proxy.refuse()
  await server.dispose()
})

beforeEach(() => {
  made += 1
  schema = `tokens_${made}`
})

/** Runs `body` with an open store whose line to the server goes through the proxy. */
async function withStore(
  body: (store: PostgresStore) => Promise<void>,
  options: Partial<PostgresOptions> = {},
): Promise<void> {
  const { target, ...rest } = storeOptions(server, { schema, ...options })
  const hosts = [{ host: '127.0.0.1', port: proxy.port }]
  const store = new PostgresStore({ ...rest, target: { ...target, hosts } })
  try {
    await store.open()
    await body(store)
  } finally {
    proxy.heal()
    await store.close()
  }
}

const changes: readonly (readonly [name: string, call: (access: AccessStore) => Promise<unknown>])[] = [
  ['put', (access) => access.put(tokenOf('new'))],
  ['revoke', (access) => access.revoke(tokenOf('ci').id, 'token:admin')],
  ['require', (access) => access.require()],
]

describe('faults', () => {
  it.each(changes)(
    'of a line that is lost after %s leave its outcome unknown, and it may be called again',
    (name, call) =>
      withStore(async ({ access }) => {
        await access.put(tokenOf('ci'))
        proxy.add({ matching: `access_${name}`, times: 1, fault: { do: 'lose reply' } })
        await expect(call(access)).rejects.toMatchObject({
          code: 'COORD_STORE_UNAVAILABLE',
          outcome: 'unknown',
          retryable: true,
        })
        const before = await access.load()
        await call(access)
        expect(await access.load()).toEqual(before)
      }),
  )

  it('of a line that is lost while tokens are loaded are no shorter list', () =>
    withStore(async ({ access }) => {
      for (let at = 0; at < 20; at += 1) await access.put(tokenOf(`t${at}`))
      proxy.add({ matching: 'access_load', times: 1, fault: { do: 'cut reply', afterBytes: 2_000 } })
      await expect(access.load()).rejects.toMatchObject({ code: 'COORD_STORE_UNAVAILABLE' })
      expect((await access.load()).tokens).toHaveLength(20)
    }))

  it('of others who change tokens meanwhile mix no two versions', () =>
    withStore(
      async (store) => {
        const known = new Map<string, number>()
        let done = false
        const writer = new PostgresStore(storeOptions(server, { schema, autoMigrate: false }))
        const writing = (async () => {
          for (let at = 1; at <= 40; at += 1) {
            await writer.access.put(tokenOf(`t${at}`))
            known.set((await writer.head()).accessVersion, at)
          }
          done = true
        })()
        const loaded: (readonly [version: string, tokens: number])[] = []
        while (!done) {
          const state = await store.access.load().catch((thrown: unknown) => {
            expect(thrown).toMatchObject({ code: 'COORD_STORE_BUSY', retryable: true })
          })
          if (state !== undefined && state.tokens.length > 0)
            loaded.push([state.version, state.tokens.length])
        }
        await writing
        await writer.close()
        for (const [version, tokens] of loaded) expect(tokens).toBe(known.get(version))
        expect((await store.access.load()).tokens).toHaveLength(40)
      },
      { pageSize: 3 },
    ))

  it('of a server that takes no writes say that it is a standby', () =>
    withStore(async ({ access }) => {
      await access.put(tokenOf('ci'))
      await server.query(`alter role postgres set default_transaction_read_only = on`)
      try {
        const reader = new PostgresStore(storeOptions(server, { schema, autoMigrate: false }))
        for (const [, call] of changes)
          await expect(call(reader.access)).rejects.toMatchObject({
            code: 'COORD_STORE_STANDBY',
            outcome: 'not_written',
          })
        await reader.close()
      } finally {
        await server.query(
          'begin read write; alter role postgres reset default_transaction_read_only; commit',
        )
      }
      expect((await access.load()).tokens).toMatchObject([{ name: 'ci', revokedAt: null }])
    }))

  it('of a role without the rights say so', async () => {
    await withStore(async ({ access }) => void (await access.put(tokenOf('ci'))))
    await server.query(`create role weak_${made} login bypassrls; grant usage on schema ${schema} to weak_${made};
      grant execute on all functions in schema ${schema} to weak_${made};
      grant select, update on ${schema}.head to weak_${made}`)
    const store = new PostgresStore(
      storeOptions(server, { schema, role: `weak_${made}`, autoMigrate: false }),
    )
    await expect(store.access.load()).rejects.toMatchObject({ code: 'COORD_STORE_RIGHTS' })
    const refused = { code: 'COORD_STORE_RIGHTS', outcome: 'not_written' }
    await expect(store.access.put(tokenOf('new'))).rejects.toMatchObject(refused)
    await expect(store.access.revoke(tokenOf('ci').id, 'me')).rejects.toMatchObject(refused)
    await store.close()
  })

  it('of a transaction that keeps the head are busy after 5 seconds, and nothing is written', () =>
    withStore(async ({ access }) => {
      const before = await access.load()
      const hand = await server.leaveOpen(`select from ${schema}.head for update`)
      await expect(access.put(tokenOf('ci'))).rejects.toMatchObject({
        code: 'COORD_STORE_BUSY',
        outcome: 'not_written',
      })
      await hand[Symbol.asyncDispose]()
      expect(await access.load()).toEqual(before)
    }))

  it('of head and journal that contradict each other keep nobody from revoking a token', () =>
    withStore(async (store) => {
      await store.access.put(tokenOf('ci'))
      await (await Caller.at(store)).write(put('a'))
      await server.query(`select set_config('${schema}.writer', 'on', true); delete from ${schema}.journal`)
      await expect(store.head()).rejects.toMatchObject({ code: 'COORD_STORE_DAMAGED' })
      expect((await store.access.revoke(tokenOf('ci').id, 'token:admin')).revokedBy).toBe('token:admin')
      expect((await store.access.load()).tokens).toMatchObject([{ revokedBy: 'token:admin' }])
    }))
})

describe('a schema that was made for an older program', () => {
  it('refuses every change by a program that may no longer write', () =>
    withStore(async ({ access }) => {
      await access.put(tokenOf('ci'))
      await server.query(
        `select set_config('${schema}.writer', 'on', true); update ${schema}.head set oldest_writer = 1000`,
      )
      for (const [, call] of changes)
        await expect(call(access)).rejects.toMatchObject({
          code: 'COORD_SCHEMA_NEWER',
          outcome: 'not_written',
        })
      expect((await access.load()).tokens).toMatchObject([{ revokedAt: null }])
    }))
})

describe('answers of the other functions', () => {
  it('hold nothing of a token', () =>
    withStore(async (store) => {
      const token = tokenOf('canary', { createdBy: 'CANARY' })
      await store.access.put(token)
      const { position } = await store.head()
      const argument = JSON.stringify({
        ...{
          schema: 9,
          after: position,
          from: position,
          limit: 10,
          kind: 'a',
          id: 'b',
          revision: 0,
          floor: 0,
        },
        ...{ call: { writer: position.lineage, attempt: 1 }, batch: [] },
      }).replaceAll("'", "''")
      for (const name of [
        'head',
        'load',
        'changes',
        'history',
        'as_of',
        'inspect',
        'migrations',
        'catalog',
        'commit',
        'compact',
        'fork',
      ]) {
        const [row] = await server.query<{ reply: unknown }>(
          `select ${schema}.${name}('${argument}') as reply`,
        )
        const text = JSON.stringify(row)
        // The functions are in the list of migrations and in the catalog.
        for (const secret of [token.id, token.secretHash, 'CANARY']) expect(text, name).not.toContain(secret)
        if (name === 'head') expect(text).toContain('accessVersion')
      }
      const examined = await store.inspector.examine()
      expect(JSON.stringify(examined)).not.toContain(token.secretHash)
    }))
})

describe('a dump', () => {
  const test = itUnless(noPgDump)

  test('brings the tokens back as they were: what was revoked stays revoked', () =>
    withStore(async (store) => {
      await store.access.put(tokenOf('ci'))
      await store.access.put(tokenOf('other'))
      await store.access.revoke(tokenOf('ci').id, 'token:admin')
      await store.access.require()
      const before = await store.access.load()
      const sql = await dump(server, '-n', schema)
      await store.access.revoke(tokenOf('other').id, 'token:admin')
      const newer = await store.access.load()
      await server.query(`drop schema ${schema} cascade`)
      await restoreDump(server, sql)
      const { position, accessVersion } = await store.head()
      // Coordinators that knew the newer tokens see another version, and load them again.
      expect(accessVersion).not.toBe(newer.version)
      await store.fork(position)
      expect(await store.access.load()).toEqual(before)
      expect(await store.migrator.verify()).toEqual([])
    }))

  test('of the tokens alone cannot be poured into a schema: it would revive what was revoked since', () =>
    withStore(async (store) => {
      await store.access.put(tokenOf('ci'))
      const sql = await dump(server, '--data-only', '-t', `${schema}.access_tokens`)
      expect(sql).toContain(tokenOf('ci').secretHash)
      await store.access.revoke(tokenOf('ci').id, 'token:admin')
      const before = await store.access.load()
      await expect(restoreDump(server, sql)).rejects.toThrow('by hand is refused')
      expect(await store.access.load()).toEqual(before)
    }))
})
