-- The functions that delete history, and that begin a new one. They follow the rules of the functions that write.

-- Removes what is no longer needed below the floor, in (swept, upto]: versions that were replaced there, and deletions.
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
      select s.ctid from deletions d cross join lateral (
        select g.ctid from @schema@.tombstones g
        where g.kind = d.kind and g.id = d.id and g.revision = d.revision offset 0
      ) s))
  ), released as materialized (
    select r.revision, count(*)::integer as times
    from (
      -- Not `prior`: before a record that was recreated there was a deletion, and that one releases itself.
      select unnest(p.previous) as revision from passed p
      union all
      select d.revision from deletions d
      union all
      -- The row of the former floor was only kept for its digest.
      select h.swept
    ) r
    where r.revision > 0
    group by r.revision
  ), judged as materialized (
    select j.ctid, j.needed - r.times + case when r.revision = h.swept then 1 else 0 end as needed, r.revision
    from released r cross join lateral (
      select k.ctid, k.needed from @schema@.journal k where k.revision = r.revision offset 0
    ) j
  ), dropped as (
    delete from @schema@.journal j
    where j.ctid = any (array(select g.ctid from judged g where g.needed <= 0 and g.revision <> h.floor))
  )
  update @schema@.journal j set needed = g.needed
  from judged g
  where j.ctid = g.ctid and (g.needed > 0 or g.revision = h.floor);
end
$$;

-- {schema, floor, limit} -> {status: ok, done, head} | {status: too_old | busy}
-- The floor rises at once. What is then no longer needed is removed in parts: call again until it is done.
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
