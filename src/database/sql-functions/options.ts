/** The options that the stores over SQL functions have in common. */
export interface FunctionStoreOptions {
  /** Schema of the tables: a lower-case name. With Supabase the functions in `public` are named after it. @default 'coordinator' */
  readonly schema?: string
  /** Connections in all, at least 3: one writes, one follows, the rest answer questions about the past. @default 4 */
  readonly poolMax?: number
  /** How long it may take to open a connection. @default 5_000 (milliseconds) */
  readonly connectTimeoutMs?: number
  /** How long a call may wait for a free connection. @default 5_000 (milliseconds) */
  readonly acquireTimeoutMs?: number
  /** How long one call may take, its whole answer included. @default 10_000 (milliseconds) */
  readonly callTimeoutMs?: number
  /** How long a call may be silent before another connection checks whether the database is working on it. @default 1_000 (milliseconds) */
  readonly watchAfterMs?: number
  /** Pause between the three attempts to open, after a refusal that may pass. @default 2_500 (milliseconds) */
  readonly refusalPauseMs?: number
  /** Rows in a page of `load` and `asOf`. @default 2_000 */
  readonly pageSize?: number
}

export const functionStoreDefaults: Required<FunctionStoreOptions> = {
  schema: 'coordinator',
  poolMax: 4,
  connectTimeoutMs: 5_000,
  acquireTimeoutMs: 5_000,
  callTimeoutMs: 10_000,
  watchAfterMs: 1_000,
  refusalPauseMs: 2_500,
  pageSize: 2_000,
}
