import type {
  AccessStore,
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
  ReplayReply,
  SeedPoint,
  Store,
  StoreMode,
} from '../../src/database/store.ts'
import { CoordinatorError, type ErrorCode, type WriteOutcome } from '../../src/errors.ts'
import type { Commit, Entry, Position, Revision, StoredRecord } from '../../src/records/record.ts'

const methods = [
  ...(['open', 'head', 'load', 'commit', 'changes', 'history', 'asOf', 'compact', 'fork', 'adopt'] as const),
  ...(['setMode', 'seed', 'replay'] as const),
  ...(['access.load', 'access.put', 'access.revoke', 'access.require', 'access.seed'] as const),
]
export type Method = (typeof methods)[number]

/** What happens to a call instead of, or beside, what the store does. */
export type Fault =
  /** Fails, and does nothing. */
  | { readonly does: 'fail'; readonly code?: ErrorCode; readonly outcome?: WriteOutcome }
  /** Does it, and loses the reply. */
  | { readonly does: 'lose reply' }
  /** Does nothing, and never answers; `release` ends it with an error. */
  | { readonly does: 'hang' }
  /** Does it when something else has happened. */
  | { readonly does: 'wait'; readonly for: Promise<unknown> }
  /** Does it when that much time is over. */
  | { readonly does: 'delay'; readonly ms: number }
  /** Answers this, and does nothing. */
  | { readonly does: 'answer'; readonly value: unknown }
  /** Does what it is told, with the real store at hand. */
  | { readonly does: 'instead'; readonly run: (store: Store, args: readonly unknown[]) => Promise<unknown> }

export interface Call {
  readonly method: Method
  readonly args: readonly unknown[]
}

/**
 * A connection to another store, whose calls fail, hang, get lost or lie as a test wants. The other store stands for the
 * database: it goes on when a connection is closed.
 */
export class FaultyStore implements Store {
  readonly backend
  readonly durable: boolean
  readonly access: AccessStore = {
    load: () => this.#call('access.load', [], () => this.inner.access.load()),
    put: (token) => this.#call('access.put', [token], () => this.inner.access.put(token)),
    revoke: (id, by) => this.#call('access.revoke', [id, by], () => this.inner.access.revoke(id, by)),
    require: () => this.#call('access.require', [], () => this.inner.access.require()),
    seed: (state) => this.#call('access.seed', [state], () => this.inner.access.seed(state)),
  }
  readonly calls: Call[] = []
  /** The most calls of one method that were under way at once. */
  readonly mostAtOnce = new Map<Method, number>()
  inner: Store
  closed = false
  readonly #standing = new Map<Method, Fault>()
  readonly #queued = new Map<Method, Fault[]>()
  readonly #hung = new Set<() => void>()
  readonly #underWay = new Map<Method, number>()

  constructor(inner: Store, { durable = true } = {}) {
    this.inner = inner
    this.backend = inner.backend
    this.durable = durable
  }

  /** Every call of these methods meets the fault, until `heal`. */
  always(fault: Fault, ...methods: readonly Method[]): void {
    for (const method of methods) this.#standing.set(method, fault)
  }

  /** The next calls of a method meet these faults, one each; before any standing one. */
  next(method: Method, ...faults: readonly Fault[]): void {
    this.#queued.set(method, [...(this.#queued.get(method) ?? []), ...faults])
  }

  /** The whole database is gone. */
  outage(fault: Fault = { does: 'fail', outcome: 'not_written' }): void {
    this.always(fault, ...methods)
  }

  /** Everything works again. Calls that hang go on hanging. */
  heal(): void {
    this.#standing.clear()
    this.#queued.clear()
  }

  /** Ends every call that hangs. */
  release(): void {
    for (const end of this.#hung) end()
    this.#hung.clear()
  }

  callsOf(method: Method): readonly Call[] {
    return this.calls.filter((call) => call.method === method)
  }

  /** The batches that were sent, as commit ids. */
  get batches(): readonly (readonly string[])[] {
    return this.callsOf('commit').map(({ args }) =>
      (args[1] as readonly Commit[]).map(({ commitId }) => commitId),
    )
  }

  open(): Promise<Head> {
    return this.#call('open', [], () => this.inner.open())
  }

  head(): Promise<Head> {
    return this.#call('head', [], () => this.inner.head())
  }

  async *load(): AsyncGenerator<LoadPage> {
    const pages = await this.#call('load', [], async () => this.inner.load())
    yield* pages
  }

  commit(after: Position, batch: readonly Commit[], call: CommitCall): Promise<CommitReply> {
    return this.#call('commit', [after, batch, call], () => this.inner.commit(after, batch, call))
  }

  changes(after: Position, limit: number, reader?: JournalReader): Promise<ChangesReply> {
    return this.#call('changes', [after, limit, reader], () => this.inner.changes(after, limit, reader))
  }

  history(kind: string, id: string, options?: HistoryOptions): Promise<HistoryPage> {
    return this.#call('history', [kind, id, options], () => this.inner.history(kind, id, options))
  }

  async *asOf(moment: Moment, filter?: AsOfFilter): AsyncGenerator<AsOfPage> {
    const pages = await this.#call('asOf', [moment, filter], async () => this.inner.asOf(moment, filter))
    yield* pages
  }

  compact(floor: Revision): Promise<Head> {
    return this.#call('compact', [floor], () => this.inner.compact(floor))
  }

  fork(from: Position): Promise<Head> {
    return this.#call('fork', [from], () => this.inner.fork(from))
  }

  adopt(lineage: string): Promise<Head> {
    return this.#call('adopt', [lineage], () => this.inner.adopt(lineage))
  }

  setMode(from: StoreMode, to: StoreMode): Promise<Head> {
    return this.#call('setMode', [from, to], () => this.inner.setMode(from, to))
  }

  seed(point: SeedPoint, records: readonly StoredRecord[]): Promise<Head> {
    return this.#call('seed', [point, records], () => this.inner.seed(point, records))
  }

  replay(after: Position, entries: readonly Entry[]): Promise<ReplayReply> {
    return this.#call('replay', [after, entries], () => this.inner.replay(after, entries))
  }

  async close(): Promise<void> {
    this.closed = true
    this.release()
  }

  async #call<T>(method: Method, args: readonly unknown[], run: () => Promise<T>): Promise<T> {
    this.calls.push({ method, args })
    if (this.closed)
      throw new CoordinatorError('COORD_STORE_UNAVAILABLE', {
        detail: 'The store is closed.',
        outcome: 'not_written',
      })
    const underWay = (this.#underWay.get(method) ?? 0) + 1
    this.#underWay.set(method, underWay)
    this.mostAtOnce.set(method, Math.max(underWay, this.mostAtOnce.get(method) ?? 0))
    try {
      return await this.#meet(this.#queued.get(method)?.shift() ?? this.#standing.get(method), { args, run })
    } finally {
      this.#underWay.set(method, (this.#underWay.get(method) ?? 1) - 1)
    }
  }

  async #meet<T>(
    fault: Fault | undefined,
    call: { args: readonly unknown[]; run: () => Promise<T> },
  ): Promise<T> {
    if (fault === undefined) return call.run()
    switch (fault.does) {
      case 'fail':
        throw new CoordinatorError(fault.code ?? 'COORD_STORE_UNAVAILABLE', {
          detail: 'The test has cut the connection.',
          ...(fault.outcome === undefined ? {} : { outcome: fault.outcome }),
        })
      case 'lose reply':
        await call.run()
        throw new CoordinatorError('COORD_STORE_UNAVAILABLE', {
          detail: 'The test has lost the reply.',
          outcome: 'unknown',
        })
      case 'hang':
        await new Promise<void>((resolve) => this.#hung.add(resolve))
        throw new CoordinatorError('COORD_STORE_TIMEOUT', { outcome: 'unknown' })
      case 'wait':
        await fault.for
        return call.run()
      case 'delay':
        await new Promise((resolve) => setTimeout(resolve, fault.ms))
        return call.run()
      case 'answer':
        return fault.value as T
      case 'instead':
        return (await fault.run(this.inner, call.args)) as T
    }
  }
}
