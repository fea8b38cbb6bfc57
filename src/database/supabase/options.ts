import type { SupabaseTarget } from '../../config/supabase.ts'
import { type FunctionStoreOptions, functionStoreDefaults } from '../sql-functions/options.ts'

export interface SupabaseOptions extends FunctionStoreOptions {
  /** Project, key and kind of key, as the configuration read them. */
  readonly target: SupabaseTarget
  /** A connection that was idle for this long is not used again. The peer must keep it longer. @default 20_000 (milliseconds) */
  readonly keepAliveMs?: number
}

/** `SupabaseOptions` with every default filled in. */
export type SupabaseSettings = Required<SupabaseOptions>

export function withDefaults(options: SupabaseOptions): SupabaseSettings {
  return { ...functionStoreDefaults, keepAliveMs: 20_000, ...options }
}
