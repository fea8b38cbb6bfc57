import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { emitSupabase } from '../../src/database/migrations/emit-supabase.ts'
import { checksumOf, loadMigrations } from '../../src/database/migrations/migration.ts'
import { splitStatements } from '../../src/database/migrations/split-statements.ts'
import { PostgresStore } from '../../src/database/postgres/store.ts'
import { commitOf, newCall, put } from '../conformance/build.ts'
import { accepted, Caller, loadAll } from '../conformance/caller.ts'
import { storeOptions } from '../support/backends/postgres.ts'
import { PostgresServer } from '../support/postgres.ts'
import { makeSupabaseRoles } from './supabase-roles.ts'

const target = loadMigrations('postgres').length

let server: PostgresServer
let schema: string
let made = 0

beforeAll(async () => {
  server = await PostgresServer.start()
})
afterAll(() => server.dispose())

beforeEach(() => {
  made += 1
  schema = `migrating_${made}`
})

async function withStore<T>(
  body: (store: PostgresStore) => Promise<T>,
  options: Parameters<typeof storeOptions>[1] = {},
): Promise<T> {
  const store = new PostgresStore(storeOptions(server, { schema, ...options }))
  try {
    return await body(store)
  } finally {
    await store.close()
  }
}

const tablesOf = (name: string) =>
  server.query(
    `select 1 from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = '${name}'`,
  )

/** Sets what the schema says about its own age. */
const stamp = (sql: string) =>
  server.query(`begin; select set_config('${schema}.writer', 'on', true); ${sql}; commit`)

describe('migrating', () => {
  it('is done by opening, and done once', async () => {
    const migrated: object[] = []
    const onMigrated = (step: object) => void migrated.push(step)
    await withStore((store) => store.open(), { onMigrated })
    expect(migrated).toEqual([{ from: 0, to: target }])
    const ran = await server.query(`select version, applied_at from ${schema}.migrations order by 1`)
    expect(ran).toHaveLength(target)
    const report = await withStore(
      async (store) => {
        await store.open()
        return store.migrator.status()
      },
      { onMigrated },
    )
    expect(migrated).toHaveLength(1)
    expect(report).toMatchObject({ current: target, target })
    expect(report.steps.every(({ state, appliedAt }) => state === 'applied' && appliedAt !== undefined)).toBe(
      true,
    )
    expect(await server.query(`select version, applied_at from ${schema}.migrations order by 1`)).toEqual(ran)
  })

  it('is done once by eight programs that start together', async () => {
    const heads = await Promise.all(Array.from({ length: 8 }, () => withStore((store) => store.open())))
    expect(new Set(heads.map(({ position }) => position.lineage)).size).toBe(1)
    expect(await server.query(`select 1 from ${schema}.migrations`)).toHaveLength(target)
    expect(await withStore((store) => store.migrator.verify())).toEqual([])
  })

  it('leaves nothing behind where a migration fails', async () => {
    await server.query(
      `create schema ${schema}; create function ${schema}.argument(p jsonb) returns text language sql as 'select 1::text'`,
    )
    await expect(withStore((store) => store.open())).rejects.toMatchObject({ name: 'CoordinatorError' })
    const rows = await server.query<{ version: number }>(`select version from ${schema}.migrations`)
    expect(rows.map(({ version }) => version)).toEqual([1])
    expect(
      await server.query(`select 1 from pg_proc where pronamespace = '${schema}'::regnamespace`),
    ).toHaveLength(1)
    await server.query(`drop function ${schema}.argument(jsonb)`)
    await withStore((store) => store.open())
    expect(await withStore((store) => store.migrator.verify())).toEqual([])
  })

  it('only tries in a dry run: it says what would run and which locks it takes, and nothing is there afterwards', async () => {
    const report = await withStore((store) => store.migrator.migrate({ dryRun: true }))
    expect(report).toMatchObject({ current: 0, target })
    expect(report.steps.map(({ state }) => state)).toEqual(Array(target).fill('pending'))
    expect(report.locks).toContain('AccessExclusiveLock on records')
    expect(await tablesOf(schema)).toEqual([])
  })

  it('tells in a dry run of the strongest lock on each table, however weak, that keeps others from working', async () => {
    await withStore((store) => store.open())
    await server.query(`delete from ${schema}.migrations where name = 'changes-by-hand'`)
    const { locks } = await withStore((store) => store.migrator.migrate({ dryRun: true }))
    expect(locks).toEqual(
      ['access_tokens', 'head', 'journal', 'records', 'tombstones', 'unchanged', 'writers'].map(
        (table) => `ShareRowExclusiveLock on ${table}`,
      ),
    )
  })

  it('names a failure of the dry run, too', async () => {
    await server.query(
      `create schema ${schema}; create function ${schema}.argument(p jsonb) returns text language sql as 'select 1::text'`,
    )
    await expect(withStore((store) => store.migrator.migrate({ dryRun: true }))).rejects.toMatchObject({
      name: 'CoordinatorError',
    })
    expect(await tablesOf(schema)).toEqual([])
  })

  it('shows what changed in a migration that ran with another text, and goes on', async () => {
    await withStore((store) => store.open())
    await server.query(
      `update ${schema}.migrations set checksum = 'other', source = 'select 1;' where version = 2`,
    )
    const { steps } = await withStore((store) => store.migrator.status())
    expect(steps[1]).toMatchObject({ version: 2, state: 'changed' })
    expect(steps[1]?.diff).toMatch(/^- select 1;$/m)
    await withStore((store) => store.open())
  })

  it('needs no right to make schemas where one was made for it', async () => {
    await server.query(`create role owner_${made} login; create schema ${schema} authorization owner_${made}`)
    const store = new PostgresStore(storeOptions(server, { schema, role: `owner_${made}` }))
    accepted(await new Caller(store, (await store.open()).position).write(put('a')))
    await store.close()
  })

  it.each([
    ['may make nothing in the schema public', 'revoke create on schema public from public'],
    ['has no schema public', 'drop schema public cascade'],
  ])('works where a role %s, though the server knows the roles of Supabase', async (_what, prepare) => {
    await makeSupabaseRoles(server)
    await server.query(`create database db_${made}`)
    await server.query(`create role owner_${made} login`)
    await server.query(`${prepare}; create schema ${schema} authorization owner_${made}`, `db_${made}`)
    await withStore(
      async (store) => {
        accepted(await new Caller(store, (await store.open()).position).write(put('a')))
        expect(await store.migrator.verify()).toEqual([])
      },
      { role: `owner_${made}`, database: `db_${made}` },
    )
  })

  it('touches no schema of another program', async () => {
    await server.query(`create schema ${schema}; create table ${schema}.records (title text)`)
    await expect(withStore((store) => store.open())).rejects.toMatchObject({
      code: 'COORD_SCHEMA_FOREIGN',
      retryable: false,
    })
    await server.query(`create table ${schema}.migrations (id integer)`)
    await expect(withStore((store) => store.open())).rejects.toMatchObject({ code: 'COORD_SCHEMA_FOREIGN' })
    expect(
      await server.query(
        `select column_name from information_schema.columns where table_schema = '${schema}' order by 1`,
      ),
    ).toEqual([{ column_name: 'id' }, { column_name: 'title' }])
  })
})

describe('a schema that does not fit', () => {
  it('is refused where it is missing and may not be made', async () => {
    await expect(withStore((store) => store.open(), { autoMigrate: false })).rejects.toMatchObject({
      code: 'COORD_SCHEMA_OLD',
      exitCode: 78,
    })
    expect(await tablesOf(schema)).toEqual([])
  })

  it('is refused where it is older and may not be brought up to date', async () => {
    await withStore((store) => store.open())
    await server.query(`delete from ${schema}.migrations where version = ${target}`)
    await expect(withStore((store) => store.open(), { autoMigrate: false })).rejects.toMatchObject({
      code: 'COORD_SCHEMA_OLD',
    })
    await withStore((store) => store.open())
    expect((await withStore((store) => store.migrator.status())).current).toBe(target)
  })

  it('that is newer is written as long as it says that this program may', async () => {
    await withStore((store) => store.open())
    await server.query(`insert into ${schema}.migrations values (${target + 1}, 'later', 'x', 'select 1')`)
    await stamp(`update ${schema}.head set schema_number = ${target + 1}`)
    await withStore(async (store) => {
      const caller = new Caller(store, (await store.open()).position)
      accepted(await caller.write(put('a')))
      const { current, steps } = await store.migrator.status()
      expect(current).toBe(target + 1)
      expect(steps.at(-1)).toMatchObject({ name: 'later', state: 'unknown' })
    })
  })

  it('that is too new is read, never written', async () => {
    await withStore(async (store) => {
      const { position } = await store.open()
      const caller = new Caller(store, position)
      accepted(await caller.write(put('a')))
      await stamp(`update ${schema}.head set schema_number = ${target + 2}, oldest_writer = ${target + 1}`)
      const refusal = { code: 'COORD_SCHEMA_NEWER', outcome: 'not_written', retryable: false }
      await expect(store.commit(caller.position, [commitOf(put('b'))], newCall())).rejects.toMatchObject(
        refusal,
      )
      await expect(store.compact(1)).rejects.toMatchObject(refusal)
      await expect(store.fork(caller.position)).rejects.toMatchObject(refusal)
      expect((await loadAll(store)).records.map(({ id }) => id)).toEqual(['a'])
      expect((await store.head()).position).toEqual(caller.position)
      expect(await store.changes(position, 10)).toMatchObject({ status: 'ok', entries: [{ revision: 1 }] })
    })
  })
})

describe('the file for Supabase', () => {
  it('makes the same schema, and may be applied again over what it holds', async () => {
    await makeSupabaseRoles(server)
    const { name, sql } = emitSupabase({ schema, now: new Date('2026-01-02T03:04:05Z') })
    expect(name).toBe(`20260102030405_coordinator_${target}.sql`)
    await server.query(`begin; ${sql} commit`)
    await withStore(async (store) => {
      const caller = new Caller(store, (await store.open()).position)
      accepted(await caller.write(put('a')))
      expect(await store.migrator.verify()).toEqual([])
      await server.query(`begin; ${sql} commit`)
      expect(await store.migrator.verify()).toEqual([])
      expect((await store.migrator.status()).steps.every(({ state }) => state === 'applied')).toBe(true)
      accepted(await caller.write(put('b')))
    })
  })

  it('lets the public key in only where that is asked for, and takes that back', async () => {
    await makeSupabaseRoles(server)
    expect(emitSupabase({ schema }).sql).not.toMatch(/to anon;/)
    for (const [choice, allowed] of [
      [{ allowAnon: true }, true],
      [{}, true],
      [{ forbidAnon: true }, false],
    ] as const) {
      await server.query(emitSupabase({ schema, ...choice }).sql)
      await withStore(async (store) => {
        await store.open()
        expect(await store.migrator.verify()).toEqual([])
        expect((await store.inspector.inspect()).details['anonAllowed']).toBe(allowed)
      })
    }
  })

  it('makes functions of the Data API anew that a backup of the schema alone lacks', async () => {
    await makeSupabaseRoles(server)
    const wrappers = () =>
      server.query<{ name: string }>(
        `select proname as name from pg_proc where pronamespace = 'public'::regnamespace and proname like '${schema}\\_%' order by 1`,
      )
    await server.query(emitSupabase({ schema }).sql)
    const made = await wrappers()
    expect(made).toHaveLength(22)
    for (const { name } of made) await server.query(`drop function public.${name}(jsonb)`)
    expect(await wrappers()).toEqual([])
    await server.query(emitSupabase({ schema }).sql)
    expect(await wrappers()).toEqual(made)
    const [{ allowed } = { allowed: false }] = await server.query<{ allowed: boolean }>(
      `select has_function_privilege('service_role', 'public.${schema}_head(jsonb)', 'execute') as allowed`,
    )
    expect(allowed).toBe(true)
  })

  it('runs each version once, so that a later one may drop views and functions and make them anew', async () => {
    await makeSupabaseRoles(server)
    await server.query(emitSupabase({ schema }).sql)
    const sql = `drop view @schema@.services;
create view @schema@.services with (security_invoker = true) as select r.revision, r.id from @schema@.records r;
drop function @schema@.digest_at;
create function @schema@.digest_at(h @schema@.head, at_revision bigint) returns varchar language sql as 'select h.digest';`
    const later = { version: target + 1, name: 'later', sql, checksum: checksumOf(sql), oldestWriter: 1 }
    const file = emitSupabase({ schema, migrations: [...loadMigrations('postgres'), later] }).sql
    const applied = async () => {
      await server.query(file)
      const columns = await server.query<{ name: string }>(
        `select attname as name from pg_attribute where attrelid = '${schema}.services'::regclass order by attnum`,
      )
      return columns.map(({ name }) => name)
    }
    expect(await applied()).toEqual(['revision', 'id'])
    expect(await applied()).toEqual(['revision', 'id'])
    expect(await server.query(`select version, source from ${schema}.migrations order by version`)).toEqual(
      Array.from({ length: target + 1 }, (_, index) => ({ version: index + 1, source: '' })),
    )
    expect(await server.query(`select schema_number as number from ${schema}.head`)).toEqual([
      { number: target + 1 },
    ])
  })

  it('may be applied statement by statement, as psql does it, and once more', async () => {
    await makeSupabaseRoles(server)
    for (const allowAnon of [true, false])
      for (const statement of splitStatements(emitSupabase({ schema, allowAnon }).sql))
        await server.query(statement)
    await withStore(async (store) => {
      await store.open()
      expect(await store.migrator.verify()).toEqual([])
      expect((await store.inspector.inspect()).schemaVersion).toBe(target)
      expect((await store.inspector.inspect()).details['anonAllowed']).toBe(true)
    })
  })
})

describe('the statements of a file', () => {
  it('end at semicolons outside of texts, names, comments and bodies', () => {
    const sql = `-- first; comment
select ';', "a;b"; -- second;
create function f() as $$ a; 'b' $$;
do $x$ begin; $$;$$ end $x$; select 'it''s;'`
    expect(splitStatements(sql)).toEqual([
      `select ';', "a;b";`,
      `create function f() as $$ a; 'b' $$;`,
      `do $x$ begin; $$;$$ end $x$;`,
    ])
  })
})
