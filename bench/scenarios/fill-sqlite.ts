import { readSettings } from '../../src/config/settings.ts'
import { makeStore } from '../../src/database/open.ts'
import { type Filling, fillStore } from '../scale/fill-store.ts'

/**
 * Fills a SQLite file with services, by the store itself and one commit each, as if they had been registered.
 *
 * @returns the ids of the services
 */
export async function fillSqlite(path: string, filling: Filling): Promise<readonly string[]> {
  const store = await makeStore(readSettings({ DATABASE_URL: `sqlite:${path}` }))
  try {
    return (await fillStore(store, filling)).ids
  } finally {
    await store.close()
  }
}
