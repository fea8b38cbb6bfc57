import type { PostgresServer } from '../support/postgres.ts'

/** Makes the roles that a Supabase project has, with the rights that matter for a schema like ours. */
export async function makeSupabaseRoles(server: PostgresServer, database = 'postgres'): Promise<void> {
  await server.query(
    `do $$ begin
      create role anon nologin noinherit;
      create role authenticated nologin noinherit;
      create role service_role nologin noinherit bypassrls;
      create role authenticator login noinherit;
      grant anon, authenticated, service_role to authenticator;
    exception when duplicate_object then null; end $$;
    grant usage on schema public to anon, authenticated, service_role;
    -- As in projects from before the grants were taken back: everything new is open to everybody.
    alter default privileges in schema public grant all on functions to anon, authenticated, service_role;
    alter default privileges in schema public grant all on tables to anon, authenticated, service_role;`,
    database,
  )
}
