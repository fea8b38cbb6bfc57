import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { PostgresStore } from '../../src/database/postgres/store.ts'
import { storeOptions } from '../support/backends/postgres.ts'
import { PostgresServer } from '../support/postgres.ts'
import { makeSupabaseRoles } from './supabase-roles.ts'

let server: PostgresServer
let store: PostgresStore
let schema: string
let made = 0

beforeAll(async () => {
  server = await PostgresServer.start()
  await makeSupabaseRoles(server)
  await server.query('create role other')
})
afterAll(() => server.dispose())

beforeEach(async () => {
  made += 1
  schema = `drift_${made}`
  store = new PostgresStore(storeOptions(server, { schema }))
  await store.open()
  return () => store.close()
})

/** What somebody did to a schema, and what `verify` must say about it. */
const damages: readonly (readonly [string, string, readonly string[]])[] = [
  ['a dropped index', 'drop index S.journal_commit_ids', ['index journal_commit_ids: missing']],
  [
    'an index that is no longer unique',
    'drop index S.unchanged_commit_id; create index unchanged_commit_id on S.unchanged (commit_id)',
    ['index unchanged_commit_id: different'],
  ],
  [
    'a dropped constraint',
    'alter table S.records drop constraint records_id_check',
    ['constraint records.records_id_check: missing'],
  ],
  [
    'a constraint that was added',
    'alter table S.records add constraint small check (octet_length(id) < 99)',
    ['constraint records.small: unexpected'],
  ],
  [
    'a dropped column',
    'alter table S.journal drop column fingerprint',
    ['column journal.fingerprint: missing', 'constraint journal.journal_fingerprint_check: missing'],
  ],
  [
    'a function with another body',
    `create or replace function S.head(p jsonb) returns jsonb language plpgsql stable set search_path = pg_catalog, pg_temp as $$ begin return '{}'; end $$`,
    ['function head: different'],
  ],
  ['a dropped function', 'drop function S.fork(jsonb)', ['function fork: missing']],
  [
    'a function with another search path',
    'alter function S.commit(jsonb) reset search_path',
    ['function commit: unsafe'],
  ],
  [
    'functions of an old schema, which look for types in pg_temp first',
    `alter function S.commit(jsonb) set search_path = ''; alter function S.hand_begins() set search_path = pg_catalog;
     alter function public.S_head(jsonb) set search_path = '';
     create or replace function S.argument(p jsonb) returns jsonb language sql immutable as $$ select p $$`,
    [
      'function argument: unsafe',
      'function commit: unsafe',
      'function hand_begins: unsafe',
      'function public.S_head: unsafe',
    ],
  ],
  [
    'a function of somebody else that runs with the rights of its owner',
    `create function S.mine(a S.head, b text) returns text language sql security definer as $$ select b $$`,
    ['function mine: unsafe'],
  ],
  [
    'a dropped trigger',
    'drop trigger hand_writes_entry on S.records',
    ['trigger records.hand_writes_entry: missing'],
  ],
  [
    'a disabled trigger',
    'alter table S.records disable trigger hand_begins',
    ['trigger records.hand_begins: different'],
  ],
  [
    'row security switched off',
    'alter table S.records disable row level security',
    ['table records: different'],
  ],
  ['a policy', 'create policy all_in on S.records using (true)', ['policy records.all_in: unexpected']],
  [
    'rights for everybody',
    'grant usage on schema S to anon; grant select on S.records to public; grant execute on function S.load(jsonb) to authenticated',
    [
      'right of anon on schema: unexpected',
      'right of authenticated on function load: unexpected',
      'right of public on table records: unexpected',
    ],
  ],
  [
    'a function that the public key may call',
    'grant execute on function public.S_commit(jsonb) to anon',
    ['right of anon on function public.S_commit: unexpected'],
  ],
  [
    'a right of the secret key taken away',
    'revoke all on function public.S_commit(jsonb) from service_role',
    ['right of service_role on function public.S_commit: missing'],
  ],
  ['a dropped wrapper', 'drop function public.S_load(jsonb)', ['function public.S_load: missing']],
  [
    'a wrapper with the rights of its caller',
    'alter function public.S_load(jsonb) security invoker',
    ['function public.S_load: different'],
  ],
  [
    'a view with the rights of its owner',
    'alter view S.services reset (security_invoker)',
    ['view services: different'],
  ],
  ['a dropped view', 'drop view S.asserted_edges', ['view asserted_edges: missing']],
  ['the function that tells it', 'drop function S.catalog(jsonb) cascade', ['function catalog: missing']],
  ['a table that is gone', 'drop table S.tombstones', ['table tombstones: missing']],
  ['a dropped column', 'alter table S.head drop column ancestors', ['column head.ancestors: missing']],
  [
    'the tokens, gone',
    'drop table S.access_tokens cascade',
    ['function access_token_json: missing', 'table access_tokens: missing'],
  ],
  [
    'row security that hides rows from the owner too',
    'alter table S.records force row level security',
    ['table records: different'],
  ],
  ['a table that a crash empties', 'alter table S.journal set unlogged', ['table journal: different']],
  ['other storage parameters', 'alter table S.head reset (fillfactor)', ['table head: different']],
  [
    'objects that somebody else owns',
    'alter table S.records owner to other; alter function S.commit(jsonb) owner to other; alter view S.services owner to other',
    ['function commit: different', 'table records: different', 'view services: different'],
  ],
  [
    'a rule',
    'create rule nothing as on insert to S.tombstones do instead nothing',
    ['rule tombstones.nothing: unexpected'],
  ],
  [
    'an index that lets in only one of a name',
    `create unique index one on S.records ((data ->> 'serviceName'))`,
    ['index one: unexpected'],
  ],
  [
    'a unique constraint, with its index',
    'alter table S.records add constraint once unique (revision)',
    ['constraint records.once: unexpected'],
  ],
  [
    'columns with another default, or without not null',
    'alter table S.records alter revision drop default, alter created_at set default 7, alter data drop not null',
    [
      'column records.created_at: different',
      'column records.data: different',
      'column records.revision: different',
    ],
  ],
  [
    'a view that others build upon, and that shows something else',
    `create or replace view S.asserted_nodes with (security_invoker = true) as select r.id as record_id, r.data ->> 'id' as node_id,
       r.data ->> 'label' as label, r.data -> 'properties' as properties, r.revision, to_timestamp(0) as created_at,
       to_timestamp(0) as updated_at from S.records r where false;
     create view S.mine as select * from S.asserted_nodes`,
    ['view asserted_nodes: different'],
  ],
  [
    'functions with another result',
    `drop function S.head(jsonb); create function S.head(p jsonb) returns text language sql as 'select 1::text';
     drop function public.S_load(jsonb); create function public.S_load(p jsonb) returns text language sql as 'select 1::text';
     revoke all on function S.head(jsonb), public.S_load(jsonb) from public, anon, authenticated`,
    ['function head: unsafe', 'function public.S_load: unsafe'],
  ],
  [
    'a dropped function, and the aggregate that consists of it',
    'drop function S.next_digest(text, uuid, text) cascade',
    ['aggregate digest_chain: missing', 'function next_digest: missing'],
  ],
  [
    'a right on a column',
    'grant select (data) on S.records to anon',
    ['right of anon on column records.data: unexpected'],
  ],
]

describe('drift', () => {
  it('is none after migrating', async () => {
    expect(await store.migrator.verify()).toEqual([])
  })

  it.each(damages)('names %s, and its repair mends it', async (_what, damage, expected) => {
    const named = (text: string) => text.replaceAll(/\bS(?=[._ ]|$)/g, schema)
    await server.query(named(damage))
    const drifts = await store.migrator.verify()
    expect(drifts.map(({ object, problem }) => `${object}: ${problem}`).sort()).toEqual(expected.map(named))
    await server.query(drifts.map(({ repair }) => repair).join('\n'))
    expect(await store.migrator.verify()).toEqual([])
  })

  it('takes what the Data API needs for optional where its roles came after the migration', async () => {
    const rows = await server.query(
      `select oid::regprocedure::text as name from pg_proc where proname like '${schema}\\_%' and pronamespace = 'public'::regnamespace`,
    )
    expect(rows).toHaveLength(22)
    await server.query(rows.map(({ name }) => `drop function ${name};`).join('\n'))
    const drifts = await store.migrator.verify()
    expect(drifts).toMatchObject([{ object: 'access by the Data API', problem: 'optional' }])
    await server.query(drifts[0]?.repair ?? '')
    expect(await store.migrator.verify()).toEqual([])
  })

  it('leaves the decision about a foreign column to people', async () => {
    await server.query(`alter table ${schema}.records add column note text`)
    expect(await store.migrator.verify()).toEqual([
      { object: 'column records.note', problem: 'unexpected', repair: '' },
    ])
  })

  it('does not mind what others keep in the schema, nor whom its owner lets read', async () => {
    await server.query(`create table ${schema}.notes (text text unique); create role reader_${made};
      create function ${schema}.mine() returns text language sql as $$ select 'everybody may call it' $$;
      grant select on ${schema}.notes to anon;
      grant usage on schema ${schema} to reader_${made}; grant select on ${schema}.services to reader_${made}`)
    expect(await store.migrator.verify()).toEqual([])
  })

  it('does not mind a schema whose name goes on where this one ends', async () => {
    const other = new PostgresStore(storeOptions(server, { schema: `${schema}_more` }))
    await other.open()
    await other.migrator.allowAnon()
    await other.close()
    expect(await store.migrator.verify()).toEqual([])
  })

  it('accepts the public key where it was allowed on purpose, and misses its rights then', async () => {
    await server.query(`begin; select set_config('${schema}.writer', 'on', true);
      update ${schema}.head set anon_allowed = true; commit`)
    const drifts = await store.migrator.verify()
    expect(drifts.map(({ object }) => object)).toEqual(
      ['head', 'load', 'changes', 'commit'].map(
        (name) => `right of anon on function public.${schema}_${name}`,
      ),
    )
    await server.query(drifts.map(({ repair }) => repair).join('\n'))
    expect(await store.migrator.verify()).toEqual([])
  })
})
