import { CoordinatorError, toCoordinatorError } from '../../errors.ts'
import type { Revision } from '../../records/record.ts'
import { Backoff, pause } from '../../scheduling/backoff.ts'
import { forNobody } from '../../scheduling/client-question.ts'
import type { LiveContext } from '../view/live-context.ts'
import { CHANGES_LIMIT } from '../view/load-view.ts'
import type { ServedView } from '../view/served-view.ts'

/**
 * Polls the store for the commits of other coordinators and for changes by hand, and applies them to the view. It asks often while the
 * journal grows, and seldom while it does not. A view that stays behind is loaded again.
 */
export class Follower {
  readonly #context: LiveContext
  readonly #served: ServedView
  readonly #backoff = new Backoff()
  readonly #stop = new AbortController()
  #wake = new AbortController()
  #loop: Promise<void> | undefined
  #round: Promise<void> | undefined
  #lastProgress = performance.now()
  #lastHeadAsked = performance.now()
  #lastRevision: Revision = 0
  #failing = false

  constructor(context: LiveContext, served: ServedView) {
    this.#context = context
    this.#served = served
  }

  start(): void {
    if (this.#loop !== undefined || this.#stop.signal.aborted) return
    const forget = this.#context.memory.watch((state) => {
      if (state !== 'exhausted') this.poke()
    })
    this.#stop.signal.addEventListener('abort', forget)
    // Commits of others may have come during a load.
    this.#context.observers.add({ replaced: () => this.poke() })
    // The first question is asked at once: commits may have come since the load.
    this.#wake.abort()
    this.#loop = this.#follow()
  }

  /** Asks now instead of at the end of the present wait. It does not ask a failing store more often. */
  poke(): void {
    if (!this.#failing) this.#wake.abort()
  }

  /** The store has just answered another caller, so a follower that waits after a failure asks again at once. */
  storeAnswered(): void {
    if (!this.#failing) return
    this.#failing = false
    this.#backoff.reset()
    this.#wake.abort()
  }

  /** Follows until the view has everything that was committed before this call. Throws if the store fails. */
  async drain(): Promise<void> {
    // A round in progress may have asked before the caller's commit, so it does not count.
    if (this.#round !== undefined) await this.#round.catch(() => undefined)
    await this.#ask()
  }

  /** Stops asking. Resolves when the last answer has arrived. */
  async stop(): Promise<void> {
    this.#stop.abort()
    this.#wake.abort()
    await this.#loop
  }

  async #follow(): Promise<void> {
    const { pollMinMs, pollMaxMs } = this.#context.options
    let waitMs = pollMinMs
    let tookMs = 0
    while (!this.#stop.signal.aborted) {
      // The age counts from the question, because the view becomes older while the answer is on its way.
      await pause(Math.max(pollMinMs, waitMs - tookMs), this.#wake.signal)
      if (this.#wake.signal.aborted) this.#wake = new AbortController()
      if (this.#stop.signal.aborted) return
      const askedAt = performance.now()
      waitMs = (await this.#askOnce()) ? pollMinMs : Math.min(pollMaxMs, waitMs * 1.5)
      tookMs = performance.now() - askedAt
      if (this.#failing) [waitMs, tookMs] = [this.#backoff.next(), 0]
    }
  }

  /** @returns whether the view moved */
  async #askOnce(): Promise<boolean> {
    const { revision } = this.#served.position
    try {
      await this.#ask()
      this.#backoff.reset()
      this.#failing = false
    } catch (thrown) {
      this.#fail(thrown)
    }
    try {
      // Without this check the follower would wait for ever if the store fails only when it reads the journal.
      await this.#checkProgress()
    } catch (thrown) {
      this.#fail(thrown)
    }
    return this.#served.position.revision > revision
  }

  #fail(thrown: unknown): void {
    this.#failing = true
    this.#context.board.failed('read', toCoordinatorError(thrown, 'COORD_STORE_FAULT'))
  }

  #ask(): Promise<void> {
    // Several callers wait for the same round, so it must not end with the question of the first one.
    this.#round ??= forNobody(() => this.#askUntilCaughtUp()).finally(() => {
      this.#round = undefined
    })
    return this.#round
  }

  async #askUntilCaughtUp(): Promise<void> {
    for (;;) {
      if (!this.#canFollow) return this.#askHead()
      const asked = this.#served.position
      const askedAt = performance.now()
      const reply = await this.#context.store.changes(asked, CHANGES_LIMIT)
      this.#context.heads.seen(reply.status === 'ok' ? reply : reply.head)
      if (reply.status !== 'ok') {
        const realigned = this.#served.realign(reply, asked)
        // The store did answer. By now the view is marked as stale, so the status does not change back and forth.
        this.#context.board.succeeded('read')
        return realigned
      }
      if (reply.more && reply.entries.length === 0)
        throw new CoordinatorError('COORD_STORE_FAULT', {
          detail: `The store has entries after revision ${asked.revision}, and gives none.`,
        })
      this.#context.board.succeeded('read')
      const taken = await this.#served.take(reply.entries, asked)
      if (!taken) continue
      // Even if more entries follow, the store has answered. The lag of the view is reported elsewhere.
      this.#served.confirm(askedAt)
      if (!reply.more) return
    }
  }

  /** Whether the view may take more entries. */
  get #canFollow(): boolean {
    return this.#context.memory.state !== 'exhausted'
  }

  /** Called while there is no memory for the changes of other coordinators. It only measures how far the view is behind. */
  async #askHead(): Promise<void> {
    await this.#readHead()
    this.#context.board.succeeded('read')
  }

  async #readHead(): Promise<void> {
    const head = await this.#context.store.head()
    this.#context.heads.seen(head)
    this.#served.noteHead(head)
  }

  /**
   * A store that answers "nothing new" again and again may be right. It may also be a cache, or a copy that no longer follows. The head
   * shows which: the follower asks for it in another way.
   */
  async #checkProgress(): Promise<void> {
    const { stallTimeoutMs } = this.#context.options
    const { revision } = this.#served.position
    const now = performance.now()
    if (revision !== this.#lastRevision) {
      this.#lastRevision = revision
      this.#lastProgress = now
      this.#lastHeadAsked = now
    } else if (now - this.#lastHeadAsked > stallTimeoutMs / 2) {
      this.#lastHeadAsked = now
      await this.#readHead()
    }
    const isCaughtUp = this.#served.position.revision >= this.#served.head
    if (isCaughtUp || !this.#canFollow) this.#lastProgress = now
    else if (now - this.#lastProgress > stallTimeoutMs) {
      this.#lastProgress = now
      await this.#served.reload(
        `The view stayed at revision ${revision} while the store was at ${this.#served.head}.`,
      )
    }
  }
}
