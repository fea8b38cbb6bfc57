import type { CommitResult, Conflict } from '../../database/store.ts'
import { CoordinatorError } from '../../errors.ts'
import type { JsonObject } from '../../records/canonical-json.ts'
import type { Commit } from '../../records/record.ts'
import { TurnQueue } from '../../scheduling/turn-queue.ts'
import type { LiveContext } from '../view/live-context.ts'
import type { Answered } from '../view/live-observer.ts'
import type { CommitWeight } from './commit-admission.ts'

/** The answer to a commit. If the store refuses the commit, the error is thrown instead. */
export type CommitOutcome = Exclude<CommitResult, { outcome: 'refused' }>

/** A new commit and what is known about it. */
export interface PlannedCommit {
  readonly commit: Commit
  /** See `Live.commit`. */
  readonly values: readonly JsonObject[] | undefined
  /** The history in which it was planned, and to which its `expect`s refer. The view may have another history by now. */
  readonly lineage: string
  /** The start of its time limit, on the monotonic clock: it may already have waited for others. */
  readonly askedAt: number
  /** The client that wants it; empty for a program in this process. Clients take turns. */
  readonly client: string
}

/** A commit that has no answer yet. */
export interface Pending {
  readonly planned: PlannedCommit
  readonly weight: CommitWeight
  readonly deadline: number
  readonly resolve: (outcome: CommitOutcome) => void
  readonly reject: (error: CoordinatorError) => void
  /** Whether an attempt may have stored the commit although no answer arrived. */
  maybeWritten: boolean
  settled: boolean
}

type Outcome = 'not_written' | 'unknown'

/** The part of the time of a commit in which it is not sent again. SQLite waits for other programs for less: a second of ten. */
const LAST_PART = 1 / 8

/**
 * Commits that have no answer yet. Clients take turns; the commits of one client keep their order. Each commit is answered by its deadline,
 * whatever the store does.
 */
export class CommitQueue {
  readonly #context: LiveContext
  readonly #waiting = new TurnQueue<Pending>()
  /** Batches that have to be sent again, and parts of a refused batch. The last one is sent next. */
  #again: (readonly Pending[])[] = []
  /** The batch that was sent and has no answer yet. */
  #sent: readonly Pending[] = []
  /** The batch that the store has judged but the view does not have yet. */
  #judged: readonly Pending[] = []
  /** Whether the queue refuses new commits. */
  closed = false

  constructor(context: LiveContext) {
    this.#context = context
  }

  /** How many commits have no answer yet. */
  get depth(): number {
    let depth = this.#waiting.length + this.#sent.length + this.#judged.length
    for (const batch of this.#again) depth += batch.length
    return depth
  }

  /** How many commits have not been sent yet. */
  get waiting(): number {
    return this.#waiting.length
  }

  /**
   * Adds a commit. The caller has already reserved memory for it. Resolves when the view has the commit.
   *
   * @throws COORD_COMMIT_REFUSED, COORD_COMMIT_QUEUE_FULL, COORD_SHUTTING_DOWN, or a COORD_STORE_* error with `outcome`
   */
  add(planned: PlannedCommit, weight: CommitWeight): Promise<CommitOutcome> {
    const deadline = planned.askedAt + this.#context.options.commitTimeoutMs
    const refusal = this.#refusal(deadline, planned.client)
    if (refusal !== undefined) {
      this.#over({ planned, weight }, 'failed')
      return Promise.reject(refusal)
    }
    return new Promise((resolve, reject) => {
      const pending = { planned, weight, deadline, resolve, reject, maybeWritten: false, settled: false }
      this.#waiting.push(planned.client, pending)
    })
  }

  #refusal(deadline: number, client: string): CoordinatorError | undefined {
    const { board, options } = this.#context
    if (this.closed)
      return new CoordinatorError('COORD_SHUTTING_DOWN', { outcome: 'not_written', retryAfterSeconds: 1 })
    if (this.depth >= options.queueMax)
      return queueFull(`${this.depth} writes are waiting; the limit is ${options.queueMax}.`)
    // A program in this process is one client with the coordinator, and limits itself.
    const ofClient = client === '' ? 0 : this.#waiting.lengthOf(client)
    if (ofClient > 0 && ofClient >= options.queueMax / 2)
      return queueFull(
        `${ofClient} writes of this principal or client are waiting; one may have half of ${options.queueMax}.`,
      )
    // Writes have failed for as long as a write may wait. More waiting writes would only fail later. If no probe can find out that writing
    // works again, a real write has to.
    const hopeless = board.failingForMs('write') > options.commitTimeoutMs && !board.writesAreDamaged
    return hopeless || deadline <= performance.now() ? this.#unavailable('not_written') : undefined
  }

  #unavailable(outcome: Outcome): CoordinatorError {
    const { board, options } = this.#context
    const last = board.fault('write')
    return new CoordinatorError(last?.code ?? 'COORD_STORE_TIMEOUT', {
      detail: last?.detail ?? `The database did not answer within ${options.commitTimeoutMs} ms.`,
      ...(last === undefined ? {} : { hint: last.hint }),
      outcome,
      retryAfterSeconds: 2,
    })
  }

  /** The next batch to send: one that has to be sent again, or else as many commits as fit in a batch. */
  takeBatch(): readonly Pending[] {
    const again = this.#again.pop() ?? []
    this.#endWhatIsCertain(again)
    this.#sent = again.filter(isOpen)
    if (this.#sent.length === 0) this.#sent = this.#takeWaiting()
    return this.#sent
  }

  /**
   * While writes fail, a commit that is certainly not written is not sent again shortly before its deadline. It would be on its way then,
   * and its client would have to be told that the outcome is unknown.
   */
  #endWhatIsCertain(batch: readonly Pending[]): void {
    const { board, options } = this.#context
    if (board.fault('write') === undefined) return
    const latest = performance.now() + options.commitTimeoutMs * LAST_PART
    for (const pending of batch)
      if (!pending.maybeWritten && pending.deadline <= latest)
        this.#fail(pending, this.#unavailable('not_written'))
  }

  #takeWaiting(): readonly Pending[] {
    const { batchMaxCommits, batchMaxSize } = this.#context.options
    const batch: Pending[] = []
    let size = 0
    for (let { next } = this.#waiting; next !== undefined; { next } = this.#waiting) {
      size += next.weight.size
      if (batch.length === batchMaxCommits || (batch.length > 0 && size > batchMaxSize)) break
      batch.push(next)
      this.#waiting.take()
    }
    return batch
  }

  /** The store has judged the batch. Its commits are answered when the view has the result. */
  judged(): void {
    this.#judged = this.#sent
    this.#sent = []
  }

  /** The view has the judged commits. */
  settle(results: readonly CommitResult[]): void {
    const batch = this.#judged
    this.#judged = []
    const now = performance.now()
    for (let index = 0; index < batch.length; index += 1)
      this.#settle(batch[index] as Pending, results[index] as CommitResult, now)
  }

  /** The view does not have the judged commits, which may be stored. When they are sent again, their ids lead to the same results. */
  judgeAgain(): void {
    this.#sendAgain(this.#judged, true)
    this.#judged = []
  }

  /** The batch was not judged, or that is unknown: it is sent again. */
  sendAgain({ maybeWritten }: { readonly maybeWritten: boolean }): void {
    this.#sendAgain(this.#sent, maybeWritten)
    this.#sent = []
  }

  #sendAgain(batch: readonly Pending[], maybeWritten: boolean): void {
    if (maybeWritten) for (const pending of batch) pending.maybeWritten = true
    if (batch.length > 0) this.#again.push(batch)
  }

  /** Ends the commits of the sent batch with an error. Called if a repetition would fail in the same way. */
  fail(error: CoordinatorError): void {
    for (const pending of this.#sent) {
      if (error.outcome !== 'not_written') pending.maybeWritten = true
      this.#fail(pending, error.withOutcome(outcomeOf(pending)))
    }
    this.#sent = []
  }

  /** Sends the batch again in halves. Called if the database refuses a commit without naming it, so that only this one fails. */
  isolate(error: CoordinatorError): void {
    const batch = this.#sent
    if (batch.length === 1) return this.fail(error)
    const middle = Math.ceil(batch.length / 2)
    this.#sendAgain(batch.slice(middle), error.outcome !== 'not_written')
    this.#sendAgain(batch.slice(0, middle), error.outcome !== 'not_written')
    this.#sent = []
  }

  /** Answers commits that have waited too long. If the store has their batch, its later answer does no harm, because of the ids. */
  expire(now: number): void {
    const failDue = (batch: Iterable<Pending>, outcome?: Outcome) => {
      for (const pending of batch)
        if (pending.deadline <= now) this.#fail(pending, this.#unavailable(outcome ?? outcomeOf(pending)))
    }
    failDue(this.#sent, 'unknown')
    failDue(this.#judged, 'unknown')
    for (const batch of this.#again) failDue(batch)
    failDue(this.#waiting)
    this.#waiting.retain(isOpen)
    this.#again = this.#again.map((batch) => batch.filter(isOpen)).filter(({ length }) => length > 0)
  }

  #settle(pending: Pending, result: CommitResult, now: number): void {
    if (pending.settled) return
    if (result.outcome === 'refused') return this.#fail(pending, result.error.withOutcome('not_written'))
    pending.settled = true
    pending.resolve(result.outcome === 'conflict' ? asWished(result, pending.planned.commit) : result)
    const again = (result.outcome === 'accepted' || result.outcome === 'unchanged') && result.replayed
    this.#over(pending, again ? 'replayed' : result.outcome, now)
  }

  #fail(pending: Pending, error: CoordinatorError): void {
    if (pending.settled) return
    pending.settled = true
    pending.reject(error)
    this.#over(pending, 'failed')
  }

  #over(
    { planned, weight }: Pick<Pending, 'planned' | 'weight'>,
    how: Answered,
    now = performance.now(),
  ): void {
    const { memory, observers } = this.#context
    memory.release(weight.bytes)
    observers.tell('committed', how, now - planned.askedAt)
  }
}

function queueFull(detail: string): CoordinatorError {
  return new CoordinatorError('COORD_COMMIT_QUEUE_FULL', {
    detail,
    outcome: 'not_written',
    retryAfterSeconds: 1,
  })
}

function isOpen({ settled }: Pending): boolean {
  return !settled
}

function outcomeOf({ maybeWritten }: Pending): Outcome {
  return maybeWritten ? 'unknown' : 'not_written'
}

/** Describes a conflict with the expectations of the original commit. */
function asWished(conflict: Conflict, { writes }: Commit): Conflict {
  const { kind, id } = conflict
  const expected = writes.find((write) => write.kind === kind && write.id === id)?.expect
  return expected === undefined ? conflict : { ...conflict, expected }
}
