-- The functions that fill a store from another one, and change its mode. They follow the rules of the functions that write. Only the owner
-- of the schema may call them, and through the Data API only the secret key.

-- Locks the head, and requires one of these modes. If it returns an answer, the caller returns that answer and does nothing else.
create or replace function @schema@.lock_copying(p jsonb, allowed text[]) returns jsonb
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  refusal constant jsonb := @schema@.lock_head((p ->> 'schema')::integer);
  h @schema@.head;
begin
  if refusal is not null then return refusal; end if;
  h := @schema@.visible_head();
  if not pg_has_role(current_user, (select c.relowner from pg_class c where c.oid = '@schema@.head'::regclass), 'usage') then
    raise exception 'only the owner of schema @name@ may do this, and not role %', current_user using errcode = '42501';
  end if;
  if h.mode = any (allowed) then return null; end if;
  perform set_config('@name@.writer', '', true);
  return jsonb_build_object('status', 'mode', 'mode', h.mode);
end
$$;

-- {schema, from, to} -> {status: ok, head} | {status: mode, mode} | {status: not_empty} | {status: too_old | busy}
-- Under the lock of the head: after the answer, no commit of the former mode can come.
create or replace function @schema@.set_mode(p jsonb) returns jsonb
language plpgsql set search_path = pg_catalog, pg_temp set lock_timeout = '5s'
as $$
declare
  h @schema@.head;
  refusal jsonb;
  target text;
begin
  p := @schema@.argument(p);
  target := p ->> 'to';
  refusal := @schema@.lock_copying(p, case
    when (p ->> 'from', target) in (
      ('open', 'frozen'), ('frozen', 'open'), ('open', 'seeding'), ('open', 'copy'), ('seeding', 'copy'), ('seeding', 'open'),
      ('copy', 'seeding'), ('copy', 'open'), ('frozen', 'copy'))
    then array[p ->> 'from', target] end);
  if refusal is not null then return refusal; end if;
  h := @schema@.visible_head();
  if h.mode = 'open' and target in ('seeding', 'copy') and (h.revision > h.first_revision
    or exists (select from @schema@.journal) or exists (select from @schema@.records))
  then
    perform set_config('@name@.writer', '', true);
    return '{"status": "not_empty"}';
  end if;
  if h.mode <> target then
    h.mode := target;
    update @schema@.head set mode = h.mode where id = 1;
  end if;
  perform set_config('@name@.writer', '', true);
  return jsonb_build_object('status', 'ok', 'head', @schema@.head_json(h));
end
$$;

-- To empty a table takes no longer for a million rows than for one.
create or replace trigger truncate_is_refused before truncate on @schema@.records
for each statement when (current_setting('@name@.writer', true) is distinct from 'on') execute function @schema@.hand_is_refused();
create or replace trigger truncate_is_refused before truncate on @schema@.tombstones
for each statement when (current_setting('@name@.writer', true) is distinct from 'on') execute function @schema@.hand_is_refused();
create or replace trigger truncate_is_refused before truncate on @schema@.journal
for each statement when (current_setting('@name@.writer', true) is distinct from 'on') execute function @schema@.hand_is_refused();
create or replace trigger truncate_is_refused before truncate on @schema@.unchanged
for each statement when (current_setting('@name@.writer', true) is distinct from 'on') execute function @schema@.hand_is_refused();

-- {schema, point: {lineage, revision, digest, at, ancestors}, records: [[kind, id, data, revision, createdAt, updatedAt]]}
-- -> {status: ok, head} | {status: mode, mode} | {status: too_old | busy}
-- Puts records of one moment into the store. Each gets its version in the journal, in the row of its revision, which has no commit id. The
-- row of the moment itself has the digest; the other rows have none, because nobody can ask for it.
create or replace function @schema@.seed(p jsonb) returns jsonb
language plpgsql set search_path = pg_catalog, pg_temp set lock_timeout = '5s' set jit = off set enable_seqscan = off
as $$
declare
  h @schema@.head;
  refusal jsonb;
  point jsonb;
begin
  p := @schema@.argument(p);
  refusal := @schema@.lock_copying(p, '{seeding}');
  if refusal is not null then return refusal; end if;
  h := @schema@.visible_head();
  point := p -> 'point';
  if exists (
    select from jsonb_array_elements(p -> 'records') as r (item)
    where ((r.item ->> 3)::bigint between 1 and (point ->> 'revision')::bigint) is not true)
  then
    raise exception 'A record is newer than the moment that is seeded.' using errcode = '22000';
  end if;
  if h.first_revision <> h.revision
    or (h.lineage::text, h.revision, h.digest) <> (point ->> 'lineage', (point ->> 'revision')::bigint, point ->> 'digest')
  then
    truncate @schema@.records, @schema@.tombstones, @schema@.journal, @schema@.unchanged;
  end if;
  h.lineage := point ->> 'lineage';
  h.ancestors := array(select jsonb_array_elements_text(point -> 'ancestors'));
  h.revision := point ->> 'revision';
  h.digest := point ->> 'digest';
  h.at := point ->> 'at';
  h.floor := h.revision;
  h.swept := h.revision;
  h.first_revision := h.revision;
  h.first_digest := h.digest;
  update @schema@.head
  set lineage = h.lineage, ancestors = h.ancestors, revision = h.revision, digest = h.digest, at = h.at, floor = h.floor,
    swept = h.swept, first_revision = h.first_revision, first_digest = h.first_digest
  where id = 1;
  if h.revision > 0 then
    insert into @schema@.journal (revision, at, actor, writes, previous, prior, created_at, needed, digest)
    values (h.revision, h.at, 'seed', '[]', '{}', '{}', '{}', 0, h.digest)
    on conflict (revision) do nothing;
  end if;
  with added as (
    insert into @schema@.records as r (kind, id, data, revision, created_at, updated_at)
    select g.item ->> 0, g.item ->> 1, g.item -> 2, (g.item ->> 3)::bigint, (g.item ->> 4)::bigint, (g.item ->> 5)::bigint
    from jsonb_array_elements(p -> 'records') as g (item)
    on conflict (kind, id) do nothing
    returning r.*
  )
  insert into @schema@.journal as j (revision, at, actor, writes, previous, prior, created_at, needed, digest)
  select a.revision, max(a.updated_at), 'seed',
    jsonb_agg(jsonb_build_object('op', 'put', 'kind', a.kind, 'id', a.id, 'data', a.data) order by a.kind, a.id),
    array_agg(0::bigint), array_agg(0::bigint), array_agg(a.created_at order by a.kind, a.id), count(*), ''
  from added a
  group by a.revision
  on conflict (revision) do update
  set writes = j.writes || excluded.writes, previous = j.previous || excluded.previous, prior = j.prior || excluded.prior,
    created_at = j.created_at || excluded.created_at, needed = j.needed + excluded.needed;
  perform set_config('@name@.writer', '', true);
  return jsonb_build_object('status', 'ok', 'head', @schema@.head_json(h));
end
$$;

-- {schema, after: {lineage, revision, digest}, entries: [{revision, commitId, at, actor, fingerprint?, writes, digest}]}
-- -> {status: ok, head} | {status: compacted | ahead | diverged, head} | {status: mode, mode} | {status: too_old | busy}
-- Appends entries of another store, all of them in one statement: what a commit finds in the tables, a later entry finds in an earlier one.
create or replace function @schema@.replay(p jsonb) returns jsonb
language plpgsql set search_path = pg_catalog, pg_temp set lock_timeout = '5s' set jit = off set enable_seqscan = off
as $$
declare
  h @schema@.head;
  refusal jsonb;
  news jsonb;
  malformed boolean;
begin
  p := @schema@.argument(p);
  refusal := @schema@.lock_copying(p, '{seeding,copy}');
  if refusal is not null then return refusal; end if;
  h := @schema@.stored_head();
  refusal := @schema@.off_track(h, p -> 'after');
  if refusal is null and exists (
    select from jsonb_array_elements(p -> 'entries') as e (item)
    cross join lateral (select (e.item ->> 'revision')::bigint as revision offset 0) g
    left join lateral (select k.digest from @schema@.journal k where k.revision = g.revision offset 0) j on true
    where g.revision <= h.revision and j.digest is distinct from e.item ->> 'digest')
  then
    refusal := jsonb_build_object('status', 'diverged', 'head', @schema@.head_json(h));
  end if;
  if refusal is not null then
    perform set_config('@name@.writer', '', true);
    return refusal;
  end if;
  if exists (
    select from (
      select e.item, e.n, lag(e.item ->> 'digest', 1, p #>> '{after,digest}') over (order by e.n) as before,
        lag((e.item ->> 'at')::bigint) over (order by e.n) as at_before
      from jsonb_array_elements(p -> 'entries') with ordinality as e (item, n)
    ) s
    where (s.item ->> 'revision')::bigint is distinct from (p #>> '{after,revision}')::bigint + s.n
      or encode(sha256(convert_to(s.before || (s.item ->> 'commitId'), 'UTF8')), 'hex') is distinct from s.item ->> 'digest'
      or (s.item ->> 'at')::bigint < coalesce(s.at_before, 0)
      or (s.item ->> 'revision')::bigint = h.revision + 1 and (s.item ->> 'at')::bigint < h.at)
  then
    raise exception 'The entries do not follow each other, or not the head.' using errcode = '22000';
  end if;
  news := jsonb_path_query_array(p -> 'entries', '$[*] ? (@.revision > $head)', jsonb_build_object('head', h.revision));
  with given as materialized (
    select (e.item ->> 'revision')::bigint as revision, (e.item ->> 'at')::bigint as at, e.item
    from jsonb_array_elements(news) as e (item)
  ), writes as (
    select g.revision, g.at, e.ordinal, e.write ->> 'op' as op, e.write ->> 'kind' as kind, e.write ->> 'id' as id,
      e.write -> 'data' as data
    from given g cross join lateral jsonb_array_elements(g.item -> 'writes') with ordinality as e (write, ordinal)
  ), placed as (
    -- `lives`: how often the record was deleted by the entries before.
    select w.*, lag(w.revision) over k as earlier, lag(w.op) over k as earlier_op, lead(w.revision) over k as later,
      count(*) filter (where w.op = 'delete') over (k rows between unbounded preceding and 1 preceding) as lives
    from writes w
    window k as (partition by w.kind, w.id order by w.revision)
  ), found as materialized (
    select f.*, r.ctid as record_ctid, t.ctid as tombstone_ctid,
      case when f.earlier is null then coalesce(r.revision, 0) when f.earlier_op = 'put' then f.earlier else 0 end as previous,
      coalesce(f.earlier, r.revision, t.revision, 0) as prior,
      case when f.lives = 0 and r.ctid is not null then r.created_at
        else first_value(f.at) over (partition by f.kind, f.id, f.lives order by f.revision) end as created_at
    from placed f
    left join lateral (
      select s.ctid, s.revision, s.created_at from @schema@.records s where s.kind = f.kind and s.id = f.id offset 0
    ) r on true
    left join lateral (
      select s.ctid, s.revision from @schema@.tombstones s where s.kind = f.kind and s.id = f.id offset 0
    ) t on true
  ), journalled as (
    insert into @schema@.journal
      (revision, commit_id, at, actor, fingerprint, writes, previous, prior, created_at, needed, digest)
    select g.revision, (g.item ->> 'commitId')::uuid, g.at, g.item ->> 'actor', g.item ->> 'fingerprint', g.item -> 'writes',
      c.previous, c.prior, c.created_at, cardinality(c.prior), g.item ->> 'digest'
    from given g join (
      select f.revision, array_agg(f.previous order by f.ordinal) as previous, array_agg(f.prior order by f.ordinal) as prior,
        array_agg(f.created_at order by f.ordinal) as created_at
      from found f group by f.revision
    ) c using (revision)
    order by g.revision
  ), stored as (
    insert into @schema@.records as r (kind, id, data, revision, created_at, updated_at)
    select f.kind, f.id, f.data, f.revision, f.created_at, f.at from found f where f.later is null and f.op = 'put'
    on conflict (kind, id) do update
    set data = excluded.data, revision = excluded.revision, created_at = excluded.created_at, updated_at = excluded.updated_at
  ), removed as (
    delete from @schema@.records r
    where r.ctid = any (array(select f.record_ctid from found f where f.later is null and f.op = 'delete'))
  ), tombstoned as (
    insert into @schema@.tombstones as t (kind, id, revision)
    select f.kind, f.id, f.revision from found f where f.later is null and f.op = 'delete'
    on conflict (kind, id) do update set revision = excluded.revision
  ), recreated as (
    delete from @schema@.tombstones t
    where t.ctid = any (array(select f.tombstone_ctid from found f where f.later is null and f.op = 'put'))
  )
  select coalesce(max(g.revision), h.revision), coalesce(max(g.at), h.at),
    coalesce(max(g.item ->> 'digest') filter (where g.revision = (select max(l.revision) from given l)), h.digest),
    coalesce(bool_or(jsonb_array_length(g.item -> 'writes') = 0), false)
      or exists (select from found f where f.op in ('put', 'delete') is not true or f.earlier = f.revision)
  into h.revision, h.at, h.digest, malformed from given g;
  if malformed then raise exception 'An entry writes nothing, or one record twice.' using errcode = '22000'; end if;
  update @schema@.head set revision = h.revision, digest = h.digest, at = h.at where id = 1;
  perform set_config('@name@.writer', '', true);
  return jsonb_build_object('status', 'ok', 'head', @schema@.head_json(h));
end
$$;

-- {schema, requiredSince, tokens: [the members of a token]} -> {status: ok} | {status: name_taken | too_many} | {status: mode, mode}
-- | {status: too_old | busy}
-- Adds tokens of another store, revoked ones too. A token that is there is revoked if it is revoked in the other store, never the reverse.
create or replace function @schema@.access_seed(p jsonb) returns jsonb
language plpgsql set search_path = pg_catalog, pg_temp set lock_timeout = '5s'
as $$
declare
  refusal jsonb;
  changes boolean;
begin
  p := @schema@.argument(p);
  refusal := @schema@.lock_copying(p, '{seeding,copy}');
  if refusal is not null then return refusal; end if;
  if exists (
    select from jsonb_array_elements(p -> 'tokens') as g (token) join @schema@.access_tokens t on t.id = g.token ->> 'id'
    where t.secret_hash <> g.token ->> 'secretHash'
    union all
    select from jsonb_array_elements(p -> 'tokens') as g (token) join @schema@.access_tokens t on t.name = g.token ->> 'name'
    where t.id <> g.token ->> 'id'
    union all
    select from jsonb_array_elements(p -> 'tokens') as g (token)
    having count(*) > least(count(distinct g.token ->> 'id'), count(distinct g.token ->> 'name')))
  then
    refusal := '{"status": "name_taken"}';
  elsif 10000 < (
    select count(*) from (
      select t.id from @schema@.access_tokens t union select g.token ->> 'id' from jsonb_array_elements(p -> 'tokens') as g (token)
    ) u)
  then
    refusal := '{"status": "too_many"}';
  else
    insert into @schema@.access_tokens as t
      (id, name, scopes, secret_hash, created_at, created_by, expires_at, revoked_at, revoked_by)
    select g.token ->> 'id', g.token ->> 'name', g.token -> 'scopes', g.token ->> 'secretHash', (g.token ->> 'createdAt')::bigint,
      g.token ->> 'createdBy', (g.token ->> 'expiresAt')::bigint, (g.token ->> 'revokedAt')::bigint, g.token ->> 'revokedBy'
    from jsonb_array_elements(p -> 'tokens') as g (token)
    on conflict (id) do update set revoked_at = excluded.revoked_at, revoked_by = excluded.revoked_by
    where t.revoked_at is null and excluded.revoked_at is not null;
    changes := found;
    update @schema@.head set required_since = (p ->> 'requiredSince')::bigint
    where id = 1 and required_since is null and p ->> 'requiredSince' is not null;
    if changes or found then update @schema@.head set access_version = gen_random_uuid() where id = 1; end if;
  end if;
  perform set_config('@name@.writer', '', true);
  return coalesce(refusal, '{"status": "ok"}');
end
$$;

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
    'mend_head', 'set_mode', 'seed', 'replay', 'access_load', 'access_put', 'access_revoke', 'access_require', 'access_seed']
  loop
    execute format(
      'create or replace function public.%I(p jsonb) returns jsonb language sql %s security definer set search_path = pg_catalog, pg_temp '
      'as ''select %I.%I(p)''',
      '@name@_' || called,
      case when called in ('commit', 'compact', 'fork', 'adopt', 'mend_head', 'set_mode', 'seed', 'replay', 'access_put', 'access_revoke',
        'access_require', 'access_seed') then 'volatile' else 'stable' end,
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
