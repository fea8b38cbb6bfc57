import type { Head, OffTrack, Store } from '../../database/store.ts'
import { CoordinatorError, toCoordinatorError } from '../../errors.ts'
import type { Entry, Position, Revision } from '../../records/record.ts'
import { Backoff, pause } from '../../scheduling/backoff.ts'
import { forNobody } from '../../scheduling/client-question.ts'
import type { StatusBoard } from '../status.ts'
import { CHANGES_LIMIT } from '../view/load-view.ts'

export interface FollowerOptions {
  /** Wait between questions while the journal moves, in milliseconds. */
  readonly pollMinMs: number
  /** Wait between questions while nothing happens, in milliseconds. */
  readonly pollMaxMs: number
  /** How long the head may stay above the view without progress before the view is built anew, in milliseconds. */
  readonly stallTimeoutMs: number
}

/** What the follower needs from the rest of the live layer. */
export interface FollowerPort {
  readonly store: Store
  readonly board: StatusBoard
  position(): Position
  /** The newest revision that any answer of the store has named. */
  knownHead(): Revision
  /** A head that the store named. */
  noteHead(head: Head): void
  /** Takes the entries behind a position into the view; `false` where the view has been replaced since. */
  take(entries: readonly Entry[], asked: Position): Promise<boolean>
  /** Whether the view may take more. */
  canFollow(): boolean
  /** The store has confirmed that the view is complete. The argument is when it was asked, on the monotonic clock. */
  confirmed(askedAt: number): void
  realign(reply: OffTrack, asked: Position): Promise<void>
  reload(reason: string): Promise<void>
}

/**
 * Brings the commits of other coordinators, and changes by hand, into the view by asking for them. It asks often while
 * the journal moves and seldom while it rests. It cannot be stuck in silence: a view that stays behind is built anew.
 */
export class Follower {
  readonly #port: FollowerPort
  readonly #options: FollowerOptions
  readonly #backoff = new Backoff()
  readonly #stop = new AbortController()
  #wake = new AbortController()
  #loop: Promise<void> | undefined
  #round: Promise<void> | undefined
  #lastProgress = performance.now()
  #lastHeadAsked = performance.now()
  #lastRevision: Revision = 0
  #failing = false

  constructor(port: FollowerPort, options: FollowerOptions) {
    this.#port = port
    this.#options = options
  }

  start(): void {
    this.#loop ??= this.#follow()
  }

  /** Asks now instead of at the end of the present wait; but a store that fails is not asked more often. */
  poke(): void {
    if (!this.#failing) this.#wake.abort()
  }

  /** The store has just answered somebody else: a follower that waits because it failed has no reason to any more. */
  storeAnswered(): void {
    if (!this.#failing) return
    this.#failing = false
    this.#backoff.reset()
    this.#wake.abort()
  }

  /** Follows until the view has everything that was committed before this call. Throws where the store fails. */
  async drain(): Promise<void> {
    // A round under way may have asked before the caller's commit: it does not count.
    if (this.#round !== undefined) await this.#round.catch(() => undefined)
    await this.#ask()
  }

  /** Asks no more. Resolves when the last answer is in. */
  async stop(): Promise<void> {
    this.#stop.abort()
    this.#wake.abort()
    await this.#loop
  }

  async #follow(): Promise<void> {
    const { pollMinMs } = this.#options
    let waitMs = pollMinMs
    let tookMs = 0
    while (!this.#stop.signal.aborted) {
      // The age counts from the question: while an answer travels, the view becomes older.
      await pause(Math.max(pollMinMs, waitMs - tookMs), this.#wake.signal)
      if (this.#wake.signal.aborted) this.#wake = new AbortController()
      if (this.#stop.signal.aborted) return
      const askedAt = performance.now()
      waitMs = (await this.#askOnce()) ? pollMinMs : Math.min(this.#options.pollMaxMs, waitMs * 1.5)
      tookMs = performance.now() - askedAt
      if (this.#failing) [waitMs, tookMs] = [this.#backoff.next(), 0]
    }
  }

  /** Says whether the view moved. */
  async #askOnce(): Promise<boolean> {
    const { revision } = this.#port.position()
    try {
      await this.#ask()
      this.#backoff.reset()
      this.#failing = false
    } catch (thrown) {
      this.#fail(thrown)
    }
    try {
      // Also after a failure: a store that fails to answer for the journal alone would be waited for without end.
      await this.#checkProgress()
    } catch (thrown) {
      this.#fail(thrown)
    }
    return this.#port.position().revision > revision
  }

  #fail(thrown: unknown): void {
    this.#failing = true
    this.#port.board.failed('read', toCoordinatorError(thrown, 'COORD_STORE_FAULT'))
  }

  #ask(): Promise<void> {
    // Others count on it too: it must not end with the question of whoever asks first.
    this.#round ??= forNobody(() => this.#askUntilCaughtUp()).finally(() => {
      this.#round = undefined
    })
    return this.#round
  }

  async #askUntilCaughtUp(): Promise<void> {
    for (;;) {
      if (!this.#port.canFollow()) return this.#askHead()
      const asked = this.#port.position()
      const askedAt = performance.now()
      const reply = await this.#port.store.changes(asked, CHANGES_LIMIT)
      if (reply.status !== 'ok') {
        const realigned = this.#port.realign(reply, asked)
        // It is an answer all the same. Only now: the view is stale already, so the state does not flicker.
        this.#port.board.succeeded('read')
        return realigned
      }
      if (reply.more && reply.entries.length === 0)
        throw new CoordinatorError('COORD_STORE_FAULT', {
          detail: `The store has entries after revision ${asked.revision}, and gives none.`,
        })
      this.#port.board.succeeded('read')
      const taken = await this.#port.take(reply.entries, asked)
      if (!taken) continue
      // Even if more entries follow, the store has answered. The lag of the view is reported elsewhere.
      this.#port.confirmed(askedAt)
      if (!reply.more) return
    }
  }

  /** There is no memory for changes of other coordinators. Only the lag of the view is still measured. */
  async #askHead(): Promise<void> {
    this.#port.noteHead(await this.#port.store.head())
    this.#port.board.succeeded('read')
  }

  /**
   * A store that answers "nothing new" without end may be right, or may be a cache or a copy that stands still. Its head,
   * which is asked for in another way, tells.
   */
  async #checkProgress(): Promise<void> {
    const { revision } = this.#port.position()
    const now = performance.now()
    if (revision !== this.#lastRevision) {
      this.#lastRevision = revision
      this.#lastProgress = now
      this.#lastHeadAsked = now
    } else if (now - this.#lastHeadAsked > this.#options.stallTimeoutMs / 2) {
      this.#lastHeadAsked = now
      this.#port.noteHead(await this.#port.store.head())
    }
    const isCaughtUp = this.#port.position().revision >= this.#port.knownHead()
    if (isCaughtUp || !this.#port.canFollow()) this.#lastProgress = now
    else if (now - this.#lastProgress > this.#options.stallTimeoutMs) {
      this.#lastProgress = now
      await this.#port.reload(
        `The view stayed at revision ${revision} while the store was at ${this.#port.knownHead()}.`,
      )
    }
  }
}
