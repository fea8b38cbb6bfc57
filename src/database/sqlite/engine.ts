import { statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { CoordinatorError } from '../../errors.ts'
import type { Commit, Entry, Position, Revision, StoredRecord } from '../../records/record.ts'
import { reportMigrations } from '../migrations/migration.ts'
import { migrationWarnings, runMigrations } from '../migrations/runner.ts'
import type {
  AccessState,
  ChangesReply,
  CommitCall,
  Drift,
  Examination,
  ExaminationCursor,
  Head,
  Inspection,
  JournalReader,
  MigrationReport,
  Moment,
  NewToken,
  ReplayReply,
  SchemaStep,
  SeedPoint,
  StoredToken,
  StoreMode,
} from '../store.ts'
import { WriterAttempts } from '../writer-attempts.ts'
import { putToken, readAccess, requireAccess, revokeToken, seedAccess } from './access-tokens.ts'
import { adopt, fork, mendHead, raiseFloor, sweep } from './change-history.ts'
import { type BatchReply, commitBatch } from './commit-batch.ts'
import { Connection, headOf } from './connection.ts'
import { translateSqliteError } from './file/errors.ts'
import { type FileLock, takeFileLock, takeInodeLock } from './file/file-lock.ts'
import { FilesInUse } from './file/files-in-use.ts'
import {
  openForReading,
  openForWriting,
  prepareFolder,
  prepareForWriting,
  requireRoom,
} from './file/open-file.ts'
import { examineFile, inspectFile } from './inspector.ts'
import { checkSchema, findDrift, readLedger, sqliteExecutor, sqliteMigrations } from './migrator.ts'
import { setMode } from './modes.ts'
import { type HistoryPart, type HistoryQuestion, readChanges, readHistory } from './read-journal.ts'
import {
  type AsOfPart,
  type AsOfQuestion,
  type LoadPart,
  readAsOfPart,
  readLoadPage,
  resolveMoment,
} from './read-records.ts'
import { replayEntries } from './replay-entries.ts'
import { clear, seedRecords } from './seed-records.ts'

export interface EngineOptions {
  /** Absolute. */
  readonly file: string
  readonly autoMigrate: boolean
  readonly busyTimeoutMs: number
  readonly lockTimeoutMs: number
  /** The revision at which a new file starts. */
  readonly firstRevision: Revision
}

export interface Opened {
  readonly head: Head
  /** The schema numbers before and after; absent if nothing was migrated. */
  readonly migrated?: SchemaStep
  /** Warnings for people. */
  readonly warnings: readonly string[]
}

/**
 * The database file, and all work on it. It is synchronous except for migrations, so it runs in a worker thread: in the main thread, a
 * flush to disk would delay every reader. Each call is short; long work runs in parts.
 */
export class Engine {
  readonly #options: EngineOptions
  /** Keeping attempts in memory is enough: abandoned calls wait for this thread, and end with it. */
  readonly #attempts = new WriterAttempts()
  #locks: FileLock[] = []
  #connection: Connection | undefined
  #files: FilesInUse | undefined

  constructor(options: EngineOptions) {
    this.#options = options
  }

  /** Takes the ownership of the file, then migrates or checks it. May be called again after a failure. */
  async open(now: number): Promise<Opened> {
    if (this.#connection !== undefined) return { head: this.head(), warnings: [] }
    const { file, autoMigrate, firstRevision } = this.#options
    const database = this.#takeFile(autoMigrate)
    try {
      const report = autoMigrate
        ? await runMigrations(sqliteMigrations, sqliteExecutor(database, file))
        : reportMigrations(sqliteMigrations, readLedger(database))
      const connection = new Connection(database, file)
      const head = prepareHead(connection, { firstRevision, now })
      this.#files = new FilesInUse(
        file,
        this.#locks.map(({ path }) => path),
      )
      this.#connection = connection
      const { from, current: to } = report
      return {
        head,
        ...(from === undefined ? {} : { migrated: { from, to } }),
        warnings: migrationWarnings(report),
      }
    } catch (thrown) {
      this.#release(database)
      throw translateSqliteError(thrown, file)
    }
  }

  head(): Head {
    return this.#read((connection) => headOf(connection.readHead()))
  }

  load(question: { readonly limit: number; readonly after?: number }): LoadPart {
    return this.#read((connection) => readLoadPage(connection, question.limit, question.after))
  }

  commit(question: {
    readonly after: Position
    readonly batch: readonly Commit[]
    readonly call: CommitCall
    readonly now: number
  }): BatchReply {
    const connection = this.#writingConnection()
    if (!this.#attempts.record(question.call, question.now)) return { status: 'superseded' }
    if (question.batch.length === 0) requireRoom(this.#options.file)
    return commitBatch(connection, question.batch, question)
  }

  changes(question: {
    readonly after: Position
    readonly limit: number
    readonly reader: JournalReader
  }): ChangesReply {
    // Changes are read all the time, so that a fault that would lose the next write is reported before anybody writes.
    this.#files?.requireUnmoved()
    return this.#read((connection) => readChanges(connection, question.after, question))
  }

  history(question: HistoryQuestion): HistoryPart {
    return this.#read((connection) => readHistory(connection, question))
  }

  resolve(moment: Moment): Position {
    return this.#read((connection) => resolveMoment(connection, moment))
  }

  asOf(question: AsOfQuestion): AsOfPart {
    return this.#read((connection) => readAsOfPart(connection, question))
  }

  raiseFloor(floor: Revision): void {
    raiseFloor(this.#writingConnection(), floor)
  }

  sweep(): boolean {
    return sweep(this.#writingConnection())
  }

  fork(from: Position): Head {
    return fork(this.#writingConnection(), from)
  }

  adopt(lineage: string): Head {
    return adopt(this.#writingConnection(), lineage)
  }

  /** `undefined`: `clear` has to remove first what an unfinished seed left. */
  setMode({ from, to }: { readonly from: StoreMode; readonly to: StoreMode }): Head | undefined {
    return setMode(this.#writingConnection(), from, to)
  }

  /** `undefined`: `clear` has to remove first what an unfinished seed left. */
  seed(question: { readonly point: SeedPoint; readonly records: readonly StoredRecord[] }): Head | undefined {
    return seedRecords(this.#writingConnection(), question.point, question.records)
  }

  clear(): boolean {
    return clear(this.#writingConnection())
  }

  replay(question: { readonly after: Position; readonly entries: readonly Entry[] }): ReplayReply {
    return replayEntries(this.#writingConnection(), question.after, question.entries)
  }

  /** Works while the file is not open: with a wrong head, opening it fails. */
  mendHead(now: number): Head {
    if (this.#connection !== undefined) return mendHead(this.#writingConnection(), now)
    const { file } = this.#options
    const database = this.#takeFile(false)
    try {
      return mendHead(new Connection(database, file), now)
    } finally {
      this.#release(database)
    }
  }

  loadAccess(): AccessState {
    return this.#read(readAccess)
  }

  putToken({ token, now }: { readonly token: NewToken; readonly now: number }): StoredToken {
    return putToken(this.#writingConnection(), token, now)
  }

  revokeToken(question: { readonly id: string; readonly by: string; readonly now: number }): StoredToken {
    return revokeToken(this.#writingConnection(), question)
  }

  requireAccess(): void {
    requireAccess(this.#writingConnection())
  }

  seedAccess(state: Omit<AccessState, 'version'>): AccessState {
    return seedAccess(this.#writingConnection(), state)
  }

  /** The migrations that ran, and those that are pending. Needs no ownership: another process may be using the file. */
  migrationStatus(): MigrationReport {
    return this.#peek((database) =>
      reportMigrations(sqliteMigrations, database === undefined ? [] : readLedger(database)),
    )
  }

  /** Differences between the schema and the expected one. Needs no ownership. */
  verify(): readonly Drift[] {
    return this.#peek((database) => (database === undefined ? [] : findDrift(database)))
  }

  async migrate(dryRun: boolean): Promise<MigrationReport> {
    const { file } = this.#options
    if (this.#connection !== undefined)
      return runMigrations(sqliteMigrations, sqliteExecutor(this.#connection.database, file), { dryRun })
    // A dry run must not create a file.
    const isNew = (statSync(file, { throwIfNoEntry: false })?.size ?? 0) === 0
    if (dryRun && isNew) {
      const database = new DatabaseSync(':memory:')
      const report = await runMigrations(sqliteMigrations, sqliteExecutor(database, file), { dryRun })
      database.close()
      return report
    }
    const database = this.#takeFile(true)
    try {
      return await runMigrations(sqliteMigrations, sqliteExecutor(database, file), { dryRun })
    } finally {
      this.#release(database)
    }
  }

  inspect(): Inspection {
    return this.#read(({ database, file }) => inspectFile(database, file))
  }

  /** Works without the ownership of the file, and with a wrong head. */
  examine(from: ExaminationCursor | undefined): Examination {
    return this.#peek((database) => {
      if (database === undefined) return { damages: [] }
      return examineFile(this.#connection ?? new Connection(database, this.#options.file), from)
    })
  }

  /** Gives up the file. SQLite copies the write-ahead log into it and removes the log. */
  close(): void {
    const database = this.#connection?.database
    this.#connection = undefined
    if (database !== undefined) this.#release(database)
  }

  #takeFile(mayMigrate: boolean): DatabaseSync {
    const { file, busyTimeoutMs, lockTimeoutMs } = this.#options
    const isNew = statSync(file, { throwIfNoEntry: false }) === undefined
    if (isNew) checkSchema([], file, mayMigrate)
    prepareFolder(file)
    this.#locks = [takeFileLock(file, lockTimeoutMs)]
    let database: DatabaseSync | undefined
    try {
      // If the file exists, take the lock before opening it: opening a file that another process uses under another name would fail.
      if (!isNew) this.#locks.push(takeInodeLock(file, lockTimeoutMs))
      database = openForWriting(file, busyTimeoutMs)
      if (isNew) this.#locks.push(takeInodeLock(file, lockTimeoutMs))
      checkSchema(readLedger(database), file, mayMigrate)
      prepareForWriting(database, file)
      return database
    } catch (thrown) {
      this.#release(database)
      throw translateSqliteError(thrown, file)
    }
  }

  #release(database: DatabaseSync | undefined): void {
    try {
      database?.close()
    } finally {
      for (const lock of this.#locks.splice(0)) lock.close()
    }
  }

  #openConnection(): Connection {
    if (this.#connection === undefined)
      throw new CoordinatorError('COORD_STORE_UNAVAILABLE', {
        detail: 'The store is not open.',
        outcome: 'not_written',
      })
    return this.#connection
  }

  /** @throws COORD_STORE_PATH if a write would be lost */
  #writingConnection(): Connection {
    const connection = this.#openConnection()
    this.#files?.requireUnmoved()
    return connection
  }

  #read<T>(work: (connection: Connection) => T): T {
    const connection = this.#openConnection()
    try {
      return work(connection)
    } catch (thrown) {
      throw translateSqliteError(thrown, this.#options.file)
    }
  }

  #peek<T>(work: (database: DatabaseSync | undefined) => T): T {
    if (this.#connection !== undefined) return this.#read(({ database }) => work(database))
    const { file, busyTimeoutMs } = this.#options
    const database = openForReading(file, busyTimeoutMs)
    try {
      return work(database)
    } catch (thrown) {
      throw translateSqliteError(thrown, file)
    } finally {
      database?.close()
    }
  }
}

/** Creates the head of a new file. Otherwise checks that head and journal match. */
function prepareHead(
  connection: Connection,
  { firstRevision, now }: { readonly firstRevision: Revision; readonly now: number },
): Head {
  return connection.transaction(() => {
    if (!connection.hasHead() && connection.readNewest() === undefined)
      connection.createHead({ firstRevision, now })
    return headOf(connection.readHead())
  })
}
