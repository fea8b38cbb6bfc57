-- oldest writer: 3
-- A program that does not know modes would write into a frozen file, and would show half of a restore as a whole one.

-- What the file may be asked for: see StoreMode.
alter table head add column mode text not null default 'open' check (mode in ('open', 'seeding', 'copy', 'frozen'));
-- If the history began with records of another store: the time of its first revision, which has no row in the journal. Else null.
alter table head add column seeded_at integer;
-- 1 while what an unfinished seed left is removed, in several transactions. The head is then that of an empty history.
alter table head add column clearing integer not null default 0;

-- The records with which the history began, as they were. No entry of this journal wrote them, and moments from the first revision on need
-- them when they were changed since. Compaction removes them like other versions.
create table seeded (
  kind text not null,
  id text not null,
  data text not null,
  revision integer not null,
  created_at integer not null,
  updated_at integer not null,
  primary key (kind, id)
) strict, without rowid;
