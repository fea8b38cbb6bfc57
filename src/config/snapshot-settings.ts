import { createHash } from 'node:crypto'
import type { DatabaseTarget } from './database.ts'
import type { Findings } from './findings.ts'
import type { snapshotTable } from './snapshot-table.ts'
import type { SectionValues } from './table.ts'

export type SnapshotSettings = SectionValues<typeof snapshotTable>

/** Warns where snapshots would be of no use. It is no fault: several coordinators may share the settings. */
export function checkSnapshots(
  { snapshotDir }: SnapshotSettings,
  { database, ownStore }: { readonly database: DatabaseTarget | undefined; readonly ownStore: boolean },
  findings: Findings,
): void {
  if (snapshotDir === undefined || database === undefined) return
  if (ownStore) findings.warn('SNAPSHOT_DIR has no effect with a store of your own.')
  else if (snapshotNameOf(database, '') === undefined)
    findings.warn(
      database.backend === 'sqlite'
        ? 'SNAPSHOT_DIR has no effect with SQLite: its file is on this machine, like a snapshot would be.'
        : 'SNAPSHOT_DIR has no effect without a database: set DATABASE_URL=postgres://... or the Supabase variables.',
    )
}

/**
 * The name of the snapshots of a database: a hash of the backend, of all hosts with their ports, the database and the schema. Credentials
 * are no part of it, so a changed password keeps the snapshots.
 *
 * @returns `undefined` for a backend without snapshots
 */
export function snapshotNameOf(database: DatabaseTarget, schema: string): string | undefined {
  const place = placeOf(database)
  if (place === undefined) return undefined
  return createHash('sha256')
    .update(JSON.stringify([database.backend, ...place, schema]))
    .digest('hex')
}

function placeOf(database: DatabaseTarget): readonly unknown[] | undefined {
  switch (database.backend) {
    case 'postgres': {
      const hosts = database.hosts.map(({ host, port, address = '' }) =>
        JSON.stringify([host, port, address]),
      )
      // Servers of one cluster may be named in any order.
      return [hosts.sort(), database.database]
    }
    case 'supabase':
      return [database.url]
    default:
      return undefined
  }
}
