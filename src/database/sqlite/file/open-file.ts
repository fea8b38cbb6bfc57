import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  statfsSync,
  statSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type DatabaseSyncOptions } from 'node:sqlite'
import { CoordinatorError } from '../../../errors.ts'
import { translateSqliteError } from './errors.ts'

/** "COOR", in the header of every database file of the coordinator. `file` and `pragma application_id` show it. */
export const APPLICATION_ID = 0x434f4f52

/**
 * A disk with less free space than this counts as full, in bytes: the largest batch of the live layer must fit. Measured: 512 changed
 * records of 2 KiB, spread over a large file, add 9.8 MiB to the log, because whole pages are written.
 */
const ROOM = 10 * 1024 * 1024

/** The size of the write-ahead log at which a commit copies it into the database, in pages: 32 MiB. */
const CHECKPOINT_PAGES = 8_000

/**
 * Creates the folder of a database file, such as `./data` in a fresh checkout, but not the folder above it. If the folder above
 * is missing, too, the path is probably wrong, or a disk is not mounted.
 *
 * @throws COORD_STORE_PATH, COORD_STORE_READ_ONLY
 */
export function prepareFolder(file: string): void {
  const folder = dirname(file)
  const above = dirname(folder)
  if (isFolder(file)) throw pathError(`${file} is a folder, not a file.`, 'Name a file in DATABASE_URL.')
  if (!isFolder(folder)) {
    if (!isFolder(above)) throw pathError(`The folder ${folder} does not exist, nor does ${above}.`)
    if (statSync(folder, { throwIfNoEntry: false }) !== undefined)
      throw pathError(`${folder} is not a folder.`, 'Name a file in a folder in DATABASE_URL.')
    requireWritable(above)
    // Two programs that start may make it at the same time.
    mkdirSync(folder, { recursive: true })
    flushFolder(above)
  }
  requireWritable(folder)
  requireOneName(file)
}

/**
 * SQLite keeps the newest commits in files beside the database, under its name. Under another name, or in another folder, the database is
 * without these files: acknowledged commits seem lost, and two programs may write at the same time.
 */
function requireOneName(file: string): void {
  const stat = statSync(file, { throwIfNoEntry: false })
  if (stat === undefined) return
  if (stat.nlink > 1)
    throw pathError(
      `${file} has ${stat.nlink} names (hard links), but its write-ahead log is beside only one of them.`,
      'Keep one name and remove the others, or copy the file to a new one: `cp FILE COPY && mv COPY FILE`.',
    )
  if (isMountPoint(realpathSync(file)))
    throw pathError(
      `${file} is mounted by itself, as with \`-v FILE:FILE\`, so that its write-ahead log would be outside of the mount.`,
      'Mount the folder that holds the file, not the file.',
    )
}

/** Linux lists the mount points: `36 35 98:0 /root /mount/point rw ...`, with spaces and the like as `\\040`. */
function isMountPoint(path: string): boolean {
  let list: string
  try {
    list = readFileSync('/proc/self/mountinfo', 'utf8')
  } catch {
    // This is not Linux, or there is no /proc. Only Linux mounts single files.
    return false
  }
  return list.split('\n').some((line) => {
    const mountPoint = line.split(' ')[4]?.replace(/\\(\d{3})/g, (_, code: string) => octet(code))
    return mountPoint === path
  })
}

function octet(code: string): string {
  return String.fromCharCode(Number.parseInt(code, 8))
}

function isFolder(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
  } catch (thrown) {
    // A part of the path is a file, or a folder that may not be read.
    throw pathError(`${path} cannot be reached: ${(thrown as NodeJS.ErrnoException).code}.`)
  }
}

function requireWritable(path: string): void {
  try {
    accessSync(path, constants.W_OK)
  } catch (thrown) {
    throw new CoordinatorError('COORD_STORE_READ_ONLY', {
      detail: `${path} cannot be written by the user that runs the coordinator.`,
      sourceCode: String((thrown as NodeJS.ErrnoException).code),
    })
  }
}

/** A new name is on disk only when its folder is flushed. */
function flushFolder(folder: string): void {
  // Windows cannot open folders. It writes names to disk by itself.
  if (process.platform === 'win32') return
  const descriptor = openSync(folder, constants.O_RDONLY)
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/**
 * Opens a file for writing, or creates it. It does not change a file of another program.
 *
 * @param busyTimeoutMs how long a write waits for another program that has the file locked
 * @throws COORD_STORE_FOREIGN, COORD_STORE_CORRUPT, COORD_STORE_READ_ONLY, COORD_STORE_BUSY, COORD_STORE_PATH
 */
export function openForWriting(file: string, busyTimeoutMs: number): DatabaseSync {
  // SQLite opens a write-protected file for reading, and only fails at the first write. Another user may own its `-wal` and `-shm`.
  if (existsSync(file))
    for (const end of ['', '-wal', '-shm']) {
      const path = `${realpathSync(file)}${end}`
      if (existsSync(path)) requireWritable(path)
    }
  return open(file, { timeout: busyTimeoutMs })
}

/** Opens a file for reading while another process owns it; `undefined` if it does not exist. */
export function openForReading(file: string, busyTimeoutMs: number): DatabaseSync | undefined {
  const isEmpty = (statSync(file, { throwIfNoEntry: false })?.size ?? 0) === 0
  return isEmpty ? undefined : open(file, { timeout: busyTimeoutMs, readOnly: true })
}

function open(file: string, options: DatabaseSyncOptions): DatabaseSync {
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(file, options)
    if (statSync(file).size > 0) requireOurs(database, file)
    return database
  } catch (thrown) {
    database?.close()
    throw translateSqliteError(thrown, file)
  }
}

function requireOurs(database: DatabaseSync, file: string): void {
  const { application_id: applicationId } = database.prepare('pragma application_id').get() as {
    readonly application_id: number
  }
  if (applicationId === APPLICATION_ID) return
  const { count } = database.prepare('select count(*) as count from sqlite_schema').get() as {
    readonly count: number
  }
  if (applicationId !== 0 || count > 0)
    throw new CoordinatorError('COORD_STORE_FOREIGN', {
      detail: `${file} is a database of another program.`,
    })
}

/**
 * Makes commits durable and fast.
 *
 * @throws COORD_STORE_PATH, COORD_STORE_BUSY
 */
export function prepareForWriting(database: DatabaseSync, file: string): void {
  try {
    requireWal(database, file)
    database.exec(`
      -- In WAL mode anything less than full may lose acknowledged commits when the power fails.
      pragma synchronous = full;
      -- On macOS a plain fsync leaves data in the cache of the disk. Without effect elsewhere.
      pragma fullfsync = on;
      pragma checkpoint_fullfsync = on;
      -- Fewer, larger checkpoints: with 1,000 pages a quarter of the write rate is lost to them.
      pragma wal_autocheckpoint = ${CHECKPOINT_PAGES};
      pragma journal_size_limit = ${CHECKPOINT_PAGES * 4096};
      pragma cache_size = -32768;
      pragma temp_store = memory;
      pragma trusted_schema = off;
    `)
  } catch (thrown) {
    throw translateSqliteError(thrown, file)
  }
}

/** Without shared memory, as on network drives, SQLite keeps its older journal mode, which reads and flushes differently. */
function requireWal(database: DatabaseSync, file: string): void {
  const mode = database.prepare('pragma journal_mode = wal').get()?.['journal_mode']
  if (mode !== 'wal')
    throw pathError(
      `The file system of ${file} does not allow a write-ahead log (SQLite stays in mode ${mode}).`,
      'Put the database file on a local disk.',
    )
}

/**
 * Checks for room when an empty batch asks whether writing works. After a write failed for lack of room, its space stays with the log. A
 * small write would then succeed, and the next normal one would fail again.
 *
 * @throws COORD_STORE_FULL
 */
export function requireRoom(file: string): void {
  const left = roomLeft(file)
  if (left === undefined || left >= ROOM) return
  throw new CoordinatorError('COORD_STORE_FULL', {
    detail: `The disk of ${file} has ${kib(left)} left, and a batch of writes may take ${kib(ROOM)}.`,
    outcome: 'not_written',
  })
}

/** In bytes; `undefined` if the file system does not tell: some have no such call, some answer zeros. */
function roomLeft(file: string): number | undefined {
  try {
    const { blocks, bsize, bavail, bfree } = statfsSync(file)
    if (blocks === 0) return undefined
    // The superuser may also use the reserved blocks.
    return (process.getuid?.() === 0 ? bfree : bavail) * bsize
  } catch {
    return undefined
  }
}

function kib(bytes: number): string {
  return `${Math.floor(bytes / 1_024)} KiB`
}

function pathError(detail: string, hint?: string): CoordinatorError {
  return new CoordinatorError('COORD_STORE_PATH', { detail, ...(hint === undefined ? {} : { hint }) })
}
