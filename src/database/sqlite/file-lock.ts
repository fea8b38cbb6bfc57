import { existsSync, realpathSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { CoordinatorError } from '../../errors.ts'
import { isSqliteError, translateSqliteError } from './errors.ts'

/** The file whose lock stands for the ownership of a database file. Another name for the same file has the same one. */
export function lockFileOf(file: string): string {
  return `${existsSync(file) ? realpathSync(file) : file}.lock`
}

/**
 * Takes the ownership of a database file: an exclusive lock on a file beside it, which stays empty. The system frees it
 * when the process ends in whatever way, and programs that only read the database (a backup, `sqlite3`) still can.
 *
 * @param timeoutMs how long to wait for another process that is about to end
 * @returns what to close to give it up
 * @throws COORD_STORE_LOCKED
 */
export function takeFileLock(file: string, timeoutMs: number): DatabaseSync {
  const lockFile = lockFileOf(file)
  let lock: DatabaseSync | undefined
  try {
    lock = new DatabaseSync(lockFile, { timeout: timeoutMs })
    lock.exec('begin exclusive')
    return lock
  } catch (thrown) {
    lock?.close()
    if (isSqliteError(thrown) && (thrown.errcode & 255) === 5)
      throw new CoordinatorError('COORD_STORE_LOCKED', {
        detail: `Another process owns ${file}: it holds the lock on ${lockFile}.`,
        sourceCode: String(thrown.errcode),
      })
    throw translateSqliteError(thrown, lockFile)
  }
}
