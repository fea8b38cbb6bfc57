import type { Head, Store } from '../../database/store.ts'
import { CoordinatorError, toCoordinatorError } from '../../errors.ts'
import type { Position, Revision } from '../../records/record.ts'
import { repeat } from '../../scheduling/backoff.ts'
import type { LiveOptions } from '../state/live-options.ts'
import type { LiveContext } from './live-context.ts'

/** The rules for keeping history: see `LiveOptions`. */
type RetentionOptions = Pick<LiveOptions, 'keepHours' | 'keepRevisions' | 'keepBytes'>

/** History in memory that exceeds its limit is reduced to this part of the limit. Otherwise every further commit would reduce it again. */
const keptPart = 0.75

const hourMs = 3_600_000

/**
 * Deletes history that no rule keeps. Every coordinator on a database does this by itself. The floor only rises, so it does not matter
 * which one is first.
 *
 * @returns the head afterwards
 */
export async function retain(store: Store, options: RetentionOptions, now = Date.now()): Promise<Head> {
  const head = await store.head()
  const byRules = await floorByRules(store, options, { head, now })
  const floor = Math.max(byRules, floorByBytes(store, options))
  return floor <= head.floor ? head : store.compact(floor)
}

async function floorByRules(
  store: Store,
  { keepHours, keepRevisions }: RetentionOptions,
  { head, now }: { readonly head: Head; readonly now: number },
): Promise<Revision> {
  const byCount = head.position.revision - keepRevisions
  if (byCount <= head.floor) return head.floor
  // The times of entries come from the store. A clock of this machine that is ahead must not make entries look old.
  const newestAt = Math.min(now, head.at)
  const byAge = keepHours === 0 ? byCount : await revisionAt(store, newestAt - keepHours * hourMs)
  return Math.min(byCount, byAge ?? head.floor)
}

function floorByBytes({ historyInMemory }: Store, { keepBytes }: RetentionOptions): Revision {
  if (historyInMemory === undefined || keepBytes === undefined || historyInMemory.bytes() <= keepBytes)
    return 0
  return historyInMemory.floorWithin(keepBytes * keptPart)
}

/** The newest revision at or before a time; `undefined` if history that old is gone already. */
async function revisionAt(store: Store, at: number): Promise<Revision | undefined> {
  try {
    // The record does not exist. Only the position of the page matters.
    for await (const { position } of store.asOf({ at }, { kind: 'none', id: 'none' }))
      return position.revision
  } catch (thrown) {
    if (!(thrown instanceof CoordinatorError && thrown.code === 'COORD_REVISION_COMPACTED')) throw thrown
  }
  return undefined
}

/** The part of a view that the retention of its history needs. */
export interface RetainedView {
  readonly position: Position
  /** The oldest revision that is known to be kept. */
  readonly floor: Revision
  /** Tells the view the head that the store has after a retention. Its floor may be higher than before. */
  retained(head: Head): void
}

/** Deletes old history at regular times, and earlier if there are too many revisions without a rule by age, or too many bytes. */
export class Retainer {
  readonly #context: LiveContext
  readonly #view: RetainedView
  #stop: AbortSignal | undefined
  #running = false
  /** After an early attempt that failed, the next one waits until the view has this revision. */
  #notBefore: Revision = 0

  constructor(context: LiveContext, view: RetainedView) {
    this.#context = context
    this.#view = view
  }

  /** The first run is at a random time within the interval, so that coordinators that restart more often also get to it. */
  start(stop: AbortSignal): void {
    const intervalMs = this.#context.options.retentionIntervalMs
    this.#stop = stop
    void repeat(() => this.#retain(), { firstMs: intervalMs * Math.random(), intervalMs }, stop)
  }

  /** Called when the journal has grown. It may exceed its limit in number or size long before the interval is over. */
  grown(): void {
    const { revision } = this.#view.position
    if (this.#running || this.#stop?.aborted !== false || revision < this.#notBefore) return
    const { store, options } = this.#context
    const { keepHours, keepRevisions, keepBytes = Number.POSITIVE_INFINITY } = options
    const isTooMany = keepHours === 0 && revision - this.#view.floor > keepRevisions * 1.25
    if (isTooMany || (store.historyInMemory?.bytes() ?? 0) > keepBytes) void this.#retain()
  }

  async #retain(): Promise<void> {
    const { store, options, observers, board } = this.#context
    // A copy keeps what the other database keeps, and a frozen store keeps everything.
    if (board.mode !== 'open') return
    this.#running = true
    try {
      this.#view.retained(await retain(store, options))
    } catch (thrown) {
      // A store that refuses to compact must not be asked again with every commit.
      this.#notBefore = this.#view.position.revision + Math.max(1_000, options.keepRevisions / 4)
      const error = toCoordinatorError(thrown, 'COORD_STORE_FAULT')
      // The mode has changed meanwhile.
      if (this.#stop?.aborted === false && error.code !== 'COORD_STORE_FROZEN')
        observers.tell('backgroundFailure', 'retention', error)
    } finally {
      this.#running = false
    }
  }
}
