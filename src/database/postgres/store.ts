import type { CoordinatorError } from '../../errors.ts'
import type { Commit, Entry, Position, Revision, StoredRecord } from '../../records/record.ts'
import { migrationWarnings } from '../migrations/runner.ts'
import type { ReplicaOperation, ReplicaReport } from '../replicas.ts'
import { FunctionStore } from '../sql-functions/function-store.ts'
import type { AskPast } from '../sql-functions/past-question.ts'
import type {
  ChangesReply,
  CommitCall,
  CommitReply,
  Head,
  JournalReader,
  ReplayReply,
  SeedPoint,
  StoreMode,
} from '../store.ts'
import { PostgresCalls } from './call.ts'
import { PostgresInspector } from './inspector.ts'
import { KnownPositions } from './known-positions.ts'
import { PostgresMigrator } from './migrator.ts'
import { type PostgresOptions, type PostgresSettings, withDefaults } from './options.ts'
import { ReplicaReads } from './replica-reads.ts'

/**
 * Keeps records in a schema of a PostgreSQL database, over PostgreSQL's own protocol. Questions about the past go to replicas, if there are
 * any. What the primary tells about its history is noted, because the answers of replicas are judged by it.
 */
export class PostgresStore extends FunctionStore {
  readonly backend = 'postgres'
  readonly migrator: PostgresMigrator
  override readonly inspector: PostgresInspector
  readonly replicas?: () => ReplicaReport
  readonly #settings: PostgresSettings
  readonly #known = new KnownPositions()
  readonly #reads: ReplicaReads | undefined

  constructor(options: PostgresOptions) {
    const settings = withDefaults(options)
    const calls = new PostgresCalls(settings)
    const migrator = new PostgresMigrator(calls, settings)
    super(calls, settings, migrator.target)
    this.migrator = migrator
    this.#settings = settings
    const reads =
      settings.replicas.length === 0 ? undefined : new ReplicaReads(settings, this.#known, this.#primary)
    this.#reads = reads
    this.inspector = new PostgresInspector(calls, settings.schema, reads)
    if (reads !== undefined) this.replicas = () => reads.report
  }

  override async head(): Promise<Head> {
    return this.#known.head(await super.head())
  }

  override async commit(after: Position, batch: readonly Commit[], call: CommitCall): Promise<CommitReply> {
    return this.#known.commit(after, await super.commit(after, batch, call))
  }

  override async changes(after: Position, limit: number, reader?: JournalReader): Promise<ChangesReply> {
    return this.#known.changes(after, await super.changes(after, limit, reader))
  }

  override async compact(floor: Revision): Promise<Head> {
    return this.#known.head(await super.compact(floor))
  }

  override async fork(from: Position): Promise<Head> {
    return this.#known.changedHead(await super.fork(from))
  }

  override async adopt(lineage: string): Promise<Head> {
    return this.#known.head(await super.adopt(lineage))
  }

  override async setMode(from: StoreMode, to: StoreMode): Promise<Head> {
    return this.#known.head(await super.setMode(from, to))
  }

  override async seed(point: SeedPoint, records: readonly StoredRecord[]): Promise<Head> {
    return this.#known.changedHead(await super.seed(point, records))
  }

  override async replay(after: Position, entries: readonly Entry[]): Promise<ReplayReply> {
    const reply = await super.replay(after, entries)
    if (reply.status === 'ok') this.#known.head(reply.head)
    return reply
  }

  override async mendHead(): Promise<Head> {
    return this.#known.changedHead(await super.mendHead())
  }

  override async close(): Promise<void> {
    await Promise.all([this.#reads?.close(), super.close()])
  }

  protected override pastAsker(operation: ReplicaOperation): AskPast {
    const askPrimary = super.pastAsker(operation)
    const reading = this.#reads?.begin(operation)
    if (reading === undefined) return askPrimary
    return async (question) => (await reading.answer(question))?.answer ?? askPrimary(question)
  }

  protected async openOnce(): Promise<Head> {
    const { autoMigrate, onMigrated, onWarning } = this.#settings
    const report = autoMigrate ? await this.migrator.migrate() : await this.migrator.check()
    const { from, current } = report
    if (from !== undefined) onMigrated({ from, to: current })
    const head = await this.head()
    for (const warning of migrationWarnings(report)) onWarning(warning)
    this.#reads?.start()
    return head
  }

  /** Whether the error may pass: the server may refuse a password for a moment while somebody changes it. */
  protected mayPass({ code }: CoordinatorError): boolean {
    return code === 'COORD_STORE_AUTH'
  }

  get #primary() {
    return {
      head: () => this.head(),
      // As a client, so that following is never delayed. No entries: only whether the position is known.
      changesAfter: (position: Position) => this.changes(position, 0, 'client'),
    }
  }
}
