import { randomUUID } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import type { CommitReply, CommitResult, OffTrack, Superseded } from '../../database/store.ts'
import { CoordinatorError, toCoordinatorError } from '../../errors.ts'
import type { JsonObject } from '../../records/canonical-json.ts'
import { type Commit, MAX_REVISION, type Position, type Revision } from '../../records/record.ts'
import { Backoff, pause, within } from '../../scheduling/backoff.ts'
import { forNobody } from '../../scheduling/client-question.ts'
import type { Follower } from '../following/follower.ts'
import type { LiveContext } from '../view/live-context.ts'
import type { ServedView } from '../view/served-view.ts'
import type { KnownValues } from '../view/view.ts'
import { CommitAdmission, type CommitWeight, weigh } from './commit-admission.ts'
import { type CommitOutcome, CommitQueue, type Pending, type PlannedCommit } from './commit-queue.ts'
import { Gathering, isSlow } from './gathering.ts'

type Judged = Exclude<CommitReply, OffTrack | Superseded>

/** A batch on its way to the store. */
interface Sent {
  readonly batch: readonly Pending[]
  /** The position with which the batch was sent. */
  readonly asked: Position
  readonly answer: Promise<Answer>
}

interface Answer {
  readonly reply: CommitReply | CoordinatorError
  /** How long the store took. */
  readonly durationMs: number
}

/**
 * Sends commits to the store, one batch at a time. While the store works on a batch, new commits wait for the next one. The round
 * trip therefore sets the size of batches, and no commit waits for a timer while nothing else happens. A batch without an answer
 * is sent again with the same ids, as a new attempt. After the answer to this attempt, the abandoned one cannot take effect any
 * more.
 */
export class Committer {
  readonly #context: LiveContext
  readonly #served: ServedView
  readonly #follower: Follower
  readonly #admission: CommitAdmission
  readonly #queue: CommitQueue
  readonly #gathering = new Gathering()
  readonly #backoff = new Backoff()
  readonly #stop = new AbortController()
  /** Identifies this committer to the store, which compares its attempts. An abandoned call therefore never takes effect later. */
  readonly #writer = randomUUID()
  #attempt = 0
  #running: Promise<void> | undefined
  #sweeper: NodeJS.Timeout | undefined

  constructor(context: LiveContext, served: ServedView, follower: Follower) {
    this.#context = context
    this.#served = served
    this.#follower = follower
    this.#admission = new CommitAdmission(context, served)
    this.#queue = new CommitQueue(context)
  }

  /** Commits that have no answer yet. */
  get depth(): number {
    return this.#queue.depth
  }

  /** See `Live.commit`. */
  commit(planned: PlannedCommit): Promise<CommitOutcome> {
    const weight = weigh(planned.commit)
    return this.#admission.hold(weight)
      ? this.#enqueue(planned, weight)
      : this.#admission.claim(planned.commit, weight).then(() => this.#enqueue(planned, weight))
  }

  #enqueue(planned: PlannedCommit, weight: CommitWeight): Promise<CommitOutcome> {
    const outcome = this.#queue.add(planned, weight)
    this.#gathering.arrived(this.#queue.waiting)
    this.#run()
    return outcome
  }

  /**
   * Sends the waiting commits and refuses new ones. Resolves when none is left or `timeoutMs` is over. The commits that are left then get
   * an answer, and the committer no longer waits for a store that hangs.
   */
  async close(timeoutMs: number): Promise<void> {
    this.#queue.closed = true
    const end = performance.now() + timeoutMs
    while (this.#running !== undefined && performance.now() < end)
      await within(end - performance.now(), this.#running)
    this.#stop.abort()
    clearInterval(this.#sweeper)
    this.#queue.expire(Number.POSITIVE_INFINITY)
  }

  #run(): void {
    if (this.#running !== undefined || this.#queue.waiting === 0) return
    // Waits one turn of the event loop, so that requests that arrived together are in one batch. What follows is for all clients.
    this.#running = forNobody(async () => {
      await turn()
      await this.#sendAll()
    }).finally(() => {
      this.#running = undefined
      this.#run()
    })
  }

  async #sendAll(): Promise<void> {
    this.#sweeper = setInterval(() => this.#queue.expire(performance.now()), 100)
    try {
      let sent: Sent | undefined
      while (!this.#stop.signal.aborted && (this.depth > 0 || this.#mustProbe())) {
        sent = await this.#receive(sent ?? this.#send(this.#served.position))
      }
    } finally {
      clearInterval(this.#sweeper)
    }
  }

  /**
   * While writes fail, an empty batch finds out when they work again. Real writes may no longer come, because clients were sent elsewhere.
   */
  #mustProbe(): boolean {
    const { board } = this.#context
    return !this.#queue.closed && board.fault('write') !== undefined && !board.writesAreDamaged
  }

  /** Does not throw: a failure is part of the answer. */
  #send(asked: Position): Sent {
    const batch = this.#queue.takeBatch()
    return { batch, asked, answer: this.#ask(batch, asked) }
  }

  async #ask(batch: readonly Pending[], asked: Position): Promise<Answer> {
    const startedAt = performance.now()
    this.#attempt += 1
    let reply: Answer['reply']
    try {
      reply = await this.#context.store.commit(
        asked,
        batch.map(({ planned }) => commitFor(asked.lineage, planned)),
        { writer: this.#writer, attempt: this.#attempt },
      )
    } catch (thrown) {
      reply = toCoordinatorError(thrown, 'COORD_STORE_FAULT')
    }
    // The answer to a batch that was sent ahead may wait for a while until it is read.
    return { reply, durationMs: performance.now() - startedAt }
  }

  /** Waits for the answer to a batch and processes it. Returns the batch that was sent in the meantime, if there is one. */
  async #receive({ batch, asked, answer }: Sent): Promise<Sent | undefined> {
    const { reply, durationMs } = await answer
    if (reply instanceof CoordinatorError) return this.#failed(reply, batch.length)
    if (reply.status === 'superseded') return this.#overtaken()
    if (reply.status !== 'ok') return this.#realign(reply, asked)
    const { board, observers } = this.#context
    if (provesWrites(reply.results) || (batch.length === 0 && !board.writesAreDamaged))
      board.succeeded('write')
    observers.tell('batch', { commits: batch.length, durationMs })
    this.#noteMode(reply.results)
    this.#queue.judged()
    const slow = isSlow(durationMs)
    const ahead = slow ? undefined : await this.#sendAhead(reply, asked)
    const { waiting } = this.#queue
    if (await this.#follow(reply, asked, valuesOf(batch, reply.results))) {
      this.#queue.settle(reply.results)
      if (slow && waiting > 0 && !this.#queue.closed) await this.#gather(waiting + batch.length, durationMs)
    } else this.#queue.judgeAgain()
    return ahead
  }

  /**
   * Sends the next batch before the view takes the last one, so that the store works while the view takes the reply. The reply says which
   * position the view will have.
   */
  async #sendAhead(reply: Judged, asked: Position): Promise<Sent | undefined> {
    if (this.#queue.waiting === 0 || reply.more || this.#stop.signal.aborted) return undefined
    const last = reply.entries.at(-1)
    const sent = this.#send(
      last === undefined ? asked : { lineage: asked.lineage, revision: last.revision, digest: last.digest },
    )
    // The request leaves this process only at the end of this turn.
    await turn()
    return sent
  }

  /** Brings the view up to a reply. @returns whether the view has it */
  async #follow(reply: Judged, asked: Position, values: KnownValues): Promise<boolean> {
    try {
      if (!(await this.#served.take(reply.entries, asked, values))) return false
      if (reply.more) await this.#follower.drain()
      this.#backoff.reset()
      const { lineage, revision } = this.#served.position
      // A view that was loaded again in the meantime may be older than this batch.
      return lineage === asked.lineage && revision >= newestOf(reply.results)
    } catch (thrown) {
      await this.#waitAfter('read', thrown)
      return false
    }
  }

  /** Waits for clients that were just answered, until as many commits wait as before, or as many as fit in a batch. */
  #gather(wanted: number, roundTripMs: number): Promise<void> {
    const { batchMaxCommits } = this.#context.options
    return this.#gathering.wait(
      { waiting: this.#queue.waiting, wanted: Math.min(wanted, batchMaxCommits), roundTripMs },
      this.#stop.signal,
    )
  }

  /** Called if no commit of the batch was judged. Sends the batch again with the position of the new view. */
  async #realign(reply: OffTrack, asked: Position): Promise<undefined> {
    this.#queue.sendAgain({ maybeWritten: false })
    try {
      await this.#served.realign(reply, asked)
    } catch (thrown) {
      await this.#waitAfter('write', thrown)
    }
  }

  /** The call arrived twice, or after a later one. The next attempt finds out whether its batch was stored. */
  async #overtaken(): Promise<undefined> {
    this.#queue.sendAgain({ maybeWritten: true })
    await pause(this.#backoff.next(), this.#stop.signal)
  }

  /** The results show that the mode has changed: the follower asks for it at once. */
  #noteMode(results: readonly CommitResult[]): void {
    const { mode } = this.#context.board
    const isNews = mode === 'open' ? results.some(isFrozen) : provesWrites(results)
    if (isNews) this.#follower.poke()
  }

  async #failed(error: CoordinatorError, commits: number): Promise<undefined> {
    if (error.code === 'COORD_STORE_FROZEN') return this.#frozen(error)
    if (error.code === 'COORD_COMMIT_REFUSED' && commits > 0) return void this.#queue.isolate(error)
    if (error.retryable) this.#queue.sendAgain({ maybeWritten: error.outcome !== 'not_written' })
    else this.#queue.fail(error)
    await this.#waitAfter('write', error)
  }

  /** The database answers in order, so nothing is wrong with writing: its mode is why it takes none. */
  #frozen(error: CoordinatorError): undefined {
    const { board } = this.#context
    board.succeeded('write')
    this.#queue.fail(error)
    if (board.mode === 'open') this.#follower.poke()
    return undefined
  }

  async #waitAfter(side: 'read' | 'write', thrown: unknown): Promise<void> {
    this.#context.board.failed(side, toCoordinatorError(thrown, 'COORD_STORE_FAULT'))
    await pause(this.#backoff.next(), this.#stop.signal)
  }
}

/**
 * The commit in the form for a history. If it was planned in another history, the revisions that it expects mean something else now. It
 * then gets an expectation that no record meets: the store answers with the first result if it knows the commit, and with a conflict if it
 * does not.
 */
function commitFor(history: string, { commit, lineage }: PlannedCommit): Commit {
  if (lineage === history) return commit
  const writes = commit.writes.map((write) =>
    write.expect === undefined || write.expect === 0 ? write : { ...write, expect: MAX_REVISION },
  )
  return { ...commit, writes }
}

/** Whether something was stored. An answer alone only proves that the database can judge commits. */
function provesWrites(results: readonly CommitResult[]): boolean {
  return results.some(({ outcome }) => outcome === 'accepted')
}

function isFrozen(result: CommitResult): boolean {
  return result.outcome === 'refused' && result.error.code === 'COORD_STORE_FROZEN'
}

/** The newest revision in some results; 0 if there is none. */
function newestOf(results: readonly CommitResult[]): Revision {
  let newest = 0
  for (const result of results) if (result.outcome === 'accepted') newest = Math.max(newest, result.revision)
  return newest
}

/** The parsed data of the entries that this batch has just made. */
function valuesOf(batch: readonly Pending[], results: readonly CommitResult[]): KnownValues {
  const values = new Map<Revision, readonly JsonObject[]>()
  for (let index = 0; index < results.length; index += 1) {
    const result = results[index] as CommitResult
    const known = batch[index]?.planned.values
    // A commit that was accepted earlier may have had another content.
    if (known !== undefined && result.outcome === 'accepted' && !result.replayed)
      values.set(result.revision, known)
  }
  return values
}
