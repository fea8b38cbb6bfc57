import { realpathSync, statSync } from 'node:fs'
import { CoordinatorError } from '../../../errors.ts'

/**
 * A database file, its write-ahead log and its locks, as they were when they were opened. A file that was removed or replaced
 * still takes writes, which no restart would find.
 */
export class FilesInUse {
  readonly #files: readonly { readonly path: string; readonly inode: number; readonly hint: string }[]

  /**
   * @param file a database that is open and has been written to: before that it has no log
   * @param locks the lock files that protect it
   */
  constructor(file: string, locks: readonly string[]) {
    const hints = {
      ...Object.fromEntries(
        locks.map((lock) => [
          lock,
          'Stop the coordinator, make sure that no other one uses the database file, and start it again. Without the lock file nothing keeps another coordinator away.',
        ]),
      ),
      [file]: 'Stop the coordinator, put the file back, and start it again.',
      [`${realpathSync(file)}-wal`]:
        'Stop the coordinator by SIGTERM, so that what the log held is saved, and start it again.',
    }
    this.#files = Object.entries(hints).map(([path, hint]) => ({ path, inode: statSync(path).ino, hint }))
  }

  /** @throws COORD_STORE_PATH */
  requireUnmoved(): void {
    for (const { path, inode, hint } of this.#files)
      if (statSync(path, { throwIfNoEntry: false })?.ino !== inode)
        throw new CoordinatorError('COORD_STORE_PATH', {
          detail: `${path} was removed or replaced while it was in use.`,
          hint,
          outcome: 'not_written',
        })
  }
}
