-- Tables and views. In these files @schema@ is the schema as an identifier, @name@ its plain name.
--
-- Times are epoch milliseconds. Revisions are whole numbers up to 2^53 - 1, which JavaScript reads exactly.

-- One row. Every writer locks it first, so that revisions have no gaps, and the order of the commits.
create table if not exists @schema@.head (
  id smallint primary key default 1 check (id = 1),
  lineage uuid not null,
  revision bigint not null check (revision between 0 and 9007199254740991),
  digest text not null,
  floor bigint not null check (floor between 0 and revision),
  -- Up to this revision, compaction has removed what is no longer needed below the floor.
  swept bigint not null check (swept between 0 and floor),
  at bigint not null,
  -- The revision that has no entry, and its digest.
  first_revision bigint not null,
  first_digest text not null,
  -- The schema that is installed, and the oldest one whose programs may still write to it.
  schema_number integer not null,
  oldest_writer integer not null,
  -- Whether the public key of a Supabase project may read and write.
  anon_allowed boolean not null default false,
  -- Another one after each change of the tokens.
  access_version uuid not null,
  -- The newest revision when credentials were first demanded; null if they never were.
  required_since bigint
) with (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

create table if not exists @schema@.records (
  kind text collate "C" not null check (char_length(kind) between 1 and 64),
  id text collate "C" not null check (char_length(id) between 1 and 512),
  data jsonb not null check (jsonb_typeof(data) = 'object'),
  revision bigint not null default 0,
  created_at bigint not null default 0,
  updated_at bigint not null default 0,
  primary key (kind, id)
) with (fillfactor = 85);

-- Deleted records, until the floor has passed their deletion.
create table if not exists @schema@.tombstones (
  kind text collate "C" not null,
  id text collate "C" not null,
  revision bigint not null,
  primary key (kind, id)
);

-- One row for each accepted commit. The arrays have an element for each of its writes. `previous`: the revision that the record had (0:
-- none). `prior`: the revision of the previous write, including deletions (0: none). `created_at`: when the record was created.
create table if not exists @schema@.journal (
  revision bigint primary key,
  commit_id uuid not null,
  at bigint not null,
  actor text not null check (char_length(actor) between 1 and 256),
  fingerprint text check (char_length(fingerprint) between 1 and 256),
  writes jsonb not null check (jsonb_typeof(writes) = 'array'),
  previous bigint[] not null,
  prior bigint[] not null,
  created_at bigint[] not null,
  -- How many of the writes are the newest version of their record at some revision from the floor on.
  needed integer not null,
  digest text not null
);
create unique index if not exists journal_commit_id on @schema@.journal (commit_id);

-- Commits with a fingerprint that changed nothing, numbered from the oldest on. When the same id comes again, it must not change anything
-- either. For each write {op, kind, id}, and the revision that its record had (0: none).
create table if not exists @schema@.unchanged (
  number bigint primary key,
  commit_id uuid not null,
  fingerprint text not null,
  at bigint not null,
  writes jsonb not null,
  revisions bigint[] not null
);
create unique index if not exists unchanged_commit_id on @schema@.unchanged (commit_id);

-- The newest call of each program that commits. An abandoned call must not take effect after a later call was answered. A row is updated
-- with every batch, and on its own page: no index has a column that changes.
create table if not exists @schema@.writers (
  writer uuid primary key,
  attempt bigint not null,
  at bigint not null
) with (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- Tokens of clients, but not their secrets. They are neither records nor in the journal: whoever may write records cannot make an
-- administrator, and records that are restored bring no revoked token back. A token stays for ever, so that its name is never used again.
create table if not exists @schema@.access_tokens (
  id text collate "C" primary key check (char_length(id) = 12),
  name text collate "C" not null check (char_length(name) between 1 and 63),
  scopes jsonb not null check (jsonb_typeof(scopes) = 'array'),
  -- SHA-256 of the secret, in hexadecimal digits.
  secret_hash text not null check (char_length(secret_hash) = 64),
  created_at bigint not null,
  created_by text not null,
  expires_at bigint,
  revoked_at bigint,
  revoked_by text
);
create unique index if not exists access_tokens_name on @schema@.access_tokens (name);

insert into @schema@.head
  (lineage, revision, digest, floor, swept, at, first_revision, first_digest, schema_number, oldest_writer, access_version)
select fresh.lineage, 0, fresh.lineage::text, 0, 0, floor(extract(epoch from clock_timestamp()) * 1000), 0, fresh.lineage::text, 0, 0,
  gen_random_uuid()
from (select gen_random_uuid() as lineage) fresh;

-- Views show the JSON as columns, for people and their tools.

create or replace view @schema@.services with (security_invoker = true) as
select
  r.id as service_id,
  r.data ->> 'serviceName' as service_name,
  r.data ->> 'version' as version,
  r.data ->> 'endpoint' as endpoint,
  case when r.data ? 'migrationFile' then 'active' else 'pending_migration' end as status,
  r.data ->> 'healthCheck' as health_check,
  r.data ->> 'description' as description,
  r.data -> 'metadata' as metadata,
  r.data -> 'tags' as tags,
  r.data -> 'capabilities' as capabilities,
  r.data -> 'dependencies' as dependencies,
  r.data ->> 'instanceId' as instance_id,
  r.data -> 'ttlSeconds' as ttl_seconds,
  r.data -> 'migrationFile' as migration_file,
  r.revision,
  to_timestamp(r.created_at / 1000.0) as registered_at,
  to_timestamp(r.updated_at / 1000.0) as updated_at
from @schema@.records r
where r.kind = 'service';

create or replace view @schema@.graph_nodes with (security_invoker = true) as
select
  r.id as record_id,
  r.data ->> 'id' as node_id,
  r.data ->> 'label' as label,
  r.data -> 'properties' as properties,
  r.revision,
  to_timestamp(r.created_at / 1000.0) as created_at,
  to_timestamp(r.updated_at / 1000.0) as updated_at
from @schema@.records r
where r.kind = 'node';

create or replace view @schema@.graph_edges with (security_invoker = true) as
select
  r.id as record_id,
  r.data ->> 'source' as source,
  r.data ->> 'type' as type,
  r.data ->> 'target' as target,
  r.data ->> 'origin' as origin,
  r.data -> 'properties' as properties,
  r.revision,
  to_timestamp(r.created_at / 1000.0) as created_at,
  to_timestamp(r.updated_at / 1000.0) as updated_at
from @schema@.records r
where r.kind = 'edge';

alter table @schema@.head enable row level security;
alter table @schema@.records enable row level security;
alter table @schema@.tombstones enable row level security;
alter table @schema@.journal enable row level security;
alter table @schema@.unchanged enable row level security;
alter table @schema@.writers enable row level security;
alter table @schema@.access_tokens enable row level security;
alter table @schema@.migrations enable row level security;

revoke all on @schema@.head, @schema@.records, @schema@.tombstones, @schema@.journal, @schema@.unchanged, @schema@.writers,
  @schema@.access_tokens, @schema@.migrations, @schema@.services, @schema@.graph_nodes, @schema@.graph_edges from public;
