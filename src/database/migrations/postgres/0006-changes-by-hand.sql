-- A row of `records` that somebody changes by hand becomes a commit. A statement trigger locks the head first, so that changes by hand
-- and the functions that write lock in the same order. Row triggers write the entries, because statement triggers cannot tell what an
-- upsert did. At the end of the statement the head follows.
-- To repair the other tables on purpose: select set_config('@name@.writer', 'on', true).

create or replace function @schema@.hand_begins() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '5s'
as $$
begin
  perform 1 from @schema@.head where id = 1 for update;
  return null;
end
$$;

-- The value with every number rounded to a double, as every reader of JSON reads it. All coordinators must read the same value.
create or replace function @schema@.readable(value jsonb) returns jsonb
language plpgsql immutable set search_path = pg_catalog, pg_temp set extra_float_digits = 1
as $$
begin
  case jsonb_typeof(value)
    when 'number' then
      return to_jsonb((value #>> '{}')::double precision);
    when 'array' then
      return coalesce((select jsonb_agg(@schema@.readable(e.item) order by e.ordinal)
        from jsonb_array_elements(value) with ordinality as e (item, ordinal)), '[]');
    when 'object' then
      return coalesce((select jsonb_object_agg(e.key, @schema@.readable(e.value)) from jsonb_each(value) e), '{}');
    else
      return value;
  end case;
end
$$;

-- People may change only `kind`, `id` and `data`.
create or replace function @schema@.hand_prepares_row() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  -- Every number with up to 15 digits is a double.
  if new.data::text ~ '[0-9.]{16}' then new.data := @schema@.readable(new.data); end if;
  if tg_op = 'INSERT' then
    new.revision := 0;
    new.created_at := 0;
    new.updated_at := 0;
  else
    new.revision := old.revision;
    new.created_at := old.created_at;
    new.updated_at := old.updated_at;
  end if;
  return new;
end
$$;

create or replace function @schema@.hand_writes_entry() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  -- The newest entry that this statement has written; null if there is none. If each row updated the head, each later row would read all of
  -- its versions: some ten thousand rows would take minutes, and every writer would wait.
  latest constant bigint := nullif(current_setting('@name@.hand', true), '')::bigint;
  h record;
  commit_id constant uuid := gen_random_uuid();
  same_key boolean := false;
  writes jsonb := '[]';
  previous bigint[] := '{}';
  prior bigint[] := '{}';
  created_at bigint[] := '{}';
  tombstoned_at bigint;
begin
  if tg_op = 'UPDATE' then
    same_key := old.kind = new.kind and old.id = new.id;
    if same_key and old.data = new.data then return null; end if;
  end if;
  perform set_config('@name@.writer', 'on', true);
  if latest is null then
    select t.revision, t.digest, t.at into strict h from @schema@.head t where t.id = 1 for update;
  else
    select j.revision, j.digest, j.at into strict h from @schema@.journal j where j.revision = latest;
  end if;
  if h.revision = 9007199254740991 then
    raise exception 'The revision counter of schema @name@ is used up.' using errcode = '22003';
  end if;
  h.revision := h.revision + 1;
  h.digest := @schema@.next_digest(h.digest, commit_id, null);
  h.at := greatest(h.at, floor(extract(epoch from clock_timestamp()) * 1000)::bigint);
  if tg_op <> 'INSERT' and not same_key then
    writes := writes || jsonb_build_object('op', 'delete', 'kind', old.kind, 'id', old.id);
    previous := previous || old.revision;
    prior := prior || old.revision;
    created_at := created_at || old.created_at;
    insert into @schema@.tombstones as t (kind, id, revision) values (old.kind, old.id, h.revision)
    on conflict (kind, id) do update set revision = excluded.revision;
  end if;
  if tg_op <> 'DELETE' then
    if not same_key then
      delete from @schema@.tombstones t where t.kind = new.kind and t.id = new.id returning t.revision into tombstoned_at;
    end if;
    writes := writes || jsonb_build_object('op', 'put', 'kind', new.kind, 'id', new.id, 'data', new.data);
    previous := previous || case when same_key then old.revision else 0 end;
    prior := prior || case when same_key then old.revision else coalesce(tombstoned_at, 0) end;
    created_at := created_at || case when same_key then old.created_at else h.at end;
    update @schema@.records r
    set revision = h.revision, created_at = case when same_key then old.created_at else h.at end, updated_at = h.at
    where r.kind = new.kind and r.id = new.id;
  end if;
  insert into @schema@.journal
    (revision, commit_id, at, actor, writes, previous, prior, created_at, needed, digest)
  values
    (h.revision, commit_id, h.at, 'sql:' || session_user, writes, previous, prior, created_at,
     cardinality(prior), h.digest);
  perform set_config('@name@.hand', h.revision::text, true);
  perform set_config('@name@.writer', '', true);
  return null;
end
$$;

create or replace function @schema@.hand_ends() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  latest constant bigint := nullif(current_setting('@name@.hand', true), '')::bigint;
begin
  if latest is null then return null; end if;
  perform set_config('@name@.writer', 'on', true);
  update @schema@.head h set revision = j.revision, digest = j.digest, at = j.at
  from @schema@.journal j where h.id = 1 and j.revision = latest;
  perform set_config('@name@.hand', '', true);
  perform set_config('@name@.writer', '', true);
  return null;
end
$$;

create or replace function @schema@.hand_is_refused() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception '% of %.% by hand is refused.', tg_op, tg_table_schema, tg_table_name
  using errcode = '42501', hint = case
    when tg_op = 'TRUNCATE' and tg_table_name = 'records' then 'Use delete instead: it is written to the journal.'
    when tg_table_name = 'access_tokens' then 'Create and revoke tokens with `coordinator token`.'
    else 'Change rows of the table records: the rest follows.' end;
end
$$;

create or replace trigger hand_begins before insert or update or delete on @schema@.records for each statement
when (current_setting('@name@.writer', true) is distinct from 'on') execute function @schema@.hand_begins();

create or replace trigger hand_prepares_row before insert or update on @schema@.records for each row
when (current_setting('@name@.writer', true) is distinct from 'on') execute function @schema@.hand_prepares_row();

create or replace trigger hand_writes_entry after insert or update or delete on @schema@.records for each row
when (current_setting('@name@.writer', true) is distinct from 'on') execute function @schema@.hand_writes_entry();

create or replace trigger hand_ends after insert or update or delete on @schema@.records for each statement
when (current_setting('@name@.writer', true) is distinct from 'on') execute function @schema@.hand_ends();

create or replace trigger hand_is_refused before insert or update or delete on @schema@.head for each statement
when (current_setting('@name@.writer', true) is distinct from 'on') execute function @schema@.hand_is_refused();

create or replace trigger hand_is_refused before insert or update or delete on @schema@.tombstones for each statement
when (current_setting('@name@.writer', true) is distinct from 'on') execute function @schema@.hand_is_refused();

create or replace trigger hand_is_refused before insert or update or delete on @schema@.journal for each statement
when (current_setting('@name@.writer', true) is distinct from 'on') execute function @schema@.hand_is_refused();

create or replace trigger hand_is_refused before insert or update or delete on @schema@.unchanged for each statement
when (current_setting('@name@.writer', true) is distinct from 'on') execute function @schema@.hand_is_refused();

create or replace trigger hand_is_refused before insert or update or delete on @schema@.writers for each statement
when (current_setting('@name@.writer', true) is distinct from 'on') execute function @schema@.hand_is_refused();

create or replace trigger hand_is_refused before insert or update or delete on @schema@.access_tokens for each statement
when (current_setting('@name@.writer', true) is distinct from 'on') execute function @schema@.hand_is_refused();

create or replace trigger truncate_is_refused before truncate on @schema@.head
for each statement execute function @schema@.hand_is_refused();
create or replace trigger truncate_is_refused before truncate on @schema@.records
for each statement execute function @schema@.hand_is_refused();
create or replace trigger truncate_is_refused before truncate on @schema@.tombstones
for each statement execute function @schema@.hand_is_refused();
create or replace trigger truncate_is_refused before truncate on @schema@.journal
for each statement execute function @schema@.hand_is_refused();
create or replace trigger truncate_is_refused before truncate on @schema@.unchanged
for each statement execute function @schema@.hand_is_refused();
create or replace trigger truncate_is_refused before truncate on @schema@.writers
for each statement execute function @schema@.hand_is_refused();
create or replace trigger truncate_is_refused before truncate on @schema@.access_tokens
for each statement execute function @schema@.hand_is_refused();
