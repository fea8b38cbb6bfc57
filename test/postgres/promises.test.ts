import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PostgresStore } from '../../src/database/postgres/store.ts'
import { put, remove } from '../conformance/build.ts'
import { accepted, Caller } from '../conformance/caller.ts'
import { runCoordinator } from '../main/coordinator-process.ts'
import { storeOptions } from '../support/backends/postgres.ts'
import { PostgresServer } from '../support/postgres.ts'
import { makeSupabaseRoles } from './supabase-roles.ts'

let server: PostgresServer
let made = 0

beforeAll(async () => {
  server = await PostgresServer.start()
  await server.query('create role app login; grant create on database postgres to app')
})
afterAll(() => server.dispose())

/** Runs a test with a store on a schema of its own, as the role `app`. */
async function withStore(
  body: (scope: { readonly schema: string; readonly caller: Caller }) => Promise<void>,
): Promise<void> {
  made += 1
  const schema = `promise_${made}`
  const store = new PostgresStore(storeOptions(server, { schema, role: 'app' }))
  try {
    await body({ schema, caller: new Caller(store, (await store.open()).position) })
  } finally {
    await store.close()
  }
}

describe('an acknowledged commit is on disk', () => {
  /** Notes what holds at the very end of each transaction that writes an entry: when it is committed. */
  async function watch(schema: string): Promise<() => Promise<readonly string[]>> {
    await server.query(`
      create table public.seen_${schema} (setting text);
      grant insert on public.seen_${schema} to app;
      create function public.see_${schema}() returns trigger language plpgsql as $$
        begin insert into public.seen_${schema} values (current_setting('synchronous_commit')); return null; end $$;
      create constraint trigger see after insert on ${schema}.journal
        deferrable initially deferred for each row execute function public.see_${schema}()`)
    return async () =>
      (await server.query<{ setting: string }>(`select setting from public.seen_${schema}`)).map(
        ({ setting }) => setting,
      )
  }

  it.each([
    ['off', 'on'],
    ['local', 'on'],
    ['remote_write', 'on'],
    ['on', 'on'],
    ['remote_apply', 'remote_apply'],
  ])('where the role has synchronous_commit = %s: the commit has %s', async (setting, expected) => {
    await server.query(`alter role app set synchronous_commit = ${setting}`)
    try {
      await withStore(async ({ schema, caller }) => {
        const seen = await watch(schema)
        accepted(await caller.write(put('a')))
        expect(await seen()).toEqual([expected])
        // For that transaction only: the session belongs to a pooler, or to somebody else, afterwards.
        const [row] = await server.query<{ setting: string }>(
          `begin; select ${schema}.lock_head(1000); commit; select current_setting('synchronous_commit') as setting`,
          'postgres',
          'app',
        )
        expect(row?.setting).toBe(setting)
      })
    } finally {
      await server.query('alter role app reset synchronous_commit')
    }
  })
})

describe('times of commits never go back', () => {
  const hourMs = 3_600_000

  async function timesOf({ store }: Caller): Promise<readonly number[]> {
    const { lineage } = (await store.head()).position
    const reply = await store.changes({ lineage, revision: 0, digest: lineage }, 100)
    if (reply.status !== 'ok') throw new Error(reply.status)
    return reply.entries.map(({ at }) => at)
  }

  it('though the clock of the server did: a commit and a change by hand have the time of the one before', () =>
    withStore(async ({ schema, caller }) => {
      accepted(await caller.write(put('a')))
      // As after a clock that was ahead by an hour, and was set right.
      await server.query(`
        begin;
        select set_config('${schema}.writer', 'on', true);
        update ${schema}.head set at = at + ${hourMs} where id = 1;
        commit`)
      const { at: ahead } = await caller.store.head()
      accepted(await caller.write(put('b')))
      await server.query(`insert into ${schema}.records (kind, id, data) values ('service', 'hand', '{}')`)
      await server.query(`
        begin;
        insert into ${schema}.records (kind, id, data) values ('service', 'more', '{}');
        delete from ${schema}.records where id = 'hand';
        commit`)
      accepted(await caller.write(remove('a')))
      const times = await timesOf(caller)
      expect(times.slice(1)).toEqual([ahead, ahead, ahead, ahead, ahead])
      expect(times[0]).toBeLessThan(ahead)
      expect((await caller.store.head()).at).toBe(ahead)
      const [row] = await server.query<{ created_at: string; updated_at: string }>(
        `select created_at, updated_at from ${schema}.records where id = 'more'`,
      )
      expect([Number(row?.created_at), Number(row?.updated_at)]).toEqual([ahead, ahead])
    }))
})

describe('migrate verify', () => {
  it('ends with 0 where only something optional is missing, and with 1 where anything else is', () =>
    withStore(async ({ schema }) => {
      // They came after the schema was migrated: only who wants the Data API needs the rest.
      await makeSupabaseRoles(server)
      await server.query('grant create on schema public to app')
      const verify = () =>
        runCoordinator(['migrate', 'verify'], {
          env: { DATABASE_URL: server.url('postgres', 'app'), DATABASE_SCHEMA: schema },
        })
      const optional = await verify()
      expect(optional.stdout).toMatch(/^access by the Data API: optional\n\nThis mends it:\n/)
      expect(optional.code).toBe(0)
      const doctor = await runCoordinator(['doctor'], {
        env: { DATABASE_URL: server.url('postgres', 'app'), DATABASE_SCHEMA: schema },
      })
      expect(doctor.stdout).toMatch(
        /^WARN {2}drift: access by the Data API is missing, which only Supabase mode needs\.$/m,
      )
      await server.query(`drop index ${schema}.journal_commit_ids`)
      const missing = await verify()
      expect(missing.stdout).toMatch(/^index journal_commit_ids: missing$/m)
      expect(missing.code).toBe(1)
    }))
})
