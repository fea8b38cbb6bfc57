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
