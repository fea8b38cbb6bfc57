import { resolve } from 'node:path'
import { CoordinatorError, toCoordinatorError, type WriteOutcome } from '../../errors.ts'
import type { Commit, Entry, Position, Revision, StoredRecord } from '../../records/record.ts'
import { unpackError } from '../../workers/packed-error.ts'
import { acceptedEntries } from '../judge-commit.ts'
import type {
  AccessStore,
  AsOfFilter,
  AsOfPage,
  ChangesReply,
  CommitCall,
  CommitReply,
  CommitResult,
  Head,
  HistoryOptions,
  HistoryPage,
  Inspector,
  JournalReader,
  LoadPage,
  Migrator,
  Moment,
  PoolFigures,
  ReplayReply,
  SeedPoint,
  Store,
  StoreMode,
} from '../store.ts'
import type { BatchReply } from './commit-batch.ts'
import { type Answer, type Argument, EngineLink, type Operation } from './engine-link.ts'
import { type SqliteOptions, type SqliteSettings, withDefaults } from './options.ts'
import type { AsOfCursor } from './read-records.ts'

/**
 * The store in one SQLite file, owned by one process. Acknowledged commits are on disk. A separate thread does the work. If that thread
 * ends unexpectedly, the next call starts it again.
 */
export class SqliteStore implements Store {
  readonly backend = 'sqlite'
  readonly durable = true
  readonly migrator: Migrator
  readonly inspector: Inspector
  readonly access: AccessStore = {
    load: () => this.#call('loadAccess', undefined),
    put: (token) => this.#call('putToken', { token, now: this.#settings.now() }, 'not_written'),
    revoke: (id, by) => this.#call('revokeToken', { id, by, now: this.#settings.now() }, 'not_written'),
    require: () => this.#call('requireAccess', undefined, 'not_written'),
    seed: (state) => this.#call('seedAccess', state, 'not_written'),
  }

  readonly #link: EngineLink
  readonly #settings: SqliteSettings
  #state: 'new' | 'open' | 'closed' = 'new'
  /** The opening of the file by the present thread; `undefined` if it has not begun. */
  #opened: Promise<Head> | undefined

  constructor(options: SqliteOptions) {
    this.#settings = withDefaults(options)
    const { path, callTimeoutMs, autoMigrate, busyTimeoutMs, lockTimeoutMs, firstRevision } = this.#settings
    this.#link = new EngineLink({
      onEnd: () => {
        this.#opened = undefined
      },
      callTimeoutMs,
      input: { file: resolve(path), autoMigrate, busyTimeoutMs, lockTimeoutMs, firstRevision },
    })
    this.migrator = {
      status: () => this.#callUnopened('migrationStatus', undefined),
      migrate: ({ dryRun = false } = {}) => this.#callUnopened('migrate', dryRun),
      verify: () => this.#callUnopened('verify', undefined),
    }
    this.inspector = {
      inspect: () => this.#call('inspect', undefined),
      examine: (from) => this.#callUnopened('examine', from),
    }
  }

  /**
   * @throws COORD_STORE_LOCKED, COORD_STORE_PATH, COORD_STORE_READ_ONLY, COORD_STORE_CORRUPT, COORD_STORE_FOREIGN,
   * COORD_SCHEMA_NEWER, COORD_SCHEMA_OLD
   */
  async open(): Promise<Head> {
    if (this.#state === 'open') return await this.head()
    const head = await this.#openFile()
    if (this.#state === 'new') this.#state = 'open'
    return head
  }

  head(): Promise<Head> {
    return this.#call('head', undefined)
  }

  async *load(): AsyncGenerator<LoadPage> {
    const ask = (after?: number) =>
      this.#call('load', { limit: this.#settings.pageSize, ...(after === undefined ? {} : { after }) })
    for await (const { lineage, records, tombstones } of readAhead(ask))
      if (records.length + tombstones.length > 0) yield { lineage, records, tombstones }
  }

  async commit(after: Position, batch: readonly Commit[], call: CommitCall): Promise<CommitReply> {
    const question = { after, batch, call, now: this.#settings.now() }
    return commitReplyOf(await this.#call('commit', question, 'not_written'), batch)
  }

  changes(after: Position, limit: number, reader: JournalReader = 'follower'): Promise<ChangesReply> {
    return this.#call('changes', { after, limit, reader })
  }

  async history(kind: string, id: string, options: HistoryOptions = {}): Promise<HistoryPage> {
    const { before = Number.POSITIVE_INFINITY, limit = 100 } = options
    const entries: Entry[] = []
    const previous: Revision[] = []
    // The position of the first part: entries that were written since are newer than everything that later parts read.
    let position: Position | undefined
    for (let resume: Revision | undefined; ; ) {
      const part = await this.#call('history', {
        kind,
        id,
        before,
        limit: limit - entries.length,
        ...(resume === undefined ? {} : { resume }),
      })
      position ??= part.position
      entries.push(...part.entries)
      previous.push(...part.previous)
      if (part.end === 'full')
        return { position, entries, previous, next: entries.at(-1)?.revision ?? before, complete: false }
      if (part.end !== 'paused') return { position, entries, previous, complete: part.end === 'first' }
      resume = part.resume
    }
  }

  async *asOf(moment: Moment, filter: AsOfFilter = {}): AsyncGenerator<AsOfPage> {
    const position = await this.#call('resolve', moment)
    const { revision } = position
    const ask = (from?: AsOfCursor) =>
      this.#call('asOf', {
        revision,
        filter,
        limit: this.#settings.pageSize,
        ...(from === undefined ? {} : { from }),
      })
    let pages = 0
    for await (const { records } of readAhead(ask)) {
      if (records.length === 0) continue
      pages += 1
      yield { position, records }
    }
    if (pages === 0) yield { position, records: [] }
  }

  async compact(floor: Revision): Promise<Head> {
    await this.#call('raiseFloor', floor)
    while (await this.#call('sweep', undefined)) {
      // Each call removes a part, and lets commits go first.
    }
    return await this.head()
  }

  fork(from: Position): Promise<Head> {
    return this.#call('fork', from, 'not_written')
  }

  adopt(lineage: string): Promise<Head> {
    return this.#call('adopt', lineage, 'not_written')
  }

  setMode(from: StoreMode, to: StoreMode): Promise<Head> {
    return this.#afterClearing(() => this.#call('setMode', { from, to }, 'not_written'))
  }

  seed(point: SeedPoint, records: readonly StoredRecord[]): Promise<Head> {
    return this.#afterClearing(() => this.#call('seed', { point, records }, 'not_written'))
  }

  replay(after: Position, entries: readonly Entry[]): Promise<ReplayReply> {
    return this.#call('replay', { after, entries }, 'not_written')
  }

  mendHead(): Promise<Head> {
    return this.#callUnopened('mendHead', this.#settings.now())
  }

  async close(): Promise<void> {
    this.#state = 'closed'
    await this.#link.close()
  }

  /** There is one connection. It writes and reads in turn. */
  pool(): PoolFigures {
    const { running, depth } = this.#link
    const open = running && this.#state === 'open' ? 1 : 0
    const used = Math.min(open, depth)
    const none = { idle: 0, used: 0, waiting: 0, max: 0 }
    return {
      writer: { idle: open - used, used, waiting: Math.max(0, depth - used), max: 1 },
      follower: none,
      reader: none,
    }
  }

  /** Asks again after each removal of what an unfinished seed left. A removal runs in parts, so that other calls need not wait for it. */
  async #afterClearing(ask: () => Promise<Head | undefined>): Promise<Head> {
    for (;;) {
      const head = await ask()
      if (head !== undefined) return head
      while (await this.#call('clear', undefined, 'not_written')) {
        // Each call removes a part.
      }
    }
  }

  #openFile(): Promise<Head> {
    this.#opened ??= this.#callUnopened('open', this.#settings.now()).then(
      ({ head, migrated, warnings }) => {
        if (migrated !== undefined) this.#settings.onMigrated(migrated)
        for (const warning of warnings) this.#settings.onWarning(warning)
        return head
      },
      (thrown: unknown) => {
        this.#opened = undefined
        throw thrown
      },
    )
    return this.#opened
  }

  /** After an unexpected end of the thread, the file is opened again first. */
  async #call<O extends Operation>(
    operation: O,
    argument: Argument<O>,
    outcome?: WriteOutcome,
  ): Promise<Answer<O>> {
    if (this.#state !== 'open') throw this.#notOpen(outcome)
    if (this.#opened === undefined) await this.#reopen(outcome)
    return await this.#link.call(operation, argument)
  }

  async #reopen(outcome: WriteOutcome | undefined): Promise<void> {
    try {
      await this.#openFile()
    } catch (thrown) {
      throw outcome === undefined ? thrown : toCoordinatorError(thrown).withOutcome(outcome)
    }
  }

  async #callUnopened<O extends Operation>(operation: O, argument: Argument<O>): Promise<Answer<O>> {
    if (this.#state === 'closed') throw this.#notOpen()
    return await this.#link.call(operation, argument)
  }

  #notOpen(outcome?: WriteOutcome): CoordinatorError {
    return new CoordinatorError('COORD_STORE_UNAVAILABLE', {
      detail: this.#state === 'closed' ? 'The store is closed.' : 'The store is not open.',
      ...(outcome === undefined ? {} : { outcome }),
    })
  }
}

/** Yields parts in order. The next one is requested while the present one is used. */
async function* readAhead<C, P extends { readonly next?: C }>(
  ask: (from?: C) => Promise<P>,
): AsyncGenerator<P> {
  for (let asked: Promise<P> | undefined = ask(); asked !== undefined; ) {
    const part: P = await asked
    asked = part.next === undefined ? undefined : ask(part.next)
    // If the reader stops early, nobody waits for the part that was requested ahead.
    asked?.catch(() => undefined)
    yield part
  }
}

/** The worker omits the entries of the batch itself, because their content is here. */
function commitReplyOf(reply: BatchReply, batch: readonly Commit[]): CommitReply {
  if (reply.status !== 'ok') return reply
  const { before, more } = reply
  const results = reply.results.map(
    (result): CommitResult =>
      result.outcome === 'refused' ? { outcome: 'refused', error: unpackError(result.error) } : result,
  )
  const accepted = more ? [] : acceptedEntries(results, batch)
  return { status: 'ok', results, entries: before.length === 0 ? accepted : [...before, ...accepted], more }
}
