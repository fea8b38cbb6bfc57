import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PostgresStore } from '../../src/database/postgres/store.ts'
import { storeOptions } from '../support/backends/postgres.ts'
import { PostgresServer } from '../support/postgres.ts'
import { makeSupabaseRoles } from './supabase-roles.ts'

// Whoever may make temporary objects may give one the name of a type. A function that runs with the rights of its owner and
// finds that one first runs whatever its constraint calls, as its owner.

let server: PostgresServer

beforeAll(async () => {
  server = await PostgresServer.start()
  await makeSupabaseRoles(server)
  await server.query('create role owning login; grant anon, authenticated, service_role to owning')
  await server.query('create database safe owner owning')
  await server.query('grant usage on schema public to anon, authenticated, service_role', 'safe')
  for (const schema of ['coordinator', 'trusting']) {
    const store = new PostgresStore(storeOptions(server, { role: 'owning', database: 'safe', schema }))
    await store.open()
    await store.close()
  }
  // As docs/postgres.md lets a role run a coordinator that it cannot migrate.
  await server.query(
    `create role runner login bypassrls;
     grant usage on schema coordinator, trusting to runner;
     grant execute on all functions in schema coordinator, trusting to runner;
     grant select, insert, update, delete on all tables in schema coordinator, trusting to runner;`,
    'safe',
  )
  // What the schema was before: it looked for types in pg_temp first. It shows that the attempt below is one.
  await server.query(
    `do $$ declare f oid; begin
       for f in select p.oid from pg_proc p
         where (p.pronamespace = 'trusting'::regnamespace or p.proname like 'trusting\\_%') and p.prokind = 'f'
       loop execute format('alter function %s set search_path = %L', f::regprocedure, ''); end loop;
     end $$`,
    'safe',
  )
})
afterAll(() => server.dispose())

/** Makes something temporary run code wherever it is used, which notes as whom it runs. */
const traps = {
  jsonb: domain('jsonb'),
  uuid: domain('uuid'),
  text: domain('text'),
} as const

function domain(type: string): string {
  return `create function pg_temp.spring(value pg_catalog.${type}) returns boolean language plpgsql as $f$ begin
      perform set_config('probe.users', concat(current_setting('probe.users', true), ' ', current_user), false);
      return true;
    end $f$;
    grant execute on function pg_temp.spring(pg_catalog.${type}) to public;
    create domain pg_temp.${type} as pg_catalog.${type} check (pg_temp.spring(value));
    create function pg_temp.jsonb_typeof(value pg_catalog.jsonb) returns pg_catalog.text language sql as $f$
      select set_config('probe.users', concat(current_setting('probe.users', true), ' ', current_user), false) $f$;`
}

const commit = (schema: string) =>
  `public.${schema}_commit(jsonb_build_object('schema', h.schema_number, 'limit', 10,
     'after', jsonb_build_object('lineage', h.lineage, 'revision', h.revision, 'digest', h.digest),
     'batch', jsonb_build_array(jsonb_build_object('commitId', gen_random_uuid(), 'actor', 'me', 'writes', jsonb_build_array(
       jsonb_build_object('op', 'put', 'kind', 'k', 'id', gen_random_uuid(), 'data', '{}'::pg_catalog.jsonb))))))`

/** What a role may do that runs with the rights of the owner. */
const acts = {
  runner: (schema: string) => `
    insert into ${schema}.records (kind, id, data) values ('k', gen_random_uuid()::pg_catalog.text, '{"a": 1.23456789012345678}');
    update ${schema}.records set data = '{"b": 1}'; delete from ${schema}.records;`,
  service_role: (schema: string) => `
    select ${commit(schema)} from (select (public.${schema}_inspect('{}') ->> 'schema')::pg_catalog.int4 as schema_number,
      head ->> 'lineage' as lineage, (head ->> 'revision')::pg_catalog.int8 as revision, head ->> 'digest' as digest
      from public.${schema}_head('{}') as head) h;
    select public.${schema}_catalog('{}'), public.${schema}_load('{"limit": 10}'),
      public.${schema}_history('{"kind": "k", "id": "i", "limit": 3}'), public.${schema}_as_of('{"at": 1, "limit": 10}');`,
} as const

/** As whom the trap was sprung while a role worked with a schema. */
async function usersOf(role: keyof typeof acts, schema: string, trap: string): Promise<readonly string[]> {
  const login = role === 'runner' ? 'runner' : 'authenticator'
  const [row] = await server.query<{ users: string | null }>(
    `set role ${role}; ${trap} ${acts[role](schema)} reset role;
     select current_setting('probe.users', true) as users`,
    'safe',
    login,
  )
  return [...new Set((row?.users ?? '').split(' ').filter(Boolean))]
}

const cases = Object.keys(acts).flatMap((role) =>
  Object.entries(traps).map(([type, trap]) => ({ role: role as keyof typeof acts, type, trap })),
)

describe('a type of pg_temp', () => {
  it.each(cases)('named $type does not make $role the owner of the schema', async ({ role, trap }) => {
    expect(await usersOf(role, 'coordinator', trap)).not.toContain('owning')
  })

  it.each(cases)(
    'named $type would do so where functions look there first, as $role',
    async ({ role, trap }) => {
      expect(await usersOf(role, 'trusting', trap)).toContain('owning')
    },
  )
})

describe('the catalogue', () => {
  it('has no function of the schema, and no wrapper, that trusts another search path', async () => {
    const rows = await server.query(
      `select p.oid::regprocedure::text as name, p.proconfig from pg_proc p
       where (p.pronamespace = 'coordinator'::regnamespace or p.proname like 'coordinator\\_%') and p.prokind <> 'a'
         and p.prosqlbody is null
         and not coalesce(p.proconfig @> array['search_path=pg_catalog, pg_temp'], false)`,
      'safe',
    )
    expect(rows).toEqual([])
  })
})
