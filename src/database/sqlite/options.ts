import type { Revision } from '../../records/record.ts'
import type { SchemaStep } from '../store.ts'

export interface SqliteOptions {
  /**
   * The path of the database file. If the file is missing, it is created with its folder; the folder above must exist. A file `<path>.lock`
   * beside it shows that a process owns it. `<path>-wal` and `<path>-shm` belong to SQLite.
   */
  readonly path: string
  /** Whether `open` brings the schema up to date. @default true */
  readonly autoMigrate?: boolean
  /**
   * How long a write waits for another program that has the file locked. Reads wait meanwhile, so it is short; whoever calls tries
   * again. @default 1_000 (milliseconds)
   */
  readonly busyTimeoutMs?: number
  /** How long `open` waits for another coordinator that is about to end. @default 1_000 (milliseconds) */
  readonly lockTimeoutMs?: number
  /** How long a call may take. `open` and migrations may take longer. @default 10_000 (milliseconds) */
  readonly callTimeoutMs?: number
  /** The most records in a page of `load` and `asOf`. @default 2_000 */
  readonly pageSize?: number
  /** Wall clock, epoch milliseconds. @default Date.now */
  readonly now?: () => number
  /** The revision at which a new file starts, to test large numbers. @default 0 */
  readonly firstRevision?: Revision
  /** Is called with warnings for people, such as that of a migration whose text has changed. @default nothing */
  readonly onWarning?: (warning: string) => void
  /** Is called when `open` brought the schema from one number to another. @default nothing */
  readonly onMigrated?: (step: SchemaStep) => void
}

/** `SqliteOptions` with every default filled in. */
export type SqliteSettings = Required<SqliteOptions>

export function withDefaults(options: SqliteOptions): SqliteSettings {
  return {
    autoMigrate: true,
    busyTimeoutMs: 1_000,
    lockTimeoutMs: 1_000,
    callTimeoutMs: 10_000,
    pageSize: 2_000,
    now: Date.now,
    firstRevision: 0,
    onWarning: () => undefined,
    onMigrated: () => undefined,
    ...options,
  }
}
