import {
  type AsOfFilter,
  type AsOfPage,
  type ChangesReply,
  type HistoryOptions,
  type HistoryPage,
  type Moment,
  NOW,
} from '../../database/store.ts'
import { CoordinatorError, toCoordinatorError } from '../../errors.ts'
import type { Position, Revision } from '../../records/record.ts'
import { within } from '../../scheduling/backoff.ts'
import { currentQuestion, forNobody } from '../../scheduling/client-question.ts'
import type { Follower } from '../following/follower.ts'
import type { LiveContext } from '../view/live-context.ts'
import type { ServedView } from '../view/served-view.ts'
import { LatestHead } from './latest-head.ts'
import { PastQueue, type PastQueueFigures } from './past-queue.ts'

/** How many reads of the past run at the same time if the store has no connections for them. */
const readsWithoutPool = 2
/** How far the clock of the database may be ahead of that of this machine. A time within this tolerance counts as now. */
const clockToleranceMs = 60_000

/** Answers what the view alone cannot: what is newest in the store, and what was there before. */
export class StoreReader {
  readonly #context: LiveContext
  readonly #served: ServedView
  readonly #follower: Follower
  readonly #past: PastQueue
  readonly #head: LatestHead

  constructor(context: LiveContext, served: ServedView, follower: Follower) {
    const { store, heads } = context
    this.#context = context
    this.#served = served
    this.#follower = follower
    // A store that reports no connections for readers has none to count.
    this.#past = new PastQueue({ maxReading: () => store.pool?.().reader.max || readsWithoutPool })
    this.#head = new LatestHead(() =>
      forNobody(async () => {
        const head = await store.head()
        heads.seen(head)
        return head
      }),
    )
  }

  get figures(): PastQueueFigures {
    return this.#past.figures
  }

  /** See `Live.waitForRevision`. */
  async waitForRevision(revision: Revision): Promise<void> {
    if (this.#served.view.revision >= revision) return
    this.#follower.poke()
    const waiting = this.#served.wait(revision)
    await (currentQuestion()?.orEnd(waiting) ?? waiting)
  }

  /** See `Live.catchUp`. */
  async catchUp(): Promise<void> {
    const known = this.#served.view.position
    const head = await this.#ask(() => this.#head.ask())
    // The store and the view have different positions. The follower finds out why.
    if (head.position.lineage !== known.lineage || head.position.revision < known.revision)
      await this.#ask(() => this.#follower.drain())
    this.#served.noteHead(head)
    await this.waitForRevision(head.position.revision)
  }

  /** See `Live.catchUpInTime`. */
  async catchUpInTime(askedAt: number): Promise<void> {
    const { commitTimeoutMs } = this.#context.options
    const leftMs = askedAt + commitTimeoutMs - performance.now()
    if (leftMs > 0 && (await within(leftMs, this.catchUp()))) return
    throw new CoordinatorError('COORD_STORE_TIMEOUT', {
      detail: `The database did not answer within ${commitTimeoutMs} ms.`,
      retryAfterSeconds: 2,
    })
  }

  /** See `Live.changes`. */
  changes(after: Position, limit: number): Promise<ChangesReply> {
    return this.#askPast(() => this.#context.store.changes(after, limit, 'client'))
  }

  /** See `Live.history`. */
  async history(kind: string, id: string, options?: HistoryOptions): Promise<HistoryPage> {
    const page = await this.#askPast(() => this.#context.store.history(kind, id, options))
    await this.#reach(page.position)
    return page
  }

  /** See `Live.asOf`. */
  async *asOf(moment: Moment, filter?: AsOfFilter): AsyncGenerator<AsOfPage> {
    this.#requireStore()
    let reached = false
    const pages = this.#context.store.asOf(this.#momentOf(moment), filter)[Symbol.asyncIterator]()
    try {
      for (;;) {
        const { done, value } = await this.#past.run(() => pages.next())
        if (done === true) return
        if (!reached) await this.#reach(value.position)
        reached = true
        yield value
      }
    } catch (thrown) {
      throw toCoordinatorError(thrown, 'COORD_STORE_FAULT')
    } finally {
      // A page that is still being read ends by itself. Nobody waits for it.
      void pages.return?.().catch(() => undefined)
    }
  }

  /** `now` means the newest revision, even if its time is ahead of the clock of this machine. */
  #momentOf(moment: Moment): Moment {
    const { at, revision } = this.#served.view
    if (!('at' in moment)) return moment
    const now = Date.now()
    if (moment.at >= now && moment.at <= now + clockToleranceMs) return NOW
    if (moment !== NOW && moment.at > Math.max(at, now) + clockToleranceMs)
      throw new CoordinatorError('COORD_REVISION_FUTURE', {
        detail: 'That time is in the future.',
        extra: { head: revision },
      })
    return moment
  }

  /**
   * Waits until the view has the revision that an answer of the store shows. Otherwise the next answer could show an older state.
   *
   * @throws COORD_REVISION_WAIT_TIMEOUT, COORD_STORE_BUSY if the view shows another history
   */
  async #reach({ lineage, revision }: Position): Promise<void> {
    // The store and the view have different positions. The follower finds out why.
    if (this.#served.view.lineage !== lineage) await this.#ask(() => this.#follower.drain())
    else this.#served.noteRevision(revision)
    await this.waitForRevision(revision)
    if (this.#served.view.lineage !== lineage)
      throw new CoordinatorError('COORD_STORE_BUSY', { detail: 'The history changed while it was read.' })
  }

  #askPast<T>(question: () => Promise<T>): Promise<T> {
    return this.#ask(() => this.#past.run(question))
  }

  /** @throws COORD_STORE_UNAVAILABLE */
  #requireStore(): void {
    const refusal = this.#served.storeRefusal
    if (refusal !== undefined) throw refusal
  }

  async #ask<T>(question: () => Promise<T>): Promise<T> {
    this.#served.view
    this.#requireStore()
    try {
      const asked = question()
      const answer = await (currentQuestion()?.orEnd(asked) ?? asked)
      this.#follower.storeAnswered()
      return answer
    } catch (thrown) {
      throw toCoordinatorError(thrown, 'COORD_STORE_FAULT')
    }
  }
}
