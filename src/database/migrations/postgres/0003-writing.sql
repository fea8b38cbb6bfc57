-- The writing half of the door. Each function locks the head first, and waits 5 seconds at most for that and for every other
-- lock. Conflicts and the like are answers, never errors: PostgREST before 16 repeats what fails with 40001 without end.

-- The digest of the last of some commit ids in order; a window aggregate gives that of each.
create or replace function @schema@.next_digest(before text, commit_id uuid, start text) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp
as $$
begin
  return encode(sha256(convert_to(coalesce(before, start) || commit_id, 'UTF8')), 'hex');
end
$$;

create or replace aggregate @schema@.digest_chain(commit_id uuid, start text) (
  sfunc = @schema@.next_digest,
  stype = text
);

-- Locks the head for writing. Where it returns an answer, the caller gives that and does nothing.
create or replace function @schema@.lock_head(schema_of_caller integer) returns jsonb
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  h @schema@.head;
begin
  if current_setting('transaction_isolation') = 'read committed' then
    select * into h from @schema@.head where id = 1 for update;
  else
    begin
      select * into h from @schema@.head where id = 1 for update;
    exception when serialization_failure then
      return '{"status": "busy"}';
    end;
  end if;
  if not found then h := @schema@.current_head(); end if;
  if coalesce(schema_of_caller, 0) < h.oldest_writer then
    return jsonb_build_object('status', 'too_old', 'schema', h.schema_number, 'oldest', h.oldest_writer);
  end if;
  -- What is acknowledged must be on disk. Setting it for the function alone would end before the commit does.
  if current_setting('synchronous_commit') not in ('on', 'remote_apply') then
    perform set_config('synchronous_commit', 'on', true);
  end if;
  -- The triggers for changes by hand are silent until the function that called this one switches them on again.
  perform set_config('@name@.writer', 'on', true);
  return null;
end
$$;

-- Writes commits that share neither a record nor an id, all of them in one statement.
create or replace function @schema@.commit_distinct(h @schema@.head, batch jsonb, now_ms bigint)
returns table (results jsonb, revision bigint, digest text)
language plpgsql set search_path = pg_catalog, pg_temp set jit = off set enable_seqscan = off set plan_cache_mode = force_generic_plan
as $$
begin
  return query
  with commits as materialized (
    select c.n, (c.item ->> 'commitId')::uuid as commit_id, c.item, j.revision as known, j.fingerprint, j.at,
           j.digest, j.previous
    from jsonb_array_elements(batch) with ordinality as c (item, n)
    left join lateral (
      select k.revision, k.fingerprint, k.at, k.digest, k.previous
      from @schema@.journal k where k.commit_id = (c.item ->> 'commitId')::uuid offset 0
    ) j on true
  ), writes as materialized (
    -- A lateral query with `offset 0` is one index probe for each row; a plan made while the tables were small may not
    -- read them whole once they are large.
    select c.n, w.place, w.op, w.kind, w.id, w.data, w.expected, coalesce(r.revision, 0) as revision,
           coalesce(r.revision, t.revision, 0) as prior, coalesce(r.created_at, now_ms) as created_at,
           r.place as record_place, t.place as tombstone_place,
           case w.op when 'put' then r.data is distinct from w.data when 'delete' then r.revision is not null end as changes
    from commits c
    cross join lateral (
      select e.place, e.write ->> 'op' as op, e.write ->> 'kind' as kind, e.write ->> 'id' as id, e.write -> 'data' as data,
             (c.item -> 'expect' ->> (e.place - 1)::integer)::bigint as expected
      from jsonb_array_elements(c.item -> 'writes') with ordinality as e (write, place)
    ) w
    left join lateral (
      select s.ctid as place, s.revision, s.data, s.created_at
      from @schema@.records s where s.kind = w.kind and s.id = w.id offset 0
    ) r on true
    left join lateral (
      select s.ctid as place, s.revision from @schema@.tombstones s where s.kind = w.kind and s.id = w.id offset 0
    ) t on true
    where c.known is null
  ), verdicts as (
    select w.n, bool_or(w.changes) as changes, bool_and(w.changes is not null) as sound, count(*) as writes,
           min(w.place) filter (where w.expected <> w.revision) as conflict,
           array_agg(w.revision order by w.place) as previous,
           array_agg(w.prior order by w.place) as prior,
           array_agg(w.created_at order by w.place) as created_at
    from writes w
    group by w.n
  ), fresh as (
    select v.*, c.commit_id, c.item, h.revision + row_number() over (order by v.n) as revision,
           @schema@.digest_chain(c.commit_id, h.digest) over (order by v.n rows unbounded preceding) as digest
    from verdicts v join commits c using (n)
    where v.conflict is null and v.changes and v.sound
  ), accepted as materialized (
    select * from fresh f where f.revision <= 9007199254740991
  ), journalled as (
    insert into @schema@.journal
      (revision, commit_id, at, actor, fingerprint, writes, previous, prior, created_at, needed, digest)
    select a.revision, a.commit_id, now_ms, a.item ->> 'actor', a.item ->> 'fingerprint', a.item -> 'writes',
           a.previous, a.prior, a.created_at, a.writes, a.digest
    from accepted a
    order by a.revision
  ), effects as materialized (
    select w.*, a.revision as new_revision from writes w join accepted a using (n)
  ), stored as (
    insert into @schema@.records as r (kind, id, data, revision, created_at, updated_at)
    select e.kind, e.id, e.data, e.new_revision, e.created_at, now_ms from effects e where e.op = 'put'
    on conflict (kind, id) do update
    set data = excluded.data, revision = excluded.revision, updated_at = excluded.updated_at
  ), removed as (
    delete from @schema@.records r
    where r.ctid = any (array(select e.record_place from effects e where e.op = 'delete' and e.record_place is not null))
  ), buried as (
    insert into @schema@.tombstones as t (kind, id, revision)
    select e.kind, e.id, e.new_revision from effects e where e.op = 'delete'
    on conflict (kind, id) do update set revision = excluded.revision
  ), revived as (
    delete from @schema@.tombstones t
    where t.ctid = any (array(select e.tombstone_place from effects e where e.op = 'put' and e.tombstone_place is not null))
  )
  select
    jsonb_agg(
      case
        when c.known is not null and c.fingerprint is distinct from c.item ->> 'fingerprint' then
          jsonb_build_object('outcome', 'reused', 'revision', c.known)
        when c.known is not null then
          jsonb_build_object('outcome', 'replayed', 'revision', c.known, 'at', c.at, 'digest', c.digest,
            'previous', to_jsonb(c.previous))
        when v.conflict is not null then (
          select jsonb_build_object('outcome', 'conflict', 'kind', w.kind, 'id', w.id,
            'expected', w.expected, 'actual', w.revision)
          from writes w where w.n = c.n and w.place = v.conflict)
        when a.revision is not null then jsonb_build_array(a.revision, a.digest, a.previous)
        when v.sound is not true then '{"outcome": "malformed"}'
        when v.changes then '{"outcome": "exhausted"}'
        else jsonb_build_object('outcome', 'unchanged', 'revisions', to_jsonb(v.previous))
      end order by c.n),
    max(a.revision), max(a.digest) filter (where a.revision = (select max(l.revision) from accepted l))
  from commits c left join verdicts v using (n) left join accepted a using (n);
end
$$;

-- Where a batch must be cut so that no part names a record or a commit id twice: the positions that begin a part.
create or replace function @schema@.cuts(batch jsonb) returns bigint[]
language plpgsql immutable set search_path = pg_catalog, pg_temp set jit = off
as $$
declare
  again record;
  start bigint := 1;
  cuts bigint[] := '{}';
begin
  for again in
    select s.n, max(s.earlier) as earlier
    from (
      select k.n, lag(k.n) over (partition by k.kind, k.id order by k.n) as earlier
      from (
        select c.n, null as kind, c.item ->> 'commitId' as id
        from jsonb_array_elements(batch) with ordinality as c (item, n)
        union all
        select c.n, w.write ->> 'kind', w.write ->> 'id'
        from jsonb_array_elements(batch) with ordinality as c (item, n)
        cross join lateral jsonb_array_elements(c.item -> 'writes') as w (write)
      ) k
    ) s
    where s.earlier is not null
    group by s.n
    order by s.n
  loop
    if again.earlier = again.n then
      raise exception 'Commit % writes one record twice.', again.n using errcode = '22023';
    elsif again.earlier >= start then
      start := again.n;
      cuts := cuts || start;
    end if;
  end loop;
  return cuts;
end
$$;

-- {schema, after: {lineage, revision, digest}, limit, batch: [{commitId, actor, fingerprint?, writes: [{op, kind, id, data?}],
--  expect?: [revision | null]}]}
-- -> {status: ok, at, results, entries, more} | {status: compacted | ahead | diverged, head} | {status: too_old | busy}
-- A commit that was accepted just now, at `at`, has the result [revision, digest, previous]; every other one an object. `entries`
-- leaves out what this call accepted: the caller has it. `more` says that they do not reach up to it.
create or replace function @schema@.commit(p jsonb) returns jsonb
language plpgsql set search_path = pg_catalog, pg_temp set lock_timeout = '5s'
as $$
declare
  h @schema@.head;
  refusal jsonb;
  batch jsonb;
  now_ms bigint;
  head_before bigint;
  cuts bigint[];
  start bigint := 1;
  next_start bigint;
  part record;
  results jsonb := '[]';
  others jsonb := '{"entries": [], "more": false}';
begin
  p := @schema@.argument(p);
  refusal := @schema@.lock_head((p ->> 'schema')::integer);
  if refusal is not null then return refusal; end if;
  h := @schema@.current_head();
  refusal := @schema@.off_track(h, p -> 'after');
  if refusal is not null then
    perform set_config('@name@.writer', '', true);
    return refusal;
  end if;
  head_before := h.revision;
  batch := p -> 'batch';
  now_ms := greatest(h.at, floor(extract(epoch from clock_timestamp()) * 1000)::bigint);
  cuts := case jsonb_array_length(batch)
    when 0 then '{}'
    when 1 then '{2}'
    else @schema@.cuts(batch) || (jsonb_array_length(batch) + 1)::bigint
  end;
  -- An empty batch asks whether writes work, and only a write can tell.
  if jsonb_array_length(batch) = 0 then
    update @schema@.head set swept = swept where id = 1;
  end if;
  foreach next_start in array cuts loop
    select c.* into part from @schema@.commit_distinct(
      h,
      case when start = 1 and next_start = jsonb_array_length(batch) + 1 then batch
           else jsonb_path_query_array(batch, 'strict $[$first to $last]',
             jsonb_build_object('first', start - 1, 'last', next_start - 2)) end,
      now_ms) c;
    results := results || part.results;
    if part.revision is not null then
      h.revision := part.revision;
      h.digest := part.digest;
      h.at := now_ms;
    end if;
    start := next_start;
  end loop;
  if h.revision > head_before then
    update @schema@.head set revision = h.revision, digest = h.digest, at = h.at where id = 1;
  end if;
  perform set_config('@name@.writer', '', true);
  if head_before > (p #>> '{after,revision}')::bigint then
    others := @schema@.entries((p #>> '{after,revision}')::bigint, head_before, (p ->> 'limit')::bigint);
  end if;
  -- Built in one go: joining objects by || would copy every result once more.
  return jsonb_build_object('status', 'ok', 'at', now_ms, 'results', results,
    'entries', others -> 'entries', 'more', others -> 'more');
end
$$;

-- Takes back what the floor makes superfluous in (swept, upto]: versions that were replaced there, and deletions.
create or replace function @schema@.sweep(h @schema@.head, upto bigint) returns void
language plpgsql set search_path = pg_catalog, pg_temp set jit = off set enable_seqscan = off
as $$
begin
  with passed as materialized (
    select j.revision, j.writes, j.previous from @schema@.journal j where j.revision > h.swept and j.revision <= upto
  ), deletions as materialized (
    select p.revision, w.write ->> 'kind' as kind, w.write ->> 'id' as id
    from passed p cross join lateral jsonb_array_elements(p.writes) as w (write)
    where w.write ->> 'op' = 'delete'
  ), forgotten as (
    delete from @schema@.tombstones t
    where t.ctid = any (array(
      select s.place from deletions d cross join lateral (
        select g.ctid as place from @schema@.tombstones g
        where g.kind = d.kind and g.id = d.id and g.revision = d.revision offset 0
      ) s))
  ), released as materialized (
    select r.revision, count(*)::integer as times
    from (
      -- Not `prior`: where there was no record before, there may have been a deletion, and that one releases itself.
      select unnest(p.previous) as revision from passed p
      union all
      select d.revision from deletions d
      union all
      -- The row where the floor was stayed for its digest alone.
      select h.swept
    ) r
    where r.revision > 0
    group by r.revision
  ), judged as materialized (
    select j.place, j.needed - r.times + case when r.revision = h.swept then 1 else 0 end as needed, r.revision
    from released r cross join lateral (
      select k.ctid as place, k.needed from @schema@.journal k where k.revision = r.revision offset 0
    ) j
  ), dropped as (
    delete from @schema@.journal j
    where j.ctid = any (array(select g.place from judged g where g.needed <= 0 and g.revision <> h.floor))
  )
  update @schema@.journal j set needed = g.needed
  from judged g
  where j.ctid = g.place and (g.needed > 0 or g.revision = h.floor);
end
$$;

-- {schema, floor, limit} -> {status: ok, done, head} | {status: too_old | busy}
-- The floor rises at once; what that makes superfluous goes in parts: call again until it is done.
create or replace function @schema@.compact(p jsonb) returns jsonb
language plpgsql set search_path = pg_catalog, pg_temp set lock_timeout = '5s'
as $$
declare
  h @schema@.head;
  refusal jsonb;
  upto bigint;
begin
  p := @schema@.argument(p);
  refusal := @schema@.lock_head((p ->> 'schema')::integer);
  if refusal is not null then return refusal; end if;
  h := @schema@.current_head();
  h.floor := greatest(h.floor, least(coalesce((p ->> 'floor')::bigint, 0), h.revision));
  upto := least(h.floor, h.swept + (p ->> 'limit')::bigint);
  if upto > h.swept then
    perform @schema@.sweep(h, upto);
    h.swept := upto;
    update @schema@.head set floor = h.floor, swept = h.swept where id = 1;
  end if;
  perform set_config('@name@.writer', '', true);
  return jsonb_build_object('status', 'ok', 'done', h.swept = h.floor, 'head', @schema@.head_json(h));
end
$$;

-- {schema, from: {lineage, revision, digest}} -> {status: ok, head} | {status: too_old | busy}
-- Gives the history a new lineage, if its head still is where the caller saw it.
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
    h.lineage := gen_random_uuid();
    if h.revision = h.first_revision then
      h.digest := h.lineage::text;
      h.first_digest := h.digest;
    end if;
    update @schema@.head set lineage = h.lineage, digest = h.digest, first_digest = h.first_digest where id = 1;
  end if;
  perform set_config('@name@.writer', '', true);
  return jsonb_build_object('status', 'ok', 'head', @schema@.head_json(h));
end
$$;
