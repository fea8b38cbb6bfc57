import { examineStore } from '../../database/examine-store.ts'
import { CoordinatorError, toCoordinatorError } from '../../errors.ts'
import { pause } from '../../scheduling/backoff.ts'
import type { LiveContext } from '../view/live-context.ts'

/** The part of the time in which an examination may use the database. Commits and followers come first. */
const share = 1 / 20
/** The shortest pause between two parts, in milliseconds. */
const shortestPauseMs = 20

/**
 * Compares head, journal and records in the background. It finds changes that bypassed the journal, and data that a disk lost, even if no
 * request reads them.
 */
export class Examiner {
  readonly #context: LiveContext
  readonly #stop = new AbortController()

  constructor(context: LiveContext) {
    this.#context = context
  }

  start(): void {
    if (this.#context.store.inspector?.examine !== undefined) void this.#examineAgainAndAgain()
  }

  stop(): void {
    this.#stop.abort()
  }

  async #examineAgainAndAgain(): Promise<void> {
    const { examineAfterMs, examineIntervalMs } = this.#context.options
    for (let waitMs = examineAfterMs; ; waitMs = examineIntervalMs * (0.95 + Math.random() / 10)) {
      await pause(waitMs, this.#stop.signal)
      if (this.#stop.signal.aborted) return
      await this.#examine()
    }
  }

  async #examine(): Promise<void> {
    const { store, board, observers } = this.#context
    try {
      const found = await examineStore(store.inspector, (tookMs) => this.#letOthers(tookMs))
      const [first] = found?.damages ?? []
      const more = (found?.count ?? 0) - 1
      board.examined(
        first === undefined || more === 0
          ? first
          : { ...first, found: `${first.found} ${more} more: \`coordinator doctor\` names them.` },
      )
    } catch (thrown) {
      if (this.#stop.signal.aborted) return
      const error = toCoordinatorError(thrown, 'COORD_STORE_FAULT')
      // The public key of a project may not examine, and the follower reports faults of the connection.
      if (error.code !== 'COORD_STORE_ANON') observers.tell('backgroundFailure', 'examination', error)
    }
  }

  async #letOthers(tookMs: number): Promise<void> {
    await pause(Math.max(shortestPauseMs, tookMs / share), this.#stop.signal)
    if (this.#stop.signal.aborted) throw new CoordinatorError('COORD_SHUTTING_DOWN')
  }
}
