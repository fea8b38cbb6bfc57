import type { Settings } from '../config/settings.ts'
import type { SchemaStep, Store } from './store.ts'

/** What a store is made from. */
export type StoreSettings = Pick<
  Settings,
  | 'database'
  | 'databaseSchema'
  | 'databasePoolMax'
  | 'databaseConnectTimeoutMs'
  | 'databaseAcquireTimeoutMs'
  | 'databaseStatementTimeoutMs'
  | 'autoMigrate'
>

export interface StoreHooks {
  /** Told what people should know though it stops nothing. @default nothing */
  readonly onWarning?: (warning: string) => void
  /** Told when opening the store brought the schema from one number to another. @default nothing */
  readonly onMigrated?: (step: SchemaStep) => void
}

/**
 * Makes the store that the settings name; it is not opened yet. A backend is loaded only where it is asked for: the
 * drivers take longer to load than everything else.
 */
export async function makeStore(settings: StoreSettings, hooks: StoreHooks = {}): Promise<Store> {
  const { database: target, autoMigrate, databaseStatementTimeoutMs: callTimeoutMs } = settings
  const pool = {
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
      return new PostgresStore({ target, autoMigrate, statementTimeoutMs: callTimeoutMs, ...pool, ...hooks })
    }
    case 'supabase': {
      const { SupabaseStore } = await import('./supabase/store.ts')
      return new SupabaseStore({ target, callTimeoutMs, ...pool })
    }
  }
}
