-- Tables. In these files @schema@ stands for the schema as an identifier, @name@ for its bare name. Every statement may
-- run again on a schema that has it already: the file for Supabase's own migrations holds them all.
--
-- Times are epoch milliseconds, revisions whole numbers up to 2^53 - 1: both arrive in JavaScript as they are.

-- One row. Who writes locks it first, so revisions have neither holes nor an order other than that of commits.
create table if not exists @schema@.head (
  id smallint primary key default 1 check (id = 1),
  lineage uuid not null,
  revision bigint not null check (revision between 0 and 9007199254740991),
  digest text not null,
  floor bigint not null check (floor between 0 and revision),
  -- How far compaction has removed what the floor made superfluous.
  swept bigint not null check (swept between 0 and floor),
  at bigint not null,
  -- The revision that has no entry, and its digest.
  first_revision bigint not null,
  first_digest text not null,
  -- The schema that is installed, and the oldest one whose programs may still write to it.
  schema_number integer not null,
  oldest_writer integer not null,
  -- Whether the public key of a Supabase project may read and write.
  anon_allowed boolean not null default false
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

-- What is left of deleted records until the floor has passed them.
create table if not exists @schema@.tombstones (
  kind text collate "C" not null,
  id text collate "C" not null,
  revision bigint not null,
  primary key (kind, id)
);

-- One row for each accepted commit. For each of its writes, in order: the revision that the record had (0: none), the
-- revision of the write before it, deletes included (0: none), and when the record came into being.
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

-- Commits with a fingerprint that changed nothing, the oldest first: with the same id they change nothing later either. For
-- each write {op, kind, id}, and the revision that its record had (0: none).
create table if not exists @schema@.unchanged (
  number bigint primary key,
  commit_id uuid not null,
  fingerprint text not null,
  at bigint not null,
  writes jsonb not null,
  revisions bigint[] not null
);
create unique index if not exists unchanged_commit_id on @schema@.unchanged (commit_id);

-- The newest call of each program that commits: what it has given up must not take effect once a later call was answered. A
-- call may come in parts. A row is written with every batch, and in place: no index knows what changes.
create table if not exists @schema@.writers (
  writer uuid primary key,
  attempt bigint not null,
  part integer not null,
  at bigint not null
) with (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- Where this runs again, the triggers of a later file would take it for a change by hand. One statement, because set_config
-- lasts no longer where each is a transaction of its own.
do $writer$
begin
  perform set_config('@name@.writer', 'on', true);
  insert into @schema@.head (lineage, revision, digest, floor, swept, at, first_revision, first_digest, schema_number, oldest_writer)
  select fresh.lineage, 0, fresh.lineage::text, 0, 0, floor(extract(epoch from clock_timestamp()) * 1000), 0, fresh.lineage::text, 0, 0
  from (select gen_random_uuid() as lineage) fresh
  on conflict (id) do nothing;
  perform set_config('@name@.writer', '', true);
end
$writer$;

alter table @schema@.head enable row level security;
alter table @schema@.records enable row level security;
alter table @schema@.tombstones enable row level security;
alter table @schema@.journal enable row level security;
alter table @schema@.unchanged enable row level security;
alter table @schema@.writers enable row level security;
alter table @schema@.migrations enable row level security;

revoke all on @schema@.head, @schema@.records, @schema@.tombstones, @schema@.journal, @schema@.unchanged, @schema@.writers,
  @schema@.migrations from public;
