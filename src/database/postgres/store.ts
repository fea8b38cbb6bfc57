import { setTimeout as sleep } from 'node:timers/promises'
import { CoordinatorError } from '../../errors.ts'
import type { Commit, Position, Revision } from '../../records/record.ts'
import { migrationWarnings } from '../migrations/runner.ts'
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
import { PostgresInspector } from './inspector.ts'
import { PostgresMigrator } from './migrator.ts'
import { type PostgresOptions, type PostgresSettings, withDefaults } from './options.ts'
import { PostgresDoor } from './postgres-door.ts'

/** How often a refused login is tried before it counts: a password that is being changed is wrong for a moment. */
const LOGIN_ATTEMPTS = 3

/** Keeps records in a schema of a PostgreSQL database. Several coordinators may share it. */
export class PostgresStore implements Store {
  readonly backend = 'postgres'
  readonly durable = true
  readonly migrator: PostgresMigrator
  readonly inspector: PostgresInspector
  readonly #settings: PostgresSettings
  readonly #door: PostgresDoor
  readonly #store: DoorStore

  constructor(options: PostgresOptions) {
    this.#settings = withDefaults(options)
    this.#door = new PostgresDoor(this.#settings)
    this.migrator = new PostgresMigrator(this.#door, this.#settings)
    this.inspector = new PostgresInspector(this.#door, this.#settings)
    this.#store = new DoorStore(this.#door, {
      schema: this.migrator.target,
      pageSize: this.#settings.pageSize,
    })
  }

  async open(): Promise<Head> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const report = this.#settings.autoMigrate
          ? await this.migrator.migrate()
          : await this.migrator.check()
        const { from, current } = report
        if (from !== undefined) this.#settings.onMigrated({ from, to: current })
        const head = await this.#store.head()
        for (const warning of migrationWarnings(report)) this.#settings.onWarning(warning)
        return head
      } catch (thrown) {
        const refused = thrown instanceof CoordinatorError && thrown.code === 'COORD_STORE_AUTH'
        if (!refused || attempt === LOGIN_ATTEMPTS) throw thrown
        await sleep(this.#settings.loginPauseMs)
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
    return this.#door.close()
  }

  readonly pool = (): PoolFigures => this.#door.figures

  observePool(observer: PoolObserver): void {
    this.#door.observe(observer)
  }
}
