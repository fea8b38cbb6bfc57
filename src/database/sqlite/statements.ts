import type { DatabaseSync, StatementSync } from 'node:sqlite'

const sql = {
  begin: 'begin immediate',
  commit: 'commit',
  rollback: 'rollback',

  readHead: `select lineage, revision, digest, at, floor, swept, first_revision, first_digest, access_version, required_since,
    ancestors, mode, seeded_at, clearing from head`,
  insertHead: `insert into head (one, lineage, revision, digest, at, floor, swept, first_revision, first_digest, access_version)
    values (1, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  writeHead: 'update head set revision = ?, digest = ?, at = ? where one = 1',
  replaceHead: `update head set lineage = ?, ancestors = ?, revision = ?, digest = ?, at = ?, floor = ?, swept = ?, first_revision = ?,
    first_digest = ?, required_since = ?, mode = ?, seeded_at = ?, clearing = ? where one = 1`,
  writeFloor: 'update head set floor = ? where one = 1',
  writeSwept: 'update head set swept = ? where one = 1',
  flipSwept: 'update head set swept = -1 - swept where one = 1',

  openTokens: 'update head set tokens_open = 1 where one = 1',
  closeTokens: 'update head set tokens_open = 0, access_version = ? where one = 1',
  requireAccess: 'update head set required_since = ?, access_version = ? where one = 1',
  readTokens: 'select * from access_tokens order by id',
  readToken: 'select * from access_tokens where id = ?',
  readTokenByName: 'select * from access_tokens where name = ?',
  countTokens: 'select count(*) as count from access_tokens',
  insertToken: `insert into access_tokens
    (id, name, scopes, secret_hash, created_at, created_by, expires_at, revoked_at, revoked_by) values (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  revokeToken: 'update access_tokens set revoked_at = ?, revoked_by = ? where id = ?',

  readRecord: 'select data, revision, created_at from records where kind = ? and id = ?',
  // A deletion needs to know only whether there is data, which can be long to read.
  readRecordToDelete: `select case when data is null then null else '' end as data, revision, created_at from records
    where kind = ? and id = ?`,
  writeRecord: `insert into records (kind, id, data, revision, created_at, updated_at) values (?, ?, ?, ?, ?, ?)
    on conflict (kind, id) do update set data = excluded.data, revision = excluded.revision,
      created_at = excluded.created_at, updated_at = excluded.updated_at`,
  removeTombstone: 'delete from records where kind = ? and id = ? and revision = ? and data is null',
  pageOfFile: `select kind, id, data, revision, created_at, updated_at, rowid from records
    where rowid > ? order by rowid limit ?`,
  pageOfRecords: `select kind, id, data, revision, created_at, updated_at from records
    where (kind, id) > (?, ?) order by kind, id limit ?`,

  // A record that is there stays.
  insertRecord: `insert into records (kind, id, data, revision, created_at, updated_at) values (?, ?, ?, ?, ?, ?)
    on conflict (kind, id) do nothing`,
  newestRow: 'select coalesce(max(rowid), 0) as row from records',
  // New rows have higher numbers, so that these are the records of the present seed. SQLite copies them faster than it takes them again.
  copySeeded: `insert into seeded (kind, id, data, revision, created_at, updated_at)
    select kind, id, data, revision, created_at, updated_at from records where rowid > ?`,
  readSeeded: `select data, 0 as previous, 0 as prior, created_at, updated_at from seeded
    where kind = ? and id = ? and revision = ?`,
  presentOfSeeded: `select kind, id, revision,
    (select r.revision from records r where r.kind = s.kind and r.id = s.id) as present
    from seeded s where (kind, id) > (?, ?) order by kind, id limit ?`,
  removeSeeded: 'delete from seeded where kind = ? and id = ? and revision = ?',

  insertEntry: `insert into journal (revision, commit_id, at, actor, fingerprint, digest, needed) values (?, ?, ?, ?, ?, ?, ?)
    on conflict (commit_id) do nothing`,
  insertWrite: `insert into writes (revision, kind, id, position, data, previous, prior, created_at)
    values (?, ?, ?, ?, ?, ?, ?, ?)`,
  // Makes room for a newer entry with the same id. Readers of an entry see the id as it was.
  yieldCommitId: `update journal set commit_id = commit_id || '@' || revision where commit_id = ?`,
  readEntry: `select revision, substr(commit_id, 1, 36) as commit_id, at, actor, fingerprint, digest from journal
    where revision = ?`,
  readEntryByCommitId: `select revision, commit_id, at, actor, fingerprint, digest from journal where commit_id = ?`,
  readUnchanged: 'select fingerprint, writes, revisions from unchanged where commit_id = ?',
  insertUnchanged:
    'insert into unchanged (commit_id, fingerprint, at, writes, revisions) values (?, ?, ?, ?, ?)',
  // The rows are sorted by age, so that only the oldest are read.
  forgetUnchanged: `delete from unchanged where number <= (select max(number) from unchanged) - ?
    or number in (select number from (select number, at from unchanged order by number limit 10) where at < ?)`,
  readWrites: 'select position, kind, id, data, previous from writes where revision = ?',
  readVersion:
    'select data, previous, prior, created_at from writes where revision = ? and kind = ? and id = ?',
  anyRecord: 'select 1 from records limit 1',
  newestEntry: 'select revision, digest, at from journal order by revision desc limit 1',
  entriesBetween: `select revision, substr(commit_id, 1, 36) as commit_id, digest from journal
    where revision > ? and revision <= ? order by revision`,
  writesBetween: `select w.kind, w.id, w.revision from writes w left join records r on r.kind = w.kind and r.id = w.id
    where w.revision > ? and w.revision <= ? and coalesce(r.revision, 0) < w.revision limit 20`,

  releaseEntry: 'update journal set needed = needed - 1 where revision = ?',
  removeEntry: 'delete from journal where revision = ? and needed = 0',
  removeWrites: 'delete from writes where revision = ?',
} as const

export type Statements = Readonly<Record<keyof typeof sql, StatementSync>>

/** Every statement of the store, by its name, prepared once for a connection. */
export function prepareStatements(database: DatabaseSync): Statements {
  const names = Object.keys(sql) as (keyof typeof sql)[]
  const statements = Object.fromEntries(
    names.map((name) => [name, database.prepare(sql[name])]),
  ) as Statements
  // These read millions of rows, and arrays cost half as much as objects.
  statements.pageOfFile.setReturnArrays(true)
  statements.pageOfRecords.setReturnArrays(true)
  return statements
}
