import type { OffTrack, Store } from '../database/store.ts'
import { toCoordinatorError } from '../errors.ts'
import type { Entry, Position, Revision } from '../records/record.ts'
import { Backoff, pause } from './backoff.ts'
import { CHANGES_LIMIT } from './load-view.ts'
import type { StatusBoard } from './status.ts'

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
  apply(entries: readonly Entry[]): void
  /** The store has just confirmed that the view is complete. */
  confirmed(): void
  realign(reply: OffTrack): Promise<void>
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
  #lastRevision: Revision = 0

  constructor(port: FollowerPort, options: FollowerOptions) {
    this.#port = port
    this.#options = options
  }

  start(): void {
    this.#loop ??= this.#follow()
  }

  /** Asks now instead of at the end of the present wait. */
  poke(): void {
    this.#wake.abort()
  }

  /** Follows until the view has everything that was committed before this call. Throws where the store fails. */
  async drain(): Promise<void> {
    // A round under way may have asked before the caller's commit: it does not count.
    if (this.#round !== undefined) await this.#round.catch(() => undefined)
    await this.#ask()
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    this.#wake.abort()
    await this.#loop
  }

  async #follow(): Promise<void> {
    let waitMs = this.#options.pollMinMs
    while (!this.#stop.signal.aborted) {
      await pause(waitMs, this.#wake.signal)
      if (this.#wake.signal.aborted) this.#wake = new AbortController()
      if (this.#stop.signal.aborted) return
      const before = this.#port.position().revision
      try {
        await this.#ask()
        await this.#checkProgress()
        this.#backoff.reset()
        const moved = this.#port.position().revision > before
        waitMs = moved ? this.#options.pollMinMs : Math.min(this.#options.pollMaxMs, waitMs * 1.5)
      } catch (thrown) {
        this.#port.board.failed('read', toCoordinatorError(thrown, 'COORD_STORE_FAULT'))
        waitMs = Math.max(this.#options.pollMinMs, this.#backoff.next())
      }
    }
  }

  #ask(): Promise<void> {
    this.#round ??= this.#askUntilCaughtUp().finally(() => {
      this.#round = undefined
    })
    return this.#round
  }

  async #askUntilCaughtUp(): Promise<void> {
    for (;;) {
      const reply = await this.#port.store.changes(this.#port.position(), CHANGES_LIMIT)
      if (reply.status !== 'ok') return this.#port.realign(reply)
      this.#port.board.succeeded('read')
      this.#port.apply(reply.entries)
      if (!reply.more || reply.entries.length === 0) break
    }
    this.#port.confirmed()
  }

  async #checkProgress(): Promise<void> {
    const { revision } = this.#port.position()
    const now = performance.now()
    if (revision !== this.#lastRevision || revision >= this.#port.knownHead()) {
      this.#lastRevision = revision
      this.#lastProgress = now
    } else if (now - this.#lastProgress > this.#options.stallTimeoutMs) {
      this.#lastProgress = now
      await this.#port.reload(
        `The view stayed at revision ${revision} while the store was at ${this.#port.knownHead()}.`,
      )
    }
  }
}
