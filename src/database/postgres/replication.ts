import type { Replication } from '../store.ts'
import type { Connection } from './connection.ts'

// A role without the right sees that there are standbys, and not which.
const question = `select current_user::text as role, current_database()::text as database,
  current_setting('synchronous_standby_names') as names, s.setting as commit, s.source,
  pg_has_role(current_user, 'pg_read_all_stats', 'usage')::text as sees,
  (select coalesce(json_agg(json_build_object('name', r.application_name, 'syncState', r.sync_state) order by r.application_name), '[]')
   from pg_stat_replication r where r.sync_state is not null)::text as standbys
  from pg_settings s where s.name = 'synchronous_commit'`

/** Process ids of the sessions that wait for a synchronous standby, as text. Without a right, a role sees only its own. */
export async function findWaiting(connection: Connection): Promise<string> {
  const [row] = await connection.run({
    text: `select string_agg(pid::text, ', ' order by pid) as pids from pg_stat_activity where wait_event = 'SyncRep'`,
    doing: 'asking who waits for a standby',
  })
  return row?.['pids'] ?? ''
}

/** Asks a primary about the standbys that its commits wait for. */
export async function askReplication(connection: Connection): Promise<Replication> {
  const [row = {}] = await connection.run({ text: question, doing: 'asking about standbys' })
  return {
    role: row['role'] ?? '',
    database: row['database'] ?? '',
    synchronousNames: row['names'] ?? '',
    synchronousCommit: row['commit'] ?? '',
    synchronousCommitSource: row['source'] ?? '',
    seesStandbys: row['sees'] === 'true',
    standbys: JSON.parse(row['standbys'] ?? '[]') as Replication['standbys'],
  }
}
