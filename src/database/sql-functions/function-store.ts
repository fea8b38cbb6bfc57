import { CoordinatorError } from '../../errors.ts'
import type { Commit, Entry, Position, Revision, StoredRecord } from '../../records/record.ts'
import { pause } from '../../scheduling/backoff.ts'
import { refusalOf } from '../check-commit.ts'
import { checkReplay, checkSeed } from '../check-replay.ts'
import { compactedMoment, futureMoment } from '../moment-errors.ts'
import type { ReplicaOperation } from '../replicas.ts'
import type {
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
  PoolObserver,
  ReplayReply,
  SeedPoint,
  Store,
  StoreMode,
} from '../store.ts'
import { FunctionAccessStore } from './access-store.ts'
import { type AskFunction, asking } from './ask-function.ts'
import { commitArgument, commitReplyOf, positionJson } from './commit-message.ts'
import { replayArgument, replayReplyOf, seedArgument } from './copy-message.ts'
import { FunctionInspector } from './inspector.ts'
import type { FunctionStoreOptions } from './options.ts'
import type { AskPast, PastNeeds } from './past-question.ts'
import {
  entriesOf,
  headOf,
  modeOf,
  numberOf,
  numbersOf,
  offTrackOf,
  positionOf,
  type Reply,
  rowsOf,
  textOf,
} from './read-reply.ts'
import type { SqlFunctions } from './sql-functions.ts'

/** How many revisions one call of `compact` processes. The head stays locked for about 20 ms. */
const COMPACT_CHUNK = 2_000
/** How often opening meets an error that may pass before it counts. */
const OPEN_ATTEMPTS = 3

/** Keeps records in a schema of a PostgreSQL database, through the functions of that schema. Several coordinators may share it. */
export abstract class FunctionStore implements Store {
  abstract readonly backend: string
  readonly durable = true
  abstract readonly migrator: Migrator
  readonly inspector: Inspector
  readonly access: FunctionAccessStore
  readonly #functions: SqlFunctions
  readonly #ask: AskFunction
  readonly #settings: Required<FunctionStoreOptions>
  readonly #schemaNumber: number
  readonly #closing = new AbortController()

  /** @param schemaNumber the schema number of this program */
  constructor(functions: SqlFunctions, settings: Required<FunctionStoreOptions>, schemaNumber: number) {
    this.#functions = functions
    this.#ask = asking(functions)
    this.#settings = settings
    this.#schemaNumber = schemaNumber
    this.inspector = new FunctionInspector(functions, settings.schema)
    this.access = new FunctionAccessStore(this.#ask, { schemaNumber, pageSize: settings.pageSize })
  }

  async open(): Promise<Head> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.openOnce()
      } catch (thrown) {
        const mayPass = thrown instanceof CoordinatorError && this.mayPass(thrown)
        if (!mayPass || attempt === OPEN_ATTEMPTS) throw thrown
        await pause(this.#settings.refusalPauseMs, this.#closing.signal)
      }
    }
  }

  /** Migrates or checks the schema, and reads the head. */
  protected abstract openOnce(): Promise<Head>

  /** Whether the error often passes within a moment, such as a password that is being changed. */
  protected abstract mayPass(error: CoordinatorError): boolean

  head(): Promise<Head> {
    return this.#ask('head', '{}', headOf)
  }

  /**
   * Who answers the pages of one question about the past, for each question anew. A backend with replicas adds them.
   */
  protected pastAsker(operation: ReplicaOperation): AskPast {
    const role = operation === 'load' ? 'follower' : 'reader'
    return ({ argument, read }) => this.#ask(operation, argument, read, role)
  }

  async *load(): AsyncGenerator<LoadPage> {
    const ask = this.pastAsker('load')
    let after: unknown
    do {
      const argument = JSON.stringify({ after, limit: this.#settings.pageSize })
      const { next, ...page } = await ask({ argument, needs: 'newest', read: loadedOf })
      after = next
      yield page
    } while (after !== undefined)
  }

  async commit(after: Position, batch: readonly Commit[], call: CommitCall): Promise<CommitReply> {
    const refusals = batch.map(refusalOf)
    const sound = batch.filter((_, index) => refusals[index] === undefined)
    const argument = commitArgument({ schema: this.#schemaNumber, after, call }, sound)
    const reply = await this.#ask('commit', argument, (answer) => commitReplyOf(answer, sound), 'writer')
    if (reply.status !== 'ok' || sound.length === batch.length) return reply
    const judged = reply.results.values()
    const results = refusals.map(
      (error): CommitResult =>
        error === undefined ? (judged.next().value as CommitResult) : { outcome: 'refused', error },
    )
    return { ...reply, results }
  }

  changes(after: Position, limit: number, reader?: JournalReader): Promise<ChangesReply> {
    const client = reader === 'client'
    const argument = `{"after":${positionJson(after)},"limit":${wholeNumber(limit)},"client":${client}}`
    return this.#ask('changes', argument, changesReplyOf, client ? 'reader' : 'follower')
  }

  history(kind: string, id: string, { before, limit = 100 }: HistoryOptions = {}): Promise<HistoryPage> {
    const argument = JSON.stringify({ kind, id, before, limit })
    // Older pages name the head, too: it must not go back from one page to the next.
    return this.pastAsker('history')({ argument, needs: 'newest', read: historyPageOf })
  }

  async *asOf(moment: Moment, filter: AsOfFilter = {}): AsyncGenerator<AsOfPage> {
    const ask = this.pastAsker('as_of')
    const limit = this.#settings.pageSize
    let needs: PastNeeds = bounded(moment)
    let next: { readonly revision: Revision; readonly after: unknown } | undefined
    do {
      const argument = JSON.stringify({ ...(next ?? bounded(moment)), ...filter, limit })
      const { page, after }: AsOfAnswer = await ask({ argument, needs, read: asOfPageOf })
      needs = { revision: page.position.revision }
      next = after === undefined ? undefined : { revision: page.position.revision, after }
      yield page
    } while (next !== undefined)
  }

  async compact(floor: Revision): Promise<Head> {
    const argument = JSON.stringify({ schema: this.#schemaNumber, floor, limit: COMPACT_CHUNK })
    for (;;) {
      const read = (reply: Reply) => ({ head: headOf(reply['head']), done: reply['done'] === true })
      const { head, done } = await this.#ask('compact', argument, read, 'writer')
      if (done) return head
    }
  }

  fork(from: Position): Promise<Head> {
    const argument = `{"schema":${this.#schemaNumber},"from":${positionJson(from)}}`
    return this.#ask('fork', argument, (reply) => headOf(reply['head']), 'writer')
  }

  adopt(lineage: string): Promise<Head> {
    const argument = JSON.stringify({ schema: this.#schemaNumber, lineage })
    return this.#ask('adopt', argument, (reply) => headOf(reply['head']), 'writer')
  }

  setMode(from: StoreMode, to: StoreMode): Promise<Head> {
    const argument = JSON.stringify({ schema: this.#schemaNumber, from, to })
    return this.#ask('set_mode', argument, (reply) => headOf(reply['head']), 'writer')
  }

  async seed(point: SeedPoint, records: readonly StoredRecord[]): Promise<Head> {
    checkSeed(point, records)
    const argument = seedArgument(this.#schemaNumber, point, records)
    return await this.#ask('seed', argument, (reply) => headOf(reply['head']), 'writer')
  }

  async replay(after: Position, entries: readonly Entry[]): Promise<ReplayReply> {
    checkReplay(after, entries)
    return await this.#ask(
      'replay',
      replayArgument(this.#schemaNumber, after, entries),
      replayReplyOf,
      'writer',
    )
  }

  mendHead(): Promise<Head> {
    const argument = JSON.stringify({ schema: this.#schemaNumber })
    return this.#ask('mend_head', argument, (reply) => headOf(reply['head']), 'writer')
  }

  close(): Promise<void> {
    this.#closing.abort()
    return this.#functions.close()
  }

  readonly pool = (): PoolFigures => this.#functions.figures

  observePool(observer: PoolObserver): void {
    this.#functions.observe(observer)
  }
}

/** JSON has no infinity. */
function wholeNumber(value: number): number {
  return Math.trunc(Math.min(Math.max(value, Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER))
}

function bounded(moment: Moment): Moment {
  return 'at' in moment ? { at: wholeNumber(Math.floor(moment.at)) } : moment
}

function loadedOf(reply: Reply) {
  return { lineage: textOf(reply, 'lineage'), ...rowsOf(reply) }
}

function changesReplyOf(reply: Reply): ChangesReply {
  return (
    offTrackOf(reply) ?? {
      status: 'ok',
      ...entriesOf(reply),
      accessVersion: textOf(reply, 'accessVersion'),
      mode: modeOf(reply),
    }
  )
}

function historyPageOf(reply: Reply): HistoryPage {
  return {
    position: headOf(reply['head']).position,
    entries: entriesOf(reply).entries,
    previous: numbersOf(reply, 'previous'),
    ...(reply['next'] === undefined ? {} : { next: numberOf(reply, 'next') }),
    complete: reply['complete'] === true,
  }
}

interface AsOfAnswer {
  readonly page: AsOfPage
  /** Where the next page begins; absent on the last one. */
  readonly after: unknown
}

function asOfPageOf(reply: Reply): AsOfAnswer {
  if (reply['status'] === 'compacted') throw compactedMoment(numberOf(reply, 'floor'))
  if (reply['status'] === 'future') throw futureMoment('That revision', numberOf(reply, 'revision'))
  const { records, next } = rowsOf(reply)
  return { page: { position: positionOf(reply), records }, after: next }
}
