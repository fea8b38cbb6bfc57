import type { BackendName } from '../../database/store.ts'

/** Where records are kept, as every answer to a registration says it. */
export interface StorageNote {
  readonly backend: BackendName
  /** Whether what was acknowledged outlives this process. */
  readonly durable: boolean
}

/** Said wherever nothing outlives the process, so that nobody learns it from a restart. */
export const MEMORY_NOTICE =
  'Everything is kept in memory: a restart of the coordinator loses it. Set DATABASE_URL=sqlite:./data/coordinator.db, or another database, to keep it.'
