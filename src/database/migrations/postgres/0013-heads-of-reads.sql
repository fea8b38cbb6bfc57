-- `load` and `as_of` answer with the head that they read with, as `history` does. Each of them is one stable function, so that head and
-- rows are of the same moment: a caller that reads from a replica can tell whether the replica had what it asked for.

-- {after?: [kind, id], limit} -> {status, lineage, head, rows, next?: [kind, id]}
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
      'status', 'ok', 'lineage', h.lineage, 'head', @schema@.head_json(h), 'rows', coalesce(loaded, '[]'))
    || case when amount = most or size >= 2000000
            then jsonb_build_object('next', jsonb_build_array(loaded -> -1 -> 0, loaded -> -1 -> 1))
            else '{}' end;
end
$$;

-- {revision | at, kind?, id?, after?: [kind, id], limit}
-- -> {status: ok, lineage, revision, digest, rows, next?} | {status: compacted, floor} | {status: future, revision}, each with head
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
    return jsonb_build_object('status', 'compacted', 'floor', h.floor, 'head', @schema@.head_json(h));
  elsif moment > h.revision then
    return jsonb_build_object('status', 'future', 'revision', h.revision, 'head', @schema@.head_json(h));
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
      'head', @schema@.head_json(h), 'rows', coalesce(found, '[]'))
    || case when amount = most or skipped then jsonb_build_object('next', last_key) else '{}' end;
end
$$;
