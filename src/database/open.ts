import { type DatabaseTarget, describeDatabase } from '../config/database.ts'
import type { Settings } from '../config/settings.ts'
import { CoordinatorError } from '../errors.ts'
import type { Store } from './store.ts'

/** What a store is made from. */
export type StoreSettings = Pick<Settings, 'database' | 'autoMigrate'>

/**
 * Makes the store that the settings name; it is not opened yet. A backend is loaded only where it is asked for.
 *
 * @throws COORD_CONFIG_UNSUPPORTED for a backend that this version does not have: memory never stands in for it
 */
export async function makeStore({ database }: StoreSettings): Promise<Store> {
  switch (database.backend) {
    case 'memory': {
      const { MemoryStore } = await import('./memory/store.ts')
      return new MemoryStore()
    }
    case 'sqlite':
    case 'postgres':
    case 'supabase':
      throw notInThisVersion(database)
  }
}

function notInThisVersion(target: DatabaseTarget): CoordinatorError {
  const variable = target.backend === 'supabase' ? 'SUPABASE_URL' : 'DATABASE_URL'
  return new CoordinatorError('COORD_CONFIG_UNSUPPORTED', {
    detail: `${variable} asks for ${describeDatabase(target)}, which is not in this version.`,
  })
}
