-- The functions for tokens. They follow the rules of the functions that write. Tokens can be read and changed even if head and journal
-- contradict each other: a revocation must always be possible.

create or replace function @schema@.access_token_json(t @schema@.access_tokens) returns jsonb
language sql immutable parallel safe set search_path = pg_catalog, pg_temp
as $$
  select jsonb_build_object(
    'id', t.id, 'name', t.name, 'scopes', t.scopes, 'secretHash', t.secret_hash, 'createdAt', t.created_at,
    'createdBy', t.created_by, 'expiresAt', t.expires_at, 'revokedAt', t.revoked_at, 'revokedBy', t.revoked_by)
$$;

-- {after?: id, limit} -> {status, version, requiredSince, tokens, more}: tokens in the order of their ids. Pages belong together if they have
-- the same version.
create or replace function @schema@.access_load(p jsonb) returns jsonb
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
declare
  h constant @schema@.head := @schema@.visible_head();
  most bigint;
  found jsonb;
begin
  p := @schema@.argument(p);
  most := coalesce((p ->> 'limit')::bigint, 500);
  select coalesce(jsonb_agg(@schema@.access_token_json(s) order by s.id), '[]') into found
  from (select * from @schema@.access_tokens t where t.id > coalesce(p ->> 'after', '') order by t.id limit most) s;
  return jsonb_build_object('status', 'ok', 'version', h.access_version, 'requiredSince', h.required_since,
    'tokens', found, 'more', jsonb_array_length(found) = most);
end
$$;

-- Gives the tokens another version, so that every coordinator loads them again.
create or replace function @schema@.access_changed() returns void
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  update @schema@.head set access_version = gen_random_uuid() where id = 1;
end
$$;

-- {schema, token: {id, name, scopes, secretHash, createdBy, expiresAt}}
-- -> {status: ok, token} | {status: name_taken | too_many} | {status: too_old | busy}
-- The same id and hash again are answered with what is stored.
create or replace function @schema@.access_put(p jsonb) returns jsonb
language plpgsql set search_path = pg_catalog, pg_temp set lock_timeout = '5s'
as $$
declare
  refusal jsonb;
  wanted jsonb;
  t @schema@.access_tokens;
  reply jsonb;
begin
  p := @schema@.argument(p);
  refusal := @schema@.lock_head((p ->> 'schema')::integer);
  if refusal is not null then return refusal; end if;
  perform @schema@.visible_head();
  wanted := p -> 'token';
  select s.* into t from @schema@.access_tokens s
  where s.id = wanted ->> 'id' or s.name = wanted ->> 'name'
  order by s.id = wanted ->> 'id' desc limit 1;
  if found then
    reply := case when t.id = wanted ->> 'id' and t.secret_hash = wanted ->> 'secretHash'
      then jsonb_build_object('status', 'ok', 'token', @schema@.access_token_json(t))
      else '{"status": "name_taken"}' end;
  elsif (select count(*) from @schema@.access_tokens) >= 10000 then
    reply := '{"status": "too_many"}';
  else
    insert into @schema@.access_tokens as s (id, name, scopes, secret_hash, created_at, created_by, expires_at)
    values (wanted ->> 'id', wanted ->> 'name', wanted -> 'scopes', wanted ->> 'secretHash',
      floor(extract(epoch from clock_timestamp()) * 1000), wanted ->> 'createdBy', (wanted ->> 'expiresAt')::bigint)
    returning s.* into t;
    perform @schema@.access_changed();
    reply := jsonb_build_object('status', 'ok', 'token', @schema@.access_token_json(t));
  end if;
  perform set_config('@name@.writer', '', true);
  return reply;
end
$$;

-- {schema, id, by} -> {status: ok, token} | {status: not_found} | {status: too_old | busy}
-- A token that was revoked before keeps the time and the actor.
create or replace function @schema@.access_revoke(p jsonb) returns jsonb
language plpgsql set search_path = pg_catalog, pg_temp set lock_timeout = '5s'
as $$
declare
  refusal jsonb;
  t @schema@.access_tokens;
  reply jsonb;
begin
  p := @schema@.argument(p);
  refusal := @schema@.lock_head((p ->> 'schema')::integer);
  if refusal is not null then return refusal; end if;
  perform @schema@.visible_head();
  update @schema@.access_tokens s
  set revoked_at = greatest(s.created_at, floor(extract(epoch from clock_timestamp()) * 1000)), revoked_by = p ->> 'by'
  where s.id = p ->> 'id' and s.revoked_at is null;
  if found then perform @schema@.access_changed(); end if;
  select s.* into t from @schema@.access_tokens s where s.id = p ->> 'id';
  reply := case when found then jsonb_build_object('status', 'ok', 'token', @schema@.access_token_json(t))
    else '{"status": "not_found"}' end;
  perform set_config('@name@.writer', '', true);
  return reply;
end
$$;

-- {schema} -> {status: ok} | {status: anon_allowed} | {status: too_old | busy}
-- Notes the newest revision when credentials are demanded for the first time. Where the public key may write, demanding them would protect
-- nothing: everybody has that key. The lock of the head decides between this and an operator who allows the public key at the same time.
create or replace function @schema@.access_require(p jsonb) returns jsonb
language plpgsql set search_path = pg_catalog, pg_temp set lock_timeout = '5s'
as $$
declare
  refusal jsonb;
begin
  p := @schema@.argument(p);
  refusal := @schema@.lock_head((p ->> 'schema')::integer);
  if refusal is not null then return refusal; end if;
  if (@schema@.visible_head()).anon_allowed then
    perform set_config('@name@.writer', '', true);
    return '{"status": "anon_allowed"}';
  end if;
  update @schema@.head set required_since = revision where id = 1 and required_since is null;
  if found then perform @schema@.access_changed(); end if;
  perform set_config('@name@.writer', '', true);
  return '{"status": "ok"}';
end
$$;
