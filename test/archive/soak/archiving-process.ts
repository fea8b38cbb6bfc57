/** A process with a coordinator that archives a SQLite file: `node archiving-process.ts OPTIONS`. See `run-archiving.ts`. */
import { SqliteStore } from '../../../src/database/sqlite/store.ts'
import { ArchivedCoordinator, type ArchivingCoordinator } from './archived-coordinator.ts'
import type { Asked, ProcessOptions, Told } from './run-archiving.ts'

const { file, mend, shiftMs, ...options } = JSON.parse(process.argv[2] ?? '') as ProcessOptions
const store = new SqliteStore({ path: file, now: () => Date.now() + shiftMs })
if (mend) await store.mendHead()
const coordinator: ArchivingCoordinator = new ArchivedCoordinator(store, options)

// After the last answer, or if the test was ended.
process.on('disconnect', () => process.exit())
process.on('message', async ({ id, method, args }: Asked) => {
  const tell = (told: Told) => process.send?.(told)
  try {
    // Each method takes what its name in `ArchivingCoordinator` takes.
    const call = coordinator[method] as (...given: readonly unknown[]) => Promise<unknown>
    tell({ id, result: await call.apply(coordinator, [...args]) })
  } catch (thrown) {
    tell({ id, error: String((thrown as Error).stack ?? thrown) })
  }
  if (method === 'finish') process.disconnect()
})
