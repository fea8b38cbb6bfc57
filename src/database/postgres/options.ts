import type { PostgresTarget } from '../../config/postgres/postgres-url.ts'
import { type ReplicaOperation, replicaOperations } from '../replicas.ts'
import { type FunctionStoreOptions, functionStoreDefaults } from '../sql-functions/options.ts'
import type { SchemaStep } from '../store.ts'

export interface PostgresOptions extends FunctionStoreOptions {
  /** The `postgres:` URL, as the configuration read it. */
  readonly target: PostgresTarget
  /** Whether `open` brings the schema up to date. Otherwise an old schema is refused. @default true */
  readonly autoMigrate?: boolean
  /**
   * How long a connection is used. A random part of up to a tenth is subtracted, so that not all are replaced at once. @default 1_800_000
   * (milliseconds)
   */
  readonly maxLifetimeMs?: number
  /** A connection that was idle for this long is checked before it is used. @default 10_000 (milliseconds) */
  readonly validateAfterMs?: number
  /** The servers that copy the database, from which some reads are answered. @default none */
  readonly replicas?: readonly PostgresTarget[]
  /** What replicas answer. @default everything that they can */
  readonly replicaReads?: readonly ReplicaOperation[]
  /** How long a replica that failed, or showed another history, is asked nothing. @default 30_000 (milliseconds) */
  readonly replicaRestMs?: number
  /** How often each replica is asked for its head and its role. @default 5_000 (milliseconds) */
  readonly replicaCheckMs?: number
  /** Is called with warnings for people. @default nothing */
  readonly onWarning?: (warning: string) => void
  /** Is called when `open` brought the schema from one number to another. @default nothing */
  readonly onMigrated?: (step: SchemaStep) => void
}

/** `PostgresOptions` with every default filled in. */
export type PostgresSettings = Required<PostgresOptions>

export function withDefaults(options: PostgresOptions): PostgresSettings {
  return {
    ...functionStoreDefaults,
    autoMigrate: true,
    maxLifetimeMs: 1_800_000,
    validateAfterMs: 10_000,
    replicas: [],
    replicaReads: replicaOperations,
    replicaRestMs: 30_000,
    replicaCheckMs: 5_000,
    onWarning: () => undefined,
    onMigrated: () => undefined,
    ...options,
  }
}
