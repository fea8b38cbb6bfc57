-- A store has a mode. While another store takes its place, or while it is filled from another one, it is not written, and serves nothing
-- or only reads. The functions themselves see to that: `lock_head` refuses programs that know no mode wherever the mode is not `open`.

alter table @schema@.head add column if not exists mode text not null default 'open'
  check (mode in ('open', 'seeding', 'copy', 'frozen'));

create or replace function @schema@.head_json(h @schema@.head) returns jsonb
language sql immutable parallel safe set search_path = pg_catalog, pg_temp
as $$
  select jsonb_build_object(
    'lineage', h.lineage, 'ancestors', h.ancestors, 'revision', h.revision, 'digest', h.digest,
    'floor', h.floor, 'at', h.at, 'schema', h.schema_number, 'accessVersion', h.access_version, 'mode', h.mode)
$$;

-- 55K03 is our own error state, in the class of 55K01: every gateway passes it on.
create or replace function @schema@.refuse_mode(mode text) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception 'the mode of schema @name@ is %', mode
  using errcode = '55K03', hint = 'A restore, a copy or a cutover set the mode. It ends with them.';
end
$$;

-- Locks the head for writing. If it returns an answer, the caller returns that answer and does nothing else. Programs with a schema number
-- below 10 know no modes: they write only where the mode is `open`.
create or replace function @schema@.lock_head(schema_of_caller integer) returns jsonb
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  h @schema@.head;
  oldest integer;
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
  oldest := case h.mode when 'open' then h.oldest_writer else greatest(h.oldest_writer, 10) end;
  if coalesce(schema_of_caller, 0) < oldest then
    return jsonb_build_object('status', 'too_old', 'schema', h.schema_number, 'oldest', oldest);
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

-- The head, if it is the end of the journal: tables that contradict each other are neither read nor written. 55K01 is our own error
-- state, in a class that every gateway passes on. Some gateways hide the code of an internal error (XX001, "data corrupted").
create or replace function @schema@.stored_head() returns @schema@.head
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
  if last.revision is null then
    if exists (select from @schema@.records) then
      raise exception 'the head of schema @name@ is at its first revision, %, and there are records', h.revision using errcode = '55K01';
    end if;
  end if;
  return h;
end
$$;

-- The head, for those who read. A store that is being filled serves nothing: half of a restore must not look like a whole one.
create or replace function @schema@.current_head() returns @schema@.head
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
declare
  h constant @schema@.head := @schema@.stored_head();
begin
  if h.mode = 'seeding' then perform @schema@.refuse_mode(h.mode); end if;
  return h;
end
$$;

-- {} -> {status, lineage, revision, digest, floor, at, schema, accessVersion, ancestors, mode}
create or replace function @schema@.head(p jsonb) returns jsonb
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
begin
  return @schema@.head_json(@schema@.stored_head()) || '{"status": "ok"}';
end
$$;

-- {after: {lineage, revision, digest}, limit, client?}
-- -> {status: ok, entries, more, accessVersion, mode} | {status: compacted | ahead | diverged, head}
-- `client`: a client asks, and not a coordinator that follows.
create or replace function @schema@.changes(p jsonb) returns jsonb
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
declare
  h @schema@.head;
begin
  p := @schema@.argument(p);
  h := @schema@.stored_head();
  if h.mode = 'seeding' and (p ->> 'client')::boolean then perform @schema@.refuse_mode(h.mode); end if;
  return coalesce(
    @schema@.off_track(h, p -> 'after'),
    @schema@.entries((p #>> '{after,revision}')::bigint, h.revision, (p ->> 'limit')::bigint)
      || jsonb_build_object('status', 'ok', 'accessVersion', h.access_version, 'mode', h.mode));
end
$$;

create or replace function @schema@.hand_begins() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '5s'
as $$
declare
  the_mode text;
begin
  select h.mode into the_mode from @schema@.head h where h.id = 1 for update;
  if the_mode <> 'open' then
    raise exception '% of %.% by hand is refused: the mode of the schema is %.', tg_op, tg_table_schema, tg_table_name, the_mode
    using errcode = '55K03', hint = 'A restore, a copy or a cutover set the mode. It ends with them.';
  end if;
  return null;
end
$$;

-- Gives the tokens another version, so that every coordinator loads them again. Where the mode is not `open`, another store takes the
-- place of this one, and would miss the change: the call that made it fails as a whole.
create or replace function @schema@.access_changed() returns void
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  the_mode constant text := (select h.mode from @schema@.head h);
begin
  if the_mode <> 'open' then perform @schema@.refuse_mode(the_mode); end if;
  update @schema@.head set access_version = gen_random_uuid() where id = 1;
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
  if h.mode <> 'open' then perform @schema@.refuse_mode(h.mode); end if;
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
  if h.mode <> 'open' then perform @schema@.refuse_mode(h.mode); end if;
  if (p ->> 'lineage')::uuid <> h.lineage then
    h.ancestors := @schema@.with_ancestor(h.ancestors, (p ->> 'lineage')::uuid);
    update @schema@.head set ancestors = h.ancestors where id = 1;
  end if;
  perform set_config('@name@.writer', '', true);
  return jsonb_build_object('status', 'ok', 'head', @schema@.head_json(h));
end
$$;

-- The head at the same revision, in a new lineage. The digest stays, unless it is the lineage: then nothing was stored yet.
create or replace function @schema@.in_new_lineage(h @schema@.head) returns @schema@.head
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  empty constant boolean := h.digest = h.lineage::text;
begin
  h.ancestors := @schema@.with_ancestor(h.ancestors, h.lineage);
  h.lineage := gen_random_uuid();
  if empty then
    h.digest := h.lineage::text;
    h.first_digest := h.digest;
    update @schema@.journal j set digest = h.digest where j.revision = h.revision;
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
  h := @schema@.stored_head();
  if h.mode = 'copy' then perform @schema@.refuse_mode(h.mode); end if;
  if p -> 'from' = jsonb_build_object('lineage', h.lineage, 'revision', h.revision, 'digest', h.digest) then
    h := @schema@.in_new_lineage(h);
    update @schema@.head
    set lineage = h.lineage, ancestors = h.ancestors, digest = h.digest, first_digest = h.first_digest where id = 1;
  end if;
  perform set_config('@name@.writer', '', true);
  return jsonb_build_object('status', 'ok', 'head', @schema@.head_json(h));
end
$$;

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
    'mode', h.mode,
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

-- By default everybody may call a function.
revoke all on all functions in schema @schema@ from public;
