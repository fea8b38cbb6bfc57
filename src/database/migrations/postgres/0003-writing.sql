-- The functions that write. Each locks the head first, and waits at most 5 seconds for that lock and for every other one. Conflicts and
-- the like are answers, never errors: PostgREST before 16 repeats without end what fails with 40001.

-- The digest after some commit ids in their order. As a window function it gives the digest after each of them.
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

-- Locks the head for writing. If it returns an answer, the caller returns that answer and does nothing else.
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
  -- An acknowledged write must be on disk. A setting of the function alone would end before the transaction does.
  if current_setting('synchronous_commit') not in ('on', 'remote_apply') then
    perform set_config('synchronous_commit', 'on', true);
  end if;
  -- The triggers for changes by hand do nothing until the function that called this one switches them on again.
  perform set_config('@name@.writer', 'on', true);
  return null;
end
$$;

-- Records a call of a writer, under the lock of the head. If it returns an answer, the caller returns that answer and judges nothing.
-- `superseded`: the newest call of the writer is not older than this one.
create or replace function @schema@.record_call(h @schema@.head, call jsonb, now_ms bigint) returns jsonb
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  the_writer constant uuid := (call ->> 'writer')::uuid;
  the_attempt constant bigint := (call ->> 'attempt')::bigint;
begin
  if the_writer is null or the_attempt is null then
    return jsonb_build_object('status', 'too_old', 'schema', h.schema_number, 'oldest', h.oldest_writer);
  end if;
  update @schema@.writers w set attempt = the_attempt, at = now_ms
  where w.writer = the_writer and w.attempt < the_attempt;
  if found then return null; end if;
  if exists (select from @schema@.writers w where w.writer = the_writer) then
    return '{"status": "superseded"}';
  end if;
  -- An abandoned call does not arrive more than a day later.
  delete from @schema@.writers w where w.at < now_ms - 86400000;
  insert into @schema@.writers (writer, attempt, at) values (the_writer, the_attempt, now_ms);
  return null;
end
$$;

-- The writes that made the records what a commit found when it changed nothing. Null if the journal no longer has one of them.
create or replace function @schema@.unchanged_writes(wanted jsonb, revisions bigint[]) returns jsonb
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select case when bool_and(f.write is not null) then jsonb_agg(f.write order by f.ordinal) end
  from (
    select w.ordinal, case w.write ->> 'op' when 'delete' then w.write else (
      select j.writes -> (@schema@.write_ordinal(j.writes, w.write ->> 'kind', w.write ->> 'id') - 1)
      from @schema@.journal j where j.revision = revisions[w.ordinal]) end as write
    from jsonb_array_elements(wanted) with ordinality as w (write, ordinal)
  ) f
$$;

-- Keeps the commits of a batch that have a fingerprint and changed nothing: for a day, the youngest 100,000 of them.
create or replace function @schema@.remember_unchanged(batch jsonb, results jsonb, now_ms bigint) returns void
language plpgsql set search_path = pg_catalog, pg_temp set jit = off set enable_seqscan = off
as $$
declare
  newest constant bigint := coalesce((select max(u.number) from @schema@.unchanged u), 0);
  added bigint;
begin
  insert into @schema@.unchanged (number, commit_id, fingerprint, at, writes, revisions)
  select newest + row_number() over (order by c.n), (c.item ->> 'commitId')::uuid, c.item ->> 'fingerprint', now_ms,
         (select jsonb_agg(w.write - 'data' order by w.ordinal)
          from jsonb_array_elements(c.item -> 'writes') with ordinality as w (write, ordinal)),
         array(select r.revision::bigint
               from jsonb_array_elements_text(results -> (c.n - 1)::integer -> 'revisions') with ordinality as r (revision, ordinal)
               order by r.ordinal)
  from jsonb_array_elements(batch) with ordinality as c (item, n)
  where c.item ? 'fingerprint' and results -> (c.n - 1)::integer ->> 'outcome' = 'unchanged'
    and not results -> (c.n - 1)::integer ? 'replayed';
  get diagnostics added = row_count;
  if added = 0 then return; end if;
  -- A transaction with an older snapshot that waits for the head must fail: it would give out the same numbers.
  update @schema@.head set at = at where id = 1;
  -- The oldest rows come first, and each call removes more rows than it adds.
  delete from @schema@.unchanged u
  where u.number <= newest + added - 100000
    or u.number in (
      select s.number from (select o.number, o.at from @schema@.unchanged o order by o.number limit 2 * added + 10) s
      where s.at < now_ms - 86400000);
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
           j.digest, j.previous, j.writes,
           s.revisions as same_revisions, s.fingerprint as same_fingerprint, s.writes as same_writes
    from jsonb_array_elements(batch) with ordinality as c (item, n)
    left join lateral (
      select k.revision, k.fingerprint, k.at, k.digest, k.previous, k.writes
      from @schema@.journal k where k.commit_id = (c.item ->> 'commitId')::uuid offset 0
    ) j on true
    -- Only ids that clients choose have a fingerprint, and may belong to a commit that changed nothing.
    left join lateral (
      select u.revisions, u.fingerprint, u.writes
      from @schema@.unchanged u where c.item ? 'fingerprint' and u.commit_id = (c.item ->> 'commitId')::uuid offset 0
    ) s on true
  ), writes as materialized (
    -- A lateral query with `offset 0` is one index probe for each row. A plan that was made while the tables were small must not
    -- read the whole tables once they are large.
    select c.n, w.ordinal, w.op, w.kind, w.id, w.data, w.expected, coalesce(r.revision, 0) as revision,
           coalesce(r.revision, t.revision, 0) as prior, coalesce(r.created_at, now_ms) as created_at,
           r.ctid as record_ctid, t.ctid as tombstone_ctid,
           case w.op when 'put' then r.data is distinct from w.data when 'delete' then r.revision is not null end as changes
    from commits c
    cross join lateral (
      select e.ordinal, e.write ->> 'op' as op, e.write ->> 'kind' as kind, e.write ->> 'id' as id, e.write -> 'data' as data,
             (c.item -> 'expect' ->> (e.ordinal - 1)::integer)::bigint as expected
      from jsonb_array_elements(c.item -> 'writes') with ordinality as e (write, ordinal)
    ) w
    left join lateral (
      select s.ctid, s.revision, s.data, s.created_at
      from @schema@.records s where s.kind = w.kind and s.id = w.id offset 0
    ) r on true
    left join lateral (
      select s.ctid, s.revision from @schema@.tombstones s where s.kind = w.kind and s.id = w.id offset 0
    ) t on true
    where c.known is null and c.same_revisions is null
  ), verdicts as (
    select w.n, bool_or(w.changes) as changes, bool_and(w.changes is not null) as sound, count(*) as writes,
           min(w.ordinal) filter (where w.expected <> w.revision) as conflict,
           array_agg(w.revision order by w.ordinal) as previous,
           array_agg(w.prior order by w.ordinal) as prior,
           array_agg(w.created_at order by w.ordinal) as created_at
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
    where r.ctid = any (array(select e.record_ctid from effects e where e.op = 'delete' and e.record_ctid is not null))
  ), tombstoned as (
    insert into @schema@.tombstones as t (kind, id, revision)
    select e.kind, e.id, e.new_revision from effects e where e.op = 'delete'
    on conflict (kind, id) do update set revision = excluded.revision
  ), recreated as (
    delete from @schema@.tombstones t
    where t.ctid = any (array(select e.tombstone_ctid from effects e where e.op = 'put' and e.tombstone_ctid is not null))
  )
  select
    jsonb_agg(
      case
        when c.known is not null and c.fingerprint is distinct from c.item ->> 'fingerprint' then
          jsonb_build_object('outcome', 'reused', 'revision', c.known)
        when c.known is not null then
          jsonb_build_object('outcome', 'replayed', 'revision', c.known, 'at', c.at, 'digest', c.digest,
            'previous', to_jsonb(c.previous), 'writes', c.writes)
        when c.same_revisions is not null and c.same_fingerprint <> c.item ->> 'fingerprint' then
          jsonb_build_object('outcome', 'reused', 'revision', (select max(r) from unnest(c.same_revisions) r))
        when c.same_revisions is not null then
          jsonb_build_object('outcome', 'unchanged', 'replayed', true, 'revisions', to_jsonb(c.same_revisions),
            'writes', @schema@.unchanged_writes(c.same_writes, c.same_revisions))
        when v.conflict is not null then (
          select jsonb_build_object('outcome', 'conflict', 'kind', w.kind, 'id', w.id,
            'expected', w.expected, 'actual', w.revision)
          from writes w where w.n = c.n and w.ordinal = v.conflict)
        when a.revision is not null then jsonb_build_array(a.revision, a.digest, a.previous)
        when v.sound is not true then '{"outcome": "malformed"}'
        when v.changes then '{"outcome": "exhausted"}'
        else jsonb_build_object('outcome', 'unchanged', 'revisions', to_jsonb(v.previous))
      end order by c.n),
    max(a.revision), max(a.digest) filter (where a.revision = (select max(l.revision) from accepted l))
  from commits c left join verdicts v using (n) left join accepted a using (n);
end
$$;

-- Cuts a batch so that no part names a record or a commit id twice. Returns the numbers of the commits that begin a part.
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
      raise exception 'Commit % writes one record twice.', again.n using errcode = '22000';
    elsif again.earlier >= start then
      start := again.n;
      cuts := cuts || start;
    end if;
  end loop;
  return cuts;
end
$$;

-- {schema, call: {writer, attempt}, after: {lineage, revision, digest}, limit, batch: [{commitId, actor, fingerprint?, writes: [{op, kind,
-- id, data?}],
-- expect?: [revision | null]}]}
-- -> {status: ok, at, results, entries, more} | {status: compacted | ahead | diverged, head} | {status: superseded | too_old | busy}
-- The result of a commit that was just accepted, at `at`, is [revision, digest, previous]; that of every other commit is an object.
-- `entries` omits what this call accepted, because the caller has it. `more`: there are further entries before those of this call.
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
  chosen jsonb;
  part record;
  results jsonb := '[]';
  others jsonb := '{"entries": [], "more": false}';
begin
  p := @schema@.argument(p);
  refusal := @schema@.lock_head((p ->> 'schema')::integer);
  if refusal is not null then return refusal; end if;
  h := @schema@.current_head();
  now_ms := greatest(h.at, floor(extract(epoch from clock_timestamp()) * 1000)::bigint);
  if current_setting('transaction_isolation') = 'read committed' then
    -- The first statement of `record_call`: to call a function that sets a search path costs more than this statement.
    update @schema@.writers w set attempt = (p #>> '{call,attempt}')::bigint, at = now_ms
    where w.writer = (p #>> '{call,writer}')::uuid and w.attempt < (p #>> '{call,attempt}')::bigint;
    if not found then refusal := @schema@.record_call(h, p -> 'call', now_ms); end if;
  else
    begin
      refusal := @schema@.record_call(h, p -> 'call', now_ms);
    exception when serialization_failure then
      refusal := '{"status": "busy"}';
    end;
  end if;
  refusal := coalesce(refusal, @schema@.off_track(h, p -> 'after'));
  if refusal is not null then
    perform set_config('@name@.writer', '', true);
    return refusal;
  end if;
  head_before := h.revision;
  batch := p -> 'batch';
  cuts := case jsonb_array_length(batch)
    when 0 then '{}'
    when 1 then '{2}'
    else @schema@.cuts(batch) || (jsonb_array_length(batch) + 1)::bigint
  end;
  foreach next_start in array cuts loop
    chosen := case when start = 1 and next_start = jsonb_array_length(batch) + 1 then batch
      else jsonb_path_query_array(batch, 'strict $[$first to $last]',
        jsonb_build_object('first', start - 1, 'last', next_start - 2)) end;
    select c.* into part from @schema@.commit_distinct(h, chosen, now_ms) c;
    if jsonb_path_exists(part.results, '$[*] ? (@.outcome == "unchanged")') then
      perform @schema@.remember_unchanged(chosen, part.results, now_ms);
    end if;
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
  -- One call builds the reply: to join objects by || would copy every result once more.
  return jsonb_build_object('status', 'ok', 'at', now_ms, 'results', results,
    'entries', others -> 'entries', 'more', others -> 'more');
end
$$;
