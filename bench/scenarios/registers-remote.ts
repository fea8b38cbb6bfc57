import { PostgresServer } from '../../test/support/postgres.ts'
import { SupabaseProject } from '../../test/support/supabase.ts'
import { compare } from '../compare.ts'
import { coordinator } from '../coordinator-process.ts'
import { type BenchOptions, type Row, ratioRow, type Scenario } from '../scenario.ts'
import { startServer } from '../server-process.ts'
import { bareServer } from './bare-server.ts'
import { writeSide } from './registers.ts'

/** A server that keeps what it acknowledged: tests may go without, measurements may not. */
export const durable = { fsync: 'on', synchronous_commit: 'on' }

/**
 * At a few thousand requests a second the engine compiles for some eight seconds (`perf`, Data API, 256 clients: 15 % of the
 * product's time from the fifth to the ninth second): what runs for days is compared, and not how it starts.
 */
export const warmupRounds = 4

/** A new service with each request, durable in PostgreSQL, against one pooled transaction for each request. */
export const registersPostgres: Scenario = {
  name: 'registers-postgres',
  title: 'Registering, durable in PostgreSQL',
  async run(options) {
    await using server = await PostgresServer.start({ config: durable })
    await server.query('create database coordinator')
    await server.query('create database peer')
    const comparison = await compare(
      writeSide({ name: 'coordinator, PostgreSQL', kind: 'register', options, warmupRounds }, () =>
        startServer(coordinator({ DATABASE_URL: server.url('coordinator') })),
      ),
      writeSide({ name: 'one transaction per request', kind: 'register', options, warmupRounds }, () =>
        startServer(bareServer('transaction-per-request', { DATABASE_URL: server.url('peer') })),
      ),
      options.rounds,
    )
    return [ratioRow('`POST /register`, PostgreSQL, 64 connections', comparison, { bar: 6, aim: 12 })]
  },
}

/** The same through the Data API, against one call for each request. */
export const registersSupabase: Scenario = {
  name: 'registers-supabase',
  title: 'Registering, durable through the Data API of Supabase',
  note: `With 256 clients, a batch of 256 registrations leaves every 26 ms. The Data API and PostgreSQL take 13.5 ms. Then the view, the answers
and the next requests of the clients take 12.5 ms, one after the other. No process is busy all the time (November 2026). We tried two
groups of clients in turn, of equal size, on two machines: at most 5 % more, within the noise, and less with 64 clients. The ratio
depends on the machine. On a slower one, where the absolute figures are 40 to 50 % of these, six runs gave 7.6 to 9.2 with 64 clients and
12.5 to 16.2 with 256; the ratio for PostgreSQL was 10.0.`,
  async run(options) {
    await using project = await SupabaseProject.start({ config: durable, prepare: peerFunction })
    return [
      await measureSupabase(project, { options, connections: 64, bar: 6, aim: 15 }),
      await measureSupabase(project, { options, connections: 256, bar: 12, aim: 25 }),
    ]
  },
}

/** The peer's function: locks a head, stores, adds to a journal, as the coordinator's does for a whole batch. */
const peerFunction = `
  create schema bench_peer;
  create table bench_peer.head (id int primary key, revision bigint not null);
  insert into bench_peer.head values (1, 0);
  create table bench_peer.records (id text primary key, data jsonb not null, revision bigint not null);
  create table bench_peer.journal (revision bigint primary key, data jsonb not null);
  create function public.bench_peer_store(p jsonb) returns bigint language plpgsql security definer set search_path = '' as $$
  declare
    r bigint;
    call jsonb := case jsonb_typeof(p) when 'string' then (p #>> '{}')::jsonb else p end;
  begin
    update bench_peer.head set revision = revision + 1 where id = 1 returning revision into r;
    insert into bench_peer.records values (call ->> 'id', call -> 'data', r)
      on conflict (id) do update set data = excluded.data, revision = excluded.revision;
    insert into bench_peer.journal values (r, call -> 'data');
    return r;
  end
  $$;
  revoke all on function public.bench_peer_store(jsonb) from public;
  grant execute on function public.bench_peer_store(jsonb) to service_role`

interface Measurement {
  readonly options: BenchOptions
  readonly connections: number
  readonly bar: number
  readonly aim: number
}

async function measureSupabase(
  project: SupabaseProject,
  { options, connections, bar, aim }: Measurement,
): Promise<Row> {
  const env = { SUPABASE_URL: project.api.url, SUPABASE_SERVICE_ROLE_KEY: project.keys.secretKey }
  const side = { kind: 'register', options, connections, warmupRounds } as const
  const comparison = await compare(
    writeSide({ ...side, name: 'coordinator, Supabase' }, () => startServer(coordinator(env))),
    writeSide({ ...side, name: 'one call per request' }, () =>
      startServer(bareServer('call-per-request', env)),
    ),
    options.rounds,
  )
  return ratioRow(`\`POST /register\`, Supabase, ${connections} connections`, comparison, { bar, aim })
}
