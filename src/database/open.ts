import type { Settings } from '../config/settings.ts'
import { CoordinatorError } from '../errors.ts'
import type { SchemaStep, Store } from './store.ts'

/** The settings that a store needs. */
export type StoreSettings = Pick<
  Settings,
  | 'database'
  | 'databaseSchema'
  | 'databaseReplicas'
  | 'databaseReplicaReads'
  | 'databasePoolMax'
  | 'databaseConnectTimeoutMs'
  | 'databaseAcquireTimeoutMs'
  | 'databaseStatementTimeoutMs'
  | 'autoMigrate'
>

/** The operations that `DATABASE_REPLICA_READS` names. */
const operations = { load: 'load', asOf: 'as_of', history: 'history' } as const

export interface StoreHooks {
  /** Is called with warnings for people. @default nothing */
  readonly onWarning?: (warning: string) => void
  /** Is called when opening the store brought the schema from one number to another. @default nothing */
  readonly onMigrated?: (step: SchemaStep) => void
}

/**
 * Creates the store of the settings, but does not open it. Only the needed backend is loaded: the drivers take longer to load than
 * everything else.
 *
 * @throws COORD_CONFIG_PACKAGE_MISSING if the backend is Supabase, and its client is not installed
 */
export async function makeStore(settings: StoreSettings, hooks: StoreHooks = {}): Promise<Store> {
  const { database: target, autoMigrate, databaseStatementTimeoutMs: callTimeoutMs } = settings
  const shared = {
    callTimeoutMs,
    schema: settings.databaseSchema,
    poolMax: settings.databasePoolMax,
    connectTimeoutMs: settings.databaseConnectTimeoutMs,
    acquireTimeoutMs: settings.databaseAcquireTimeoutMs,
  }
  switch (target.backend) {
    case 'memory': {
      const { MemoryStore } = await import('./memory/store.ts')
      return new MemoryStore()
    }
    case 'sqlite': {
      const { SqliteStore } = await import('./sqlite/store.ts')
      return new SqliteStore({ path: target.path, autoMigrate, callTimeoutMs, ...hooks })
    }
    case 'postgres': {
      const { PostgresStore } = await import('./postgres/store.ts')
      const { connectTimeoutMs = shared.connectTimeoutMs } = target
      const replicas = settings.databaseReplicas
      const replicaReads = settings.databaseReplicaReads.map((read) => operations[read])
      return new PostgresStore({
        ...{ target, replicas, replicaReads, autoMigrate, ...shared, connectTimeoutMs, ...hooks },
      })
    }
    case 'supabase': {
      const { SupabaseStore } = await import('./supabase/store.ts').catch(withoutClient)
      return new SupabaseStore({ target, ...shared })
    }
  }
}

/** The client of Supabase is an optional dependency: `npm install --omit=optional` leaves it out. */
function withoutClient(thrown: NodeJS.ErrnoException): never {
  if (thrown.code !== 'ERR_MODULE_NOT_FOUND' || !thrown.message.includes("'@supabase/supabase-js'"))
    throw thrown
  throw new CoordinatorError('COORD_CONFIG_PACKAGE_MISSING', {
    detail: 'The settings name a Supabase project, and the package @supabase/supabase-js is not installed.',
    cause: thrown,
  })
}
