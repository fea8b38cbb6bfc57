-- oldest writer: 9
-- Services have namespaces from here on: a program that does not know them would store a service of one system as that of another.

-- The lineages that the present one descends from, the oldest first, at most 32. A coordinator follows a history only if it is its own, or
-- descends from it. Beyond 32 the oldest are forgotten: a coordinator that still serves one of those needs `coordinator accept-history`.
alter table @schema@.head add column if not exists ancestors uuid[] not null default '{}';

create or replace function @schema@.head_json(h @schema@.head) returns jsonb
language sql immutable parallel safe set search_path = pg_catalog, pg_temp
as $$
  select jsonb_build_object(
    'lineage', h.lineage, 'ancestors', h.ancestors, 'revision', h.revision, 'digest', h.digest,
    'floor', h.floor, 'at', h.at, 'schema', h.schema_number, 'accessVersion', h.access_version)
$$;

-- The head, if row security hides nothing. A role from which it hides rows sees empty tables: the records would seem to be gone, and the
-- journal to be another one.
create or replace function @schema@.visible_head() returns @schema@.head
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
declare
  h @schema@.head;
begin
  if row_security_active('@schema@.head') or row_security_active('@schema@.records')
    or row_security_active('@schema@.tombstones') or row_security_active('@schema@.journal')
    or row_security_active('@schema@.unchanged') or row_security_active('@schema@.writers')
    or row_security_active('@schema@.access_tokens')
  then
    raise exception 'row security hides rows of schema @name@ from role %', current_user using errcode = '42501';
  end if;
  select * into h from @schema@.head where id = 1;
  if not found then
    raise exception 'the row of the table head of schema @name@ is missing' using errcode = '55K01';
  end if;
  return h;
end
$$;

-- The same, if the head is the end of the journal: tables that contradict each other are neither read nor written. 55K01 is our own error
-- state, in a class that every gateway passes on. Some gateways hide the code of an internal error (XX001, "data corrupted").
create or replace function @schema@.current_head() returns @schema@.head
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
declare
  h constant @schema@.head := @schema@.visible_head();
  last record;
begin
  select j.revision, j.digest into last from @schema@.journal j order by j.revision desc limit 1;
  if (coalesce(last.revision, h.first_revision), coalesce(last.digest, h.first_digest)) <> (h.revision, h.digest) then
    raise exception 'the head of schema @name@ is at revision %, and its journal ends at %', h.revision,
      coalesce(last.revision::text, 'none') using errcode = '55K01';
  end if;
  -- The records of a backup without its head and its journal.
  if h.revision = h.first_revision then
    if exists (select from @schema@.records) then
      raise exception 'the head of schema @name@ is at its first revision, %, and there are records', h.revision using errcode = '55K01';
    end if;
  end if;
  return h;
end
$$;

create or replace function @schema@.with_ancestor(ancestors uuid[], lineage uuid) returns uuid[]
language plpgsql immutable parallel safe set search_path = pg_catalog, pg_temp
as $$
declare
  longer constant uuid[] := array_remove(ancestors, lineage) || lineage;
begin
  return longer[greatest(1, cardinality(longer) - 31):];
end
$$;

-- The head at the same revision, in a new lineage.
create or replace function @schema@.in_new_lineage(h @schema@.head) returns @schema@.head
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  h.ancestors := @schema@.with_ancestor(h.ancestors, h.lineage);
  h.lineage := gen_random_uuid();
  if h.revision = h.first_revision then
    h.digest := h.lineage::text;
    h.first_digest := h.digest;
  end if;
  return h;
end
$$;

-- {schema, from: {lineage, revision, digest}} -> {status: ok, head} | {status: too_old | busy}
-- Gives the history a new lineage, if its head is still the one that the caller saw.
create or replace function @schema@.fork(p jsonb) returns jsonb
language plpgsql set search_path = pg_catalog, pg_temp set lock_timeout = '5s'
as $$
declare
  h @schema@.head;
  refusal jsonb;
begin
  p := @schema@.argument(p);
  refusal := @schema@.lock_head((p ->> 'schema')::integer);
  if refusal is not null then return refusal; end if;
  h := @schema@.current_head();
  if p -> 'from' = jsonb_build_object('lineage', h.lineage, 'revision', h.revision, 'digest', h.digest) then
    h := @schema@.in_new_lineage(h);
    update @schema@.head
    set lineage = h.lineage, ancestors = h.ancestors, digest = h.digest, first_digest = h.first_digest where id = 1;
  end if;
  perform set_config('@name@.writer', '', true);
  return jsonb_build_object('status', 'ok', 'head', @schema@.head_json(h));
end
$$;

-- {schema, lineage} -> {status: ok, head} | {status: too_old | busy}
-- Notes that this history also continues another lineage. The coordinators that serve that one then follow this history.
create or replace function @schema@.adopt(p jsonb) returns jsonb
language plpgsql set search_path = pg_catalog, pg_temp set lock_timeout = '5s'
as $$
declare
  h @schema@.head;
  refusal jsonb;
begin
  p := @schema@.argument(p);
  refusal := @schema@.lock_head((p ->> 'schema')::integer);
  if refusal is not null then return refusal; end if;
  h := @schema@.current_head();
  if (p ->> 'lineage')::uuid <> h.lineage then
    h.ancestors := @schema@.with_ancestor(h.ancestors, (p ->> 'lineage')::uuid);
    update @schema@.head set ancestors = h.ancestors where id = 1;
  end if;
  perform set_config('@name@.writer', '', true);
  return jsonb_build_object('status', 'ok', 'head', @schema@.head_json(h));
end
$$;

-- Whether the journal is that of the head, complete from the floor to its end.
create or replace function @schema@.is_floor_of_journal(h @schema@.head, upto bigint) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
begin
  return h.floor <= upto
    and (select count(*) from @schema@.journal j where j.revision > h.floor) = upto - h.floor
    and exists (
      select from @schema@.journal j
      where h.floor > h.first_revision and j.revision = h.floor
        or h.floor = h.first_revision and j.revision = h.floor + 1 and j.digest = @schema@.next_digest(h.first_digest, j.commit_id, null));
end
$$;

-- {schema} -> {status: ok, head} | {status: too_old | busy}
-- Makes the head the end of the journal, makes a commit of each record that no entry wrote, and begins a new lineage. For the content of a
-- backup that was restored without its head. If the head is right, only the lineage changes.
create or replace function @schema@.mend_head(p jsonb) returns jsonb
language plpgsql set search_path = pg_catalog, pg_temp set lock_timeout = '5s' set jit = off
as $$
declare
  h @schema@.head;
  refusal jsonb;
  last record;
  added record;
  now_ms bigint;
begin
  p := @schema@.argument(p);
  if not exists (select from @schema@.head) then
    perform set_config('@name@.writer', 'on', true);
    insert into @schema@.head
      (lineage, revision, digest, floor, swept, at, first_revision, first_digest, schema_number, oldest_writer, access_version)
    select f.lineage, 0, f.lineage::text, 0, 0, 0, 0, f.lineage::text, (select max(m.version) from @schema@.migrations m),
      (p ->> 'schema')::integer, gen_random_uuid()
    from (select gen_random_uuid() as lineage) f;
  end if;
  refusal := @schema@.lock_head((p ->> 'schema')::integer);
  if refusal is not null then return refusal; end if;
  h := @schema@.visible_head();
  now_ms := greatest(h.at, floor(extract(epoch from clock_timestamp()) * 1000)::bigint);
  select j.revision, j.digest, j.at into last from @schema@.journal j order by j.revision desc limit 1;
  if (coalesce(last.revision, h.first_revision), coalesce(last.digest, h.first_digest)) <> (h.revision, h.digest)
    or exists (select from @schema@.records r where r.revision > h.revision)
  then
    if last.revision is null then
      h.digest := h.first_digest;
      h.floor := h.first_revision;
      h.swept := h.first_revision;
    elsif not @schema@.is_floor_of_journal(h, last.revision) then
      -- The head is that of another history. If compaction has never removed anything, every moment from the first entry on is still
      -- exact. Otherwise nobody knows from where on: only the present is. Entries before it stay, so that records keep their histories.
      select case when count(*) = last.revision and bool_and(j.needed = cardinality(j.prior)) then 1 else last.revision end
      into h.floor from @schema@.journal j;
      h.swept := h.floor;
    end if;
    h.revision := coalesce(last.revision, h.first_revision);
    h.digest := coalesce(last.digest, h.digest);
    h.at := greatest(h.at, last.at);
    with strays as materialized (
      select r.ctid, r.kind, r.id, r.data, r.created_at, gen_random_uuid() as commit_id,
        h.revision + row_number() over (order by r.revision, r.kind, r.id) as revision
      from @schema@.records r
      where not exists (
        select from @schema@.journal j
        where j.revision = r.revision and @schema@.write_ordinal(j.writes, r.kind, r.id) is not null)
    ), chained as materialized (
      select s.*, @schema@.digest_chain(s.commit_id, h.digest) over (order by s.revision rows unbounded preceding) as digest
      from strays s
    ), journalled as (
      insert into @schema@.journal (revision, commit_id, at, actor, writes, previous, prior, created_at, needed, digest)
      select c.revision, c.commit_id, now_ms, 'restored',
        jsonb_build_array(jsonb_build_object('op', 'put', 'kind', c.kind, 'id', c.id, 'data', c.data)),
        '{0}', '{0}', array[c.created_at], 1, c.digest
      from chained c order by c.revision
    ), stored as (
      update @schema@.records r set revision = c.revision, updated_at = now_ms from chained c where r.ctid = c.ctid
    )
    select max(c.revision) as revision, max(c.digest) filter (where c.revision = (select max(m.revision) from chained m)) as digest
    into added from chained c;
    -- Entries are missing, so that no moment before now is exact.
    if added.revision is not null or exists (select from @schema@.tombstones t where t.revision > h.revision) then
      if added.revision is not null then h.at := now_ms; end if;
      h.revision := coalesce(added.revision, h.revision);
      h.digest := coalesce(added.digest, h.digest);
      h.floor := h.revision;
      h.swept := h.revision;
      delete from @schema@.tombstones t where t.revision is not null;
    end if;
    if h.required_since > h.revision then h.required_since := h.revision; end if;
  end if;
  h := @schema@.in_new_lineage(h);
  update @schema@.head
  set lineage = h.lineage, ancestors = h.ancestors, revision = h.revision, digest = h.digest, floor = h.floor, swept = h.swept,
    at = h.at, first_digest = h.first_digest, required_since = h.required_since
  where id = 1;
  perform set_config('@name@.writer', '', true);
  return jsonb_build_object('status', 'ok', 'head', @schema@.head_json(h));
end
$$;

-- Views show the JSON as columns, for people and their tools.

create or replace view @schema@.services with (security_invoker = true) as
select
  r.id as service_id,
  r.data ->> 'serviceName' as service_name,
  r.data ->> 'version' as version,
  r.data ->> 'endpoint' as endpoint,
  case when r.data ? 'migrationFile' then 'active' else 'pending_migration' end as status,
  r.data ->> 'healthCheck' as health_check,
  r.data ->> 'description' as description,
  r.data -> 'metadata' as metadata,
  r.data -> 'tags' as tags,
  r.data -> 'capabilities' as capabilities,
  r.data -> 'dependencies' as dependencies,
  r.data ->> 'instanceId' as instance_id,
  r.data -> 'ttlSeconds' as ttl_seconds,
  r.data -> 'migrationFile' as migration_file,
  r.revision,
  to_timestamp(r.created_at / 1000.0) as registered_at,
  to_timestamp(r.updated_at / 1000.0) as updated_at,
  coalesce(r.data ->> 'namespace', 'default') as namespace
from @schema@.records r
where r.kind = 'service';

-- What services say they need: their `dependencies`, and those of their `migrationFile`.
create or replace view @schema@.dependencies with (security_invoker = true) as
select
  r.data ->> 'serviceName' as consumer,
  coalesce(d.need ->> 'serviceName', d.need #>> '{}') as provider,
  d.need ->> 'version' as range,
  d.need ->> 'type' as type,
  r.revision,
  coalesce(r.data ->> 'namespace', 'default') as consumer_namespace,
  coalesce(d.need ->> 'namespace', r.data ->> 'namespace', 'default') as provider_namespace,
  r.id as service_id
from @schema@.records r
cross join lateral (
  select distinct e.need
  from (values (r.data -> 'dependencies'), (r.data #> '{migrationFile,dependencies}')) as l (needs)
  cross join lateral jsonb_array_elements(case jsonb_typeof(l.needs) when 'array' then l.needs end) as e (need)
) d
where r.kind = 'service' and (jsonb_typeof(d.need) = 'string' or jsonb_typeof(d.need -> 'serviceName') = 'string');

-- What clients asserted, and nothing that is derived from services. The views had names that promised the whole graph.
alter view if exists @schema@.graph_nodes rename to asserted_nodes;
alter view if exists @schema@.graph_edges rename to asserted_edges;

create or replace view @schema@.asserted_nodes with (security_invoker = true) as
select
  r.id as record_id,
  r.data ->> 'id' as node_id,
  r.data ->> 'label' as label,
  r.data -> 'properties' as properties,
  r.revision,
  to_timestamp(r.created_at / 1000.0) as created_at,
  to_timestamp(r.updated_at / 1000.0) as updated_at
from @schema@.records r
where r.kind = 'node';

create or replace view @schema@.asserted_edges with (security_invoker = true) as
select
  r.id as record_id,
  r.data ->> 'source' as source,
  r.data ->> 'type' as type,
  r.data ->> 'target' as target,
  r.data ->> 'origin' as origin,
  r.data -> 'properties' as properties,
  r.revision,
  to_timestamp(r.created_at / 1000.0) as created_at,
  to_timestamp(r.updated_at / 1000.0) as updated_at
from @schema@.records r
where r.kind = 'edge';

revoke all on @schema@.services, @schema@.dependencies, @schema@.asserted_nodes, @schema@.asserted_edges from public;
-- By default everybody may call a function.
revoke all on all functions in schema @schema@ from public;

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
    'head', 'load', 'changes', 'history', 'as_of', 'inspect', 'examine', 'migrations', 'catalog', 'commit', 'compact', 'fork', 'adopt',
    'mend_head', 'access_load', 'access_put', 'access_revoke', 'access_require']
  loop
    execute format(
      'create or replace function public.%I(p jsonb) returns jsonb language sql %s security definer set search_path = pg_catalog, pg_temp '
      'as ''select %I.%I(p)''',
      '@name@_' || called,
      case when called in ('commit', 'compact', 'fork', 'adopt', 'mend_head', 'access_put', 'access_revoke', 'access_require')
        then 'volatile' else 'stable' end,
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
