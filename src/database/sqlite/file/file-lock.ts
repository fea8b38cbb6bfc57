import { existsSync, lstatSync, readlinkSync, realpathSync, rmSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { CoordinatorError } from '../../../errors.ts'
import { isSqliteError, translateSqliteError } from './errors.ts'
import { lockOwner } from './lock-owner.ts'

/** The file whose lock means the ownership of a database file. A link to the database file leads to the same lock file. */
export function lockFileOf(file: string): string {
  return `${existsSync(file) ? realpathSync(file) : fileToBeMade(file)}.lock`
}

/**
 * The file whose lock means the ownership of a database file under any name. The other lock file is named after the database file, so
 * that a file that was renamed in use would get a second one.
 */
export function inodeLockFileOf(file: string): string {
  const { ino } = statSync(file, { bigint: true })
  return join(dirname(realpathSync(file)), `.coordinator-${ino}.lock`)
}

/** The file that SQLite creates. If the name is a link, it is the target of the link. */
function fileToBeMade(file: string): string {
  const isLink = lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() ?? false
  return isLink ? resolve(dirname(file), readlinkSync(file)) : file
}

/**
 * Takes the ownership of a database file: an exclusive lock on an empty file beside it. The operating system frees the lock when the
 * process ends, for whatever reason. Other programs (a backup, `sqlite3`) can still read the database.
 *
 * @param timeoutMs how long to wait for another process that is about to end
 * @returns the lock; close it to give up the ownership
 * @throws COORD_STORE_LOCKED
 */
export function takeFileLock(file: string, timeoutMs: number): FileLock {
  return new FileLock(lockFileOf(file), takeLock(lockFileOf(file), { file, timeoutMs }), 'kept')
}

/**
 * Takes the ownership of a database file by its inode, independent of its name. The file must exist.
 *
 * @throws COORD_STORE_LOCKED
 */
export function takeInodeLock(file: string, timeoutMs: number): FileLock {
  const lockFile = inodeLockFileOf(file)
  const lock = takeLock(lockFile, { file, timeoutMs })
  // The last owner may have removed the lock file after this process opened it and before it locked it. Such a lock protects nothing.
  if (existsSync(lockFile)) return new FileLock(lockFile, lock, 'removed')
  lock.close()
  return takeInodeLock(file, timeoutMs)
}

/** A lock that is held. */
export class FileLock {
  readonly path: string
  readonly #lock: DatabaseSync
  readonly #afterwards: 'kept' | 'removed'

  constructor(path: string, lock: DatabaseSync, afterwards: 'kept' | 'removed') {
    this.path = path
    this.#lock = lock
    this.#afterwards = afterwards
  }

  close(): void {
    // It is removed while the lock is still held, so that nobody else can have taken it.
    if (this.#afterwards === 'removed') rmSync(this.path, { force: true })
    this.#lock.close()
  }
}

interface Locking {
  /** The file that the lock protects. */
  readonly file: string
  readonly timeoutMs: number
}

function takeLock(lockFile: string, { file, timeoutMs }: Locking): DatabaseSync {
  let lock: DatabaseSync | undefined
  try {
    lock = new DatabaseSync(lockFile, { timeout: timeoutMs })
    // This connection never writes. Without this setting, SQLite would leave a journal file beside the lock file after a kill.
    lock.exec('pragma journal_mode = memory')
    lock.exec('begin exclusive')
    return lock
  } catch (thrown) {
    lock?.close()
    if (isSqliteError(thrown) && (thrown.errcode & 255) === 5)
      throw new CoordinatorError('COORD_STORE_LOCKED', {
        detail: `${lockOwner(lockFile) ?? 'Another process'} owns ${file}: it holds the lock on ${lockFile}.`,
        sourceCode: String(thrown.errcode),
      })
    throw translateSqliteError(thrown, lockFile)
  }
}
