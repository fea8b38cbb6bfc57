import type { MoveContext } from '../../../src/archive/move/move-context.ts'
import type { Store } from '../../../src/database/store.ts'

/** A move between two stores that gives up after a second. */
export function moving(from: Store, to: Store, more: Partial<MoveContext> = {}): MoveContext {
  return { from, to, patience: { patienceMs: 1_000, signal: new AbortController().signal }, ...more }
}
