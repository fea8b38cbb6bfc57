import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { examineStore } from '../../src/database/examine-store.ts'
import { loadMigrations } from '../../src/database/migrations/migration.ts'
import { ledgerSql, migrationSql } from '../../src/database/migrations/postgres-sql.ts'
import { PostgresStore } from '../../src/database/postgres/store.ts'
import { commitOf, put, remove, tokenOf } from '../conformance/build.ts'
import { accepted, Caller, loadAll, recordsAsOf } from '../conformance/caller.ts'
import { storeOptions } from '../support/backends/postgres.ts'
import { PostgresServer, type PostgresVersion } from '../support/postgres.ts'
import { makeSupabaseRoles } from './supabase-roles.ts'

const migrations = loadMigrations('postgres')
const before = migrations.filter(({ version }) => version <= 9)
const writer = '00000000-0000-4000-8000-000000000001'
const keyed = '00000000-0000-4000-8000-00000000000a'

/** Commits as the program of schema 9 sends them; the second one came with an `Idempotency-Key`. */
const filling = [
  `{"commitId": "00000000-0000-4000-8000-00000000000f", "writes": [{"op":"put","kind":"service","id":"a","data":{"v":1}}]}`,
  `{"commitId": "${keyed}", "fingerprint": "one", "writes": [{"op":"put","kind":"service","id":"b","data":{"v":1}}]}`,
  `{"commitId": "00000000-0000-4000-8000-00000000000c", "writes": [{"op":"put","kind":"service","id":"a","data":{"v":2}}]}`,
  `{"commitId": "00000000-0000-4000-8000-00000000000d", "writes": [{"op":"delete","kind":"service","id":"b"}]}`,
]

describe.each([18, 15] as const)('a schema of number 9, on PostgreSQL %i', (version: PostgresVersion) => {
  let server: PostgresServer

  beforeAll(async () => {
    server = await PostgresServer.start({ version })
    await makeSupabaseRoles(server)
  })
  afterAll(() => server.dispose())

  async function makeOld(schema: string): Promise<void> {
    await server.query(`create schema ${schema}; ${ledgerSql(schema)}`)
    for (const migration of before)
      await server.query(`begin; ${migrationSql(schema, migration, 'with the text')} commit`)
    for (const [index, commit] of filling.entries()) await commitOld(schema, commit, index + 1)
    await server.query(
      `select ${schema}.access_put('${JSON.stringify({ schema: 9, token: tokenOf('ci') })}');
       select ${schema}.compact('{"schema": 9, "floor": 1, "limit": 100}')`,
    )
  }

  /** The reply to one commit. */
  async function commitOld(schema: string, commit: string, attempt: number): Promise<unknown> {
    const [row] = await server.query<{ reply: unknown }>(oldCommit(schema, commit, attempt))
    return row?.reply
  }

  function oldCommit(schema: string, commit: string, attempt: number): string {
    return `select ${schema}.commit(jsonb_build_object('schema', 9, 'limit', 10,
        'call', jsonb_build_object('writer', '${writer}', 'attempt', ${attempt}),
        'after', (select jsonb_build_object('lineage', lineage, 'revision', revision, 'digest', digest) from ${schema}.head),
        'batch', jsonb_build_array('{"actor": "old"}'::jsonb || '${commit}'))) as reply`
  }

  async function withOpen(schema: string, body: (store: PostgresStore) => Promise<void>): Promise<void> {
    const store = new PostgresStore(storeOptions(server, { schema }))
    try {
      await store.open()
      await body(store)
    } finally {
      await store.close()
    }
  }

  it('is migrated with its data, is open, and is then like a new one', async () => {
    await makeOld('old')
    await withOpen('old', async (store) => {
      expect(await store.migrator.verify()).toEqual([])
      expect(await store.head()).toMatchObject({ mode: 'open', position: { revision: 4 }, floor: 1 })
      expect(await examineStore(store.inspector)).toEqual({ damages: [], count: 0 })
      expect((await recordsAsOf(store, { revision: 3 })).records.map(({ id, data }) => id + data)).toEqual([
        'a{"v":2}',
        'b{"v":1}',
      ])
      const caller = await Caller.at(store)
      accepted(await caller.write(put('c')))
      accepted(await caller.write(remove('a')))
      expect((await loadAll(store)).records.map(({ id }) => id)).toEqual(['c'])
    })
  })

  it('gives its entries with the fingerprints that it has kept, so that a copy knows the keys of its clients', async () => {
    await makeOld('source')
    await withOpen('source', async (source) => {
      const [floor] = await Array.fromAsync(source.asOf({ revision: 1 }))
      const position = floor?.position as NonNullable<typeof floor>['position']
      const reply = await source.changes(position, 10)
      if (reply.status !== 'ok') throw new Error(reply.status)
      expect(reply.entries.map(({ fingerprint }) => fingerprint)).toEqual(['one', undefined, undefined])
      await withOpen('target', async (target) => {
        await target.setMode('open', 'seeding')
        await target.seed({ position, at: 1, ancestors: [] }, floor?.records ?? [])
        await target.replay(position, reply.entries)
        await target.setMode('seeding', 'open')
        expect(await loadAll(target)).toEqual(await loadAll(source))
        const caller = await Caller.at(target)
        const again = { ...commitOf(put('x')), commitId: keyed, fingerprint: 'one' }
        const results = await caller.send(again, { ...again, fingerprint: 'two' })
        expect(results).toMatchObject([
          { outcome: 'accepted', replayed: true, revision: 2 },
          { outcome: 'reused', revision: 2 },
        ])
      })
    })
  })

  it('is migrated under sessions that go on: each of them reads and writes as before', async () => {
    await makeOld('busy')
    const client = new pg.Client({ connectionString: server.url() })
    await client.connect()
    const ask = async (sql: string) => (await client.query(sql)).rows[0]?.reply
    const commit = (n: number) =>
      `{"commitId": "00000000-0000-4000-8000-2000000000${n}0", "writes": [{"op":"put","kind":"service","id":"s","data":{"v":${n}}}]}`
    const reading = [
      `head('{}')`,
      `load('{"limit": 10}')`,
      `history('{"kind": "service", "id": "s", "limit": 10}')`,
      `as_of('{"revision": 5, "limit": 10}')`,
      `access_load('{}')`,
      `inspect('{}')`,
      `examine('{"limit": 10}')`,
      `compact('{"schema": 9, "floor": 2, "limit": 10}')`,
    ].map((call) => `select busy.${call} as reply`)
    try {
      // Each statement more than five times, so that the session has a plan of its own for it.
      for (let n = 1; n <= 8; n += 1) {
        expect(await ask(oldCommit('busy', commit(n), 30 + n))).toMatchObject({ status: 'ok' })
        for (const sql of reading) expect(await ask(sql)).toMatchObject({ status: 'ok' })
      }
      await withOpen('busy', async () => undefined)
      expect(await ask(oldCommit('busy', commit(9), 39))).toMatchObject({
        status: 'ok',
        results: [[13, expect.any(String), [12]]],
      })
      for (const sql of reading) expect(await ask(sql)).toMatchObject({ status: 'ok' })
      expect(await ask(`select busy.head('{}') as reply`)).toMatchObject({ revision: 13, mode: 'open' })
    } finally {
      await client.end()
    }
  })

  it('is still written by the program of schema 9 after that, as long as it is open', async () => {
    await makeOld('shared')
    await withOpen('shared', async (store) => {
      const commit = (n: number) =>
        `{"commitId": "00000000-0000-4000-8000-1000000000${n}0", "writes": [{"op":"put","kind":"service","id":"d","data":{"v":${n}}}]}`
      expect(await commitOld('shared', commit(1), 21)).toMatchObject({
        status: 'ok',
        results: [[5, expect.any(String), [0]]],
      })
      await store.setMode('open', 'frozen')
      expect(await commitOld('shared', commit(2), 22)).toMatchObject({ status: 'too_old', oldest: 10 })
      await store.setMode('frozen', 'open')
      expect(await commitOld('shared', commit(2), 23)).toMatchObject({
        status: 'ok',
        results: [[6, expect.any(String), [5]]],
      })
    })
  })
})
