import type { Head, Store } from '../../database/store.ts'
import { CoordinatorError, toCoordinatorError } from '../../errors.ts'
import type { Revision } from '../../records/record.ts'

export interface RetentionOptions {
  /** History younger than this is kept, in hours. `0`: no such rule. */
  readonly keepHours: number
  /** So many of the newest revisions are kept in any case. */
  readonly keepRevisions: number
  /**
   * History that the store keeps in this process may take so much, whatever the other rules say: else one record that is
   * rewritten again and again would fill the memory. @default no such rule (bytes)
   */
  readonly keepBytes?: number
}

/** History in memory that has grown beyond its limit is brought down to this part of it, so as not to begin with each commit. */
const keptPart = 0.75

const hourMs = 3_600_000

/**
 * Forgets what neither rule keeps. Every coordinator on a database does this by itself: the floor only rises, so it does
 * not matter who is first.
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
  // The times of entries are the store's: a clock that is ahead here must not make them old.
  const newestAt = Math.min(now, head.at)
  const byAge = keepHours === 0 ? byCount : await revisionAt(store, newestAt - keepHours * hourMs)
  return Math.min(byCount, byAge ?? head.floor)
}

function floorByBytes({ historyInMemory }: Store, { keepBytes }: RetentionOptions): Revision {
  if (historyInMemory === undefined || keepBytes === undefined || historyInMemory.bytes() <= keepBytes)
    return 0
  return historyInMemory.floorWithin(keepBytes * keptPart)
}

/** The newest revision at or before a time; `undefined` where history that old is gone already. */
async function revisionAt(store: Store, at: number): Promise<Revision | undefined> {
  try {
    // A record that does not exist: only the position of the page is of interest.
    for await (const { position } of store.asOf({ at }, { kind: 'none', id: 'none' }))
      return position.revision
  } catch (thrown) {
    if (!(thrown instanceof CoordinatorError && thrown.code === 'COORD_REVISION_COMPACTED')) throw thrown
  }
  return undefined
}

/** What the retainer needs from the rest of the live layer. */
export interface RetainerPort {
  readonly store: Store
  /** The oldest revision that is known to be kept. */
  floor(): Revision
  viewRevision(): Revision
  /** The floor was read, and perhaps raised. */
  retained(head: Head): void
  failed(error: CoordinatorError): void
}

export interface RetainerOptions extends RetentionOptions {
  /** How often history is forgotten, with a jitter of a tenth, in milliseconds. */
  readonly retentionIntervalMs: number
}

/** Forgets old history from time to time, and sooner where only the number of revisions counts, or its size. */
export class Retainer {
  readonly #port: RetainerPort
  readonly #options: RetainerOptions
  #timer: NodeJS.Timeout | undefined
  #running = false
  #stopped = false
  /** Forgetting early, which failed, waits until the view is there. */
  #notBefore: Revision = 0

  constructor(port: RetainerPort, options: RetainerOptions) {
    this.#port = port
    this.#options = options
  }

  /** Begins anywhere within the interval: a coordinator that is restarted more often than that comes to it too. */
  start(): void {
    this.#retainIn(Math.random())
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }

  /** The journal has grown. Without a rule by age it may outgrow its limit long before the interval is over. */
  grown(): void {
    const { keepHours, keepRevisions, keepBytes = Number.POSITIVE_INFINITY } = this.#options
    const revision = this.#port.viewRevision()
    if (this.#running || this.#stopped || revision < this.#notBefore) return
    const { historyInMemory } = this.#port.store
    const isTooMany = keepHours === 0 && revision - this.#port.floor() > keepRevisions * 1.25
    if (isTooMany || (historyInMemory?.bytes() ?? 0) > keepBytes) void this.#retain()
  }

  #retainIn(intervals: number): void {
    if (this.#stopped) return
    this.#timer = setTimeout(() => {
      void this.#retain().finally(() => this.#retainIn(0.95 + Math.random() / 10))
    }, this.#options.retentionIntervalMs * intervals).unref()
  }

  async #retain(): Promise<void> {
    this.#running = true
    try {
      this.#port.retained(await retain(this.#port.store, this.#options))
    } catch (thrown) {
      // Not again with every commit: a store that refuses to compact would be asked without end.
      this.#notBefore = this.#port.viewRevision() + Math.max(1_000, this.#options.keepRevisions / 4)
      if (!this.#stopped) this.#port.failed(toCoordinatorError(thrown, 'COORD_STORE_FAULT'))
    } finally {
      this.#running = false
    }
  }
}
