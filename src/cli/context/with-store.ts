import { describeDatabase } from '../../config/database.ts'
import { readSettings, type Settings } from '../../config/settings.ts'
import { repairOfUsedFile } from '../../database/diagnosis/finding.ts'
import { makeStore } from '../../database/open.ts'
import type { Store } from '../../database/store.ts'
import { CoordinatorError } from '../../errors.ts'
import type { Terminal } from '../terminal/terminal.ts'

/**
 * The settings of a command that opens the database itself. It does not listen, so it does not matter who could reach HOST: in a
 * container, HOST may be part of the image, and AUTH is set only for the coordinator.
 */
export function readStoreSettings(env: Terminal['env']): Settings {
  return readSettings({ ...env, HOST: undefined })
}

/**
 * The settings of a command that changes the history of a database. A mistyped path must not create a new database. Whatever it reads, the
 * primary answers.
 *
 * @throws COORD_CLI_USAGE if no database is set
 */
export function readSharedStore(env: Terminal['env']): Settings {
  const settings = readStoreSettings(env)
  if (settings.database.backend !== 'memory') return { ...settings, databaseReplicas: [], autoMigrate: false }
  throw new CoordinatorError('COORD_CLI_USAGE', {
    detail: 'No database is set here, and the history in memory ends with its coordinator.',
    hint: 'Set DATABASE_URL, or the Supabase variables.',
  })
}

/**
 * Runs `work` with the store of the settings, and closes it. Prints on stderr which database that is, and all warnings: a misspelled
 * variable leads to another database.
 */
export async function withStore(
  settings: Settings,
  { stderr }: Terminal,
  work: (store: Store) => Promise<void>,
): Promise<void> {
  const store = await makeStore(settings)
  try {
    stderr.write(`database: ${describeDatabase(settings.database)}\n`)
    for (const warning of settings.warnings) stderr.write(`warning: ${warning}\n`)
    await work(store)
  } catch (thrown) {
    throw isInUse(thrown) ? thrown.with({ hint: repairOfUsedFile }) : thrown
  } finally {
    await store.close()
  }
}

function isInUse(thrown: unknown): thrown is CoordinatorError {
  return thrown instanceof CoordinatorError && thrown.code === 'COORD_STORE_LOCKED'
}
