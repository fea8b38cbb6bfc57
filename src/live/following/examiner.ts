import { examineStore } from '../../database/examine-store.ts'
import { CoordinatorError, toCoordinatorError } from '../../errors.ts'
import { pause, repeat } from '../../scheduling/backoff.ts'
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

  constructor(context: LiveContext) {
    this.#context = context
  }

  start(stop: AbortSignal): void {
    const { store, options } = this.#context
    const times = { firstMs: options.examineAfterMs, intervalMs: options.examineIntervalMs }
    if (store.inspector?.examine !== undefined) void repeat(() => this.#examine(stop), times, stop)
  }

  async #examine(stop: AbortSignal): Promise<void> {
    const { store, board, observers } = this.#context
    const letOthers = async (tookMs: number) => {
      await pause(Math.max(shortestPauseMs, tookMs / share), stop)
      if (stop.aborted) throw new CoordinatorError('COORD_SHUTTING_DOWN')
    }
    try {
      const found = await examineStore(store.inspector, letOthers)
      const [first] = found?.damages ?? []
      const more = (found?.count ?? 0) - 1
      board.examined(
        first === undefined || more === 0
          ? first
          : { ...first, found: `${first.found} ${more} more: \`coordinator doctor\` names them.` },
      )
    } catch (thrown) {
      if (stop.aborted) return
      const error = toCoordinatorError(thrown, 'COORD_STORE_FAULT')
      // The public key of a project may not examine the store. Faults of the connection are reported by the follower.
      if (error.code !== 'COORD_STORE_ANON') observers.tell('backgroundFailure', 'examination', error)
    }
  }
}
