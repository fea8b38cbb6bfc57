import type { BackendName } from '../../database/store.ts'

/** The place where records are kept. Every answer to a registration names it. */
export interface StorageNote {
  readonly backend: BackendName
  /** Whether acknowledged writes survive this process. */
  readonly durable: boolean
}

/** Shown whenever nothing survives the process, so that nobody is surprised by a restart. */
export const MEMORY_NOTICE =
  'Everything is kept in memory: a restart of the coordinator loses it. Set DATABASE_URL=sqlite:./data/coordinator.db, or another database, to keep it.'

/** What a restart loses is in the archive, but not the history that goes on after it. */
export const MEMORY_ARCHIVED =
  'The backups of a coordinator in memory hold what it served until it ended: `coordinator restore` puts that into a database. A restart begins another history.'
