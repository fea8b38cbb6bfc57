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
  first_digest text not null
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
