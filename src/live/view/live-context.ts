import type { Store } from '../../database/store.ts'
import type { MemoryBudget } from '../memory/memory-budget.ts'
import type { KnownHistory } from '../state/known-history.ts'
import type { LiveOptions } from '../state/live-options.ts'
import type { StatusBoard } from '../state/status.ts'
import type { HeadWatch } from './head-watch.ts'
import type { LiveObservers } from './live-observer.ts'

/** The objects that all parts of one live layer share. */
export interface LiveContext {
  readonly store: Store
  readonly options: LiveOptions
  readonly memory: MemoryBudget
  readonly board: StatusBoard
  readonly history: KnownHistory
  readonly observers: LiveObservers
  readonly heads: HeadWatch
}
