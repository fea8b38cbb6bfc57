-- Functions in `public`, through which Supabase's Data API calls those of the schema. They are created only if the roles of Supabase exist
-- (roles belong to all databases of a server), and if the owner may create them. The Data API does not expose the schema of the tables.
-- Only the role of the secret key may call them.
do $do$
declare
  called text;
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
  foreach called in array array[
    'head', 'load', 'changes', 'history', 'as_of', 'inspect', 'examine', 'migrations', 'catalog', 'commit', 'compact', 'fork',
    'access_load', 'access_put', 'access_revoke', 'access_require']
  loop
    execute format(
      'create or replace function public.%I(p jsonb) returns jsonb language sql %s security definer set search_path = pg_catalog, pg_temp '
      'as ''select %I.%I(p)''',
      '@name@_' || called,
      case when called in ('commit', 'compact', 'fork', 'access_put', 'access_revoke', 'access_require') then 'volatile' else 'stable' end,
      '@name@', called);
    execute format('revoke all on function public.%I(jsonb) from public, anon, authenticated', '@name@_' || called);
    execute format('grant execute on function public.%I(jsonb) to service_role', '@name@_' || called);
  end loop;
  -- An operator decided whether to allow the public key: a migration does not change that.
  if (select h.anon_allowed from @schema@.head h) then
    foreach called in array array['head', 'load', 'changes', 'commit'] loop
      execute format('grant execute on function public.%I(jsonb) to anon', '@name@_' || called);
    end loop;
  end if;
end
$do$;

notify pgrst, 'reload schema';
