import { CoordinatorError, type ErrorCode, type WriteOutcome } from '../../../errors.ts'
import { lockOwner } from './lock-owner.ts'

/** An error of `node:sqlite`: `code` is always `ERR_SQLITE_ERROR`, `errcode` is SQLite's extended result code. */
export interface SqliteError extends Error {
  readonly errcode: number
  readonly errstr: string
}

export function isSqliteError(thrown: unknown): thrown is SqliteError {
  return thrown instanceof Error && typeof (thrown as Partial<SqliteError>).errcode === 'number'
}

/** Extended result codes (https://sqlite.org/rescode.html). The lowest byte is the primary one. */
const extended: Readonly<Record<number, ErrorCode>> = {
  // A key exists already, though the head says that it cannot: another program wrote into the file.
  1555: 'COORD_STORE_DAMAGED',
  2067: 'COORD_STORE_DAMAGED',
  2579: 'COORD_STORE_DAMAGED',
  // SQLITE_READONLY_DBMOVED: the file was renamed or removed while it was in use.
  1032: 'COORD_STORE_PATH',
}

const primary: Readonly<Record<number, ErrorCode>> = {
  3: 'COORD_STORE_READ_ONLY',
  5: 'COORD_STORE_BUSY',
  6: 'COORD_STORE_BUSY',
  8: 'COORD_STORE_READ_ONLY',
  10: 'COORD_STORE_IO',
  11: 'COORD_STORE_CORRUPT',
  13: 'COORD_STORE_FULL',
  14: 'COORD_STORE_PATH',
  // The content is wrong: too large, a failed constraint (also of a trigger made by hand), or a wrong type.
  18: 'COORD_COMMIT_REFUSED',
  19: 'COORD_COMMIT_REFUSED',
  20: 'COORD_COMMIT_REFUSED',
  26: 'COORD_STORE_CORRUPT',
}

/**
 * Translates an error of SQLite by its result code, never by its text, which may contain data.
 *
 * @param file the database file, for people
 */
export function translateSqliteError(thrown: unknown, file: string): CoordinatorError {
  if (thrown instanceof CoordinatorError) return thrown
  if (!isSqliteError(thrown)) return new CoordinatorError('COORD_STORE_FAULT', { cause: thrown })
  const { errcode, errstr } = thrown
  const code = extended[errcode] ?? primary[errcode & 255] ?? 'COORD_STORE_FAULT'
  return new CoordinatorError(code, {
    detail: `SQLite answers "${errstr}" (${errcode}) for ${file}.`,
    sourceCode: String(errcode),
    cause: thrown,
    ...(code === 'COORD_STORE_BUSY' ? heldByAnother(file, errstr) : {}),
  })
}

/** SQLite lets one program write at a time. It has waited, so the other one is not about to end its transaction. */
function heldByAnother(file: string, errstr: string): { readonly detail: string; readonly hint: string } {
  // In WAL mode, the lock of a writer is on the first of these files; else on the database.
  const owner = lockOwner(`${file}-shm`) ?? lockOwner(file) ?? 'Another program'
  return {
    detail: `${owner} holds ${file} for writing, and does not release it (SQLite: "${errstr}").`,
    hint: `End the open transaction of that program, such as sqlite3, a database browser or a script: \`lsof ${file}\` lists the programs that use the file. The coordinator then goes on by itself, and clients can send the request again.`,
  }
}

/**
 * Whether a transaction may have become durable although its end failed. A failed write rolls back, because SQLite writes the mark of a
 * commit last. Only a failed flush leaves that mark in the file, where a later recovery could find it.
 */
export function outcomeOfFailedEnd(thrown: unknown): WriteOutcome {
  return isSqliteError(thrown) && (thrown.errcode & 255) === 10 ? 'unknown' : 'not_written'
}
