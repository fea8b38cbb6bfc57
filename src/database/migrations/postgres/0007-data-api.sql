-- The door as functions that Supabase's Data API offers, made only where its roles are, and where the owner may make them:
-- roles belong to all databases of a server. The tables stay in a schema that it does not offer; only the role of the secret
-- key may call.
do $do$
declare
  door text;
begin
  if (select count(*) from pg_roles where rolname in ('anon', 'authenticated', 'service_role')) < 3 then
    return;
  end if;
  revoke all on schema @schema@ from anon, authenticated, service_role;
  revoke all on all tables in schema @schema@ from anon, authenticated, service_role;
  revoke all on all functions in schema @schema@ from anon, authenticated, service_role;
  if has_schema_privilege(to_regnamespace('public'), 'create') is not true then
    return;
  end if;
  foreach door in array array[
    'head', 'load', 'changes', 'history', 'as_of', 'inspect', 'examine', 'migrations', 'catalog', 'commit', 'compact', 'fork']
  loop
    execute format(
      'create or replace function public.%I(p jsonb) returns jsonb language sql %s security definer set search_path = pg_catalog, pg_temp '
      'as ''select %I.%I(p)''',
      '@name@_' || door, case when door in ('commit', 'compact', 'fork') then 'volatile' else 'stable' end, '@name@', door);
    execute format('revoke all on function public.%I(jsonb) from public, anon, authenticated', '@name@_' || door);
    execute format('grant execute on function public.%I(jsonb) to service_role', '@name@_' || door);
  end loop;
  -- Allowing the public key was somebody's decision: a migration does not take it back.
  if (select h.anon_allowed from @schema@.head h) then
    foreach door in array array['head', 'load', 'changes', 'commit'] loop
      execute format('grant execute on function public.%I(jsonb) to anon', '@name@_' || door);
    end loop;
  end if;
end
$do$;

notify pgrst, 'reload schema';
