-- The journal takes versions of records and entries from another store. A version of a record that was seeded is a row without a commit
-- id: what it had before is not known. A commit id may come again, because the other store forgot its first entry.

alter table @schema@.journal alter column commit_id drop not null;
drop index if exists @schema@.journal_commit_id;
create index if not exists journal_commit_ids on @schema@.journal (commit_id);

-- The journal in (above, upto]: {entries, more}. At most `most` entries, and no more after some megabytes. If an entry is missing, none is
-- returned: a caller that took the others would never notice.
create or replace function @schema@.entries(above bigint, upto bigint, most bigint) returns jsonb
language plpgsql stable set search_path = pg_catalog, pg_temp set jit = off
as $$
declare
  j record;
  size bigint := 0;
  amount bigint := 0;
  last bigint;
  found jsonb;
begin
  -- A loop can end early: to measure entries that are not sent would cost more than to send the others.
  for j in
    select k.revision, k.writes from @schema@.journal k
    where k.revision > above and k.revision <= upto
    order by k.revision
    limit most
  loop
    size := size + @schema@.sent_size(j.writes);
    amount := amount + 1;
    last := j.revision;
    if last <> above + amount then perform @schema@.refuse_hole(above + amount); end if;
    exit when size >= 2000000;
  end loop;
  if size < 2000000 and amount < least(most, upto - above) then perform @schema@.refuse_hole(above + amount + 1); end if;
  select jsonb_agg(jsonb_build_object(
           'revision', k.revision, 'commitId', k.commit_id, 'at', k.at,
           'actor', k.actor, 'fingerprint', k.fingerprint, 'writes', k.writes, 'digest', k.digest) order by k.revision)
  into found
  from @schema@.journal k
  where k.revision > above and k.revision <= last;
  return jsonb_build_object('entries', coalesce(found, '[]'), 'more', above + amount < upto);
end
$$;

-- {kind, id, before?, limit} -> {status, head, entries, previous, next?, complete}, newest first
create or replace function @schema@.history(p jsonb) returns jsonb
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
declare
  h constant @schema@.head := @schema@.current_head();
  the_kind text;
  the_id text;
  before_revision bigint;
  most integer;
  next_revision bigint;
  j @schema@.journal;
  ordinal integer;
  size bigint := 0;
  entries jsonb[] := '{}';
  previous bigint[] := '{}';
  reply jsonb := '{"status": "ok", "complete": true}';
begin
  p := @schema@.argument(p);
  the_kind := p ->> 'kind';
  the_id := p ->> 'id';
  before_revision := coalesce((p ->> 'before')::bigint, 9223372036854775807);
  most := (p ->> 'limit')::integer;
  select n.revision into next_revision from @schema@.page(null, the_kind, the_id, 1) n;
  -- If the page before this one ended at `before`, the walk continues there, and not at the newest entry.
  select * into j from @schema@.journal where revision = before_revision;
  if found and j.commit_id is not null then
    ordinal := @schema@.write_ordinal(j.writes, the_kind, the_id);
    if ordinal is not null then next_revision := j.prior[ordinal]; end if;
  end if;
  while next_revision > 0 loop
    select * into j from @schema@.journal where revision = next_revision;
    if not found then
      if next_revision > h.floor then perform @schema@.refuse_hole(next_revision); end if;
      reply := reply || '{"complete": false}';
      exit;
    end if;
    if j.commit_id is null then
      reply := reply || '{"complete": false}';
      exit;
    end if;
    ordinal := @schema@.write_ordinal(j.writes, the_kind, the_id);
    if j.revision < before_revision then
      if cardinality(previous) = most or size > 4000000 then
        reply := reply || '{"complete": false}' || jsonb_build_object('next', entries[cardinality(entries)] -> 'revision');
        exit;
      end if;
      entries := entries || jsonb_build_object(
        'revision', j.revision, 'commitId', j.commit_id, 'at', j.at,
        'actor', j.actor, 'fingerprint', j.fingerprint, 'writes', j.writes, 'digest', j.digest);
      previous := previous || j.previous[ordinal];
      size := size + @schema@.sent_size(j.writes);
    end if;
    next_revision := j.prior[ordinal];
  end loop;
  return reply || jsonb_build_object(
    'head', @schema@.head_json(h), 'entries', to_jsonb(entries), 'previous', to_jsonb(previous));
end
$$;

-- Writes commits that share neither a record nor an id, all of them in one statement. Where the mode is not `open`, it writes nothing, and
-- knows only commits that were stored before.
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
      from @schema@.journal k where k.commit_id = (c.item ->> 'commitId')::uuid order by k.revision desc limit 1
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
    where c.known is null and c.same_revisions is null and h.mode = 'open'
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
        when h.mode <> 'open' then jsonb_build_object('outcome', 'frozen', 'mode', h.mode)
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

-- {schema, call: {writer, attempt}, after: {lineage, revision, digest}, limit, batch: [{commitId, actor, fingerprint?, writes: [{op, kind,
-- id, data?}], expect?: [revision | null]}]}
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
  h := @schema@.stored_head();
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
  if h.mode <> 'open' and jsonb_array_length(batch) = 0 then perform @schema@.refuse_mode(h.mode); end if;
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

-- {schema} -> {status: ok, head} | {status: too_old | busy}
-- Makes the head the end of the journal, makes a commit of each record that no entry wrote, and begins a new lineage. For the content of a
-- backup that was restored without its head. If the head is right, only the lineage changes. A new history is open, unless it is a part of
-- another one: that must not look like a whole one.
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
      select case when count(*) = last.revision and bool_and(j.commit_id is not null and j.needed = cardinality(j.prior))
        then 1 else last.revision end
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
  if h.mode <> 'seeding' then h.mode := 'open'; end if;
  update @schema@.head
  set lineage = h.lineage, ancestors = h.ancestors, revision = h.revision, digest = h.digest, floor = h.floor, swept = h.swept,
    at = h.at, first_digest = h.first_digest, required_since = h.required_since, mode = h.mode
  where id = 1;
  perform set_config('@name@.writer', '', true);
  return jsonb_build_object('status', 'ok', 'head', @schema@.head_json(h));
end
$$;

-- By default everybody may call a function.
revoke all on all functions in schema @schema@ from public;
