import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { allowAnonSql, forbidAnonSql } from '../../src/database/migrations/emit-supabase.ts'
import { loadMigrations } from '../../src/database/migrations/migration.ts'
import { splitStatements } from '../../src/database/migrations/split-statements.ts'
import { PostgresStore } from '../../src/database/postgres/store.ts'
import { newCall, tokenOf } from '../conformance/build.ts'
import { storeOptions } from '../support/backends/postgres.ts'
import { PostgresServer } from '../support/postgres.ts'
import { makeSupabaseRoles } from './supabase-roles.ts'

const reading = [
  ...['head', 'load', 'changes', 'history', 'as_of', 'inspect', 'examine', 'migrations', 'catalog'],
  'access_load',
]
const writing = [
  ...['commit', 'compact', 'fork', 'adopt', 'mend_head', 'set_mode', 'seed', 'replay'],
  ...['access_put', 'access_revoke', 'access_require', 'access_seed'],
]
const functions = [...reading, ...writing]
const tables = [
  'head',
  'records',
  'tombstones',
  'journal',
  'access_tokens',
  'migrations',
  'services',
  'dependencies',
  'asserted_nodes',
  'asserted_edges',
]

const token = tokenOf('ci')

let server: PostgresServer

beforeAll(async () => {
  server = await PostgresServer.start()
  await makeSupabaseRoles(server)
  // Whoever migrates is no superuser: the owner of the database, as in a Supabase project.
  await server.query(`create role migrating login; grant anon, authenticated, service_role to migrating`)
  await server.query('create database project owner migrating')
  await server.query('grant usage on schema public to anon, authenticated, service_role', 'project')
  const store = new PostgresStore(storeOptions(server, { role: 'migrating', database: 'project' }))
  await store.open()
  await store.close()
})
afterAll(() => server.dispose())

/** Runs SQL as the gateway does for a request: logged in as `authenticator`, with the role of the key. */
function as(role: string, sql: string): Promise<Record<string, unknown>[]> {
  return server.query(`begin; set local role ${role}; ${sql}; commit`, 'project', 'authenticator')
}

async function codeOf(work: Promise<unknown>): Promise<string | undefined> {
  return work.then(
    () => undefined,
    (error: { code: string }) => error.code,
  )
}

describe.each(['anon', 'authenticated'])('the role %s', (role) => {
  it.each(functions)('may not call %s, neither its wrapper nor the function itself', async (name) => {
    expect(await codeOf(as(role, `select public.coordinator_${name}('{}')`))).toBe('42501')
    expect(await codeOf(as(role, `select coordinator.${name}('{}')`))).toBe('42501')
  })

  it.each(tables)('may not read %s', async (table) => {
    expect(await codeOf(as(role, `select * from coordinator.${table}`))).toBe('42501')
  })
})

describe('the role service_role', () => {
  it.each(functions)('may call the wrapper of %s, and not the function itself', async (name) => {
    const code = await codeOf(as('service_role', `select public.coordinator_${name}('{}')`))
    // An empty argument is none that every function understands; being called is what counts.
    expect(code).not.toBe('42501')
    expect(await codeOf(as('service_role', `select coordinator.${name}('{}')`))).toBe('42501')
  })

  it.each(tables)('may not read %s', async (table) => {
    expect(await codeOf(as('service_role', `select * from coordinator.${table}`))).toBe('42501')
  })

  it('is offered what reads as stable functions, so that reading works on a replica', async () => {
    const rows = await server.query<{ name: string; volatility: string }>(
      `select substr(proname, 13) as name, provolatile as volatility from pg_proc where proname like 'coordinator\\_%' order by 1`,
      'project',
    )
    expect(rows).toEqual(
      [...functions].sort().map((name) => ({ name, volatility: writing.includes(name) ? 'v' : 's' })),
    )
  })
})

describe('the public key, allowed on purpose', () => {
  it('may read everything and commit, never compact or fork', async () => {
    await server.query(allowAnonSql('coordinator'), 'project', 'migrating')
    for (const name of ['head', 'load', 'changes', 'commit'])
      expect(await codeOf(as('anon', `select public.coordinator_${name}('{}')`))).not.toBe('42501')
    for (const name of functions.filter((name) => !['head', 'load', 'changes', 'commit'].includes(name)))
      expect(await codeOf(as('anon', `select public.coordinator_${name}('{}')`))).toBe('42501')
    for (const table of tables)
      expect(await codeOf(as('anon', `select * from coordinator.${table}`))).toBe('42501')
    expect(await codeOf(as('authenticated', `select public.coordinator_head('{}')`))).toBe('42501')
  })

  it('may do nothing again once that was taken back, and the schema is as it should be', async () => {
    await server.query(forbidAnonSql('coordinator'), 'project', 'migrating')
    for (const name of functions)
      expect(await codeOf(as('anon', `select public.coordinator_${name}('{}')`))).toBe('42501')
    const [head] = await server.query('select anon_allowed from coordinator.head', 'project', 'migrating')
    expect(head).toEqual({ anon_allowed: false })
  })
})

describe('a role with the rights of a reader', () => {
  it('sees no row through row security, in a view neither', async () => {
    await server.query(
      `create role reading login; grant usage on schema coordinator to reading;
       grant select on all tables in schema coordinator to reading;
       insert into coordinator.records (kind, id, data) values ('service', 'a', '{"serviceName": "a"}')`,
      'project',
    )
    for (const table of ['head', 'records', 'journal', 'services'])
      expect(await server.query(`select * from coordinator.${table}`, 'project', 'reading')).toEqual([])
  })
})

describe('row security that holds for the owner too', () => {
  it.each(['head', 'records', 'tombstones', 'journal', 'access_tokens'])(
    'of %s is a fault, never an empty answer',
    async (table) => {
      await server.query(`alter table coordinator.${table} force row level security`, 'project')
      const store = new PostgresStore(
        storeOptions(server, { role: 'migrating', database: 'project', autoMigrate: false }),
      )
      const position = { lineage: '', revision: 0, digest: '' }
      const calls = [
        () => store.head(),
        () => Array.fromAsync(store.load()),
        () => store.changes(position, 10),
        () => store.history('service', 'a'),
        () => Array.fromAsync(store.asOf({ revision: 1 })),
        () => store.commit(position, [], newCall()),
        () => store.compact(1),
        () => store.fork(position),
        () => store.access.load(),
        () => store.access.put(token),
        () => store.access.revoke(token.id, 'token:admin'),
        () => store.access.require(),
      ]
      for (const call of calls) await expect(call()).rejects.toMatchObject({ code: 'COORD_STORE_RIGHTS' })
      await store.close()
      await server.query(`alter table coordinator.${table} no force row level security`, 'project')
    },
  )
})

describe('the functions', () => {
  it('name a where in every update and delete: some gateways refuse those without', () => {
    const statements = loadMigrations('postgres').flatMap(({ sql }) => splitStatements(sql))
    const bodies = statements.flatMap((statement) => /\$\$([\s\S]*)\$\$/.exec(statement)?.[1] ?? [])
    const changing = bodies.flatMap((body) => [
      ...body.matchAll(/\b(?:delete from|update) @schema@\.\w+[\s\S]*?(?=;|\n {2}\)|$)/g),
    ])
    expect(changing.length).toBeGreaterThan(10)
    for (const [text] of changing) expect(text).toMatch(/\bwhere\b/)
  })

  it('trust no search path', async () => {
    const rows = await server.query<{ name: string }>(
      `select proname as name from pg_proc p where pronamespace = 'coordinator'::regnamespace and prokind = 'f'
       and prosqlbody is null and not coalesce(proconfig::text like '%search_path=%', false) order by 1`,
      'project',
    )
    expect(rows).toEqual([])
  })

  it('take their argument as JSON, and as a JSON string', async () => {
    const [plain] = await server.query(`select coordinator.load('{"limit": 5}') as reply`, 'project')
    const [text] = await server.query(`select coordinator.load('"{\\"limit\\": 5}"') as reply`, 'project')
    expect(text).toEqual(plain)
  })

  it('do nothing for a caller that does not say what it is, or what it wants', async () => {
    const ask = async (call: string) =>
      (await server.query(`select coordinator.${call} as reply`, 'project'))[0]?.['reply']
    await server.query(
      `insert into coordinator.records (kind, id, data) values ('x', 'kept', '{}'); delete from coordinator.records where id = 'kept'`,
      'project',
    )
    for (const name of writing) expect(await ask(`${name}('{}')`)).toMatchObject({ status: 'too_old' })
    const before = await ask(`head('{}')`)
    expect(await ask(`compact('{"schema": 9}')`)).toMatchObject({ status: 'ok', done: true })
    for (const name of ['fork', 'adopt'])
      expect(await ask(`${name}('{"schema": 9}')`)).toMatchObject({ status: 'ok' })
    expect(await ask(`head('{}')`)).toEqual(before)
  })

  it('answer busy, and no error, where the isolation level makes them meet another write', async () => {
    const { default: pg } = await import('pg')
    const client = new pg.Client({ connectionString: server.url('project') })
    await client.connect()
    try {
      await client.query('begin isolation level serializable; select 1')
      await client.query('select count(*) from coordinator.head')
      await server.query(
        `insert into coordinator.records (kind, id, data) values ('x', 'busy', '{}')`,
        'project',
      )
      const { rows } = await client.query(
        `select coordinator.compact('{"schema": 9, "floor": 0, "limit": 1}') as reply`,
      )
      expect(rows).toEqual([{ reply: { status: 'busy' } }])
    } finally {
      await client.end()
    }
  })
})
