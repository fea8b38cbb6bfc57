import { setTimeout as sleep } from 'node:timers/promises'
import { CoordinatorError } from '../../errors.ts'
import type { Commit, Position, Revision } from '../../records/record.ts'
import { headOf, numberOf, readReply } from '../sql-functions/door-replies.ts'
import { DoorStore } from '../sql-functions/door-store.ts'
import type {
  AsOfFilter,
  AsOfPage,
  ChangesReply,
  CommitCall,
  CommitReply,
  Head,
  HistoryOptions,
  HistoryPage,
  JournalReader,
  LoadPage,
  Moment,
  PoolFigures,
  PoolObserver,
  Store,
} from '../store.ts'
import { ApiDoor } from './api-door.ts'
import { SupabaseInspector } from './inspector.ts'
import { SupabaseMigrator } from './migrator.ts'
import { type SupabaseOptions, type SupabaseSettings, withDefaults } from './options.ts'

/**
 * How often a definite refusal is met before it counts: a key that is being changed is wrong for a moment, and a function
 * that was just made is unknown until the Data API has read the schema again.
 */
const OPEN_ATTEMPTS = 3

/** Keeps records in a schema of a Supabase project, through its Data API. Several coordinators may share it. */
export class SupabaseStore implements Store {
  readonly backend = 'supabase'
  readonly durable = true
  readonly migrator: SupabaseMigrator
  readonly inspector: SupabaseInspector
  readonly #settings: SupabaseSettings
  readonly #door: ApiDoor
  readonly #store: DoorStore
  readonly #closing = new AbortController()

  constructor(options: SupabaseOptions) {
    this.#settings = withDefaults(options)
    this.#door = new ApiDoor(this.#settings)
    this.migrator = new SupabaseMigrator(this.#door, this.#settings)
    this.inspector = new SupabaseInspector(this.#door, this.#settings)
    this.#store = new DoorStore(this.#door, {
      schema: this.migrator.target,
      pageSize: this.#settings.pageSize,
    })
  }

  async open(): Promise<Head> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#headOfSchema()
      } catch (thrown) {
        const definite = thrown instanceof CoordinatorError && !thrown.retryable
        if (!definite || attempt === OPEN_ATTEMPTS) throw thrown
        await this.#pause()
      }
    }
  }

  head(): Promise<Head> {
    return this.#store.head()
  }

  load(): AsyncGenerator<LoadPage> {
    return this.#store.load()
  }

  commit(after: Position, batch: readonly Commit[], call: CommitCall): Promise<CommitReply> {
    return this.#store.commit(after, batch, call)
  }

  changes(after: Position, limit: number, reader?: JournalReader): Promise<ChangesReply> {
    return this.#store.changes(after, limit, reader)
  }

  history(kind: string, id: string, options?: HistoryOptions): Promise<HistoryPage> {
    return this.#store.history(kind, id, options)
  }

  asOf(moment: Moment, filter?: AsOfFilter): AsyncGenerator<AsOfPage> {
    return this.#store.asOf(moment, filter)
  }

  compact(floor: Revision): Promise<Head> {
    return this.#store.compact(floor)
  }

  fork(from: Position): Promise<Head> {
    return this.#store.fork(from)
  }

  close(): Promise<void> {
    this.#closing.abort()
    return this.#door.close()
  }

  readonly pool = (): PoolFigures => this.#door.figures

  observePool(observer: PoolObserver): void {
    this.#door.observe(observer)
  }

  /** The head, where the schema has at least this program's number. A newer one says itself whether it may be written. */
  async #headOfSchema(): Promise<Head> {
    const { head, schema } = readReply(await this.#door.call('head', '{}'), (reply) => ({
      head: headOf(reply),
      schema: numberOf(reply, 'schema'),
    }))
    if (schema < this.migrator.target) throw this.migrator.tooOld(schema)
    return head
  }

  async #pause(): Promise<void> {
    try {
      await sleep(this.#settings.refusalPauseMs, undefined, { signal: this.#closing.signal })
    } catch {
      // Closed meanwhile: the next call says so.
    }
  }
}
