import { randomUUID } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import type {
  CommitReply,
  CommitResult,
  Conflict,
  OffTrack,
  Store,
  Superseded,
} from '../../database/store.ts'
import { CoordinatorError, toCoordinatorError } from '../../errors.ts'
import type { JsonObject } from '../../records/canonical-json.ts'
import { type Commit, type Entry, MAX_REVISION, type Position, type Revision } from '../../records/record.ts'
import { Backoff, pause, within } from '../../scheduling/backoff.ts'
import type { StatusBoard } from '../status.ts'
import type { KnownValues } from '../view/view.ts'

export interface CommitterOptions {
  /** How long a commit may take from start to answer, in milliseconds. */
  readonly commitTimeoutMs: number
  /** How many commits may wait. More are refused at once. */
  readonly queueMax: number
  /** How many commits a batch may have. */
  readonly batchMaxCommits: number
  /** How much `data` a batch may have, in UTF-16 code units. A single larger commit goes alone. */
  readonly batchMaxSize: number
}

/** What the committer needs from the rest of the live layer. */
export interface CommitterPort {
  readonly store: Store
  readonly board: StatusBoard
  /** Where the view stands. */
  position(): Position
  /** Takes the entries behind a position into the view; `false` where the view has been replaced since. */
  take(entries: readonly Entry[], asked: Position, values?: KnownValues): Promise<boolean>
  /** Follows the journal until the view has everything that was committed before this call. */
  drain(): Promise<void>
  /** Builds the view anew, after forking where the history contradicts the view. */
  realign(reply: OffTrack, asked: Position): Promise<void>
  /** A batch was answered. */
  sent(batch: { readonly commits: number; readonly durationMs: number }): void
  /** A commit was answered, so many milliseconds after it was asked for. */
  answered(how: Answered, durationMs: number): void
}

type Judged = Exclude<CommitReply, OffTrack | Superseded>

/** A batch on its way to the store. */
interface Sent {
  readonly batch: Pending[]
  /** Where the caller says it stands. */
  readonly asked: Position
  readonly reply: Promise<Answer>
}

interface Answer {
  readonly reply: CommitReply | CoordinatorError
  /** How long the store took. */
  readonly durationMs: number
}

/** The answer to a commit. Commits that the store refuses are thrown instead. */
export type CommitOutcome = Exclude<CommitResult, { outcome: 'refused' }>

/** How a commit was answered: `replayed` where it had been accepted earlier, `failed` where an error was thrown. */
export type Answered = CommitOutcome['outcome'] | 'replayed' | 'failed'

/** What is known of a commit that comes. */
export interface PlannedCommit {
  /** See `Live.commit`. */
  readonly values?: readonly JsonObject[] | undefined
  /** The history that it was planned in: the view may be of another one since. */
  readonly lineage: string
  /** From when on its time counts, on the monotonic clock: it may have waited for others already. @default now */
  readonly askedAt?: number | undefined
}

interface Pending {
  readonly commit: Commit
  readonly values: readonly JsonObject[] | undefined
  /** The history that its `expect`s are about. */
  readonly lineage: string
  readonly size: number
  readonly askedAt: number
  readonly deadline: number
  readonly resolve: (outcome: CommitOutcome) => void
  readonly reject: (error: CoordinatorError) => void
  /** Whether an attempt may have stored it without our learning so. */
  maybeWritten: boolean
  settled: boolean
}

/**
 * From how long a round trip on, in milliseconds, those who were just answered are waited for: and for what part of it.
 * Through the Data API, or to a database far away, a call costs far more than what it carries. Clients that write one after
 * the other would otherwise fall into two halves, each of which waits for the other's round trip.
 */
const slowRoundTripMs = 8
const gatherPart = 1 / 4
/** No longer than this, in milliseconds: what took seconds was a fault, and what waits has a deadline. */
const gatherMaxMs = 100

/**
 * Sends commits to the store, one batch at a time. While a batch is under way the next one gathers, so the round trip
 * sets the size of batches, and at rest nothing waits for a timer. A batch without an answer is sent again with the same
 * ids, as a new attempt: from its answer on, the one that was given up can take no effect any more.
 */
export class Committer {
  readonly #port: CommitterPort
  readonly #options: CommitterOptions
  readonly #backoff = new Backoff()
  readonly #stop = new AbortController()
  /** Identifies this committer to the store, which compares its attempts: a call that was given up never takes effect later. */
  readonly #writer = randomUUID()
  #attempt = 0
  #waiting: Pending[] = []
  #inFlight: Pending[] = []
  /** What the store has judged and the view does not have yet. */
  #judged: Pending[] = []
  /** Parts of a batch that was refused as a whole, the next one last. */
  #parts: Pending[][] = []
  /** Ends a wait for more commits: called with each one that comes. */
  #arrived: (() => void) | undefined
  /** Whether the batch in flight was sent, and no answer of the store has been read. */
  #asking = false
  #running: Promise<void> | undefined
  #sweeper: NodeJS.Timeout | undefined
  #closing = false

  constructor(port: CommitterPort, options: CommitterOptions) {
    this.#port = port
    this.#options = options
  }

  /** Commits that have no answer yet. */
  get depth(): number {
    let depth = this.#waiting.length + this.#inFlight.length + this.#judged.length
    for (const part of this.#parts) depth += part.length
    return depth
  }

  /**
   * Resolves when the view has the commit.
   *
   * @throws COORD_COMMIT_REFUSED, COORD_COMMIT_QUEUE_FULL, COORD_SHUTTING_DOWN, or a COORD_STORE_* error with `outcome`
   */
  commit(
    commit: Commit,
    { values, lineage, askedAt = performance.now() }: PlannedCommit,
  ): Promise<CommitOutcome> {
    const deadline = askedAt + this.#options.commitTimeoutMs
    const refusal = this.#refusal(deadline)
    if (refusal !== undefined) {
      this.#port.answered('failed', performance.now() - askedAt)
      return Promise.reject(refusal)
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({
        commit,
        values,
        lineage,
        size: sizeOf(commit),
        askedAt,
        deadline,
        resolve,
        reject,
        maybeWritten: false,
        settled: false,
      })
      this.#arrived?.()
      this.#run()
    })
  }

  /**
   * Sends what waits, refuses what comes, and resolves when nothing is left or `timeoutMs` is over: then what is left is
   * answered, and a store that hangs is waited for no longer.
   */
  async close(timeoutMs: number): Promise<void> {
    this.#closing = true
    const end = performance.now() + timeoutMs
    while (this.#running !== undefined && performance.now() < end)
      await within(end - performance.now(), this.#running)
    this.#stop.abort()
    clearInterval(this.#sweeper)
    this.#expire(Number.POSITIVE_INFINITY)
  }

  #refusal(deadline: number): CoordinatorError | undefined {
    const refuse = { outcome: 'not_written', retryAfterSeconds: 1 } as const
    if (this.#closing) return new CoordinatorError('COORD_SHUTTING_DOWN', refuse)
    if (this.depth >= this.#options.queueMax)
      return new CoordinatorError('COORD_COMMIT_QUEUE_FULL', {
        ...refuse,
        detail: `${this.depth} writes are waiting; the limit is ${this.#options.queueMax}.`,
      })
    // Once writes have failed for as long as one may wait, letting more of them wait would only fail them later.
    // If no probe can find out that writes work again, a write has to.
    const { board } = this.#port
    const hopeless = board.failingForMs('write') > this.#options.commitTimeoutMs && !board.writesAreDamaged
    return hopeless || deadline <= performance.now() ? this.#unavailable('not_written') : undefined
  }

  #unavailable(outcome: 'not_written' | 'unknown'): CoordinatorError {
    const last = this.#port.board.fault('write')
    return new CoordinatorError(last?.code ?? 'COORD_STORE_TIMEOUT', {
      detail: last?.detail ?? `The database did not answer within ${this.#options.commitTimeoutMs} ms.`,
      outcome,
      retryAfterSeconds: 2,
    })
  }

  #run(): void {
    if (this.#running !== undefined) return
    // One turn of the event loop, so that requests which arrived together travel together.
    this.#running = new Promise<void>((resolve) => setImmediate(resolve))
      .then(() => this.#sendAll())
      .finally(() => {
        this.#running = undefined
        if (this.#waiting.length > 0) this.#run()
      })
  }

  async #sendAll(): Promise<void> {
    this.#sweeper = setInterval(() => this.#expire(performance.now()), 100)
    try {
      let sent: Sent | undefined
      while (!this.#stop.signal.aborted && (this.depth > 0 || this.#mustProbe())) {
        sent = await this.#receive(sent ?? this.#send(this.#port.position()))
      }
    } finally {
      clearInterval(this.#sweeper)
    }
  }

  /** While writes fail, an empty batch finds out when they work again: clients may have been sent elsewhere. */
  #mustProbe(): boolean {
    const { board } = this.#port
    return !this.#closing && board.fault('write') !== undefined && !board.writesAreDamaged
  }

  #takeBatch(): Pending[] {
    let count = 0
    let size = 0
    for (const pending of this.#waiting) {
      size += pending.size
      if (count === this.#options.batchMaxCommits || (count > 0 && size > this.#options.batchMaxSize)) break
      count += 1
    }
    return this.#waiting.splice(0, count)
  }

  /** Sends what is to be sent again, or else what waits. Does not throw: a failure is part of what comes back. */
  #send(asked: Position): Sent {
    this.#inFlight = this.#inFlight.filter(({ settled }) => !settled)
    if (this.#inFlight.length === 0) this.#inFlight = this.#parts.pop() ?? this.#takeBatch()
    const batch = this.#inFlight
    this.#asking = true
    return { batch, asked, reply: this.#ask(batch, asked) }
  }

  async #ask(batch: readonly Pending[], asked: Position): Promise<Answer> {
    const startedAt = performance.now()
    this.#attempt += 1
    let reply: Answer['reply']
    try {
      reply = await this.#port.store.commit(
        asked,
        batch.map(({ commit, lineage }) => (lineage === asked.lineage ? commit : ofAnotherHistory(commit))),
        { writer: this.#writer, attempt: this.#attempt },
      )
    } catch (thrown) {
      reply = toCoordinatorError(thrown, 'COORD_STORE_FAULT')
    }
    // The answer to a batch that was sent ahead may lie for a while until it is read.
    return { reply, durationMs: performance.now() - startedAt }
  }

  /** Waits for the answer to a batch, and does what it calls for. Returns the batch that was sent meanwhile, if one was. */
  async #receive({ batch, asked, reply: promised }: Sent): Promise<Sent | undefined> {
    const { reply, durationMs } = await promised
    this.#asking = false
    if (reply instanceof CoordinatorError) return this.#failed(batch, reply)
    if (reply.status === 'superseded') return this.#overtaken(batch)
    if (reply.status !== 'ok') return this.#realign(reply, asked)
    if (provesWrites(reply.results) || (batch.length === 0 && !this.#port.board.writesAreDamaged))
      this.#port.board.succeeded('write')
    this.#port.sent({ commits: batch.length, durationMs })
    this.#judged = batch
    this.#inFlight = []
    const slow = durationMs >= slowRoundTripMs
    const ahead = slow ? undefined : await this.#sendAhead(reply, asked)
    const waiting = this.#waiting.length
    const followed = await this.#follow(reply, asked, valuesOf(batch, reply.results))
    this.#judged = []
    if (followed) {
      for (let index = 0; index < batch.length; index += 1)
        this.#settle(batch[index] as Pending, reply.results[index] as CommitResult)
      if (slow && waiting > 0 && !this.#closing)
        await this.#gather(waiting + batch.length, Math.min(durationMs * gatherPart, gatherMaxMs))
    } else {
      // Judged, and perhaps stored, but not in a view that can be answered from: sent again, the ids give the same results.
      for (const pending of batch) pending.maybeWritten = true
      const open = batch.filter(({ settled }) => !settled)
      if (open.length > 0) this.#parts.push(open)
    }
    return ahead
  }

  /**
   * Sends the next batch before the view takes the last one, so that the store works while it is taken and answered. The
   * reply says where the view is going to be.
   */
  async #sendAhead(reply: Judged, asked: Position): Promise<Sent | undefined> {
    if (this.#waiting.length === 0 || reply.more || this.#stop.signal.aborted) return undefined
    const last = reply.entries.at(-1)
    const sent = this.#send(
      last === undefined ? asked : { lineage: asked.lineage, revision: last.revision, digest: last.digest },
    )
    // It leaves this process in the turn that ends here.
    await turn()
    return sent
  }

  /** Brings the view up to a reply. Says whether it got there. */
  async #follow(reply: Judged, asked: Position, values: KnownValues): Promise<boolean> {
    try {
      if (!(await this.#port.take(reply.entries, asked, values))) return false
      if (reply.more) await this.#port.drain()
      this.#backoff.reset()
      const { lineage, revision } = this.#port.position()
      // A view that was built anew meanwhile may be of a moment before this batch.
      return lineage === asked.lineage && revision >= newestOf(reply.results)
    } catch (thrown) {
      this.#port.board.failed('read', toCoordinatorError(thrown, 'COORD_STORE_FAULT'))
      await pause(this.#backoff.next(), this.#stop.signal)
      return false
    }
  }

  /** Waits until so many commits wait, or as many as a batch may have, but no longer than a time. */
  async #gather(wanted: number, ms: number): Promise<void> {
    const count = Math.min(wanted, this.#options.batchMaxCommits)
    if (this.#waiting.length >= count) return
    const enough = new AbortController()
    this.#arrived = () => {
      if (this.#waiting.length >= count) enough.abort()
    }
    await pause(ms, AbortSignal.any([enough.signal, this.#stop.signal]))
    this.#arrived = undefined
  }

  /** Nothing of the batch was judged: it goes again from the new view. */
  async #realign(reply: OffTrack, asked: Position): Promise<undefined> {
    try {
      await this.#port.realign(reply, asked)
    } catch (thrown) {
      this.#port.board.failed('write', toCoordinatorError(thrown, 'COORD_STORE_FAULT'))
      await pause(this.#backoff.next(), this.#stop.signal)
    }
  }

  /** The call arrived twice, or after a later one. The next attempt tells whether its batch was stored. */
  async #overtaken(batch: readonly Pending[]): Promise<undefined> {
    for (const pending of batch) pending.maybeWritten = true
    await pause(this.#backoff.next(), this.#stop.signal)
  }

  async #failed(batch: Pending[], error: CoordinatorError): Promise<undefined> {
    if (error.outcome !== 'not_written') for (const pending of batch) pending.maybeWritten = true
    if (error.code === 'COORD_COMMIT_REFUSED' && batch.length > 0) return this.#isolate(batch, error)
    if (!error.retryable) {
      // The same batch would fail again: answer it, and find out with the next one.
      this.#inFlight = []
      for (const pending of batch) this.#fail(pending, error.withOutcome(outcomeOf(pending)))
    }
    this.#port.board.failed('write', error)
    await pause(this.#backoff.next(), this.#stop.signal)
  }

  /** The database refuses something in the batch without saying what: halves find out, so that only the culprit fails. */
  #isolate(batch: Pending[], error: CoordinatorError): undefined {
    const [only] = batch
    if (only !== undefined && batch.length === 1) {
      this.#inFlight = []
      this.#fail(only, error.withOutcome(outcomeOf(only)))
      return
    }
    const middle = Math.ceil(batch.length / 2)
    this.#parts.push(batch.slice(middle))
    this.#inFlight = batch.slice(0, middle)
  }

  /** Answers what has waited too long. A batch that the store has goes on: its ids make a later answer harmless. */
  #expire(now: number): void {
    const due = ({ deadline }: Pending) => deadline <= now
    for (const pending of this.#inFlight.filter(due))
      this.#fail(pending, this.#unavailable(this.#asking ? 'unknown' : outcomeOf(pending)))
    for (const pending of this.#judged.filter(due)) this.#fail(pending, this.#unavailable('unknown'))
    for (const pending of [...this.#parts.flat(), ...this.#waiting].filter(due))
      this.#fail(pending, this.#unavailable(outcomeOf(pending)))
    const open = ({ settled }: Pending) => !settled
    this.#waiting = this.#waiting.filter(open)
    this.#parts = this.#parts.map((part) => part.filter(open)).filter(({ length }) => length > 0)
  }

  #settle(pending: Pending, result: CommitResult): void {
    if (pending.settled) return
    if (result.outcome === 'refused') return this.#fail(pending, result.error)
    pending.settled = true
    pending.resolve(result.outcome === 'conflict' ? asWished(result, pending.commit) : result)
    const again = (result.outcome === 'accepted' || result.outcome === 'unchanged') && result.replayed
    this.#port.answered(again ? 'replayed' : result.outcome, performance.now() - pending.askedAt)
  }

  #fail(pending: Pending, error: CoordinatorError): void {
    if (pending.settled) return
    pending.settled = true
    pending.reject(error)
    this.#port.answered('failed', performance.now() - pending.askedAt)
  }
}

/** How much `data` a commit has, in UTF-16 code units. */
function sizeOf({ writes }: Commit): number {
  let size = 0
  for (const write of writes) if (write.op === 'put') size += write.data.length
  return size
}

/**
 * A commit that was planned in a history which is over: the revisions that it expects mean something else now. It expects
 * what no record has: the store answers its first result if it knows the commit, and a conflict if not.
 */
function ofAnotherHistory(commit: Commit): Commit {
  const writes = commit.writes.map((write) =>
    write.expect === undefined || write.expect === 0 ? write : { ...write, expect: MAX_REVISION },
  )
  return { ...commit, writes }
}

/** A conflict in the words of the commit as it was planned. */
function asWished(conflict: Conflict, { writes }: Commit): Conflict {
  const { kind, id } = conflict
  const expected = writes.find((write) => write.kind === kind && write.id === id)?.expect
  return expected === undefined ? conflict : { ...conflict, expected }
}

/** Whether something was stored: an answer alone proves only that the database can judge. */
function provesWrites(results: readonly CommitResult[]): boolean {
  return results.some(({ outcome }) => outcome === 'accepted')
}

/** The newest revision that some results tell of; 0 where they tell of none. */
function newestOf(results: readonly CommitResult[]): Revision {
  let newest = 0
  for (const result of results) if (result.outcome === 'accepted') newest = Math.max(newest, result.revision)
  return newest
}

/** What the entries say that this batch has just made. */
function valuesOf(batch: readonly Pending[], results: readonly CommitResult[]): KnownValues {
  const values = new Map<Revision, readonly JsonObject[]>()
  for (let index = 0; index < results.length; index += 1) {
    const result = results[index] as CommitResult
    const known = batch[index]?.values
    // What was accepted earlier may have had another content.
    if (known !== undefined && result.outcome === 'accepted' && !result.replayed)
      values.set(result.revision, known)
  }
  return values
}

function outcomeOf({ maybeWritten }: Pending): 'not_written' | 'unknown' {
  return maybeWritten ? 'unknown' : 'not_written'
}
