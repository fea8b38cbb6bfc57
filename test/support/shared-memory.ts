import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The id of the shared memory of the PostgreSQL server on these data. `undefined` if none runs, and none was killed. */
export function sharedMemoryOf(dataFolder: string): string | undefined {
  const file = join(dataFolder, 'postmaster.pid')
  // Source: PostgreSQL, `src/include/utils/pidfile.h`: the seventh line has the key and the id.
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n')[6]?.trim().split(/\s+/)[1] : undefined
}

/**
 * Removes the shared memory that a killed PostgreSQL server leaves behind. Linux has 4,096 such segments for all programs together: when
 * they are used up, no PostgreSQL starts on the machine any more. Does nothing after an orderly end.
 */
export function removeSharedMemory(dataFolder: string): void {
  const id = sharedMemoryOf(dataFolder)
  if (id !== undefined) spawnSync('ipcrm', ['-m', id])
}
