/**
 * What a backend brings to run the conformance suite.
 *
 * - **subject**: one set of data under test, with the store on it and the hands that reach behind it (clock, lost tail).
 * - An ability a backend lacks is stated here and asserted by the suite: every backend runs the same number of cases.
 */
import type { Store } from '../../src/database/store.ts'
import type { Revision } from '../../src/records/record.ts'

export interface ConformanceBackend {
  /** Shown in titles and counts. */
  readonly name: string
  /** What `store.backend` must say. */
  readonly backend: Store['backend']
  /** What `store.durable` must say: whether `reopen` finds the data again. */
  readonly durable: boolean
  /**
   * What a second store on the same data meets while the first one is open: it works (`shared`), its `open` is refused with
   * `COORD_STORE_LOCKED` (`refused`), or it is another, empty store (`separate`).
   */
  readonly secondStore: 'shared' | 'refused' | 'separate'
  /** The optional parts that an open store has. */
  readonly parts: readonly ('migrator' | 'inspector' | 'pool')[]
  /** How many random histories the property tests try. @default 30 */
  readonly propertyRuns?: number
  /** Makes an empty subject of its own. */
  create(options: SubjectOptions): Promise<Subject>
}

export interface SubjectOptions {
  /** The most records and tombstones that a page of `load`, and records that a page of `asOf`, may have. */
  readonly pageSize: number
  /** Head and floor of the empty store; its digest there is the lineage. */
  readonly firstRevision: Revision
}

export interface Subject {
  /** The first store on the data, not opened. */
  readonly store: Store
  /**
   * Sets the store's clock to an epoch time in milliseconds, far in the future: the next commit takes that time, or the time
   * of the newest entry where that is later. A backend whose clock cannot be set raises the time of its head instead.
   * `reopen` starts with the real clock again.
   */
  setClock(nowMs: number): Promise<void>
  /** Closes the store that is open, and makes another on the same data as a new process would. Not opened. */
  reopen(): Promise<Store>
  /**
   * Closes the store and drops the newest entries, as a database does that fails over to a copy which lagged. Called on
   * data that was neither compacted nor forked. Returns a new store, not opened.
   */
  loseTail(count: number): Promise<Store>
  /** Makes another store on the same data beside the first, which stays as it is. Not opened. */
  beside(): Promise<Store>
  /** Closes every store that is still open, and removes the data. */
  dispose(): Promise<void>
}
