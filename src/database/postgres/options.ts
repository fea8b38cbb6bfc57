import type { PostgresTarget } from '../../config/postgres-url.ts'
import type { SchemaStep } from '../store.ts'

export interface PostgresOptions {
  /** Where the database is: `postgres:` URL as the configuration read it. */
  readonly target: PostgresTarget
  /** Schema of the tables: a lower-case name. @default 'coordinator' */
  readonly schema?: string
  /** Whether `open` brings the schema up to date; otherwise an old one is refused. @default true */
  readonly autoMigrate?: boolean
  /** Connections in all, at least 3: one writes, one follows, the rest answer questions about the past. @default 4 */
  readonly poolMax?: number
  /** How long making one connection may take. @default 5_000 (milliseconds) */
  readonly connectTimeoutMs?: number
  /** How long a call may wait for a free connection. @default 5_000 (milliseconds) */
  readonly acquireTimeoutMs?: number
  /** How long one call may take, its answer included. @default 10_000 (milliseconds) */
  readonly statementTimeoutMs?: number
  /**
   * How long a connection is used. Up to a tenth is taken off at random, so that not all are replaced at once.
   * @default 1_800_000 (milliseconds)
   */
  readonly maxLifetimeMs?: number
  /** A connection that was idle for this long is checked before it is used. @default 10_000 (milliseconds) */
  readonly validateAfterMs?: number
  /** How long a call may be silent before another connection checks whether the server works on it. @default 1_000 (milliseconds) */
  readonly watchAfterMs?: number
  /** Pause between the three attempts that a refused login gets when the store opens. @default 2_500 (milliseconds) */
  readonly loginPauseMs?: number
  /** Is called with warnings for people. @default nothing */
  readonly onWarning?: (warning: string) => void
  /** Is called when `open` brought the schema from one number to another. @default nothing */
  readonly onMigrated?: (step: SchemaStep) => void
  /** Rows in a page of `load` and `asOf`. @default 2_000 */
  readonly pageSize?: number
}

/** The same with every default filled in. */
export type PostgresSettings = Required<PostgresOptions>

export function withDefaults(options: PostgresOptions): PostgresSettings {
  return {
    schema: 'coordinator',
    autoMigrate: true,
    poolMax: 4,
    connectTimeoutMs: 5_000,
    acquireTimeoutMs: 5_000,
    statementTimeoutMs: 10_000,
    maxLifetimeMs: 1_800_000,
    validateAfterMs: 10_000,
    watchAfterMs: 1_000,
    loginPauseMs: 2_500,
    onWarning: () => undefined,
    onMigrated: () => undefined,
    pageSize: 2_000,
    ...options,
  }
}
