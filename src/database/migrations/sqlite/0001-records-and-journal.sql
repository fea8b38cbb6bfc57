-- oldest writer: 1

-- One row: the newest revision, and the oldest one that is kept.
create table head (
  one integer primary key check (one = 1),
  -- UUID of the history.
  lineage text not null,
  -- The newest revision, its digest, and its time in epoch milliseconds.
  revision integer not null,
  digest text not null,
  at integer not null,
  -- The oldest revision that can still be answered exactly.
  floor integer not null,
  -- Up to this revision, compaction has removed what is no longer needed below the floor.
  swept integer not null,
  -- The revision with which the history began. It has no row in the journal.
  first_revision integer not null,
  first_digest text not null,
  -- UUID: another one after each change of the tokens. The newest revision when credentials were first demanded; null if they never were.
  access_version text not null,
  required_since integer,
  -- 1 while a transaction of the coordinator changes tokens. No other transaction sees it.
  tokens_open integer not null default 0
) strict;

-- The present state. The table has a rowid: with random ids, rows in the order of the key would cost twice the pages for each commit.
create table records (
  kind text not null,
  id text not null,
  -- Canonical JSON; null if the record is deleted and the floor has not passed the deletion.
  data text,
  revision integer not null,
  created_at integer not null,
  updated_at integer not null,
  primary key (kind, id)
) strict;

-- One row for each accepted commit.
create table journal (
  revision integer primary key,
  commit_id text not null unique,
  at integer not null,
  actor text not null,
  fingerprint text,
  digest text not null,
  -- How many of its writes are the newest version of their record at some revision from the floor on.
  needed integer not null
) strict;

-- Commits with a fingerprint that changed nothing, the oldest first. When the same id comes again, it must not change anything either.
create table unchanged (
  number integer primary key,
  commit_id text not null unique,
  fingerprint text not null,
  at integer not null,
  -- JSON: for each write {op, kind, id}, and the revision that its record had; 0 if it did not exist.
  writes text not null,
  revisions text not null
) strict;

-- The writes of each commit. The versions of a record form a chain by `prior`, so they need no index.
create table writes (
  revision integer not null,
  kind text not null,
  id text not null,
  -- Index within the commit, from 0 on.
  position integer not null,
  -- Canonical JSON; null for a deletion.
  data text,
  -- The revision that the record had; 0 if it did not exist.
  previous integer not null,
  -- The revision of the previous write to the record, including deletions; 0 for the first.
  prior integer not null,
  created_at integer not null,
  primary key (revision, kind, id)
) strict, without rowid;

-- Tokens of clients, but not their secrets. They are neither records nor in the journal.
create table access_tokens (
  id text primary key,
  name text not null unique,
  -- JSON.
  scopes text not null,
  -- SHA-256 of the secret, in hexadecimal digits.
  secret_hash text not null,
  -- Times are epoch milliseconds.
  created_at integer not null,
  created_by text not null,
  expires_at integer,
  revoked_at integer,
  revoked_by text
) strict, without rowid;

-- Whoever can change this table can make an administrator, so that nobody changes it by mistake.
create trigger access_tokens_insert before insert on access_tokens when (select tokens_open from head) is not 1
begin
  select raise(abort, 'Tokens are not changed by hand: use `coordinator token`.');
end;
create trigger access_tokens_update before update on access_tokens when (select tokens_open from head) is not 1
begin
  select raise(abort, 'Tokens are not changed by hand: use `coordinator token`.');
end;
create trigger access_tokens_delete before delete on access_tokens when (select tokens_open from head) is not 1
begin
  select raise(abort, 'Tokens are not changed by hand: use `coordinator token`.');
end;
