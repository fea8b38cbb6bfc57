import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadMigrations, type Migration } from '../../src/database/migrations/migration.ts'
import { ledgerSql, migrationSql } from '../../src/database/migrations/postgres-sql.ts'
import { PostgresStore } from '../../src/database/postgres/store.ts'
import type { Store } from '../../src/database/store.ts'
import { commitOf, put, remove, tokenOf } from '../conformance/build.ts'
import { accepted, Caller, loadAll } from '../conformance/caller.ts'
import { storeOptions } from '../support/backends/postgres.ts'
import { PostgresServer, type PostgresVersion } from '../support/postgres.ts'
import { makeSupabaseRoles } from './supabase-roles.ts'

const migrations = loadMigrations('postgres')
const before = migrations.filter(({ version }) => version <= 8)

/** Commits as the program of schema 8 sends them, without a store of this program. */
const filling = [
  ['{"op":"put","kind":"service","id":"a","data":{"serviceName":"cart","dependencies":["payment"]}}', 1],
  ['{"op":"put","kind":"service","id":"b","data":{"serviceName":"payment"}}', 2],
  ['{"op":"put","kind":"node","id":"team:x","data":{"id":"team:x","label":"X"}}', 3],
  ['{"op":"put","kind":"service","id":"a","data":{"serviceName":"cart","v":2}}', 4],
  ['{"op":"delete","kind":"service","id":"b"}', 5],
] as const

describe.each([18, 15] as const)('a schema of number 8, on PostgreSQL %i', (version: PostgresVersion) => {
  let server: PostgresServer
  const store = (schema: string) => new PostgresStore(storeOptions(server, { schema }))

  beforeAll(async () => {
    server = await PostgresServer.start({ version })
    await makeSupabaseRoles(server)
  })
  afterAll(() => server.dispose())

  async function makeOld(schema: string, upTo: readonly Migration[] = before): Promise<void> {
    await server.query(`create schema ${schema}; ${ledgerSql(schema)}`)
    for (const migration of upTo)
      await server.query(`begin; ${migrationSql(schema, migration, 'with the text')} commit`)
    for (const [write, attempt] of filling)
      await server.query(
        `select ${schema}.commit(jsonb_build_object('schema', 8, 'limit', 10,
          'call', jsonb_build_object('writer', '00000000-0000-4000-8000-000000000001', 'attempt', ${attempt}),
          'after', (select jsonb_build_object('lineage', lineage, 'revision', revision, 'digest', digest) from ${schema}.head),
          'batch', jsonb_build_array(jsonb_build_object('commitId', gen_random_uuid(), 'actor', 'old', 'writes', jsonb_build_array('${write}'::jsonb)))))`,
      )
    const token = JSON.stringify({ schema: 8, token: tokenOf('ci') })
    await server.query(`select ${schema}.access_put('${token}')`)
    await server.query(`select ${schema}.compact('{"schema": 8, "floor": 2, "limit": 100}')`)
  }

  /** Everything but what the migration itself changes. */
  async function contentOf(schema: string): Promise<unknown> {
    const tables = ['records', 'tombstones', 'journal', 'unchanged', 'writers', 'access_tokens']
    const rows = []
    for (const table of tables)
      rows.push(await server.query(`select to_jsonb(t) as row from ${schema}.${table} t order by 1`))
    const [head] = await server.query<{ head: Record<string, unknown> }>(
      `select to_jsonb(h) - 'schema_number' - 'oldest_writer' - 'ancestors' - 'mode' as head from ${schema}.head h`,
    )
    return { rows, head: head?.head }
  }

  async function withOpen(schema: string, body: (opened: Store) => Promise<void>): Promise<void> {
    const opened = store(schema)
    try {
      await opened.open()
      await body(opened)
    } finally {
      await opened.close()
    }
  }

  it('is migrated with its data, and is then like a new one', async () => {
    await makeOld('old')
    const content = await contentOf('old')
    await withOpen('old', async (opened) => {
      expect(await contentOf('old')).toEqual(content)
      expect(await opened.migrator?.verify()).toEqual([])
      expect(await opened.head()).toMatchObject({ position: { revision: 5 }, floor: 2, ancestors: [] })
      expect((await loadAll(opened)).records.map(({ id, revision }) => [id, revision])).toEqual([
        ['team:x', 3],
        ['a', 4],
      ])
      expect((await opened.access.load()).tokens.map(({ name }) => name)).toEqual(['ci'])
      const caller = await Caller.at(opened)
      accepted(await caller.write(put('c')))
      accepted(await caller.write(remove('a')))
    })
  })

  it('is read by the program of schema 8 after that, and no longer written: it does not know namespaces', async () => {
    await makeOld('shared')
    const [{ position } = { position: undefined }] = await server.query<{ position: object }>(
      `select jsonb_build_object('lineage', lineage, 'revision', revision, 'digest', digest) as position from shared.head`,
    )
    await withOpen('shared', async () => undefined)
    const call = async (name: string, argument: object) => {
      const [row] = await server.query<{ reply: Record<string, unknown> }>(
        `select shared.${name}('${JSON.stringify(argument)}') as reply`,
      )
      return row?.reply
    }
    expect(await call('changes', { after: position, limit: 10 })).toMatchObject({ status: 'ok' })
    const writer = { writer: '00000000-0000-4000-8000-000000000001', attempt: 9 }
    const commit = { schema: 8, call: writer, after: position, limit: 10, batch: [commitOf(put('d'))] }
    expect(await call('commit', commit)).toMatchObject({ status: 'too_old', oldest: 9 })
    expect(await call('fork', { schema: 8, from: position })).toMatchObject({ status: 'too_old' })
  })

  it('keeps what others built upon its views, and is migrated though a view was dropped', async () => {
    await makeOld('viewed')
    await server.query(
      `create view viewed.mine as select n.label from viewed.graph_nodes n; drop view viewed.graph_edges`,
    )
    await withOpen('viewed', async (opened) => {
      expect(await server.query('select label from viewed.mine')).toEqual([{ label: 'X' }])
      expect(await opened.migrator?.verify()).toEqual([])
    })
  })

  it('has no head when it is migrated, which the command mends', async () => {
    await makeOld('headless')
    await server.query('set session_replication_role = replica; delete from headless.head')
    const opened = store('headless')
    try {
      await expect(opened.open()).rejects.toMatchObject({ code: 'COORD_STORE_DAMAGED' })
      const head = await opened.mendHead()
      expect(head.position.revision).toBe(5)
      expect(await opened.open()).toEqual(head)
      expect((await opened.inspector.inspect()).schemaVersion).toBe(migrations.length)
    } finally {
      await opened.close()
    }
  })
})
