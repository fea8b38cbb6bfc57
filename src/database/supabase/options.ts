import type { SupabaseTarget } from '../../config/supabase.ts'

export interface SupabaseOptions {
  /** Project, key and kind of key, as the configuration read them. */
  readonly target: SupabaseTarget
  /** Schema of the tables, which gives the functions in `public` their names: a lower-case name. @default 'coordinator' */
  readonly schema?: string
  /** Connections in all, at least 3: one writes, one follows, the rest answer questions about the past. @default 4 */
  readonly poolMax?: number
  /** How long making one connection may take. @default 5_000 (milliseconds) */
  readonly connectTimeoutMs?: number
  /** How long a call may wait for a free connection. @default 5_000 (milliseconds) */
  readonly acquireTimeoutMs?: number
  /** How long one call may take, connecting and the whole answer included. @default 10_000 (milliseconds) */
  readonly callTimeoutMs?: number
  /** A connection that was idle for this long is not used again. The peer must keep it longer. @default 20_000 (milliseconds) */
  readonly keepAliveMs?: number
  /** How long a write may be silent before the database is asked whether it works on the write. @default 1_000 (milliseconds) */
  readonly watchAfterMs?: number
  /** Pause between the three attempts that a definite refusal gets when the store opens. @default 2_500 (milliseconds) */
  readonly refusalPauseMs?: number
  /** Rows in a page of `load` and `asOf`. @default 2_000 */
  readonly pageSize?: number
}

/** The same with every default filled in. */
export type SupabaseSettings = Required<SupabaseOptions>

export function withDefaults(options: SupabaseOptions): SupabaseSettings {
  return {
    schema: 'coordinator',
    poolMax: 4,
    connectTimeoutMs: 5_000,
    acquireTimeoutMs: 5_000,
    callTimeoutMs: 10_000,
    keepAliveMs: 20_000,
    watchAfterMs: 1_000,
    refusalPauseMs: 2_500,
    pageSize: 2_000,
    ...options,
  }
}
