import type { Migration } from '../migrations/migration.ts'
import type { Drift } from '../store.ts'
import type { PostgresDoor } from './postgres-door.ts'

export async function findDrift(
  _door: PostgresDoor,
  _options: { readonly schema: string; readonly migrations: readonly Migration[] },
): Promise<readonly Drift[]> {
  return []
}
