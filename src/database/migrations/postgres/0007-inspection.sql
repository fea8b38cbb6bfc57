-- The functions for `coordinator doctor` and `coordinator migrate verify`.

-- {except?} -> {status, schema, ...}: the server, the caller, time-outs, sizes, and the session that makes writers wait. The session with
-- the process id `except` does not count.
create or replace function @schema@.inspect(p jsonb) returns jsonb
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
declare
  h @schema@.head;
  holder jsonb;
begin
  select * into strict h from @schema@.head where id = 1;
  select jsonb_build_object('pid', l.pid, 'holds', coalesce('the table ' || c.relname, 'the head row'), 'user', a.usename,
           'application', a.application_name, 'state', a.state,
           'sinceMs', floor(extract(epoch from clock_timestamp() - a.xact_start) * 1000))
  into holder
  from pg_locks l
  left join pg_class c on c.oid = l.relation
  left join pg_stat_activity a on a.pid = l.pid
  where l.granted and l.pid <> pg_backend_pid() and l.pid is distinct from (@schema@.argument(p) ->> 'except')::integer
    and (l.locktype = 'transactionid' and l.transactionid = (select t.xmax from @schema@.head t where t.id = 1)
      -- Locks that keep others from changing rows: of `lock table`, an index that is made, `vacuum full`.
      or l.locktype = 'relation' and l.mode in ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
        and l.database = (select d.oid from pg_database d where d.datname = current_database())
        and l.relation in ('@schema@.head'::regclass, '@schema@.records'::regclass, '@schema@.tombstones'::regclass,
          '@schema@.journal'::regclass))
  limit 1;
  return jsonb_build_object(
    'status', 'ok',
    'schema', h.schema_number,
    'oldestWriter', h.oldest_writer,
    'anonAllowed', h.anon_allowed,
    'serverVersion', current_setting('server_version'),
    'serverVersionNumber', current_setting('server_version_num')::integer,
    'nowMs', floor(extract(epoch from clock_timestamp()) * 1000),
    'atAheadMs', greatest(0, h.at - floor(extract(epoch from clock_timestamp()) * 1000)),
    'database', current_database(),
    'user', session_user,
    'owner', (select pg_get_userbyid(n.nspowner) from pg_namespace n where n.nspname = '@name@'),
    'encoding', current_setting('server_encoding'),
    'standby', pg_is_in_recovery(),
    'isolation', current_setting('transaction_isolation'),
    'statementTimeout', current_setting('statement_timeout'),
    'synchronousCommit', current_setting('synchronous_commit'),
    'synchronousStandbys', current_setting('synchronous_standby_names'),
    'fsync', current_setting('fsync'),
    'maxConnections', current_setting('max_connections')::integer,
    'encrypted', coalesce((select s.ssl from pg_stat_ssl s where s.pid = pg_backend_pid()), false),
    'recordsBytes', pg_total_relation_size('@schema@.records'),
    'journalBytes', pg_total_relation_size('@schema@.journal'),
    'headHolder', holder);
end
$$;

-- {from?: {above} | {after: [kind, id]}, limit} -> {status, damages: [{fact, ...}], next?}
-- Compares head, journal and records: first the journal from the floor to the head, then every record with its last entry, a part at a
-- time. `next` is the `from` of the next part.
create or replace function @schema@.examine(p jsonb) returns jsonb
language plpgsql stable set search_path = pg_catalog, pg_temp set jit = off set enable_seqscan = off
as $$
declare
  h constant @schema@.head := @schema@.visible_head();
  most bigint;
  above bigint;
  upto bigint;
  last_revision bigint;
  last_digest text;
  j record;
  more jsonb;
  last_key jsonb;
  amount bigint;
  damages jsonb := '[]';
begin
  p := @schema@.argument(p);
  most := (p ->> 'limit')::bigint;
  if p -> 'from' is null then
    select k.revision, k.digest into j from @schema@.journal k order by k.revision desc limit 1;
    if coalesce(j.revision, h.first_revision) <> h.revision then
      damages := damages || jsonb_build_object('fact', 'head', 'revision', h.revision, 'newest', j.revision);
    elsif coalesce(j.digest, h.first_digest) <> h.digest then
      damages := damages || jsonb_build_object('fact', 'digest', 'revision', h.revision);
    end if;
  end if;
  if p #> '{from,after}' is null then
    above := greatest(h.floor, coalesce((p #>> '{from,above}')::bigint, h.floor));
    upto := least(h.revision, above + most);
    last_revision := above;
    select k.digest into last_digest from @schema@.journal k where k.revision = above;
    if not found and above = h.first_revision then
      last_digest := h.first_digest;
    elsif last_digest is null and above = h.floor then
      damages := damages || jsonb_build_object('fact', 'hole', 'revision', above, 'upto', above);
    end if;
    for j in
      select k.revision, k.commit_id, k.digest from @schema@.journal k
      where k.revision > above and k.revision <= upto order by k.revision
    loop
      if j.revision <> last_revision + 1 then
        damages := damages || jsonb_build_object('fact', 'hole', 'revision', last_revision + 1, 'upto', j.revision - 1);
      elsif last_digest is not null and j.digest <> @schema@.next_digest(last_digest, j.commit_id, null) then
        damages := damages || jsonb_build_object('fact', 'digest', 'revision', j.revision);
      end if;
      last_revision := j.revision;
      last_digest := j.digest;
    end loop;
    if last_revision < upto then
      damages := damages || jsonb_build_object('fact', 'hole', 'revision', last_revision + 1, 'upto', upto);
    end if;
    -- Entries whose record is missing, or older than the entry.
    select jsonb_agg(jsonb_build_object('fact', 'lost', 'kind', e.kind, 'id', e.id, 'revision', e.revision))
    into more
    from (
      select k.revision, w.write ->> 'kind' as kind, w.write ->> 'id' as id
      from @schema@.journal k
      cross join lateral jsonb_array_elements(k.writes) as w (write)
      left join lateral (
        select s.revision from @schema@.records s
        where s.kind = w.write ->> 'kind' and s.id = w.write ->> 'id' offset 0
      ) r on true
      left join lateral (
        select s.revision from @schema@.tombstones s
        where s.kind = w.write ->> 'kind' and s.id = w.write ->> 'id' offset 0
      ) t on true
      where k.revision > above and k.revision <= upto
        and coalesce(greatest(r.revision, t.revision), 0) < k.revision
      limit 20
    ) e;
    damages := damages || coalesce(more, '[]');
    return jsonb_build_object('status', 'ok', 'damages', damages, 'next',
      case when upto < h.revision then jsonb_build_object('above', upto) else '{"after": ["", ""]}' end);
  end if;
  with part as materialized (
    select * from @schema@.page(p #> '{from,after}', null, null, most)
  ), judged as (
    select n.kind, n.id, n.revision,
      case
        when n.revision > h.revision then 'ahead'
        -- Compaction will remove a deletion that the floor has passed.
        when n.data is null and n.revision <= h.floor then null
        when e.write is null then 'unjournalled'
        when n.data is null and e.write ->> 'op' <> 'delete' then 'differs'
        when n.data is not null and (n.data is distinct from e.write -> 'data'
          or (n.created_at, n.updated_at) is distinct from (e.created_at, e.at)) then 'differs'
      end as fact
    from part n
    left join lateral (
      select k.at, k.created_at[w.ordinal] as created_at, w.write
      from @schema@.journal k cross join lateral jsonb_array_elements(k.writes) with ordinality as w (write, ordinal)
      where k.revision = n.revision and w.write ->> 'kind' = n.kind and w.write ->> 'id' = n.id
      limit 1
    ) e on true
  )
  select count(*),
    jsonb_agg(jsonb_build_array(g.kind, g.id) order by g.kind, g.id) -> -1,
    jsonb_path_query_array(coalesce(jsonb_agg(
      jsonb_build_object('fact', g.fact, 'kind', g.kind, 'id', g.id, 'revision', g.revision)
      order by g.kind, g.id) filter (where g.fact is not null), '[]'), '$[0 to 19]')
  into amount, last_key, more
  from judged g;
  return jsonb_build_object('status', 'ok', 'damages', more)
    || case when amount = most then jsonb_build_object('next', jsonb_build_object('after', last_key)) else '{}' end;
end
$$;

-- {} -> {status, steps: [{version, name, checksum, source, appliedAt}]}
create or replace function @schema@.migrations(p jsonb) returns jsonb
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select jsonb_build_object('status', 'ok', 'steps', coalesce(jsonb_agg(jsonb_build_object(
    'version', m.version, 'name', m.name, 'checksum', m.checksum, 'source', m.source,
    'appliedAt', floor(extract(epoch from m.applied_at) * 1000)) order by m.version), '[]'))
  from @schema@.migrations m
$$;

-- {} -> {status, objects: {"<type> <name>": "<definition>"}, owner, anonAllowed, dataApi}: all objects of the schema, in words that are the
-- same on every server version and for every name of the schema. `owner` is the owner of the table `head`. A definition names its owner
-- only if that is another one, and never the rights of an owner. `dataApi`: whether the roles of Supabase exist, and the owner may create
-- functions for them.
create or replace function @schema@.catalog(p jsonb) returns jsonb
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
declare
  here constant oid := '@schema@'::regnamespace;
  owner constant oid := (select c.relowner from pg_class c where c.oid = '@schema@.head'::regclass);
  found jsonb;
begin
  select jsonb_object_agg(o.name, regexp_replace(o.definition, '(^|[^a-z0-9_])"?@name@"?\.', '\1@@.', 'g'))
  into found
  from (
    select 'table ' || c.relname as name,
           concat_ws(', ', c.relkind, case c.relpersistence when 'u' then 'unlogged' end,
             case when c.relrowsecurity then 'row security' end, case when c.relforcerowsecurity then 'row security forced' end,
             (select string_agg(o.option, ', ' order by o.option) from unnest(c.reloptions) as o (option)),
             case when c.relowner <> owner then 'owner ' || quote_ident(pg_get_userbyid(c.relowner)) end) as definition
    from pg_class c where c.relnamespace = here and c.relkind = 'r'
    union all
    select 'view ' || c.relname,
           concat_ws(', ', array_to_string(c.reloptions, ', '),
             case when c.relowner <> owner then 'owner ' || quote_ident(pg_get_userbyid(c.relowner)) end, (
             select string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod), ', ' order by a.attnum)
             from pg_attribute a where a.attrelid = c.oid and a.attnum > 0),
             -- From version 16 on, the columns of a single table are printed without its name.
             'as' || regexp_replace(regexp_replace(pg_get_viewdef(c.oid), '\mr\.', '', 'g'), '\s+', ' ', 'g'))
    from pg_class c where c.relnamespace = here and c.relkind = 'v'
    union all
    select 'rule ' || c.relname || '.' || w.rulename, pg_get_ruledef(w.oid)
    from pg_class c join pg_rewrite w on w.ev_class = c.oid where c.relnamespace = here and c.relkind = 'r'
    union all
    select 'column ' || c.relname || '.' || a.attname,
           concat_ws(' ', format_type(a.atttypid, a.atttypmod), (
               select 'collate ' || l.collname from pg_collation l where l.oid = a.attcollation and l.collname <> 'default'),
             case when a.attnotnull then 'not null' end,
             'default ' || (select pg_get_expr(d.adbin, d.adrelid) from pg_attrdef d where d.adrelid = c.oid and d.adnum = a.attnum))
    from pg_class c join pg_attribute a on a.attrelid = c.oid
    where c.relnamespace = here and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped
    union all
    select 'index ' || c.relname,
           regexp_replace(pg_get_indexdef(c.oid), ' INDEX \S+ ON \S+\.', ' on ') || case when i.indisvalid then '' else ' invalid' end
    from pg_class c join pg_index i on i.indexrelid = c.oid where c.relnamespace = here
    union all
    select 'constraint ' || c.relname || '.' || n.conname, pg_get_constraintdef(n.oid)
    from pg_class c join pg_constraint n on n.conrelid = c.oid
    where c.relnamespace = here and n.contype in ('c', 'f', 'u', 'p', 'x')
    union all
    select 'trigger ' || c.relname || '.' || t.tgname,
           regexp_replace(pg_get_triggerdef(t.oid), ' ON \S+\.', ' on ') || case when t.tgenabled = 'O' then '' else ' disabled' end
    from pg_class c join pg_trigger t on t.tgrelid = c.oid
    where c.relnamespace = here and not t.tgisinternal
    union all
    select 'policy ' || c.relname || '.' || q.polname, pg_get_expr(q.polqual, q.polrelid)
    from pg_class c join pg_policy q on q.polrelid = c.oid where c.relnamespace = here
    union all
    select case f.prokind when 'a' then 'aggregate ' else 'function ' end
             || case when f.pronamespace = here then '' else 'public.' end
             || case when f.pronamespace = here then f.proname else '@@' || substr(f.proname, 1 + char_length('@name@')) end,
           concat_ws(', ', '(' || pg_get_function_identity_arguments(f.oid) || ')', pg_get_function_result(f.oid), l.lanname,
             case f.provolatile when 'i' then 'immutable' when 's' then 'stable' else 'volatile' end,
             case when f.prosecdef then 'security definer' end, case when f.proisstrict then 'strict' end,
             case when f.proowner <> owner then 'owner ' || quote_ident(pg_get_userbyid(f.proowner)) end,
             array_to_string(f.proconfig, ', '),
             case when f.prokind = 'a' then (
               select concat_ws(', ', 'sfunc ' || a.aggtransfn, 'initcond ' || a.agginitval) from pg_aggregate a where a.aggfnoid = f.oid)
             -- A body that was resolved when the function was made is not kept as text.
             when f.prosqlbody is not null then regexp_replace(pg_get_function_sqlbody(f.oid), '\s+', ' ', 'g')
             when f.pronamespace = here then 'body ' || md5(f.prosrc) else 'as ' || f.prosrc end)
    from pg_proc f join pg_language l on l.oid = f.prolang
    where f.pronamespace = here
       or f.pronamespace = to_regnamespace('public') and f.proname like replace('@name@', '_', '\_') || '\_%'
          and pg_get_function_identity_arguments(f.oid) = 'p jsonb'
    union all
    select 'right of ' || g.grantee || ' on ' || g.object, string_agg(g.privilege, ', ' order by g.privilege)
    from (
      select 'schema' as object, x.privilege_type as privilege,
             case x.grantee when 0 then 'public' else pg_get_userbyid(x.grantee) end as grantee
      from pg_namespace n cross join aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) x
      where n.oid = here and x.grantee <> n.nspowner
      union all
      select 'table ' || c.relname, x.privilege_type, case x.grantee when 0 then 'public' else pg_get_userbyid(x.grantee) end
      from pg_class c cross join aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) x
      where c.relnamespace = here and c.relkind in ('r', 'v') and x.grantee <> c.relowner
      union all
      select 'column ' || c.relname || '.' || a.attname, x.privilege_type, case x.grantee when 0 then 'public' else pg_get_userbyid(x.grantee) end
      from pg_class c join pg_attribute a on a.attrelid = c.oid cross join aclexplode(a.attacl) x
      where c.relnamespace = here and c.relkind in ('r', 'v') and x.grantee <> c.relowner
      union all
      select 'function ' || case when f.pronamespace = here then f.proname else 'public.@@' || substr(f.proname, 1 + char_length('@name@')) end,
             x.privilege_type, case x.grantee when 0 then 'public' else pg_get_userbyid(x.grantee) end
      from pg_proc f cross join aclexplode(coalesce(f.proacl, acldefault('f', f.proowner))) x
      where (f.pronamespace = here
         or f.pronamespace = to_regnamespace('public') and f.proname like replace('@name@', '_', '\_') || '\_%'
            and pg_get_function_identity_arguments(f.oid) = 'p jsonb')
        and x.grantee <> f.proowner
    ) g
    group by g.grantee, g.object
  ) o;
  return jsonb_build_object('status', 'ok', 'objects', found, 'owner', pg_get_userbyid(owner),
    'anonAllowed', (select h.anon_allowed from @schema@.head h),
    'dataApi', (select count(*) = 3 from pg_roles where rolname in ('anon', 'authenticated', 'service_role'))
      and has_schema_privilege(owner, to_regnamespace('public'), 'create') is true);
end
$$;

-- By default everybody may call a function.
revoke all on all functions in schema @schema@ from public;
