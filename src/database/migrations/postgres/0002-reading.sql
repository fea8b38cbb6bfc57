-- The functions that read. Each takes one jsonb, or a JSON string that holds one, and returns one jsonb, which no row limit can cut.
-- Each is stable, and therefore sees a single moment of the database.

-- A body after `return` is resolved once, when the function is made: no search path can change its meaning later. A function that
-- sets a search path is not inlined, which costs too much where it is called for every row.
create or replace function @schema@.argument(p jsonb) returns jsonb
language sql immutable parallel safe
return case jsonb_typeof(p) when 'string' then (p #>> '{}')::jsonb else p end;

create or replace function @schema@.head_json(h @schema@.head) returns jsonb
language sql immutable parallel safe set search_path = pg_catalog, pg_temp
as $$
  select jsonb_build_object(
    'lineage', h.lineage, 'revision', h.revision, 'digest', h.digest,
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
  select * into strict h from @schema@.head where id = 1;
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
  return h;
end
$$;

-- {} -> {status, lineage, revision, digest, floor, at, schema, accessVersion}
create or replace function @schema@.head(p jsonb) returns jsonb
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
begin
  return @schema@.head_json(@schema@.current_head()) || '{"status": "ok"}';
end
$$;

-- Every revision from the floor to the head has a row, except the one that the history began with.
create or replace function @schema@.refuse_hole(revision bigint) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception 'revision % is missing from the journal of schema @name@', revision using errcode = '55K01';
end
$$;

-- Digest of a revision from the floor to the head.
create or replace function @schema@.digest_at(h @schema@.head, at_revision bigint) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
declare
  found_digest text;
begin
  if at_revision = h.revision then return h.digest; end if;
  if at_revision = h.first_revision then return h.first_digest; end if;
  select j.digest into found_digest from @schema@.journal j where j.revision = at_revision;
  if not found then perform @schema@.refuse_hole(at_revision); end if;
  return found_digest;
end
$$;

-- The reason why a caller cannot get the changes after its position, with the head; null if it can.
create or replace function @schema@.off_track(h @schema@.head, after jsonb) returns jsonb
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
declare
  known constant bigint := (after ->> 'revision')::bigint;
  why text;
begin
  if after ->> 'lineage' is distinct from h.lineage::text then why := 'diverged';
  elsif known > h.revision then why := 'ahead';
  elsif known < h.floor then why := 'compacted';
  elsif @schema@.digest_at(h, known) is distinct from after ->> 'digest' then why := 'diverged';
  else return null;
  end if;
  return jsonb_build_object('status', why, 'head', @schema@.head_json(h));
end
$$;

-- The approximate number of bytes of a value in a reply. If the value is not compressed, its size in the table is close enough, and costs a
-- tenth of writing the value as text. A compressed value may take a hundredth of what is sent.
create or replace function @schema@.sent_size(value jsonb) returns integer
language sql stable parallel safe
return case when pg_column_compression(value) is null then pg_column_size(value) else octet_length(value::text) end;

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
           'actor', k.actor, 'writes', k.writes, 'digest', k.digest) order by k.revision)
  into found
  from @schema@.journal k
  where k.revision > above and k.revision <= last;
  return jsonb_build_object('entries', coalesce(found, '[]'), 'more', above + amount < upto);
end
$$;

-- {after: {lineage, revision, digest}, limit}
-- -> {status: ok, entries, more, accessVersion} | {status: compacted | ahead | diverged, head}
create or replace function @schema@.changes(p jsonb) returns jsonb
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
declare
  h @schema@.head;
begin
  p := @schema@.argument(p);
  h := @schema@.current_head();
  return coalesce(
    @schema@.off_track(h, p -> 'after'),
    @schema@.entries((p #>> '{after,revision}')::bigint, h.revision, (p ->> 'limit')::bigint)
      || jsonb_build_object('status', 'ok', 'accessVersion', h.access_version));
end
$$;

-- Records and tombstones (without data) after a key, in order. With a kind only those, with an id only that one.
create or replace function @schema@.page(after jsonb, only_kind text, only_id text, most bigint)
returns table (kind text, id text, data jsonb, revision bigint, created_at bigint, updated_at bigint)
language plpgsql stable set search_path = pg_catalog, pg_temp set jit = off set enable_seqscan = off
as $$
declare
  after_kind constant text := coalesce(after ->> 0, '');
  after_id constant text := coalesce(after ->> 1, '');
begin
  if only_kind is null then
    return query
      (select r.kind, r.id, r.data, r.revision, r.created_at, r.updated_at from @schema@.records r
       where (r.kind, r.id) > (after_kind, after_id) order by r.kind, r.id limit most)
      union all
      (select t.kind, t.id, null, t.revision, null, null from @schema@.tombstones t
       where (t.kind, t.id) > (after_kind, after_id) order by t.kind, t.id limit most)
      order by 1, 2 limit most;
  elsif only_id is null then
    return query
      (select r.kind, r.id, r.data, r.revision, r.created_at, r.updated_at from @schema@.records r
       where r.kind = only_kind and r.id > after_id order by r.id limit most)
      union all
      (select t.kind, t.id, null, t.revision, null, null from @schema@.tombstones t
       where t.kind = only_kind and t.id > after_id order by t.id limit most)
      order by 1, 2 limit most;
  elsif after is null then
    return query
      select r.kind, r.id, r.data, r.revision, r.created_at, r.updated_at from @schema@.records r
      where r.kind = only_kind and r.id = only_id
      union all
      select t.kind, t.id, null, t.revision, null, null from @schema@.tombstones t
      where t.kind = only_kind and t.id = only_id;
  end if;
end
$$;

-- {after?: [kind, id], limit} -> {status, lineage, rows, next?: [kind, id]}
-- A row is [kind, id, data, revision, createdAt, updatedAt]; that of a tombstone [kind, id, null, revision].
create or replace function @schema@.load(p jsonb) returns jsonb
language plpgsql stable set search_path = pg_catalog, pg_temp set jit = off
as $$
declare
  h constant @schema@.head := @schema@.current_head();
  most bigint;
  n record;
  size bigint := 0;
  amount bigint := 0;
  loaded jsonb;
begin
  p := @schema@.argument(p);
  most := (p ->> 'limit')::bigint;
  for n in select * from @schema@.page(p -> 'after', null, null, most) loop
    size := size + coalesce(@schema@.sent_size(n.data), 0);
    amount := amount + 1;
    exit when size >= 2000000;
  end loop;
  select jsonb_agg(
           case when s.data is null then jsonb_build_array(s.kind, s.id, null, s.revision)
                else jsonb_build_array(s.kind, s.id, s.data, s.revision, s.created_at, s.updated_at) end
           order by s.kind, s.id)
  into loaded
  from @schema@.page(p -> 'after', null, null, amount) s;
  return jsonb_build_object(
      'status', 'ok', 'lineage', h.lineage, 'rows', coalesce(loaded, '[]'))
    || case when amount = most or size >= 2000000
            then jsonb_build_object('next', jsonb_build_array(loaded -> -1 -> 0, loaded -> -1 -> 1))
            else '{}' end;
end
$$;

-- The number of the write to a record among the writes of a commit, from 1 on; null if there is none.
create or replace function @schema@.write_ordinal(writes jsonb, of_kind text, of_id text) returns integer
language sql immutable parallel safe
return (
  select w.ordinal::integer
  from jsonb_array_elements(writes) with ordinality as w (write, ordinal)
  where w.write ->> 'kind' = of_kind and w.write ->> 'id' = of_id
  limit 1
);

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
  if found then
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
    ordinal := @schema@.write_ordinal(j.writes, the_kind, the_id);
    if j.revision < before_revision then
      if cardinality(previous) = most or size > 4000000 then
        reply := reply || '{"complete": false}' || jsonb_build_object('next', entries[cardinality(entries)] -> 'revision');
        exit;
      end if;
      entries := entries || jsonb_build_object(
        'revision', j.revision, 'commitId', j.commit_id, 'at', j.at,
        'actor', j.actor, 'writes', j.writes, 'digest', j.digest);
      previous := previous || j.previous[ordinal];
      size := size + @schema@.sent_size(j.writes);
    end if;
    next_revision := j.prior[ordinal];
  end loop;
  return reply || jsonb_build_object(
    'head', @schema@.head_json(h), 'entries', to_jsonb(entries), 'previous', to_jsonb(previous));
end
$$;

-- The newest revision at or before a time, at the floor or above it; null if the floor is newer.
create or replace function @schema@.revision_at(h @schema@.head, moment numeric) returns bigint
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
declare
  low bigint := h.floor;
  high bigint := h.revision;
  middle bigint;
  middle_at bigint;
begin
  if exists (select 1 from @schema@.journal j where j.revision = h.floor and j.at > moment) then
    return null;
  end if;
  while low < high loop
    middle := low + (high - low + 1) / 2;
    select j.at into middle_at from @schema@.journal j where j.revision = middle;
    if not found then perform @schema@.refuse_hole(middle); end if;
    if middle_at <= moment then low := middle;
    else high := middle - 1;
    end if;
  end loop;
  return low;
end
$$;

-- {revision | at, kind?, id?, after?: [kind, id], limit}
-- -> {status: ok, lineage, revision, digest, rows, next?} | {status: compacted, floor} | {status: future, revision}
-- Rows are those of `load`. A record that has not changed since is read from `records`; others along the chain of their writes.
create or replace function @schema@.as_of(p jsonb) returns jsonb
language plpgsql stable set search_path = pg_catalog, pg_temp set jit = off set enable_seqscan = off
as $$
declare
  h @schema@.head;
  moment bigint;
  most bigint;
  found jsonb;
  amount bigint;
  last_key jsonb;
  skipped boolean;
  lost bigint;
begin
  p := @schema@.argument(p);
  h := @schema@.current_head();
  moment := coalesce((p ->> 'revision')::bigint, @schema@.revision_at(h, (p ->> 'at')::numeric));
  if moment is null or moment < h.floor then
    return jsonb_build_object('status', 'compacted', 'floor', h.floor);
  elsif moment > h.revision then
    return jsonb_build_object('status', 'future', 'revision', h.revision);
  end if;
  most := (p ->> 'limit')::bigint;
  with recursive newest as materialized (
    select * from @schema@.page(p -> 'after', p ->> 'kind', p ->> 'id', most)
  ), walk as (
    select n.kind, n.id, n.revision from newest n where n.revision > moment
    union all
    select w.kind, w.id, step.prior
    from walk w
    cross join lateral (
      select (
        select j.prior[@schema@.write_ordinal(j.writes, w.kind, w.id)] from @schema@.journal j where j.revision = w.revision
      ) as prior offset 0
    ) step
    where w.revision > moment
  ), versions as (
    select n.kind, n.id, n.data, n.revision, n.created_at, n.updated_at, @schema@.sent_size(n.data) as size, false as lost
    from newest n where n.revision <= moment
    union all
    -- A walk can end in a deletion that is forgotten, and whose row may be gone.
    select w.kind, w.id, past.data, w.revision, past.created_at, past.at, octet_length(past.data::text),
           w.revision is null or w.revision > h.floor and past.at is null
    from walk w
    left join lateral (
      select j.writes -> (ordinal - 1) -> 'data' as data, j.created_at[ordinal] as created_at, j.at
      from @schema@.journal j cross join lateral @schema@.write_ordinal(j.writes, w.kind, w.id) ordinal
      where j.revision = w.revision offset 0
    ) past on true
    where w.revision <= moment or w.revision is null
  ), measured as (
    select v.*, coalesce(sum(v.size) over (
      order by v.kind, v.id rows between unbounded preceding and 1 preceding), 0) as size_before
    from versions v
  )
  select jsonb_agg(jsonb_build_array(m.kind, m.id, m.data, m.revision, m.created_at, m.updated_at) order by m.kind, m.id)
           filter (where m.data is not null and m.size_before < 2000000),
         count(*), bool_or(m.size_before >= 2000000),
         jsonb_agg(jsonb_build_array(m.kind, m.id) order by m.kind, m.id) filter (where m.size_before < 2000000) -> -1,
         count(*) filter (where m.lost)
  into found, amount, skipped, last_key, lost
  from measured m;
  if lost > 0 then
    raise exception 'the journal of schema @name@ lacks versions of % records', lost using errcode = '55K01';
  end if;
  return jsonb_build_object(
      'status', 'ok', 'lineage', h.lineage, 'revision', moment, 'digest', @schema@.digest_at(h, moment),
      'rows', coalesce(found, '[]'))
    || case when amount = most or skipped then jsonb_build_object('next', last_key) else '{}' end;
end
$$;
